//! What a reply must look like: the language of the recorded cases (`cases/README.md`).

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

use crate::value::Value;

/// The replies that a case has kept by name.
pub type Saved = HashMap<String, Value>;

/// A pattern for a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Expect {
    /// Exactly this, where [`Value::Bulk`] stands for verbatim strings as well.
    Scalar(Value),
    /// An array of these.
    Array(Vec<Expect>),
    /// A set of these, in order.
    Set(Vec<Expect>),
    /// A push of these.
    Push(Vec<Expect>),
    /// A map of these, in order.
    Map(Vec<(Expect, Expect)>),
    /// Of that kind, whatever its value.
    Any(Kind),
    /// The value kept under a name.
    Same(String),
    /// A string in which `*` stands for anything.
    Like(String),
    /// The inner pattern, with the elements of all its aggregates in any order.
    Unordered(Box<Expect>),
}

/// A kind of reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything at all.
    Any,
    /// A stream ID.
    Id,
    /// An integer.
    Int,
    /// A string, errors apart.
    Str,
    /// An array.
    Array,
    /// An error.
    Error,
}

/// Whether the order of elements counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Fixed,
    Free,
}

impl Expect {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// When it is not in the language of the cases.
    pub fn parse(json: &Json) -> Result<Self> {
        let object = json.as_object().context("a reply is an object")?;
        let (kind, value) = object.iter().next().context("a reply has a kind")?;
        if object.len() != 1 {
            bail!("a reply has one kind: {json}");
        }
        let text = || {
            value
                .as_str()
                .with_context(|| format!("{kind} holds a string"))
        };
        let list = || -> Result<Vec<Self>> {
            let items = value
                .as_array()
                .with_context(|| format!("{kind} holds a list"))?;
            items.iter().map(Self::parse).collect()
        };
        Ok(match kind.as_str() {
            "simple" => Self::Scalar(Value::Simple(latin1(text()?)?)),
            "error" => Self::Scalar(Value::Error(latin1(text()?)?)),
            "bulk" => Self::Scalar(Value::Bulk(latin1(text()?)?)),
            "int" => Self::Scalar(Value::Int(value.as_i64().context("int holds a number")?)),
            "double" => Self::Scalar(Value::Double(text()?.to_owned())),
            "big" => Self::Scalar(Value::Big(text()?.to_owned())),
            "bool" => Self::Scalar(Value::Bool(value.as_bool().context("bool holds a bool")?)),
            "nil" => Self::Scalar(Value::Nil),
            "closed" => Self::Scalar(Value::Closed),
            "array" => Self::Array(list()?),
            "set" => Self::Set(list()?),
            "push" => Self::Push(list()?),
            "map" => {
                let pairs = value.as_array().context("map holds a list of pairs")?;
                let pair = |pair: &Json| match pair.as_array().map(Vec::as_slice) {
                    Some([key, value]) => Ok((Self::parse(key)?, Self::parse(value)?)),
                    _ => bail!("map holds pairs: {pair}"),
                };
                Self::Map(pairs.iter().map(pair).collect::<Result<_>>()?)
            }
            "any" => Self::Any(match text()? {
                "any" => Kind::Any,
                "id" => Kind::Id,
                "int" => Kind::Int,
                "str" => Kind::Str,
                "array" => Kind::Array,
                "error" => Kind::Error,
                other => bail!("no such kind: {other}"),
            }),
            "same" => Self::Same(text()?.to_owned()),
            "like" => Self::Like(text()?.to_owned()),
            "unordered" => Self::Unordered(Box::new(Self::parse(value)?)),
            other => bail!("no such kind of reply: {other}"),
        })
    }

    /// Returns whether `reply` is what was expected.
    pub fn fits(&self, reply: &Value, saved: &Saved) -> bool {
        self.fits_in(reply, saved, Order::Fixed)
    }

