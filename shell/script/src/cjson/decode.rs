//! From JSON to a value of Lua.

use mlua::{Lua, Table, Value as Any};

use super::{DEPTH_MAX, Options};
use crate::failure::{Failure, fail};
use crate::memory::{self, BYTES_PER_BYTE, reserved};
use crate::work::{VALUE_BYTES, Work};

/// Reads a value, and nothing behind it.
pub(super) fn decode(
    lua: &Lua,
    text: &[u8],
    options: &Options,
    mark: Option<&Table>,
) -> Result<Any, Failure> {
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return fail("JSON parser does not support UTF-16 or UTF-32");
    }
    let mut decoder = Decoder {
        lua,
        text,
        at: 0,
        depth: 0,
        options,
        mark,
        scratch: Vec::new(),
        work: Work::new(lua),
    };
    let bytes = memory::VALUE_BYTES + text.len().saturating_mul(BYTES_PER_BYTE);
    let value = reserved(lua, bytes, || {
        let token = decoder.token();
        decoder.value(token)
    })?;
    let token = decoder.token();
    if token.kind != Kind::End {
        return decoder.unexpected("the end", &token);
    }
    Ok(value)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// The text is in the scratch buffer.
    Text,
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    /// Not a token, and why.
    Wrong(&'static str),
}

struct Token {
    kind: Kind,
    at: usize,
}

struct Decoder<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    depth: i64,
    options: &'a Options,
    mark: Option<&'a Table>,
    scratch: Vec<u8>,
    work: Work<'a>,
}

