//! Counts replies in what a server sends, without building them.
//!
//! The scanner must cost far less than the server that wrote the bytes: it looks at the header line
//! of each element and jumps over the body of bulk strings. It may be fed pieces cut anywhere. It
//! knows all types of RESP2 and RESP3, but not pushes that come between replies: the load client
//! never asks for any.

use memchr::memchr;

/// A resumable scanner over one connection's replies.
#[derive(Debug, Default)]
pub struct Scanner {
    /// Bytes of a bulk string's body, its line end included, that are still to come.
    body_bytes: usize,
    /// Elements that the reply at hand still lacks; 0 between replies.
    elements: u64,
    /// The first part of a header line whose end has not arrived yet.
    line: Vec<u8>,
    shape: u64,
    error_count: u64,
    first_error: Option<String>,
}

/// The server sent something that is not RESP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotResp(String);

impl std::fmt::Display for NotResp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not a RESP reply: {:?}", self.0)
    }
}

impl std::error::Error for NotResp {}

impl Scanner {
    /// Takes the next bytes; returns how many replies they completed.
    ///
    /// # Errors
    /// When a header line is not RESP; the connection is of no use after that.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<u64, NotResp> {
        let mut complete = 0;
        while !bytes.is_empty() {
            if self.body_bytes > 0 {
                let skipped = self.body_bytes.min(bytes.len());
                self.body_bytes -= skipped;
                bytes = &bytes[skipped..];
                if self.body_bytes == 0 {
                    complete += self.element_done();
                }
                continue;
            }
            let Some(end) = memchr(b'\n', bytes) else {
                self.line.extend_from_slice(bytes);
                break;
            };
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            complete += if self.line.is_empty() {
                self.header(line)?
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                let count = self.header(&whole)?;
                whole.clear();
                self.line = whole;
                count
            };
        }
        Ok(complete)
    }

    /// A digest of the replies' types and sizes of aggregates, blind to what strings and numbers
    /// say.
    pub fn shape(&self) -> u64 {
        self.shape
    }

    /// Returns how many of the elements were errors.
    pub fn error_count(&self) -> u64 {
        self.error_count
    }

    /// The text of the first error, if there was one.
    pub fn first_error(&self) -> Option<&str> {
        self.first_error.as_deref()
    }

    /// Forgets digest and errors; to be called between replies only.
    pub fn reset(&mut self) {
        *self = Self {
            line: std::mem::take(&mut self.line),
            ..Self::default()
        };
        self.line.clear();
    }

    /// Takes one whole header line, its line end included; returns how many replies it completed.
    fn header(&mut self, line: &[u8]) -> Result<u64, NotResp> {
        let not_resp = || NotResp(String::from_utf8_lossy(line).trim_end().to_owned());
        let (kind, text) = match line {
            [kind, text @ .., b'\r', b'\n'] => (*kind, text),
            _ => return Err(not_resp()),
        };
        if self.elements == 0 {
            self.elements = 1;
        }
        match kind {
            b'+' | b':' | b'_' | b'#' | b',' | b'(' => self.see(kind, 0),
            b'-' => {
                self.see(kind, 0);
                self.error_count += 1;
                if self.first_error.is_none() {
                    self.first_error = Some(String::from_utf8_lossy(text).into_owned());
                }
            }
            b'$' | b'=' | b'!' => {
                let Some(length) = count(text).ok_or_else(not_resp)? else {
                    self.see(b'_', 0);
                    return Ok(self.element_done());
                };
                self.see(b'$', 0);
                self.body_bytes = length as usize + 2;
                return Ok(0);
            }
            b'*' | b'~' | b'>' | b'%' | b'|' => {
                let Some(length) = count(text).ok_or_else(not_resp)? else {
                    self.see(b'_', 0);
                    return Ok(self.element_done());
                };
                self.see(kind, length);
                // An attribute is followed by the element that it describes.
                self.elements += match kind {
                    b'%' => 2 * length,
                    b'|' => 2 * length + 1,
                    _ => length,
                };
            }
            _ => return Err(not_resp()),
        }
        Ok(self.element_done())
    }

    fn see(&mut self, kind: u8, length: u64) {
        let seen = u64::from(kind) | (length << 8);
        self.shape = (self.shape.rotate_left(7) ^ seen).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn element_done(&mut self) -> u64 {
        self.elements -= 1;
        u64::from(self.elements == 0)
    }
}

/// A header's number; the inner `None` is the null of RESP2. At most 10 digits, so that nothing
/// overflows.
fn count(text: &[u8]) -> Option<Option<u64>> {
    if text == b"-1" {
        return Some(None);
    }
    if text.is_empty() || text.len() > 10 {
        return None;
    }
    text.iter()
        .try_fold(0, |number: u64, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u64::from(digit - b'0'))
        })
        .map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIXED: &[u8] = b"+OK\r\n$5\r\nhe\r\no\r\n:12\r\n*2\r\n*-1\r\n*2\r\n$0\r\n\r\n$-1\r\n-ERR no\r\n*0\r\n\
        %1\r\n+k\r\n~2\r\n#t\r\n_\r\n|1\r\n+a\r\n+b\r\n,1.5\r\n=6\r\ntxt:ab\r\n(12345678901234567890\r\n";
    const MIXED_REPLIES: u64 = 10;

    #[test]
    fn every_type_is_counted_once() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.feed(MIXED), Ok(MIXED_REPLIES));
        assert_eq!(scanner.error_count(), 1);
        assert_eq!(scanner.first_error(), Some("ERR no"));
    }

    #[test]
    fn pieces_of_any_size_give_the_same_count_and_shape() {
        let mut whole = Scanner::default();
        whole.feed(MIXED).unwrap();
        for size in 1..MIXED.len() {
            let mut scanner = Scanner::default();
            let count: u64 = MIXED
                .chunks(size)
                .map(|piece| scanner.feed(piece).unwrap())
                .sum();
            assert_eq!(
                (count, scanner.shape()),
                (MIXED_REPLIES, whole.shape()),
                "pieces of {size}"
            );
        }
    }

    #[test]
    fn shape_sees_types_and_sizes_but_not_texts() {
        let shape = |bytes: &[u8]| {
            let mut scanner = Scanner::default();
            scanner.feed(bytes).unwrap();
            scanner.shape()
        };
        assert_eq!(shape(b"*1\r\n$2\r\nab\r\n"), shape(b"*1\r\n$3\r\nxyz\r\n"));
        assert_ne!(shape(b"*1\r\n$2\r\nab\r\n"), shape(b"*1\r\n:2\r\n"));
        assert_ne!(shape(b"*0\r\n"), shape(b"*-1\r\n"));
        assert_ne!(shape(b"+OK\r\n"), shape(b"-OK\r\n"));
    }

    #[test]
    fn what_is_not_resp_is_said() {
        assert!(Scanner::default().feed(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(Scanner::default().feed(b"$x\r\n").is_err());
        assert!(Scanner::default().feed(b"*99999999999\r\n").is_err());
        assert!(Scanner::default().feed(b"\n").is_err());
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Scanner::default().feed(&bytes);
        }
    }
}
