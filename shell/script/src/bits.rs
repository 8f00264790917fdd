//! The library `bit`: operations on numbers of 32 bits.

use mlua::{Lua, MultiValue, Table, Value as Any};

use crate::failure::{Arguments, Failure, add, one};

/// The name of a function of two numbers, and what it computes.
type Operation = (&'static str, fn(u32, u32) -> u32);

/// Makes the library.
pub(crate) fn library(lua: &Lua) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    add(lua, &bit, "tobit", |lua, arguments| {
        let number = bits(lua, arguments, "tobit", 0)?;
        answer(lua, number)
    })?;
    add(lua, &bit, "bnot", |lua, arguments| {
        let number = bits(lua, arguments, "bnot", 0)?;
        answer(lua, !number)
    })?;
    add(lua, &bit, "bswap", |lua, arguments| {
        let number = bits(lua, arguments, "bswap", 0)?;
        answer(lua, number.swap_bytes())
    })?;
    let all: [Operation; 3] = [
        ("band", |a, b| a & b),
        ("bor", |a, b| a | b),
        ("bxor", |a, b| a ^ b),
    ];
    for (name, combine) in all {
        add(lua, &bit, name, move |lua, arguments| {
            let mut number = bits(lua, arguments, name, 0)?;
            for index in 1..arguments.len() {
                number = combine(number, bits(lua, arguments, name, index)?);
            }
            answer(lua, number)
        })?;
    }
    let shifts: [Operation; 5] = [
        ("lshift", |number, by| number << by),
        ("rshift", |number, by| number >> by),
        ("arshift", |number, by| {
            (number.cast_signed() >> by).cast_unsigned()
        }),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, shift) in shifts {
        add(lua, &bit, name, move |lua, arguments| {
            let number = bits(lua, arguments, name, 0)?;
            let by = bits(lua, arguments, name, 1)?;
            answer(lua, shift(number, by & 31))
        })?;
    }
    add(lua, &bit, "tohex", to_hex)?;
    Ok(bit)
}

fn to_hex(lua: &Lua, arguments: &Arguments) -> Result<MultiValue, Failure> {
    let number = bits(lua, arguments, "tohex", 0)?;
    let digits = match arguments.get(1) {
        Any::Nil => 8,
        _ => bits(lua, arguments, "tohex", 1)?.cast_signed(),
    };
    let wanted = digits.unsigned_abs().min(8) as usize;
    let text = match digits < 0 {
        true => format!("{number:08X}"),
        false => format!("{number:08x}"),
    };
    one(lua, lua.create_string(&text[8 - wanted..])?)
}

fn answer(lua: &Lua, number: u32) -> Result<MultiValue, Failure> {
    one(lua, number.cast_signed())
}

/// The lowest 32 bits of a number, which is rounded to the nearest whole one, to an even one if it
/// is between two.
fn bits(lua: &Lua, arguments: &Arguments, name: &str, index: usize) -> Result<u32, Failure> {
    let number = arguments.number(lua, name, index)?;
    // The sum has so large an exponent that the number stands in its lowest bits.
    let shifted = number + 6_755_399_441_055_744.0;
    Ok(shifted.to_bits() as u32)
}
