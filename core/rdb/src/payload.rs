//! The payload of `DUMP` and `RESTORE`: one value, without key and expiry.
//!
//! | size | meaning |
//! |---|---|
//! | 1 | code of the type |
//! | | body of the value |
//! | 2 | version of the format, little endian |
//! | 8 | CRC-64 of all before it, little endian |

use std::convert::Infallible;

use values::Value;

use crate::checksum::checksum;
use crate::context::Context;
use crate::decode::{Decoder, Summed};
use crate::encode::{Compression, Encoder};
use crate::error::{Fault, FormatError, PayloadError, ReadError};
use crate::limits::VERSION_READ_MAX;
use crate::value;

/// The payload of a value, as `DUMP` answers it.
pub fn dump(value: &Value) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new(), Compression::Lzf);
    out.byte(value::code_of(value));
    let Ok(()) = value::write(value, &mut out);
    out.bytes(&value::version_of(value).to_le_bytes());
    let Ok(payload) = out.finish();
    payload
}

/// The value of a payload of `DUMP`.
///
/// # Errors
/// [`PayloadError::VersionOrChecksum`] if the payload is damaged or too new, which is found out before
/// anything else is read; [`PayloadError::Format`] if it holds no value of a supported type.
pub fn restore(payload: &[u8], context: &Context) -> Result<Value, PayloadError> {
    let (summed, found) = payload
        .split_last_chunk()
        .ok_or(PayloadError::VersionOrChecksum)?;
    let (content, version) = summed
        .split_last_chunk()
        .ok_or(PayloadError::VersionOrChecksum)?;
    if u16::from_le_bytes(*version) > VERSION_READ_MAX
        || u64::from_le_bytes(*found) != checksum(summed)
    {
        return Err(PayloadError::VersionOrChecksum);
    }
    let mut from = Decoder::new(content, Summed::Already);
    read(&mut from, context).map_err(|error| match error {
        ReadError::Format(error) => PayloadError::Format(error),
        ReadError::Source { source, .. } => match source {},
    })
}

fn read(from: &mut Decoder<&[u8]>, context: &Context) -> Result<Value, ReadError<Infallible>> {
    let code = from.byte("the code of a type")?;
    let value = value::read(code, b"", from, context)?;
    if from.is_at_end()? {
        Ok(value)
    } else {
        let fault = Fault::Contradiction("more bytes than the value needs");
        Err(FormatError {
            offset: from.offset(),
            fault,
        }
        .into())
    }
}

#[cfg(test)]
mod tests;
