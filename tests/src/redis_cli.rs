//! What redis-cli makes of a line that is typed and of a reply that comes, as its users see it.
//!
//! Documents show sessions in this form. `tests/documents.rs` compares it with redis-cli itself.

use std::fmt::Write;

use anyhow::{Result, bail};

use crate::value::Value;

/// Commands whose reply redis-cli shows as it came, without quotes.
const SHOWN_RAW: &[&str] = &[
    "INFO",
    "LOLWUT",
    "CLIENT LIST",
    "CLIENT INFO",
    "LATENCY DOCTOR",
    "LATENCY GRAPH",
    "MEMORY DOCTOR",
];

/// The arguments of a line: words, or texts in double or single quotes.
///
/// # Errors
/// When a quote is not closed.
pub fn arguments(line: &str) -> Result<Vec<Vec<u8>>> {
    let mut arguments = Vec::new();
    let mut rest = line.as_bytes();
    loop {
        while let [b' ', after @ ..] = rest {
            rest = after;
        }
        let Some(&first) = rest.first() else {
            return Ok(arguments);
        };
        let argument;
        (argument, rest) = match first {
            b'"' => double_quoted(&rest[1..])?,
            b'\'' => single_quoted(&rest[1..])?,
            _ => {
                let end = rest.iter().position(|byte| *byte == b' ');
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                (word.to_vec(), after)
            }
        };
        arguments.push(argument);
    }
}

fn double_quoted(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    loop {
        let (byte, after) = match rest {
            [] => bail!("a quote is not closed"),
            [b'"', after @ ..] => return Ok((text, after)),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(*high) * 16 + hex(*low), after)
            }
            [b'\\', escaped, after @ ..] => {
                let byte = match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                };
                (byte, after)
            }
            [byte, after @ ..] => (*byte, after),
        };
        text.push(byte);
        rest = after;
    }
}

fn single_quoted(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    loop {
        let (byte, after) = match rest {
            [] => bail!("a quote is not closed"),
            [b'\'', after @ ..] => return Ok((text, after)),
            [b'\\', b'\'', after @ ..] => (b'\'', after),
            [byte, after @ ..] => (*byte, after),
        };
        text.push(byte);
        rest = after;
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

/// The lines that show the reply to a command.
pub fn shown(command: &[Vec<u8>], reply: &Value) -> Vec<String> {
    let mut text = String::new();
    match reply {
        Value::Bulk(bytes) if is_shown_raw(command) => text.push_str(&readable(bytes)),
        Value::Closed => {}
        reply => write_reply(&mut text, "", reply),
    }
    let lines = text.trim_end().lines();
    lines.map(|line| line.trim_end().to_owned()).collect()
}

fn is_shown_raw(command: &[Vec<u8>]) -> bool {
    let words: Vec<String> = command
        .iter()
        .take(2)
        .map(|word| readable(word).to_ascii_uppercase())
        .collect();
    SHOWN_RAW.contains(&words.join(" ").as_str())
        || words
            .first()
            .is_some_and(|word| SHOWN_RAW.contains(&word.as_str()))
}

fn write_reply(text: &mut String, indent: &str, reply: &Value) {
    match reply {
        Value::Simple(bytes) => line(text, &readable(bytes)),
        Value::Error(bytes) => line(text, &format!("(error) {}", readable(bytes))),
        Value::Int(number) => line(text, &format!("(integer) {number}")),
        Value::Bulk(bytes) => line(text, &quoted(bytes)),
        Value::Nil | Value::Closed => line(text, "(nil)"),
        Value::Double(number) => line(text, &format!("(double) {number}")),
        Value::Big(number) => line(text, number),
        Value::Bool(true) => line(text, "(true)"),
        Value::Bool(false) => line(text, "(false)"),
        Value::Verbatim(_, bytes) => line(text, &readable(bytes)),
        Value::Array(elements) if elements.is_empty() => line(text, "(empty array)"),
        Value::Set(elements) if elements.is_empty() => line(text, "(empty set)"),
        Value::Push(elements) if elements.is_empty() => line(text, "(empty push)"),
        Value::Map(pairs) if pairs.is_empty() => line(text, "(empty hash)"),
        Value::Array(elements) | Value::Push(elements) => {
            write_elements(text, indent, ')', elements)
        }
        Value::Set(elements) => write_elements(text, indent, '~', elements),
        Value::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                let inner = write_number(text, indent, '#', index, pairs.len());
                write_reply(text, &inner, key);
                text.truncate(text.trim_end().len());
                text.push_str(" => ");
                let mut shown = String::new();
                write_reply(&mut shown, &inner, value);
                // Only what takes several lines begins a line of its own.
                if is_numbered(value) && shown.lines().count() > 1 {
                    text.push('\n');
                    text.push_str(&inner);
                }
                text.push_str(&shown);
            }
        }
    }
}

fn write_elements(text: &mut String, indent: &str, mark: char, elements: &[Value]) {
    for (index, element) in elements.iter().enumerate() {
        let inner = write_number(text, indent, mark, index, elements.len());
        write_reply(text, &inner, element);
    }
}

/// Begins an element: its number, indented unless it follows the number of what holds it. Answers
/// the indentation of what is within the element.
fn write_number(text: &mut String, indent: &str, mark: char, index: usize, count: usize) -> String {
    let width = count.to_string().len();
    if index > 0 {
        text.push_str(indent);
    }
    // Writing to a string cannot fail.
    write!(text, "{:>width$}{mark} ", index + 1).ok();
    format!("{indent}{}", " ".repeat(width + 2))
}

/// Returns whether a reply is shown as elements with numbers.
fn is_numbered(reply: &Value) -> bool {
    match reply {
        Value::Map(pairs) => !pairs.is_empty(),
        other => other
            .elements()
            .is_some_and(|elements| !elements.is_empty()),
    }
}

fn line(text: &mut String, shown: &str) {
    text.push_str(shown);
    text.push('\n');
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            7 => text.push_str("\\a"),
            8 => text.push_str("\\b"),
            b' '..=b'~' => text.push(char::from(*byte)),
            // Writing to a string cannot fail.
            other => drop(write!(text, "\\x{other:02x}")),
        }
    }
    text.push('"');
    text
}

fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
