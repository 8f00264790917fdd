//! What a delayed entry is known by.

use std::cmp::Ordering;
use std::fmt;

use collections::sorted::{LongText, Order, Text};

use super::TICKET_NUMBER_MAX;
use crate::StreamId;
use crate::id::ID_TEXT_BYTES_MAX;

/// Names an entry that is not appended yet. Tickets are in the order in which entries are due; of
/// those due at the same time, who came first is first.
///
/// Its text is `@`, the time, a dash and the number, so that it is never taken for the ID of an
/// entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// When the entry is due: Unix time in milliseconds, at most [`TICKET_NUMBER_MAX`].
    pub due_ms: u64,
    /// Tells it from all others of its stream; at most [`TICKET_NUMBER_MAX`].
    pub number: u64,
}

/// The longest text of a ticket: a sign, and two numbers and a dash as in an ID.
pub const TICKET_TEXT_BYTES_MAX: usize = 1 + ID_TEXT_BYTES_MAX;

/// A text that is not a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid ticket specified")]
pub struct InvalidTicket;

impl Ticket {
    /// Before all tickets.
    pub const MIN: Ticket = Ticket {
        due_ms: 0,
        number: 0,
    };

    /// Reads `@time-number`, in decimal.
    ///
    /// # Errors
    /// [`InvalidTicket`] for anything else.
    pub fn parse(text: &[u8]) -> Result<Ticket, InvalidTicket> {
        let [b'@', numbers @ ..] = text else {
            return Err(InvalidTicket);
        };
        let dash = numbers.iter().position(|&byte| byte == b'-');
        let (due, number) = numbers.split_at(dash.ok_or(InvalidTicket)?);
        let parse = |digits: &[u8]| {
            let number = collections::parse_integer(digits).ok_or(InvalidTicket)?;
            u64::try_from(number).map_err(|_| InvalidTicket)
        };
        Ok(Ticket {
            due_ms: parse(due)?,
            number: parse(&number[1..])?,
        })
    }

    /// Writes its text into `buffer` and returns the part of it that was used.
    pub fn write_text(self, buffer: &mut [u8; TICKET_TEXT_BYTES_MAX]) -> &[u8] {
        let mut numbers = [0; ID_TEXT_BYTES_MAX];
        let numbers = StreamId::new(self.due_ms, self.number).write_text(&mut numbers);
        let end = 1 + numbers.len();
        buffer[0] = b'@';
        buffer[1..end].copy_from_slice(numbers);
        &buffer[..end]
    }

    /// Returns whether its numbers are within their bounds.
    pub fn is_valid(self) -> bool {
        self.due_ms <= TICKET_NUMBER_MAX && self.number <= TICKET_NUMBER_MAX
    }

    /// Both numbers so that they compare as bytes.
    pub(super) fn to_bytes(self) -> [u8; HEAD_BYTES] {
        (u128::from(self.due_ms) << 64 | u128::from(self.number)).to_be_bytes()
    }

    fn of_bytes(bytes: [u8; HEAD_BYTES]) -> Ticket {
        let both = u128::from_be_bytes(bytes);
        Ticket {
            due_ms: (both >> 64) as u64,
            number: both as u64,
        }
    }

    /// The ticket that the text of a delayed entry begins with.
    pub(super) fn of_text(text: Text<'_>) -> Ticket {
        Ticket::of_bytes(head_of(text))
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}-{}", self.due_ms, self.number)
    }
}

/// The order of texts that begin with a ticket.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByTicket;

/// A ticket as the head of a text.
pub(super) const HEAD_BYTES: usize = 16;

fn head_of(text: Text<'_>) -> [u8; HEAD_BYTES] {
    match text {
        Text::Whole(bytes) => head(bytes),
        Text::Long(long) => head(long.head()),
    }
}

fn head(bytes: &[u8]) -> [u8; HEAD_BYTES] {
    bytes.first_chunk().copied().unwrap_or_default()
}

impl Order for ByTicket {
    type Point<'a> = [u8; HEAD_BYTES];

    fn point(text: &[u8]) -> [u8; HEAD_BYTES] {
        head(text)
    }

    fn compare(text: Text<'_>, point: [u8; HEAD_BYTES]) -> Ordering {
        head_of(text).cmp(&point)
    }

    fn point_of_long(text: &LongText) -> [u8; HEAD_BYTES] {
        head(text.head())
    }

    fn head_len(_: &[u8]) -> usize {
        HEAD_BYTES
    }
}
