//! Values: a type code, and the body that belongs to it.

use values::{StringValue, Value};

use crate::code::{self, name_of};
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::{STRING_BYTES_MAX, VERSION_WRITTEN};
use crate::source::{Sink, Source};

/// The code of the type that a value is written as.
pub(crate) fn code_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => code::STRING,
    }
}

/// The version of the format that a reader must know for this value.
pub(crate) fn version_of(value: &Value) -> u16 {
    match value {
        Value::String(_) => VERSION_WRITTEN,
    }
}

/// Writes the body of a value.
pub(crate) fn write<K: Sink>(value: &Value, out: &mut Encoder<K>) -> Result<(), K::Error> {
    match value {
        Value::String(string) => write_string(string, out),
    }
    Ok(())
}

/// Reads the body of a value whose type code was just read.
pub(crate) fn read<S: Source>(
    code: u8,
    key: &[u8],
    from: &mut Decoder<S>,
    _context: &Context,
) -> Read<Value, S> {
    match code {
        code::STRING => read_string(from).map(Value::String),
        _ => {
            let (name, key) = (name_of(code), Box::from(key));
            Err(from.fault(Fault::UnsupportedType { code, name, key }))
        }
    }
}

fn write_string<K: Sink>(string: &StringValue, out: &mut Encoder<K>) {
    string.with_bytes(|bytes| out.string(bytes));
}

fn read_string<S: Source>(from: &mut Decoder<S>) -> Read<StringValue, S> {
    from.with_string(STRING_BYTES_MAX, "a string", StringValue::from_bytes)
}
