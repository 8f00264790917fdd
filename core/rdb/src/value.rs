//! Values: a type code, and the body that belongs to it.
//!
//! What files, payloads and digests need of a type is asked here and nowhere else, in a `match` for
//! each question, with a line for each type.

use values::{StringValue, Value};

use crate::code::{self, name_of};
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::{self, Hasher};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::{STRING_BYTES_MAX, VERSION_OF_GIVEN_BACK, VERSION_WRITTEN};
use crate::source::{Sink, Source};
use crate::stream::{self, Extras};

/// The code of the type that a value is written as.
pub(crate) fn code_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => code::STRING,
        Value::Stream(stream) => stream::code_of(stream),
    }
}

/// The version of the format that a reader must know for a value written as this type.
pub(crate) fn version_of(code: u8) -> u16 {
    match code {
        code::STREAM_5 => VERSION_OF_GIVEN_BACK,
        _ => VERSION_WRITTEN,
    }
}

/// Writes auxiliary fields about a value, which go before everything about its key.
pub(crate) fn write_extras<K: Sink>(value: &Value, out: &mut Encoder<K>) -> Result<(), K::Error> {
    match value {
        Value::String(_) => Ok(()),
        Value::Stream(stream) => stream::write_extras(stream, out),
    }
}

/// Writes the body of a value.
pub(crate) fn write<K: Sink>(value: &Value, out: &mut Encoder<K>) -> Result<(), K::Error> {
    match value {
        Value::String(string) => write_string(string, out),
        Value::Stream(stream) => stream::write(stream, out)?,
    }
    Ok(())
}

/// Puts the content of a value into a digest, as it is at that moment.
pub(crate) fn add_to_digest(value: &Value, now_ms: u64, out: &mut Encoder<Hasher>) {
    match value {
        Value::String(string) => write_string(string, out),
        Value::Stream(stream) => digest::add_stream(stream, now_ms, out),
    }
}

/// Reads the body of a value whose type code was just read. `extras` are what auxiliary fields said
/// about it.
pub(crate) fn read<S: Source>(
    code: u8,
    key: &[u8],
    from: &mut Decoder<S>,
    context: &Context,
    extras: &Extras,
) -> Read<Value, S> {
    match code {
        code::STRING => read_string(from).map(Value::from),
        code::STREAM_1 | code::STREAM_2 | code::STREAM_3 | code::STREAM_4 | code::STREAM_5 => {
            stream::read(code, from, context, extras).map(Value::from)
        }
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
