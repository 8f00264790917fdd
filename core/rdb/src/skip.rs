//! Skipping values of types that weir lacks.
//!
//! Nothing of them is kept and little is checked: all that matters is where the value ends. Only
//! those of modules (type 7) say so. Types 6 (modules before Redis 4.0) and 28 (arrays) do not.

use crate::code::{self, name_of};
use crate::decode::{Decoder, Read};
use crate::error::Fault;
use crate::source::Source;

/// Skips the body of a value whose type code was just read; the name of the type.
pub(crate) fn value<S: Source>(code: u8, key: &[u8], from: &mut Decoder<S>) -> Read<String, S> {
    if code == code::MODULE {
        let name = module_data(from)?;
        return Ok(format!("value of module {name}"));
    }
    let (name, key) = (name_of(code), Box::from(key));
    Err(from.fault(Fault::UnsupportedType { code, name, key }))
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
