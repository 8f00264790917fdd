//! A delayed entry as it waits: one text.
//!
//! | part | form |
//! |---|---|
//! | ticket | 16 bytes |
//! | what follows | a byte of [`flags`] |
//! | bound of the trim | one or two numbers, if there is one; the limit, if it is approximate |
//! | producer, iid | two strings, if it is idempotent |
//! | fields | how many strings (a number), and these |
//!
//! Numbers and lengths are those of a chunk (`varint.rs`). Decoding trusts its input, as there.

use std::num::NonZeroU64;

use collections::sorted::Text;

use super::ticket::{HEAD_BYTES, Ticket};
use crate::StreamId;
use crate::trim::{Keep, Precision, References, Trim};
use crate::varint::{put_delta, put_length, take_delta, take_length};

/// How an entry is to be appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DelayedOptions<'a> {
    /// What the trim that comes with it does to references.
    pub references: References,
    /// The trim that comes with it.
    pub trim: Option<Trim>,
    /// The producer that said it, and its iid.
    pub idempotent: Option<(&'a [u8], &'a [u8])>,
}

/// An entry that waits.
#[derive(Clone, Debug)]
pub struct DelayedEntry<'a> {
    /// What it is known by, and when it is due.
    pub ticket: Ticket,
    /// How it is to be appended.
    pub options: DelayedOptions<'a>,
    /// Names and values in turn.
    pub fields: DelayedFields<'a>,
    /// How many bytes it takes.
    pub bytes: usize,
}

/// The names and values of a delayed entry.
#[derive(Clone, Debug)]
pub struct DelayedFields<'a> {
    bytes: &'a [u8],
    at: usize,
    left: usize,
}

mod flags {
    pub(super) const DELETE: u8 = 1;
    pub(super) const ACKNOWLEDGED: u8 = 2;
    pub(super) const MAX_LEN: u8 = 4;
    pub(super) const MIN_ID: u8 = 8;
    pub(super) const APPROXIMATE: u8 = 16;
    pub(super) const IDEMPOTENT: u8 = 32;
}

/// The text of an entry.
pub(super) fn pack<'f>(
    ticket: Ticket,
    options: &DelayedOptions<'_>,
    fields: impl ExactSizeIterator<Item = &'f [u8]>,
) -> Vec<u8> {
    let mut text = ticket.to_bytes().to_vec();
    text.push(flags_of(options));
    if let Some(Trim { keep, precision }) = options.trim {
        match keep {
            Keep::MaxLen(len) => put_delta(&mut text, len),
            Keep::MinId(StreamId { ms, seq }) => {
                put_delta(&mut text, ms);
                put_delta(&mut text, seq);
            }
        }
        if let Precision::Approximate { limit } = precision {
            put_delta(&mut text, limit.map_or(0, NonZeroU64::get));
        }
    }
    if let Some((producer, iid)) = options.idempotent {
        put_string(&mut text, producer);
        put_string(&mut text, iid);
    }
    put_delta(&mut text, fields.len() as u64);
    for field in fields {
        put_string(&mut text, field);
    }
    text
}

fn flags_of(options: &DelayedOptions<'_>) -> u8 {
    let references = match options.references {
        References::Keep => 0,
        References::Delete => flags::DELETE,
        References::Acknowledged => flags::ACKNOWLEDGED,
    };
    let keep = match options.trim.map(|trim| trim.keep) {
        None => 0,
        Some(Keep::MaxLen(_)) => flags::MAX_LEN,
        Some(Keep::MinId(_)) => flags::MIN_ID,
    };
    let precision = match options.trim.map(|trim| trim.precision) {
        None | Some(Precision::Exact) => 0,
        Some(Precision::Approximate { .. }) => flags::APPROXIMATE,
    };
    let idempotent = match options.idempotent {
        None => 0,
        Some(_) => flags::IDEMPOTENT,
    };
    references | keep | precision | idempotent
}

fn put_string(text: &mut Vec<u8>, string: &[u8]) {
    put_length(text, string.len());
    text.extend_from_slice(string);
}

fn take_string<'a>(bytes: &'a [u8], at: &mut usize) -> &'a [u8] {
    let len = take_length(bytes, at);
    let string = &bytes[*at..*at + len];
    *at += len;
    string
}

impl<'a> DelayedEntry<'a> {
    pub(super) fn of(text: Text<'a>) -> DelayedEntry<'a> {
        let body = match text {
            Text::Whole(bytes) => &bytes[HEAD_BYTES..],
            Text::Long(long) => long.rest().as_slice(),
        };
        DelayedEntry::unpack(Ticket::of_text(text), body)
    }

    /// Reads what stands behind the ticket.
    fn unpack(ticket: Ticket, body: &'a [u8]) -> DelayedEntry<'a> {
        let (flags, mut at) = (body[0], 1);
        let keep = if flags & flags::MAX_LEN != 0 {
            Some(Keep::MaxLen(take_delta(body, &mut at)))
        } else if flags & flags::MIN_ID != 0 {
            let ms = take_delta(body, &mut at);
            Some(Keep::MinId(StreamId::new(ms, take_delta(body, &mut at))))
        } else {
            None
        };
        let precision = match flags & flags::APPROXIMATE {
            0 => Precision::Exact,
            _ => Precision::Approximate {
                limit: NonZeroU64::new(take_delta(body, &mut at)),
            },
        };
        let references = match flags & (flags::DELETE | flags::ACKNOWLEDGED) {
            flags::DELETE => References::Delete,
            flags::ACKNOWLEDGED => References::Acknowledged,
            _ => References::Keep,
        };
        let is_idempotent = flags & flags::IDEMPOTENT != 0;
        let idempotent = is_idempotent.then(|| {
            let producer = take_string(body, &mut at);
            (producer, take_string(body, &mut at))
        });
        let left = take_delta(body, &mut at) as usize;
        DelayedEntry {
            ticket,
            options: DelayedOptions {
                references,
                trim: keep.map(|keep| Trim { keep, precision }),
                idempotent,
            },
            fields: DelayedFields {
                bytes: body,
                at,
                left,
            },
            bytes: HEAD_BYTES + body.len(),
        }
    }
}

impl<'a> Iterator for DelayedFields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        Some(take_string(self.bytes, &mut self.at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for DelayedFields<'_> {}

/// An entry that was taken out.
pub(crate) struct Packed {
    ticket: Ticket,
    body: Vec<u8>,
}

impl Packed {
    pub(super) fn of(entry: &DelayedEntry<'_>) -> Packed {
        Packed {
            ticket: entry.ticket,
            body: entry.fields.bytes.to_vec(),
        }
    }

    pub(crate) fn entry(&self) -> DelayedEntry<'_> {
        DelayedEntry::unpack(self.ticket, &self.body)
    }
}
