//! RESP out of a chunk: `[id, [field, value, …]]`, mostly by copying.
//!
//! Names are ready-made pieces, and all is written with a [`Pen`].

use resp::{NoRoom, PEN_ROOM, Pen};

use crate::chunk::{Chunk, Head};
use crate::varint::take_length;

/// Writes entries at the end of a buffer.
pub(crate) struct Renderer<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    /// How much of the buffer is filled; what lies behind is to be overwritten or cut off.
    at: usize,
    time: TimeText,
}

impl<'o> Renderer<'o> {
    /// A writer that appends to this buffer.
    #[inline]
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Renderer<'o> {
        let start = out.len();
        out.resize(start + ROOM_FIRST, 0);
        Renderer {
            out,
            start,
            at: start,
            time: TimeText::ZERO,
        }
    }

    /// Returns how many bytes were written.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.at - self.start
    }

    /// Makes sure that this many bytes can follow without moving what was written.
    #[inline]
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let room = self.out.len() - self.at;
        self.out.reserve(bytes.saturating_sub(room));
    }

    /// Cuts off the room that was not filled. Without this the buffer ends in rubbish.
    pub(crate) fn finish(self) {
        self.out.truncate(self.at);
    }

    /// Writes one entry and returns where it ends in the chunk. Part of its caller's loop: calls
    /// for each entry cost a tenth of a range.
    #[inline(always)]
    pub(crate) fn entry(&mut self, chunk: &Chunk, head: &Head) -> usize {
        self.time.set(head.id.ms);
        match entry(Pen::new(self.out, self.at), &self.time, chunk, head) {
            Ok(written) => self.advance(written),
            Err(lack) => self.entry_with_more_room(lack, chunk, head),
        }
    }

    #[cold]
    fn entry_with_more_room(&mut self, mut lack: NoRoom, chunk: &Chunk, head: &Head) -> usize {
        loop {
            self.grow(lack);
            lack = match entry(Pen::new(self.out, self.at), &self.time, chunk, head) {
                Ok(written) => return self.advance(written),
                Err(lack) => lack,
            };
        }
    }

    /// Writes the fields alone, an array, and returns where the entry ends in the chunk.
    pub(crate) fn fields_alone(&mut self, chunk: &Chunk, head: &Head) -> usize {
        loop {
            match fields(Pen::new(self.out, self.at), chunk, head, LINE_END) {
                Ok(written) => return self.advance(written),
                Err(lack) => self.grow(lack),
            }
        }
    }

    #[inline(always)]
    fn advance(&mut self, written: Written) -> usize {
        self.at = written.at;
        written.end
    }

    /// Makes the room that an entry lacked, and some for what may follow: as much as was written.
    fn grow(&mut self, lack: NoRoom) {
        let written = (lack.at - self.start).clamp(ROOM_FIRST, ROOM_STEP_MAX);
        self.out.resize(lack.at + lack.bytes + written, 0);
    }
}

/// How much room is made to begin with.
const ROOM_FIRST: usize = 320;
/// How much room is made at most beyond what is needed.
const ROOM_STEP_MAX: usize = 8192;
/// Bytes of a line end.
const LINE_END: usize = 2;

/// An entry that was written: where it ends in the output and in its chunk.
struct Written {
    at: usize,
    end: usize,
}

#[inline(always)]
fn entry(mut pen: Pen<'_>, time: &TimeText, chunk: &Chunk, head: &Head) -> Result<Written, NoRoom> {
    pen.room(PEN_ROOM)?;
    if let Some(digits) = few_digits(head.id.seq) {
        let opening = &time.openings[digits - 1];
        pen.put(&opening.text, opening.len);
        pen.put(&time.lower.to_le_bytes(), time.lower_len + 1);
        pen.put(&last_digits(head.id.seq, digits), digits);
    } else {
        let mut digits = itoa::Buffer::new();
        let seq = digits.format(head.id.seq).as_bytes();
        pen.put(b"*2\r\n", 4);
        pen.length(time.upper_len + time.lower_len + 1 + seq.len());
        pen.put(&time.upper, time.upper_len);
        pen.put(&time.lower.to_le_bytes(), time.lower_len + 1);
        pen.copy(seq, 0, seq.len());
    }
    fields(pen, chunk, head, 0)
}

/// Writes the line end of what came before, without its first `skip` bytes, then the fields.
#[inline(always)]
fn fields(
    mut pen: Pen<'_>,
    chunk: &Chunk,
    head: &Head,
    mut skip: usize,
) -> Result<Written, NoRoom> {
    let Some(shape) = chunk.shape(head) else {
        return own_fields(pen, chunk, head, skip);
    };
    let (data, text) = (chunk.data(), shape.text());
    let mut at = head.body;
    for piece in shape.pieces() {
        let start = piece.start as usize + skip;
        skip = 0;
        let value_len = take_length(data, &mut at);
        let piece_len = piece.end as usize - start;
        pen.room(piece_len + value_len + PEN_ROOM)?;
        pen.copy(text, start, piece_len);
        pen.length(value_len);
        pen.copy(data, at, value_len);
        at += value_len;
    }
    pen.put(b"\r\n", 2);
    Ok(Written {
        at: pen.at(),
        end: at,
    })
}

