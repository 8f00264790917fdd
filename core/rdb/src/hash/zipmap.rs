//! The zipmap: what a small hash was in before Redis 2.6.
//!
//! | offset | size | meaning |
//! |---|---|---|
//! | 0 | 1 | number of fields; 254 or more if that does not tell it |
//! | 1 | | fields: a length and as many bytes, the value's length, how many bytes are unused behind it (1 byte), the value, the unused bytes |
//! | last | 1 | `ff` |
//!
//! A length is a byte up to 253, or `fe` and 4 bytes, little endian.

use crate::error::Fault;
use crate::row::{Element, Row};

const END: u8 = 0xff;

const WRONG_LENGTH: Fault = Fault::Contradiction("the length of a part of a zipmap is wrong");

/// Reads fields and values in turn.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// How many fields there should be in all, if the head can tell.
    count: Option<usize>,
    read: usize,
    next_is_value: bool,
}

impl<'a> Reader<'a> {
    /// Begins to read a zipmap that is exactly `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Reader<'a>, Fault> {
        match bytes {
            [count, rest @ .., END] => Ok(Reader {
                rest,
                count: (*count < 254).then_some(usize::from(*count)),
                read: 0,
                next_is_value: false,
            }),
            _ => Err(Fault::Contradiction("the zipmap does not end with ff")),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Fault::Truncated {
            expected: "a field of a zipmap",
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, Fault> {
        match *self.take(1)? {
            [len @ 0..=253] => Ok(usize::from(len)),
            [254] => {
                let len = u32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default());
                match len {
                    0..254 => Err(WRONG_LENGTH),
                    254.. => Ok(len as usize),
                }
            }
            _ => Err(WRONG_LENGTH),
        }
    }
}

impl<'a> Row<'a> for Reader<'a> {
    fn next(&mut self) -> Result<Option<Element<'a>>, Fault> {
        if self.rest.is_empty() && !self.next_is_value {
            return match self.count {
                Some(count) if count != self.read => Err(Fault::Contradiction(
                    "the zipmap does not have as many fields as it says",
                )),
                Some(_) | None => Ok(None),
            };
        }
        let len = self.length()?;
        let unused = match self.next_is_value {
            true => usize::from(self.take(1)?.first().copied().unwrap_or_default()),
            false => 0,
        };
        let bytes = self.take(len)?;
        self.take(unused)?;
        self.read += usize::from(self.next_is_value);
        self.next_is_value = !self.next_is_value;
        Ok(Some(Element::Bytes(bytes)))
    }
}
