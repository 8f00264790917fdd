//! From values of Lua to MessagePack.

use mlua::{Table, Value as Any};

use super::DEPTH_MAX;
use crate::failure::{Failure, fail};
use crate::work::{VALUE_BYTES, Work};

/// Appends a value.
pub(super) fn pack(
    work: &Work<'_>,
    out: &mut Vec<u8>,
    value: &Any,
    depth: usize,
) -> Result<(), Failure> {
    work.made(out, VALUE_BYTES)?;
    match value {
        Any::String(text) => {
            let text = text.as_bytes();
            work.made(out, text.len())?;
            string(out, &text);
        }
        Any::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Any::Integer(number) => integer(out, *number),
        Any::Number(number) => double(out, *number),
        Any::Table(_) if depth >= DEPTH_MAX => out.push(0xc0),
        Any::Table(table) => match array_len(work, table)? {
            Some(len) => {
                header(out, len, 0x90, 15, 0xdc);
                for index in 1..=len {
                    pack(work, out, &table.raw_get(index)?, depth + 1)?;
                }
            }
            None => map(work, out, table, depth)?,
        },
        Any::Nil
        | Any::LightUserData(_)
        | Any::Function(_)
        | Any::Thread(_)
        | Any::UserData(_)
        | Any::Error(_)
        | Any::Other(_) => out.push(0xc0),
    }
    Ok(())
}

/// The length of a table whose keys are those of an array. An empty one is an array.
fn array_len(work: &Work<'_>, table: &Table) -> Result<Option<usize>, Failure> {
    let (mut max, mut count, mut is_array) = (0.0, 0, true);
    table.for_each(|key: Any, _: Any| {
        let key = match key {
            Any::Integer(key) => key as f64,
            Any::Number(key) => key,
            _ => 0.0,
        };
        is_array &= key > 0.0 && key.fract() == 0.0;
        max = f64::max(max, key);
        count += 1;
        work.did(VALUE_BYTES)
    })?;
    Ok((is_array && max == count as f64).then_some(count))
}

fn map(work: &Work<'_>, out: &mut Vec<u8>, table: &Table, depth: usize) -> Result<(), Failure> {
    let mut count = 0;
    table.for_each(|_: Any, _: Any| {
        count += 1;
        work.did(VALUE_BYTES)
    })?;
    header(out, count, 0x80, 15, 0xde);
    let mut failure = None;
    let walked = table.for_each(|key: Any, value: Any| {
        let packed = pack(work, out, &key, depth + 1);
        let packed = packed.and_then(|()| pack(work, out, &value, depth + 1));
        packed.map_err(|found| {
            failure = Some(found);
            mlua::Error::runtime("")
        })
    });
    match failure {
        Some(failure) => Err(failure),
        None => match walked {
            Ok(()) => Ok(()),
            Err(error) => fail(error.to_string()),
        },
    }
}

/// The header of an array or a map: `small` with the length in it, or `large` and `large + 1` with
/// 16 or 32 bits behind them.
fn header(out: &mut Vec<u8>, len: usize, small: u8, small_max: usize, large: u8) {
    if len <= small_max {
        out.push(small | len as u8);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(large);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(large + 1);
        out.extend_from_slice(&(len as u32).to_be_bytes());
    }
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..256 => out.extend_from_slice(&[0xd9, len as u8]),
        len => header(out, len, 0, 0, 0xda),
    }
    out.extend_from_slice(text);
}

/// As short as the value allows; what is not negative has no sign.
fn integer(out: &mut Vec<u8>, number: i64) {
    match number {
        0..=127 => out.push(number as u8),
        128..=255 => out.extend_from_slice(&[0xcc, number as u8]),
        256..=65_535 => {
            out.push(0xcd);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        65_536..=4_294_967_295 => {
            out.push(0xce);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        4_294_967_296.. => {
            out.push(0xcf);
            out.extend_from_slice(&number.to_be_bytes());
        }
        -32..0 => out.push(number as u8),
        -128..-32 => out.extend_from_slice(&[0xd0, number as u8]),
        -32_768..-128 => {
            out.push(0xd1);
            out.extend_from_slice(&(number as i16).to_be_bytes());
        }
        -2_147_483_648..-32_768 => {
            out.push(0xd2);
            out.extend_from_slice(&(number as i32).to_be_bytes());
        }
        ..-2_147_483_648 => {
            out.push(0xd3);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

fn double(out: &mut Vec<u8>, number: f64) {
    let whole = number as i64;
    if whole as f64 == number && whole != i64::MAX {
        return integer(out, whole);
    }
    let short = number as f32;
    if f64::from(short) == number {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}
