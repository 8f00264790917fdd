//! The library `struct`: values of Lua as bytes of C, and back.
//!
//! A format is a row of letters: `b B h H l L T i I` are integers, signed or not, of 1, 2, 8, 8 and
//! 4 bytes, or of as many as stand behind `i` and `I`; `f` and `d` are floating-point numbers, `s`
//! a string with a zero byte behind it, `cN` one of N bytes (`c0`: as many as the number before it
//! says), `x` a byte that does not matter. `<`, `>` and `=` set the order of bytes, and `!N` how
//! numbers are aligned.

use mlua::{Lua, MultiValue, Table, Value as Any};

use crate::failure::{Arguments, Failure, add, fail, one};
use crate::work::{VALUE_BYTES, Work};

/// Makes the library.
pub(crate) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    add(lua, &library, "pack", pack)?;
    add(lua, &library, "unpack", unpack)?;
    add(lua, &library, "size", size)?;
    Ok(library)
}

/// Longest integer, in bytes.
const INTEGER_BYTES_MAX: usize = 32;

/// The default alignment after `!`.
const NATIVE_ALIGN: usize = 8;

/// Bytes that a format may take in all.
const BYTES_MAX: usize = i32::MAX as usize;

/// Reads a format.
struct Format<'a> {
    function: &'static str,
    text: &'a [u8],
    at: usize,
    is_big: bool,
    align: usize,
}

/// One item of a format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Integer {
        size: usize,
        signed: bool,
    },
    Float,
    Double,
    /// A string with a zero byte behind it.
    Text,
    /// A string of so many bytes; 0: as many as were said, or as there are.
    Chars(usize),
    Padding,
    /// It says how to go on, and takes nothing.
    Setting,
}

impl Item {
    fn size(self) -> usize {
        match self {
            Item::Integer { size, .. } | Item::Chars(size) => size,
            Item::Float => 4,
            Item::Double => 8,
            Item::Padding => 1,
            Item::Text | Item::Setting => 0,
        }
    }
}

impl Format<'_> {
    fn new<'a>(function: &'static str, text: &'a [u8]) -> Format<'a> {
        Format {
            function,
            text,
            at: 0,
            is_big: false,
            align: 1,
        }
    }

    /// The number that comes, or what stands for it.
    fn number_or(&mut self, default: usize) -> Result<usize, Failure> {
        let mut number: usize = 0;
        let mut found = false;
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.at) {
            found = true;
            self.at += 1;
            number = number * 10 + usize::from(digit - b'0');
            if number > BYTES_MAX {
                return fail("integral size overflow");
            }
        }
        Ok(if found { number } else { default })
    }

    fn integer(&mut self, signed: bool, default: usize) -> Result<Item, Failure> {
        let size = self.number_or(default)?;
        if size > INTEGER_BYTES_MAX {
            return fail(format!(
                "integral size {size} is larger than limit of {INTEGER_BYTES_MAX}"
            ));
        }
        Ok(Item::Integer { size, signed })
    }

    fn next(&mut self) -> Result<Option<Item>, Failure> {
        let Some(letter) = self.text.get(self.at) else {
            return Ok(None);
        };
        self.at += 1;
        let integer = |size, signed| Item::Integer { size, signed };
        Ok(Some(match letter {
            b'B' => integer(1, false),
            b'b' => integer(1, true),
            b'H' => integer(2, false),
            b'h' => integer(2, true),
            b'L' | b'T' => integer(8, false),
            b'l' => integer(8, true),
            b'I' => self.integer(false, 4)?,
            b'i' => self.integer(true, 4)?,
            b'f' => Item::Float,
            b'd' | b'n' => Item::Double,
            b's' => Item::Text,
            b'c' => Item::Chars(self.number_or(1)?),
            b'x' => Item::Padding,
            b' ' => Item::Setting,
            b'>' => {
                self.is_big = true;
                Item::Setting
            }
            b'<' | b'=' => {
                self.is_big = false;
                Item::Setting
            }
            b'!' => {
                let align = self.number_or(NATIVE_ALIGN)?;
                if align == 0 || !align.is_power_of_two() {
                    return fail(format!("alignment {align} is not a power of 2"));
                }
                self.align = align;
                Item::Setting
            }
            letter => {
                let letter = *letter as char;
                let function = self.function;
                return fail(format!(
                    "bad argument #1 to '{function}' (invalid format option '{letter}')"
                ));
            }
        }))
    }

    /// How many bytes come before an item so that it is aligned.
    fn gap(&self, item: Item, position: usize) -> usize {
        let size = match item {
            Item::Integer { size, .. } => size,
            Item::Float => 4,
            Item::Double => 8,
            Item::Chars(_) | Item::Text | Item::Padding | Item::Setting => return 0,
        };
        let align = size.min(self.align);
        match align > 1 {
            true => (align - (position & (align - 1))) & (align - 1),
            false => 0,
        }
    }
}

