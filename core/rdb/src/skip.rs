//! Skipping values of types that weir lacks.
//!
//! Nothing of them is kept and little is checked: all that matters is where the value ends. Each
//! element takes at least one byte, so the work is bounded by the bytes that are there.
//!
//! | code | body |
//! |---|---|
//! | 1, 2 | number; as many strings |
//! | 3 | number; per member a string and a score: its length (1 byte) and as many digits, or `fd`, `fe`, `ff` for nan, inf, -inf |
//! | 4 | number; as many pairs of strings |
//! | 5 | number; per member a string and a score of 8 bytes |
//! | 7 | the module's data, as `f7` has it |
//! | 9 to 13, 16, 17, 20, 23 | a string |
//! | 14 | number; as many strings |
//! | 18 | number; per node its form (number) and a string |
//! | 22 | number; per field its expiry (number), name and value (strings) |
//! | 24 | 8 bytes; then as 22 |
//! | 25 | 8 bytes; a string |
//!
//! Types 6 (modules before Redis 4.0) and 28 do not say where they end.

use std::borrow::Cow;

use crate::code::name_of;
use crate::decode::{Decoder, Read};
use crate::error::Fault;
use crate::source::Source;

/// Skips the body of a value whose type code was just read; the name of the type.
pub(crate) fn value<S: Source>(
    code: u8,
    key: &[u8],
    from: &mut Decoder<S>,
) -> Read<Cow<'static, str>, S> {
    match code {
        1 | 2 | 14 => strings(from, 1)?,
        3 => {
            for _ in 0..from.number(MEMBERS)? {
                from.skip_string("a member of a sorted set")?;
                match from.byte("a score")? {
                    NAN..=NEGATIVE_INFINITY => {}
                    digits => from.skip(u64::from(digits), "a score")?,
                }
            }
        }
        4 => strings(from, 2)?,
        5 => {
            for _ in 0..from.number(MEMBERS)? {
                from.skip_string("a member of a sorted set")?;
                from.skip(8, "a score")?;
            }
        }
        7 => {
            let name = module_data(from)?;
            return Ok(Cow::Owned(format!("value of module {name}")));
        }
        9..=13 | 16 | 17 | 20 | 23 => from.skip_string("a packed value")?,
        18 => {
            for _ in 0..from.number("the number of nodes of a list")? {
                from.number("the form of a node of a list")?;
                from.skip_string("a node of a list")?;
            }
        }
        22 => fields(from)?,
        24 => {
            from.skip(8, "the first expiry of a hash")?;
            fields(from)?;
        }
        25 => {
            from.skip(8, "the first expiry of a hash")?;
            from.skip_string("a packed value")?;
        }
        _ => {
            let (name, key) = (name_of(code), Box::from(key));
            return Err(from.fault(Fault::UnsupportedType { code, name, key }));
        }
    }
    Ok(Cow::Borrowed(name_of(code)))
}

/// Skips a module's data: its identity, and then values, each with a number before it that tells
/// its kind. The module's name.
pub(crate) fn module_data<S: Source>(from: &mut Decoder<S>) -> Read<String, S> {
    let identity = from.number("the identity of a module")?;
    loop {
        match from.number("the kind of a module's value")? {
            0 => return Ok(module_name(identity)),
            1 | 2 => {
                from.number("a number of a module")?;
            }
            3 => from.skip(4, "a number of a module")?,
            4 => from.skip(8, "a number of a module")?,
            5 => from.skip_string("a string of a module")?,
            found => {
                let expected = "the kind of a module's value";
                return Err(from.fault(Fault::Unexpected { expected, found }));
            }
        }
    }
}

/// The name of a module's type: nine characters of six bits each, above ten bits for a version.
fn module_name(identity: u64) -> String {
    const CHARACTERS: &[u8; 64] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let character = |place: u32| CHARACTERS.get((identity >> (10 + 6 * place)) as usize & 63);
    let characters = (0..9).rev().filter_map(character);
    characters.map(|character| char::from(*character)).collect()
}

/// Skips a number, and as many runs of `per_element` strings.
fn strings<S: Source>(from: &mut Decoder<S>, per_element: u32) -> Read<(), S> {
    for _ in 0..from.number("the number of elements")? {
        for _ in 0..per_element {
            from.skip_string("an element")?;
        }
    }
    Ok(())
}

/// Skips the fields of a hash, each with its expiry.
fn fields<S: Source>(from: &mut Decoder<S>) -> Read<(), S> {
    for _ in 0..from.number("the number of fields of a hash")? {
        from.number("the expiry of a field")?;
        from.skip_string("a field of a hash")?;
        from.skip_string("a value of a hash")?;
    }
    Ok(())
}

const MEMBERS: &str = "the number of members of a sorted set";
const NAN: u8 = 253;
const NEGATIVE_INFINITY: u8 = 255;
