//! From values of Lua to the request of a command.

use std::fmt;

use mlua::{MultiValue, Value as Any};
use resp::{DOUBLE_TEXT_BYTES_MAX, Span, double_text};

use crate::limits::MADE_BYTES_MAX;
use crate::output::whole;

/// The arguments of a request: their bytes, and where each lies in them.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spans: Vec<Span>,
}

/// Why values are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRequest {
    /// There are none.
    Empty,
    /// One is neither a string nor a number.
    Type,
    /// They are longer than any request.
    Length,
}

impl fmt::Display for NoRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoRequest::Empty => "Please specify at least one argument for this redis lib call",
            NoRequest::Type => "Lua redis lib command arguments must be strings or integers",
            NoRequest::Length => "The arguments are too long for a request",
        })
    }
}

impl Request {
    /// Takes the place of what was there.
    pub(crate) fn fill(&mut self, values: &MultiValue) -> Result<(), NoRequest> {
        self.bytes.clear();
        self.spans.clear();
        if values.is_empty() {
            return Err(NoRequest::Empty);
        }
        for value in values {
            let start = self.bytes.len();
            self.add(value)?;
            let len = self.bytes.len() - start;
            let (start, len) = (u32::try_from(start), u32::try_from(len));
            match (start, len) {
                (Ok(start), Ok(len)) => self.spans.push(Span::new(start, len)),
                (Err(_), _) | (_, Err(_)) => return Err(NoRequest::Length),
            }
        }
        Ok(())
    }

    fn add(&mut self, value: &Any) -> Result<(), NoRequest> {
        match value {
            Any::String(text) => {
                let text = text.as_bytes();
                if self.bytes.len() + text.len() > MADE_BYTES_MAX {
                    return Err(NoRequest::Length);
                }
                self.bytes.extend_from_slice(&text);
            }
            Any::Integer(number) => {
                let mut digits = itoa::Buffer::new();
                self.bytes
                    .extend_from_slice(digits.format(*number).as_bytes());
            }
            Any::Number(number) => self.add_number(*number),
            Any::Nil
            | Any::Boolean(_)
            | Any::LightUserData(_)
            | Any::Table(_)
            | Any::Function(_)
            | Any::Thread(_)
            | Any::UserData(_)
            | Any::Error(_)
            | Any::Other(_) => return Err(NoRequest::Type),
        }
        Ok(())
    }

    fn add_number(&mut self, number: f64) {
        let integer = whole(number);
        if integer as f64 == number && integer != i64::MIN {
            let mut digits = itoa::Buffer::new();
            self.bytes
                .extend_from_slice(digits.format(integer).as_bytes());
            return;
        }
        if number.is_nan() {
            let text: &[u8] = match number.is_sign_negative() {
                true => b"-nan",
                false => b"nan",
            };
            self.bytes.extend_from_slice(text);
            return;
        }
        let mut text = [0; DOUBLE_TEXT_BYTES_MAX];
        self.bytes.extend_from_slice(double_text(number, &mut text));
    }
}