impl Decoder<'_> {
    fn unexpected<T>(&self, expected: &str, token: &Token) -> Result<T, Failure> {
        let found = match token.kind {
            Kind::ObjectBegin => "T_OBJ_BEGIN",
            Kind::ObjectEnd => "T_OBJ_END",
            Kind::ArrayBegin => "T_ARR_BEGIN",
            Kind::ArrayEnd => "T_ARR_END",
            Kind::Text => "T_STRING",
            Kind::Number(_) => "T_NUMBER",
            Kind::Boolean(_) => "T_BOOLEAN",
            Kind::Null => "T_NULL",
            Kind::Colon => "T_COLON",
            Kind::Comma => "T_COMMA",
            Kind::End => "T_END",
            Kind::Wrong(why) => why,
        };
        let at = token.at + 1;
        fail(format!(
            "Expected {expected} but found {found} at character {at}"
        ))
    }

    fn value(&mut self, token: Token) -> Result<Any, Failure> {
        self.work.did(VALUE_BYTES)?;
        Ok(match token.kind {
            Kind::Text => Any::String(self.lua.create_string(&self.scratch)?),
            Kind::Number(number) => Any::Number(number),
            Kind::Boolean(value) => Any::Boolean(value),
            Kind::Null => Any::NULL,
            Kind::ObjectBegin => self.object()?,
            Kind::ArrayBegin => self.array()?,
            Kind::ObjectEnd
            | Kind::ArrayEnd
            | Kind::Colon
            | Kind::Comma
            | Kind::End
            | Kind::Wrong(_) => return self.unexpected("value", &token),
        })
    }

    fn descend(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > self.options.decode_depth.get().min(DEPTH_MAX) {
            let (depth, at) = (self.depth, self.at);
            return fail(format!(
                "Found too many nested data structures ({depth}) at character {at}"
            ));
        }
        Ok(())
    }

    fn object(&mut self) -> Result<Any, Failure> {
        self.descend()?;
        let object = self.lua.create_table()?;
        let mut token = self.token();
        if token.kind == Kind::ObjectEnd {
            self.depth -= 1;
            return Ok(Any::Table(object));
        }
        loop {
            if token.kind != Kind::Text {
                return self.unexpected("object key string", &token);
            }
            let key = self.lua.create_string(&self.scratch)?;
            token = self.token();
            if token.kind != Kind::Colon {
                return self.unexpected("colon", &token);
            }
            token = self.token();
            let value = self.value(token)?;
            object.raw_set(key, value)?;
            token = self.token();
            if token.kind == Kind::ObjectEnd {
                break;
            }
            if token.kind != Kind::Comma {
                return self.unexpected("comma or object end", &token);
            }
            token = self.token();
        }
        self.depth -= 1;
        Ok(Any::Table(object))
    }

    fn array(&mut self) -> Result<Any, Failure> {
        self.descend()?;
        let array = self.lua.create_table()?;
        if let Some(mark) = self.mark {
            array.set_metatable(Some(mark.clone()))?;
        }
        let mut token = self.token();
        let mut index = 0;
        if token.kind == Kind::ArrayEnd {
            self.depth -= 1;
            return Ok(Any::Table(array));
        }
        loop {
            index += 1;
            let value = self.value(token)?;
            array.raw_set(index, value)?;
            token = self.token();
            if token.kind == Kind::ArrayEnd {
                break;
            }
            if token.kind != Kind::Comma {
                return self.unexpected("comma or array end", &token);
            }
            token = self.token();
        }
        self.depth -= 1;
        Ok(Any::Table(array))
    }

    fn token(&mut self) -> Token {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        let at = self.at;
        let kind = match self.text.get(at) {
            None => Kind::End,
            Some(b'{') => self.passed(1, Kind::ObjectBegin),
            Some(b'}') => self.passed(1, Kind::ObjectEnd),
            Some(b'[') => self.passed(1, Kind::ArrayBegin),
            Some(b']') => self.passed(1, Kind::ArrayEnd),
            Some(b':') => self.passed(1, Kind::Colon),
            Some(b',') => self.passed(1, Kind::Comma),
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => {
                if self.options.decode_invalid.get() || !self.is_invalid_number() {
                    self.number()
                } else {
                    Kind::Wrong("invalid number")
                }
            }
            Some(_) => {
                let rest = &self.text[at..];
                if rest.starts_with(b"true") {
                    self.passed(4, Kind::Boolean(true))
                } else if rest.starts_with(b"false") {
                    self.passed(5, Kind::Boolean(false))
                } else if rest.starts_with(b"null") {
                    self.passed(4, Kind::Null)
                } else if self.options.decode_invalid.get() && self.is_invalid_number() {
                    self.number()
                } else {
                    Kind::Wrong("invalid token")
                }
            }
        };
        Token { kind, at }
    }

    fn passed(&mut self, bytes: usize, kind: Kind) -> Kind {
        self.at += bytes;
        kind
    }

    /// Returns whether a number comes that JSON does not have.
    fn is_invalid_number(&self) -> bool {
        let rest = &self.text[self.at..];
        let (signed, rest) = match rest {
            [b'+', rest @ ..] => (true, rest),
            [b'-', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if signed {
            return true;
        }
        let starts = |word: &[u8]| {
            rest.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        match rest.first() {
            Some(b'0') => matches!(rest.get(1), Some(b'x' | b'X' | b'0'..=b'9')),
            Some(b'1'..=b'9') => false,
            _ => starts(b"inf") || starts(b"nan"),
        }
    }

    fn number(&mut self) -> Kind {
        let rest = &self.text[self.at..];
        match read_number(rest) {
            Some((number, len)) => self.passed(len, Kind::Number(number)),
            None => Kind::Wrong("invalid number"),
        }
    }

    fn string(&mut self) -> Token {
        let begin = self.at;
        self.at += 1;
        self.scratch.clear();
        let wrong = |why, at| Token {
            kind: Kind::Wrong(why),
            at,
        };
        loop {
            let Some(byte) = self.text.get(self.at) else {
                return wrong("unexpected end of string", self.at);
            };
            match byte {
                b'"' => {
                    self.at += 1;
                    return Token {
                        kind: Kind::Text,
                        at: begin,
                    };
                }
                b'\\' => {
                    let plain = match self.text.get(self.at + 1) {
                        Some(b'u') => {
                            if !self.unicode() {
                                return wrong("invalid unicode escape code", self.at);
                            }
                            continue;
                        }
                        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
                        Some(b'b') => 8,
                        Some(b't') => 9,
                        Some(b'n') => 10,
                        Some(b'f') => 12,
                        Some(b'r') => 13,
                        Some(_) | None => return wrong("invalid escape code", self.at),
                    };
                    self.scratch.push(plain);
                    self.at += 2;
                }
                byte => {
                    self.scratch.push(*byte);
                    self.at += 1;
                }
            }
        }
    }

    /// Reads `\uXXXX`, or two of them that are one character.
    fn unicode(&mut self) -> bool {
        let Some(first) = self.hex(self.at + 2) else {
            return false;
        };
        let mut len = 6;
        let code = match first {
            0xd800..=0xdbff => {
                let second = match self.text.get(self.at + 6..self.at + 8) {
                    Some(b"\\u") => self.hex(self.at + 8),
                    _ => None,
                };
                let Some(second @ 0xdc00..=0xdfff) = second else {
                    return false;
                };
                len = 12;
                0x1_0000 + ((first & 0x3ff) << 10) + (second & 0x3ff)
            }
            0xdc00..=0xdfff => return false,
            code => code,
        };
        let Some(character) = char::from_u32(code) else {
            return false;
        };
        let mut utf8 = [0; 4];
        let utf8 = character.encode_utf8(&mut utf8);
        self.scratch.extend_from_slice(utf8.as_bytes());
        self.at += len;
        true
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| {
            let digit = (*digit as char).to_digit(16)?;
            Some(code * 16 + digit)
        })
    }
}

/// Reads a number as `strtod` does, and how long it is.
fn read_number(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let negative = text.first() == Some(&b'-');
    let signed = |number: f64| if negative { -number } else { number };
    let rest = text.get(sign..)?;
    let starts = |word: &[u8]| {
        rest.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    for (word, number) in [
        (b"infinity".as_slice(), f64::INFINITY),
        (b"inf", f64::INFINITY),
        (b"nan", f64::NAN),
    ] {
        if starts(word) {
            return Some((signed(number), sign + word.len()));
        }
    }
    if starts(b"0x") {
        let digits = rest.iter().skip(2).take_while(|it| it.is_ascii_hexdigit());
        let mut number = 0.0;
        let mut len = 0;
        for digit in digits {
            let digit = (*digit as char).to_digit(16).unwrap_or_default();
            number = number * 16.0 + f64::from(digit);
            len += 1;
        }
        if len > 0 {
            return Some((signed(number), sign + 2 + len));
        }
    }
    let digits = |from: usize| {
        rest.iter()
            .skip(from)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut len = digits(0);
    let mut count = len;
    if rest.get(len) == Some(&b'.') {
        let places = digits(len + 1);
        count += places;
        if count > 0 {
            len += 1 + places;
        }
    }
    if count == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = rest.get(len) {
        let sign = usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
        let places = digits(len + 1 + sign);
        if places > 0 {
            len += 1 + sign + places;
        }
    }
    let number = std::str::from_utf8(rest.get(..len)?).ok()?;
    Some((signed(number.parse().ok()?), sign + len))
}
