//! The payload of `DUMP` and `RESTORE`: one value, without key and expiry.
//!
//! | size | meaning |
//! |---|---|
//! | | auxiliary fields, as in a snapshot, of a stream that Redis' format has no room for |
//! | 1 | code of the type |
//! | | body of the value |
//! | 2 | version of the format, little endian |
//! | 8 | CRC-64 of all before it, little endian; 0 if none was made |

use std::convert::Infallible;

use values::Value;

use crate::checksum::checksum;
use crate::code::{self, name_of};
use crate::context::Context;
use crate::decode::{Decoder, Summed};
use crate::encode::{Compression, Encoder};
use crate::error::{PayloadError, ReadError};
use crate::limits::{STRING_BYTES_MAX, VERSION_READ_MAX, VERSION_WRITTEN};
use crate::stream::{Extras, Taken};
use crate::value;

/// The payload of a value, as `DUMP` answers it.
pub fn dump(value: &Value) -> Vec<u8> {
    dump_in(Vec::new(), value)
}

/// About how long the payload of a large value is; 0 if that depends on its bytes.
pub fn expected_bytes(value: &Value) -> usize {
    value::expected_bytes(value)
}

/// The same as [`dump`], in this memory, as long as it fits in.
pub fn dump_in(memory: Vec<u8>, value: &Value) -> Vec<u8> {
    let mut out = Encoder::keeping_all(memory, Compression::Lzf);
    if value::needs_extras(value) {
        let Ok(()) = value::write_extras(value, &mut out);
    }
    let code = value::code_of(value);
    out.byte(code);
    let Ok(()) = value::write(value, &mut out);
    out.bytes(&value::version_of(code).to_le_bytes());
    out.finish_all()
}

/// Makes a payload of a type code and a body, whatever they are: adds version and checksum. For
/// tests with payloads that no server dumps.
pub fn sign(mut content: Vec<u8>) -> Vec<u8> {
    content.extend_from_slice(&VERSION_WRITTEN.to_le_bytes());
    let checksum = checksum(&content);
    content.extend_from_slice(&checksum.to_le_bytes());
    content
}

/// The value of a payload of `DUMP`.
///
/// # Errors
/// [`PayloadError::VersionOrChecksum`] if the payload is damaged or too new, which is checked
/// before anything else is read; [`PayloadError::Format`] if it holds no value of a supported type.
pub fn restore(payload: &[u8], context: &Context) -> Result<Value, PayloadError> {
    let mut from = Decoder::new(content_of(payload)?, Summed::Already);
    // As in Redis, the value need not use all of the bytes.
    read(&mut from, context).map_err(|error| match error {
        ReadError::Format(error) => PayloadError::Format(error),
        ReadError::Source { source, .. } => match source {},
    })
}

/// What a payload has before version and checksum, if these are right.
pub(crate) fn content_of(payload: &[u8]) -> Result<&[u8], PayloadError> {
    let (summed, found) = payload
        .split_last_chunk()
        .ok_or(PayloadError::VersionOrChecksum)?;
    let (content, version) = summed
        .split_last_chunk()
        .ok_or(PayloadError::VersionOrChecksum)?;
    let found = u64::from_le_bytes(*found);
    if u16::from_le_bytes(*version) > VERSION_READ_MAX
        || found != NO_CHECKSUM && found != checksum(summed)
    {
        return Err(PayloadError::VersionOrChecksum);
    }
    Ok(content)
}

/// Who makes payloads without a checksum, as a server that has them turned off, writes this.
const NO_CHECKSUM: u64 = 0;

/// The name of a payload's type, if weir does not read that type.
pub fn type_left_out(payload: &[u8]) -> Option<&'static str> {
    let code = *payload.first()?;
    (!value::is_read(code) && code != code::AUXILIARY).then(|| name_of(code))
}

fn read(from: &mut Decoder<&[u8]>, context: &Context) -> Result<Value, ReadError<Infallible>> {
    let mut extras = Extras::default();
    loop {
        let code = from.byte("the code of a type")?;
        if code != code::AUXILIARY {
            return value::read(code, b"", from, context, &extras);
        }
        let mut string = |expected| from.with_string(STRING_BYTES_MAX, expected, <[u8]>::to_vec);
        let name = string("the name of an auxiliary field")?;
        let content = string("the value of an auxiliary field")?;
        if extras.take(&name, &content) == Taken::No {
            return Err(from.contradiction("an auxiliary field that this version does not know"));
        }
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