    /// Returns where `reply` first differs from what was expected: the way to it, what was expected
    /// there, and what is there. The parts of aggregates are named by their index or key.
    pub fn first_difference(&self, reply: &Value, saved: &Saved) -> (String, String, String) {
        let inner = match (self, reply) {
            (Self::Array(patterns), Value::Array(elements))
            | (Self::Set(patterns), Value::Set(elements))
            | (Self::Push(patterns), Value::Push(elements))
                if patterns.len() == elements.len() =>
            {
                let pairs = patterns.iter().zip(elements);
                let mut unlike = pairs.enumerate().filter(|(_, (p, e))| !p.fits(e, saved));
                unlike
                    .next()
                    .map(|(index, (p, e))| (index.to_string(), p, e))
            }
            (Self::Map(patterns), Value::Map(pairs)) if patterns.len() == pairs.len() => {
                let mut unlike = patterns
                    .iter()
                    .zip(pairs)
                    .filter(|(p, e)| p.0.fits(&e.0, saved) && !p.1.fits(&e.1, saved));
                unlike.next().map(|(p, e)| (p.0.to_string(), &p.1, &e.1))
            }
            _ => None,
        };
        match inner {
            None => (String::new(), self.to_string(), reply.to_string()),
            Some((step, pattern, element)) => {
                let (way, expected, got) = pattern.first_difference(element, saved);
                (format!("/{step}{way}"), expected, got)
            }
        }
    }

    fn fits_in(&self, reply: &Value, saved: &Saved, order: Order) -> bool {
        match (self, reply) {
            (Self::Scalar(Value::Bulk(bytes)), Value::Verbatim(_, text)) => bytes == text,
            (Self::Scalar(value), reply) => value == reply,
            (Self::Array(patterns), Value::Array(elements))
            | (Self::Set(patterns), Value::Set(elements))
            | (Self::Push(patterns), Value::Push(elements)) => {
                all_fit(patterns, elements, order, |pattern, element| {
                    pattern.fits_in(element, saved, order)
                })
            }
            (Self::Map(patterns), Value::Map(pairs)) => {
                all_fit(patterns, pairs, order, |pattern, pair| {
                    pattern.0.fits_in(&pair.0, saved, order)
                        && pattern.1.fits_in(&pair.1, saved, order)
                })
            }
            (Self::Any(kind), reply) => kind.fits(reply),
            (Self::Same(name), reply) => saved.get(name).is_some_and(|kept| {
                kept.as_argument().is_some() && kept.as_argument() == reply.as_argument()
            }),
            (Self::Like(pattern), Value::Error(text)) => like(pattern, text),
            (Self::Like(pattern), reply) => {
                reply.as_bytes().is_some_and(|text| like(pattern, text))
            }
            (Self::Unordered(pattern), reply) => pattern.fits_in(reply, saved, Order::Free),
            (Self::Array(_) | Self::Set(_) | Self::Push(_) | Self::Map(_), _) => false,
        }
    }
}

impl Kind {
    fn fits(self, reply: &Value) -> bool {
        match self {
            Self::Any => *reply != Value::Closed,
            Self::Id => reply.as_bytes().is_some_and(is_id),
            Self::Int => reply.as_int().is_some(),
            Self::Str => reply.as_bytes().is_some(),
            Self::Array => matches!(reply, Value::Array(_)),
            Self::Error => matches!(reply, Value::Error(_)),
        }
    }
}

/// Returns whether these bytes are a whole stream ID, `milliseconds-sequence`.
pub fn is_id(bytes: &[u8]) -> bool {
    let number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let mut parts = bytes.splitn(2, |&byte| byte == b'-');
    parts.next().is_some_and(number) && parts.next().is_some_and(number)
}

/// The bytes of a string whose characters stand for one byte each.
///
/// # Errors
/// When a character is above 255.
pub fn latin1(text: &str) -> Result<Vec<u8>> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).context("a character above 255"))
        .collect()
}

