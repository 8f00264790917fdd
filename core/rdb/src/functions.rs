//! The payload of `FUNCTION DUMP` and `FUNCTION RESTORE`: the texts of libraries.
//!
//! | size | meaning |
//! |---|---|
//! | 1 | 245, before each library |
//! | | its text, a string |
//! | 2 | behind the last one: version of the format, little endian |
//! | 8 | CRC-64 of all before it, little endian; 0 if none was made |

use crate::code;
use crate::decode::{Decoder, Summed};
use crate::encode::{Compression, Encoder};
use crate::error::{Fault, LibrariesError, ReadError};
use crate::limits::VERSION_WRITTEN;
use crate::payload::content_of;

/// The payload of libraries, as `FUNCTION DUMP` answers it.
pub fn dump_libraries<'a>(libraries: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Encoder::keeping_all(Vec::new(), Compression::Lzf);
    for library in libraries {
        out.byte(code::FUNCTION);
        out.string(library);
    }
    out.bytes(&VERSION_WRITTEN.to_le_bytes());
    out.finish_all()
}

/// The texts of the libraries in a payload, of which there may be so many, with so
/// many bytes in all.
///
/// # Errors
/// [`LibrariesError::VersionOrChecksum`] if the payload is damaged or too new, which is checked
/// before anything else is read; else what it has instead of libraries.
pub fn restore_libraries(
    payload: &[u8],
    (count_max, bytes_max): (usize, usize),
) -> Result<Vec<Vec<u8>>, LibrariesError> {
    let content = content_of(payload).map_err(|_| LibrariesError::VersionOrChecksum)?;
    let mut from = Decoder::new(content, Summed::Already);
    let mut libraries = Vec::new();
    let mut left = bytes_max as u64;
    while !from.is_at_end().map_err(fault)? {
        match from.byte("the code of a library").map_err(fault)? {
            code::FUNCTION if libraries.len() == count_max => return Err(LibrariesError::TooLong),
            code::FUNCTION => {
                let mut library = Vec::new();
                from.string(&mut library, left, "a function library")
                    .map_err(fault)?;
                left -= library.len() as u64;
                libraries.push(library);
            }
            code::FUNCTION_EARLY => return Err(LibrariesError::Early),
            _ => return Err(LibrariesError::Type),
        }
    }
    Ok(libraries)
}

fn fault(error: ReadError<std::convert::Infallible>) -> LibrariesError {
    match error {
        ReadError::Format(error) if matches!(error.fault, Fault::TooLong { .. }) => {
            LibrariesError::TooLong
        }
        ReadError::Format(_) => LibrariesError::Cut,
        ReadError::Source { source, .. } => match source {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign;

    const LIBRARY: &[u8] = b"#!lua name=aa\nredis.register_function(\"aa\",function() end)";

    #[test]
    fn libraries_are_dumped_as_redis_does_it() {
        let empty = dump_libraries(std::iter::empty());
        assert_eq!(empty, b"\r\0\xff2\xd5\xf3\x08\xca\xd5\x1a");
        let redis = [b"\xf5:".as_slice(), LIBRARY].concat();
        let dumped = dump_libraries(std::iter::once(LIBRARY));
        assert_eq!(dumped, sign(redis));
    }

    #[test]
    fn what_was_dumped_is_restored() {
        let long = b"-- a comment, again and again\n".repeat(1000);
        let libraries = [LIBRARY, b"", &long];
        let dumped = dump_libraries(libraries.into_iter());
        assert!(dumped.len() < long.len());
        let restored = restore_libraries(&dumped, (3, 1 << 20)).unwrap();
        assert_eq!(restored, libraries);
    }

    #[test]
    fn a_payload_is_checked_before_it_is_read() {
        let restore = |payload: &[u8]| restore_libraries(payload, (9, 100));
        let dumped = dump_libraries(std::iter::once(LIBRARY));
        let refused = Err(LibrariesError::VersionOrChecksum);
        for cut in 0..dumped.len() {
            assert_eq!(restore(&dumped[..cut]), refused, "{cut}");
            let mut flipped = dumped.clone();
            flipped[cut] ^= 1;
            assert_eq!(restore(&flipped), refused, "{cut}");
        }
        for (content, error) in [
            (b"\x00\x03abc".as_slice(), LibrariesError::Type),
            (b"\xf6\x03abc", LibrariesError::Early),
            (b"\xf5\x20abc", LibrariesError::Cut),
            (b"\xf5", LibrariesError::Cut),
            (b"\xf5\x03abc\x00", LibrariesError::Type),
        ] {
            assert_eq!(restore(&sign(content.to_vec())), Err(error));
        }
    }

    #[test]
    fn libraries_are_so_many_with_so_many_bytes_and_not_one_more() {
        let of = |len: usize| dump_libraries([LIBRARY, &vec![b'x'; len]].into_iter());
        let max = LIBRARY.len() + 1000;
        assert!(restore_libraries(&of(1000), (2, max)).is_ok());
        let refused = Err(LibrariesError::TooLong);
        assert_eq!(restore_libraries(&of(1001), (2, max)), refused);
        assert_eq!(restore_libraries(&of(1000), (1, max)), refused);
    }
}
