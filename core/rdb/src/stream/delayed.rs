//! What waits to be appended to a stream.
//!
//! | part | form |
//! |---|---|
//! | ticket | when it is due, in milliseconds since the epoch, and its number (numbers) |
//! | references | a byte: 0 `KEEPREF`, 1 `DELREF`, 2 `ACKED` |
//! | trim | a byte: 0 none, 1 `MAXLEN` (and a number), 2 `MINID` (and two numbers) |
//! | precision of the trim | number: 0 exact, 1 approximate without a limit, else the limit and one |
//! | idempotent | a byte: 0, or 1 and two strings: producer and idempotent ID |
//! | fields | how many names and values (a number), and these (strings) |
//!
//! A string is its length (a number) and its bytes. Entries are in the order in which they are due.

use std::num::NonZeroU64;

use stream::{
    DELAYED_BYTES_MAX, DelayedEntry, DelayedOptions, Keep, Precision, References, Stream, StreamId,
    TICKET_NUMBER_MAX, Ticket, Trim,
};

use crate::decode::Decoder;
use crate::encode::push_number;
use crate::limits::STRING_BYTES_MAX;

/// Writes an entry.
pub(crate) fn push(entry: &DelayedEntry<'_>, content: &mut Vec<u8>) {
    let DelayedOptions {
        references,
        trim,
        idempotent,
    } = entry.options;
    push_number(content, entry.ticket.due_ms);
    push_number(content, entry.ticket.number);
    content.push(match references {
        References::Keep => 0,
        References::Delete => 1,
        References::Acknowledged => 2,
    });
    match trim.map(|trim| trim.keep) {
        None => content.push(0),
        Some(Keep::MaxLen(len)) => {
            content.push(1);
            push_number(content, len);
        }
        Some(Keep::MinId(id)) => {
            content.push(2);
            push_number(content, id.ms);
            push_number(content, id.seq);
        }
    }
    let precision = trim.map_or(Precision::Exact, |trim| trim.precision);
    push_number(
        content,
        match precision {
            Precision::Exact => 0,
            Precision::Approximate { limit } => limit.map_or(0, NonZeroU64::get).saturating_add(1),
        },
    );
    match idempotent {
        None => content.push(0),
        Some((producer, iid)) => {
            content.push(1);
            push_string(content, producer);
            push_string(content, iid);
        }
    }
    push_number(content, entry.fields.len() as u64);
    for field in entry.fields.clone() {
        push_string(content, field);
    }
}

fn push_string(content: &mut Vec<u8>, string: &[u8]) {
    push_number(content, string.len() as u64);
    content.extend_from_slice(string);
}

/// Reads the number of the last ticket, and entries up to the end. `None` if it is not what
/// [`push`] writes.
pub(super) fn read(from: &mut Decoder<&[u8]>, stream: &mut Stream) -> Option<()> {
    let last = number(from).filter(|last| *last <= TICKET_NUMBER_MAX)?;
    stream.raise_last_ticket(last);
    while !from.is_at_end().unwrap_or(true) {
        let (due_ms, number_of_ticket) = (number(from)?, number(from)?);
        let ticket = Ticket {
            due_ms,
            number: number_of_ticket,
        };
        if !ticket.is_valid() || ticket.number > last {
            return None;
        }
        let references = match byte(from)? {
            0 => References::Keep,
            1 => References::Delete,
            2 => References::Acknowledged,
            _ => return None,
        };
        let keep = match byte(from)? {
            0 => None,
            1 => Some(Keep::MaxLen(number(from)?)),
            2 => Some(Keep::MinId(StreamId::new(number(from)?, number(from)?))),
            _ => return None,
        };
        let precision = match number(from)?.checked_sub(1) {
            None => Precision::Exact,
            Some(limit) => Precision::Approximate {
                limit: NonZeroU64::new(limit),
            },
        };
        let idempotent = match byte(from)? {
            0 => None,
            1 => Some((string(from)?, string(from)?)),
            _ => return None,
        };
        let fields = number(from)?;
        if fields == 0 || fields % 2 != 0 {
            return None;
        }
        let (mut read, mut bytes) = (Vec::new(), 0);
        for _ in 0..fields {
            let field = string(from)?;
            bytes += field.len();
            if bytes > DELAYED_BYTES_MAX {
                return None;
            }
            read.push(field);
        }
        let idempotent = idempotent.as_ref();
        let options = DelayedOptions {
            references,
            trim: keep.map(|keep| Trim { keep, precision }),
            idempotent: idempotent.map(|(producer, iid)| (producer.as_slice(), iid.as_slice())),
        };
        stream.delay(ticket, &options, read.iter().map(Vec::as_slice));
    }
    Some(())
}

fn number(from: &mut Decoder<&[u8]>) -> Option<u64> {
    from.number("a number").ok()
}

fn byte(from: &mut Decoder<&[u8]>) -> Option<u8> {
    from.array::<1>("a byte").ok().map(|[byte]| byte)
}

fn string(from: &mut Decoder<&[u8]>) -> Option<Vec<u8>> {
    let read = from.with_string(STRING_BYTES_MAX, "a text", <[u8]>::to_vec);
    read.ok()
}