fn all_fit<P, V>(
    patterns: &[P],
    values: &[V],
    order: Order,
    mut fits: impl FnMut(&P, &V) -> bool,
) -> bool {
    if patterns.len() != values.len() {
        return false;
    }
    match order {
        Order::Fixed => patterns
            .iter()
            .zip(values)
            .all(|(pattern, value)| fits(pattern, value)),
        // Greedy is enough: in one reply two patterns fit the same value only if they are equal.
        Order::Free => {
            let mut left: Vec<&V> = values.iter().collect();
            patterns.iter().all(|pattern| {
                let found = left.iter().position(|value| fits(pattern, value));
                found.map(|at| left.swap_remove(at)).is_some()
            })
        }
    }
}

fn like(pattern: &str, text: &[u8]) -> bool {
    let pattern: Vec<u8> = pattern.chars().map(|c| c as u8).collect();
    let mut pieces = pattern.split(|&byte| byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&[u8]> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        if piece.is_empty() {
            continue;
        }
        match rest.windows(piece.len()).position(|window| window == piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(value) => write!(f, "{value}"),
            Self::Array(patterns) => list(f, "[", patterns),
            Self::Set(patterns) => list(f, "~[", patterns),
            Self::Push(patterns) => list(f, ">[", patterns),
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
            Self::Any(kind) => write!(f, "<{}>", format!("{kind:?}").to_lowercase()),
            Self::Same(name) => write!(f, "${name}"),
            Self::Like(pattern) => write!(f, "like \"{}\"", pattern.escape_debug()),
            Self::Unordered(pattern) => write!(f, "in any order {pattern}"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, open: &str, patterns: &[Expect]) -> fmt::Result {
    f.write_str(open)?;
    for (index, pattern) in patterns.iter().enumerate() {
        write!(f, "{}{pattern}", if index > 0 { ", " } else { "" })?;
    }
    f.write_str("]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, reply: &Value) -> bool {
        let json = serde_json::from_str(pattern).unwrap();
        Expect::parse(&json).unwrap().fits(reply, &Saved::new())
    }

    #[test]
    fn a_glob_matches_the_whole_string() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acd", false),
            ("*", "", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*b*c", "a-bb-c", true),
            ("a*b*b", "ab", false),
            ("*x", "xxx", true),
        ] {
            assert_eq!(like(pattern, text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_value_of_another_kind_does_not_fit() {
        assert!(fits(r#"{"int": 1}"#, &Value::Int(1)));
        assert!(!fits(r#"{"int": 1}"#, &Value::Int(2)));
        assert!(!fits(r#"{"int": 1}"#, &Value::bulk("1")));
        assert!(!fits(r#"{"bulk": "OK"}"#, &Value::Simple(b"OK".to_vec())));
        assert!(!fits(r#"{"nil": true}"#, &Value::Array(Vec::new())));
        assert!(!fits(r#"{"any": "any"}"#, &Value::Closed));
        assert!(!fits(r#"{"any": "id"}"#, &Value::bulk("5")));
        assert!(!fits(r#"{"any": "str"}"#, &Value::Error(b"ERR".to_vec())));
    }

    #[test]
    fn order_counts_unless_it_is_free() {
        let reply = Value::Array(vec![Value::Int(1), Value::Int(2)]);
        assert!(fits(r#"{"array": [{"int": 1}, {"int": 2}]}"#, &reply));
        assert!(!fits(r#"{"array": [{"int": 2}, {"int": 1}]}"#, &reply));
        assert!(fits(
            r#"{"unordered": {"array": [{"int": 2}, {"int": 1}]}}"#,
            &reply
        ));
        assert!(!fits(
            r#"{"unordered": {"array": [{"int": 2}, {"int": 2}]}}"#,
            &reply
        ));
        assert!(!fits(r#"{"unordered": {"array": [{"int": 2}]}}"#, &reply));
    }
}
