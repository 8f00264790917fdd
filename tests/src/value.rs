//! A reply as a value: everything that RESP2 and RESP3 can say, without loss.

use std::fmt;

/// A reply. Strings are bytes; `Display` shows it on one line, for the reader of a failing test.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// `+text`.
    Simple(Vec<u8>),
    /// `-text`, prefix included.
    Error(Vec<u8>),
    /// `:number`.
    Int(i64),
    /// `$length`.
    Bulk(Vec<u8>),
    /// `$-1`, `*-1` or `_`.
    Nil,
    /// `,number`, as it was written.
    Double(String),
    /// `(number`, as it was written.
    Big(String),
    /// `#t` or `#f`.
    Bool(bool),
    /// `=length`: a format of three letters and a text.
    Verbatim([u8; 3], Vec<u8>),
    /// `*length`.
    Array(Vec<Value>),
    /// `~length`.
    Set(Vec<Value>),
    /// `>length`.
    Push(Vec<Value>),
    /// `%length`.
    Map(Vec<(Value, Value)>),
    /// The server closed the connection.
    Closed,
}

impl Value {
    /// A bulk string.
    pub fn bulk(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bulk(bytes.into())
    }

    /// The bytes of a string of any kind, errors apart.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(bytes) | Self::Bulk(bytes) | Self::Verbatim(_, bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number, if it is an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of an array, set or push.
    pub fn elements(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) | Self::Set(elements) | Self::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The pairs of a map, or of an array that stands for one in RESP2.
    pub fn pairs(&self) -> Option<Vec<(&Value, &Value)>> {
        match self {
            Self::Map(pairs) => Some(pairs.iter().map(|(key, value)| (key, value)).collect()),
            Self::Array(elements) if elements.len().is_multiple_of(2) => Some(
                elements
                    .chunks(2)
                    .map(|pair| (&pair[0], &pair[1]))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The value of `key` in a map, or in an array that stands for one.
    pub fn field(&self, key: &str) -> Option<&Value> {
        self.pairs()?
            .into_iter()
            .find(|(name, _)| name.as_bytes() == Some(key.as_bytes()))
            .map(|(_, value)| value)
    }

    /// A string or a number as the bytes that a later command would send for it.
    pub fn as_argument(&self) -> Option<Vec<u8>> {
        match self {
            Self::Int(number) => Some(number.to_string().into_bytes()),
            other => other.as_bytes().map(<[u8]>::to_vec),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(text) => write!(f, "+{}", text.escape_ascii()),
            Self::Error(text) => write!(f, "-{}", text.escape_ascii()),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bulk(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::Nil => f.write_str("nil"),
            Self::Double(text) => write!(f, ",{text}"),
            Self::Big(text) => write!(f, "({text}"),
            Self::Bool(truth) => write!(f, "#{truth}"),
            Self::Verbatim(format, text) => {
                write!(f, "={}:\"{}\"", format.escape_ascii(), text.escape_ascii())
            }
            Self::Array(elements) => list(f, "[", elements),
            Self::Set(elements) => list(f, "~[", elements),
            Self::Push(elements) => list(f, ">[", elements),
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
            Self::Closed => f.write_str("(connection closed)"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, open: &str, elements: &[Value]) -> fmt::Result {
    f.write_str(open)?;
    for (index, element) in elements.iter().enumerate() {
        write!(f, "{}{element}", if index > 0 { ", " } else { "" })?;
    }
    f.write_str("]")
}
