//! A reply of the server, as its client reads it (RESP3).

use thiserror::Error;

use crate::limits::REPLY_DEPTH_MAX;

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// A simple, bulk or verbatim string, or a number too large for an integer.
    Text(Vec<u8>),
    /// An array, a set, or what was pushed.
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Error(String),
}

/// Bytes that are no reply. The server is the same program, so this is a bug.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the server's reply is not understood at byte {at}")]
pub(crate) struct NotAReply {
    at: usize,
}

impl Value {
    /// The first reply in `bytes`, and how many of them it takes; none if there must be more.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Value, usize)>, NotAReply> {
        let mut reader = Reader { bytes, at: 0 };
        let parsed = reader.value(0)?;
        Ok(parsed.map(|value| (value, reader.at)))
    }

    /// The elements of an array; none of anything else.
    pub(crate) fn items(&self) -> &[Value] {
        let Value::Array(items) = self else {
            return &[];
        };
        items
    }

    /// The value of a key in a map, or in an array that alternates keys and values.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => {
                let found = pairs.iter().find(|(name, _)| name.is(key));
                found.map(|(_, value)| value)
            }
            Value::Array(items) => {
                let found = items.chunks_exact(2).find(|pair| pair[0].is(key));
                found.map(|pair| &pair[1])
            }
            Value::Null
            | Value::Integer(_)
            | Value::Double(_)
            | Value::Boolean(_)
            | Value::Text(_)
            | Value::Error(_) => None,
        }
    }

    /// The text of a string.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        let Value::Text(text) = self else {
            return None;
        };
        Some(text)
    }

    /// The number, if it is one that is not negative.
    pub(crate) fn number(&self) -> Option<u64> {
        let Value::Integer(number) = self else {
            return None;
        };
        u64::try_from(*number).ok()
    }

    fn is(&self, text: &str) -> bool {
        self.text() == Some(text.as_bytes())
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn value(&mut self, depth: usize) -> Result<Option<Value>, NotAReply> {
        if depth > REPLY_DEPTH_MAX {
            return self.fault();
        }
        let Some(line) = self.line() else {
            return Ok(None);
        };
        let Some((kind, rest)) = line.split_first() else {
            return self.fault();
        };
        let text = || String::from_utf8_lossy(rest).into_owned();
        Ok(Some(match kind {
            b'+' | b'(' => Value::Text(rest.to_vec()),
            b'-' => Value::Error(text()),
            b':' => Value::Integer(self.number(rest)?),
            b',' => Value::Double(self.number(rest)?),
            b'#' => Value::Boolean(rest == b"t"),
            b'_' => Value::Null,
            b'$' | b'=' | b'!' => {
                let len: i64 = self.number(rest)?;
                let Ok(len) = usize::try_from(len) else {
                    return Ok(Some(Value::Null));
                };
                let Some(bytes) = self.bytes.get(self.at..self.at.saturating_add(len + 2)) else {
                    return Ok(None);
                };
                self.at += len + 2;
                let bytes = &bytes[..len];
                match kind {
                    b'!' => Value::Error(String::from_utf8_lossy(bytes).into_owned()),
                    // The format of a verbatim string comes before it.
                    b'=' => Value::Text(bytes.get(4..).unwrap_or_default().to_vec()),
                    _ => Value::Text(bytes.to_vec()),
                }
            }
            b'*' | b'~' | b'>' => {
                let len: i64 = self.number(rest)?;
                if len < 0 {
                    return Ok(Some(Value::Null));
                }
                // An announcement reserves no memory.
                let mut items = Vec::new();
                for _ in 0..len {
                    match self.value(depth + 1)? {
                        Some(item) => items.push(item),
                        None => return Ok(None),
                    }
                }
                Value::Array(items)
            }
            b'%' => {
                let len: i64 = self.number(rest)?;
                let mut pairs = Vec::new();
                for _ in 0..len {
                    let (key, value) = (self.value(depth + 1)?, self.value(depth + 1)?);
                    match (key, value) {
                        (Some(key), Some(value)) => pairs.push((key, value)),
                        _ => return Ok(None),
                    }
                }
                Value::Map(pairs)
            }
            _ => return self.fault(),
        }))
    }

    /// The next line, without its end; none if it has not come.
    fn line(&mut self) -> Option<&'b [u8]> {
        let rest = &self.bytes[self.at..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        self.at += end + 2;
        Some(&rest[..end])
    }

    fn number<N: std::str::FromStr>(&self, text: &[u8]) -> Result<N, NotAReply> {
        let text = std::str::from_utf8(text).ok();
        let number = text.and_then(|text| text.parse().ok());
        number.ok_or(NotAReply { at: self.at })
    }

    fn fault<T>(&self) -> Result<T, NotAReply> {
        Err(NotAReply { at: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[u8] =
        b"%2\r\n+a\r\n*3\r\n:1\r\n,1.5\r\n#t\r\n$1\r\nb\r\n~2\r\n_\r\n=7\r\ntxt:abc\r\n";

    #[test]
    fn a_reply_is_read_whole_or_waits_for_more() {
        let expected = Value::Map(vec![
            (
                Value::Text(b"a".to_vec()),
                Value::Array(vec![
                    Value::Integer(1),
                    Value::Double(1.5),
                    Value::Boolean(true),
                ]),
            ),
            (
                Value::Text(b"b".to_vec()),
                Value::Array(vec![Value::Null, Value::Text(b"abc".to_vec())]),
            ),
        ]);
        assert_eq!(Value::parse(REPLIES), Ok(Some((expected, REPLIES.len()))));
        for len in 0..REPLIES.len() {
            assert_eq!(Value::parse(&REPLIES[..len]), Ok(None), "{len}");
        }
    }

    #[test]
    fn what_is_no_reply_or_too_deep_is_refused() {
        assert!(Value::parse(b"?\r\n").is_err());
        assert!(Value::parse(b":x\r\n").is_err());
        let deep = |levels: usize| [b"*1\r\n".repeat(levels), b":1\r\n".to_vec()].concat();
        assert!(matches!(Value::parse(&deep(REPLY_DEPTH_MAX)), Ok(Some(_))));
        assert!(Value::parse(&deep(REPLY_DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn values_are_found_in_maps_and_in_arrays_that_alternate() {
        let (map, _) = Value::parse(b"%1\r\n+k\r\n:7\r\n").unwrap().unwrap();
        let (array, _) = Value::parse(b"*2\r\n+k\r\n:7\r\n").unwrap().unwrap();
        for value in [map, array] {
            assert_eq!(value.get("k").and_then(Value::number), Some(7));
            assert_eq!(value.get("v"), None);
        }
    }
}
