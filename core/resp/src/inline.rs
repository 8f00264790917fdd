//! Splits a line of text into arguments, as Redis does for inline requests and for the lines of its
//! configuration file.
//!
//! Space separates arguments. Within double quotes `\n \r \t \b \a`, `\xHH` and a backslash before
//! any other byte mean what they do in C; within single quotes only `\'` is special. A closing
//! quote ends the argument; an opening one need not be at its start: `a"b c"` is one argument,
//! `"a"b` is an error.

use crate::argv::{ArgvBuf, Span, offset};
use crate::request::ProtocolError;

/// The arguments of a line, which has no line end.
///
/// # Errors
/// [`ProtocolError::UnbalancedQuotes`] if a quote is not closed, or text follows a closing quote.
pub fn split_line(line: &[u8]) -> Result<ArgvBuf, ProtocolError> {
    let (mut bytes, mut spans) = (Vec::new(), Vec::new());
    split(line, &mut bytes, &mut spans)?;
    Ok(ArgvBuf::from_parts(bytes, spans))
}

/// Appends the arguments of a line to `bytes`, and their places to `spans`. What is appended is no
/// longer than the line, which the caller keeps below 4 GiB.
pub(crate) fn split(
    line: &[u8],
    bytes: &mut Vec<u8>,
    spans: &mut Vec<Span>,
) -> Result<(), ProtocolError> {
    let mut rest = skip_space(line);
    while !rest.is_empty() {
        let start = bytes.len();
        rest = skip_space(unquote(rest, bytes)?);
        spans.push(Span::new(offset(start), offset(bytes.len() - start)));
    }
    Ok(())
}

/// What counts as space between arguments in Redis.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn skip_space(line: &[u8]) -> &[u8] {
    let start = line
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(line.len());
    line.get(start..).unwrap_or_default()
}

/// Moves the argument at the front of `line` to `out`, without its quotes; returns what follows it.
fn unquote<'l>(mut line: &'l [u8], out: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        line = match line {
            // Vertical tab and form feed separate arguments only before one has begun.
            [] | [b' ' | b'\t' | b'\n' | b'\r', ..] => return Ok(line),
            [b'"', rest @ ..] => return closed(double_quoted(rest, out)?),
            [b'\'', rest @ ..] => return closed(single_quoted(rest, out)?),
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        }
    }
}

/// A closing quote ends the argument: space or nothing may follow.
fn closed(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest.first() {
        Some(byte) if !is_space(*byte) => Err(ProtocolError::UnbalancedQuotes),
        Some(_) | None => Ok(rest),
    }
}

fn double_quoted<'l>(mut line: &'l [u8], out: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        let (byte, rest) = match line {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'x', high, low, rest @ ..] if is_hex(*high) && is_hex(*low) => {
                (hex(*high) << 4 | hex(*low), rest)
            }
            [b'\\', escaped, rest @ ..] => (unescape(*escaped), rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        out.push(byte);
        line = rest;
    }
}

fn single_quoted<'l>(mut line: &'l [u8], out: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        let (byte, rest) = match line {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', rest @ ..] => return Ok(rest),
            [b'\\', b'\'', rest @ ..] => (b'\'', rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        out.push(byte);
        line = rest;
    }
}

const fn is_hex(digit: u8) -> bool {
    digit.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// What a backslash and this byte stand for.
const fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&[u8]]) {
        let args = split_line(line.as_bytes()).unwrap();
        assert_eq!(
            args.as_argv().iter().collect::<Vec<_>>(),
            expected,
            "{line}"
        );
    }

    #[test]
    fn space_parts_arguments() {
        check("", &[]);
        check(" \t\r\n\x0b\x0c", &[]);
        check("  ECHO\ta \rb ", &[b"ECHO", b"a", b"b"]);
        // These two are space only before an argument has begun.
        check("a\x0bb \x0bc\x0c", &[b"a\x0bb", b"c\x0c"]);
    }

    #[test]
    fn double_quotes_take_escapes() {
        check(r#""\n\r\t\b\a\\\"\q""#, &[b"\n\r\t\x08\x07\\\"q"]);
        check(r#""\x41\xfF\x4\xg1\x""#, &[b"A\xffx4xg1x"]);
        check(r#""" "a b"  "c""#, &[b"", b"a b", b"c"]);
    }

    #[test]
    fn single_quotes_take_one_escape() {
        check(r"'a\n\'b\\\'c' '\' '", &[br"a\n'b\\'c", b"' "]);
        check("''", &[b""]);
    }

    #[test]
    fn a_quote_may_open_within_an_argument() {
        check(r#"a"b c" d'e f'"#, &[b"ab c", b"de f"]);
        check("a\\ b", &[b"a\\", b"b"]);
        check("\"a\"\x0bb", &[b"a", b"b"]);
    }

    #[test]
    fn quotes_must_be_closed_and_end_the_argument() {
        for line in [
            "\"", "'", "\"a", "'a", "\"a\\\"", "\"a\\", "'a\\'", r#""a"b"#, "'a'b", r#"''"""#,
        ] {
            assert_eq!(
                split_line(line.as_bytes()),
                Err(ProtocolError::UnbalancedQuotes),
                "{line}"
            );
        }
    }
}