fn pack(lua: &Lua, arguments: &Arguments) -> Result<MultiValue, Failure> {
    let format = arguments.string(lua, "pack", 0)?;
    let text = format.as_bytes();
    let mut format = Format::new("pack", &text);
    let (work, mut out) = (Work::new(lua), Vec::new());
    let mut next = 1;
    while let Some(item) = format.next()? {
        work.made(&out, VALUE_BYTES)?;
        let gap = format.gap(item, out.len());
        out.resize(out.len() + gap, 0);
        match item {
            Item::Integer { size, .. } => {
                let number = arguments.number(lua, "pack", next)?;
                let number = match number < 0.0 {
                    true => (number as i64).cast_unsigned(),
                    false => number as u64,
                };
                // Beyond eight bytes there is nothing, whatever the sign.
                let bytes = number.to_le_bytes();
                let bytes = (0..size).map(|index| bytes.get(index).copied().unwrap_or_default());
                push(&mut out, bytes, format.is_big);
            }
            Item::Float => {
                let number = arguments.number(lua, "pack", next)? as f32;
                push(&mut out, number.to_le_bytes().into_iter(), format.is_big);
            }
            Item::Double => {
                let number = arguments.number(lua, "pack", next)?;
                push(&mut out, number.to_le_bytes().into_iter(), format.is_big);
            }
            Item::Text | Item::Chars(_) => {
                let text = arguments.string(lua, "pack", next)?;
                let text = text.as_bytes();
                let len = match item.size() {
                    0 => text.len(),
                    len => len,
                };
                let Some(text) = text.get(..len) else {
                    let number = next + 2;
                    return fail(format!(
                        "bad argument #{number} to 'pack' (string too short)"
                    ));
                };
                work.made(&out, text.len())?;
                out.extend_from_slice(text);
                if item == Item::Text {
                    out.push(0);
                }
            }
            Item::Padding => {
                out.push(0);
                continue;
            }
            Item::Setting => continue,
        }
        next += 1;
    }
    one(lua, lua.create_string(out)?)
}

fn push(out: &mut Vec<u8>, bytes: impl DoubleEndedIterator<Item = u8>, is_big: bool) {
    match is_big {
        true => out.extend(bytes.rev()),
        false => out.extend(bytes),
    }
}

fn unpack(lua: &Lua, arguments: &Arguments) -> Result<MultiValue, Failure> {
    let format = arguments.string(lua, "unpack", 0)?;
    let text = format.as_bytes();
    let mut format = Format::new("unpack", &text);
    let data = arguments.string(lua, "unpack", 1)?;
    let data = data.as_bytes();
    let start = arguments.number_or(lua, "unpack", 2, 1.0)?;
    if start < 1.0 {
        return fail("bad argument #3 to 'unpack' (offset must be 1 or greater)");
    }
    let mut at = start as usize - 1;
    let short = || fail("bad argument #2 to 'unpack' (data string too short)");
    let mut values: Vec<Any> = Vec::new();
    while let Some(item) = format.next()? {
        at += format.gap(item, at);
        if values.len() >= 7000 {
            return fail("too many results to unpack");
        }
        let Some(rest) = data.get(at..) else {
            return short();
        };
        let Some(bytes) = rest.get(..item.size()) else {
            return short();
        };
        at += bytes.len();
        match item {
            Item::Integer { signed, .. } => {
                values.push(Any::Number(integer(bytes, signed, format.is_big)));
            }
            Item::Float => {
                let bits = integer(bytes, false, format.is_big) as u32;
                values.push(Any::Number(f64::from(f32::from_bits(bits))));
            }
            Item::Double => {
                let mut digits: [u8; 8] = bytes.try_into().unwrap_or_default();
                if format.is_big {
                    digits.reverse();
                }
                values.push(Any::Number(f64::from_le_bytes(digits)));
            }
            Item::Chars(0) => {
                let len = match values.pop() {
                    Some(Any::Number(len)) => len,
                    _ => return fail("format 'c0' needs a previous size"),
                };
                let len = if len < 0.0 { usize::MAX } else { len as usize };
                let Some(text) = rest.get(..len) else {
                    return short();
                };
                at += len;
                values.push(Any::String(lua.create_string(text)?));
            }
            Item::Chars(_) => values.push(Any::String(lua.create_string(bytes)?)),
            Item::Text => {
                let Some(len) = rest.iter().position(|byte| *byte == 0) else {
                    return fail("unfinished string in data");
                };
                at += len + 1;
                values.push(Any::String(lua.create_string(&rest[..len])?));
            }
            Item::Padding | Item::Setting => {}
        }
    }
    values.push(Any::Integer(at as i64 + 1));
    Ok(MultiValue::from_vec(values))
}

/// An integer of up to eight bytes; of longer ones, the lowest eight.
fn integer(bytes: &[u8], signed: bool, is_big: bool) -> f64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    let number = match is_big {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    };
    if !signed {
        return number as f64;
    }
    let shift = 64 - 8 * bytes.len().clamp(1, 8);
    ((number << shift).cast_signed() >> shift) as f64
}

fn size(lua: &Lua, arguments: &Arguments) -> Result<MultiValue, Failure> {
    let format = arguments.string(lua, "size", 0)?;
    let text = format.as_bytes();
    let mut format = Format::new("size", &text);
    let mut position: usize = 0;
    while let Some(item) = format.next()? {
        position += format.gap(item, position);
        if item == Item::Text {
            return fail("bad argument #1 to 'size' (option 's' has no fixed size)");
        }
        if item == Item::Chars(0) {
            return fail("bad argument #1 to 'size' (option 'c0' has no fixed size)");
        }
        position += item.size();
        if position > BYTES_MAX {
            return fail("bad argument #1 to 'size' (format result too large)");
        }
    }
    one(lua, position as i64)
}