/// The same for an entry that carries its names.
fn own_fields(
    mut pen: Pen<'_>,
    chunk: &Chunk,
    head: &Head,
    skip: usize,
) -> Result<Written, NoRoom> {
    let data = chunk.data();
    let (mut at, count) = chunk.own_fields(head);
    pen.room(PEN_ROOM)?;
    if skip == 0 {
        pen.put(b"\r\n", 2);
    }
    pen.put(b"*", 1);
    pen.number(2 * count as u64);
    pen.put(b"\r\n", 2);
    for _ in 0..2 * count {
        let text_len = take_length(data, &mut at);
        pen.room(text_len + PEN_ROOM)?;
        pen.length(text_len);
        pen.copy(data, at, text_len);
        pen.put(b"\r\n", 2);
        at += text_len;
    }
    Ok(Written {
        at: pen.at(),
        end: at,
    })
}

/// The decimal text of a time, with what stands before and behind it. Neighbouring entries differ
/// in the last four digits at most; these are kept apart, in a register: a wide read over what was
/// just written would stall.
struct TimeText {
    ms: u64,
    /// What entries begin with whose sequence numbers have one digit, two, three or four.
    openings: [Opening; SEQ_DIGITS_MAX],
    /// Twenty digits at most, and what a copy in whole words takes.
    upper: [u8; 24],
    upper_len: usize,
    /// The last four digits, or none if there are no others, then a dash.
    lower: u64,
    lower_len: usize,
}

/// What an entry begins with: `*2`, the length of the ID, and the upper digits of its time.
#[derive(Clone, Copy)]
struct Opening {
    text: [u8; 32],
    len: usize,
}

impl Opening {
    const fn of_zero(length: u8) -> Opening {
        let mut text = *b"*2\r\n$_\r\n0-----------------------";
        text[5] = length;
        Opening { text, len: 9 }
    }
}

/// Longer sequence numbers are rare.
const SEQ_DIGITS_MAX: usize = 4;

/// How many digits a number has, if they are few.
#[inline(always)]
fn few_digits(number: u64) -> Option<usize> {
    let more = [10, 100, 1000].map(|least| usize::from(number >= least));
    (number < 10_000).then_some(1 + more.iter().sum::<usize>())
}

/// The last digits of a number, at most [`SEQ_DIGITS_MAX`] of them.
#[inline(always)]
fn last_digits(number: u64, digits: usize) -> [u8; SEQ_DIGITS_MAX] {
    let [a, b] = TWO_DIGITS[number as usize / 100 % 100];
    let [c, d] = TWO_DIGITS[number as usize % 100];
    let all = u32::from_le_bytes([a, b, c, d]);
    (all >> (8 * (SEQ_DIGITS_MAX - digits))).to_le_bytes()
}

impl TimeText {
    const ZERO: TimeText = TimeText {
        ms: 0,
        openings: [
            Opening::of_zero(b'3'),
            Opening::of_zero(b'4'),
            Opening::of_zero(b'5'),
            Opening::of_zero(b'6'),
        ],
        upper: [b'0'; 24],
        upper_len: 1,
        lower: u64::from_le_bytes(*b"--------"),
        lower_len: 0,
    };

    #[inline(always)]
    fn set(&mut self, ms: u64) {
        if ms == self.ms {
            return;
        }
        let (upper, lower) = (ms / 10_000, (ms % 10_000) as usize);
        if upper != self.ms / 10_000 || upper == 0 {
            self.set_upper(upper, ms);
        }
        if upper != 0 {
            let [a, b] = TWO_DIGITS[lower / 100];
            let [c, d] = TWO_DIGITS[lower % 100];
            self.lower = u64::from_le_bytes([a, b, c, d, b'-', 0, 0, 0]);
        }
        self.ms = ms;
    }

    #[cold]
    fn set_upper(&mut self, upper: u64, ms: u64) {
        let mut digits = itoa::Buffer::new();
        let (text, lower_len) = match upper {
            0 => (digits.format(ms), 0),
            _ => (digits.format(upper), 4),
        };
        self.upper[..text.len()].copy_from_slice(text.as_bytes());
        (self.upper_len, self.lower_len) = (text.len(), lower_len);
        self.lower = TimeText::ZERO.lower;
        for (opening, digits) in self.openings.iter_mut().zip(1..) {
            let mut pen = Pen::new(&mut opening.text, 4);
            pen.length(text.len() + lower_len + 1 + digits);
            let length_end = pen.at();
            opening.len = length_end + text.len();
            opening.text[length_end..opening.len].copy_from_slice(text.as_bytes());
        }
    }
}

static TWO_DIGITS: [[u8; 2]; 100] = two_digits();

const fn two_digits() -> [[u8; 2]; 100] {
    let mut texts = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        texts[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    texts
}
