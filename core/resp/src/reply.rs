//! Replies out: a typed writer over the connection's output buffer.
//!
//! Each method writes one RESP element in the protocol that the client speaks; what RESP2 lacks is
//! written as Redis writes it there (a map as a flat array, a double as a bulk string). An
//! aggregate is a header, then that many elements: the caller keeps count, guesses it
//! ([`Reply::begin_array`]), or writes the elements first and the header afterwards with
//! [`Reply::array_since`]. Lengths and types of what follows are not checked.
//!
//! Large values need not be copied: [`Reply::bulk_shared`] and [`Reply::run`] put a piece between
//! the bytes that something else owns. What a reply may hold is bounded, see [`Reply::is_full`].

mod bounds;
mod pieces;
mod texts;

use std::collections::VecDeque;
use std::fmt;
use std::io::Write as _;

use crate::double::{DOUBLE_TEXT_BYTES_MAX, double_text};
use crate::header::write_header;
use crate::limits::REPLY_COPIED_BYTES_MAX;
use crate::rope::Piece;

use self::bounds::{Bounds, Referred};

pub use self::bounds::Part;
pub use self::texts::Texts;

/// The version of the protocol that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// The protocol that every client begins with.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// A place in a [`Reply`]: to go back to, or to put a header at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Bytes before it,
    bytes: usize,
    /// pieces before it,
    pieces: usize,
    /// and the bytes of these.
    in_pieces: usize,
}

/// An array that was begun with a guess of its length.
#[derive(Debug)]
#[must_use = "the array has the length that was guessed until it is ended"]
pub struct GuessedArray {
    start: Mark,
    header_bytes: usize,
    len: usize,
}

/// A connection's output, and the one way to write RESP into it.
///
/// # Which commands ask whether it is full
///
/// A reply that is larger than its client may have is not sent, so finishing it is useless. A
/// command that writes as many elements as the data or the request has asks before each of them:
///
/// - A command that only reads writes them with [`Reply::each`], which stops when the reply is
///   full. A loop that cannot be written like that calls [`Reply::is_full`] itself, and ends.
/// - A command that changes something does all of it, as for any other client, but writes no more
///   once the reply is full.
/// - Where a reply refers to one value ([`Reply::bulk_shared`], [`Reply::run`]), its size does not
///   matter.
///
/// A command need not ask where the program (rows of a table, fields of a record) or a constant in
/// a `limits.rs` bounds the number of elements, or where an element is no longer than the argument
/// that it answers.
#[derive(Debug)]
pub struct Reply {
    out: Vec<u8>,
    protocol: Protocol,
    /// What lies between the bytes, in order.
    pieces: VecDeque<Piece>,
    /// Bytes of the pieces.
    in_pieces: usize,
    /// Bytes that a part may copy.
    copied_bytes_max: usize,
    bounds: Bounds,
    referred: Referred,
}

impl Default for Reply {
    fn default() -> Reply {
        Reply::new(Protocol::default())
    }
}

/// Type byte, 20 digits, CR and LF.
const HEADER_BYTES_MAX: usize = 23;

impl Reply {
    /// An empty reply. Allocates nothing.
    pub const fn new(protocol: Protocol) -> Reply {
        Reply {
            out: Vec::new(),
            protocol,
            pieces: VecDeque::new(),
            in_pieces: 0,
            copied_bytes_max: REPLY_COPIED_BYTES_MAX,
            bounds: Bounds::NONE,
            referred: Referred::NOTHING,
        }
    }

    /// An empty reply whose parts may copy this many bytes, not [`REPLY_COPIED_BYTES_MAX`].
    pub fn with_copied_max(protocol: Protocol, copied_bytes_max: usize) -> Reply {
        Reply {
            copied_bytes_max,
            ..Reply::new(protocol)
        }
    }

    /// An empty reply that writes into `buffer`'s memory.
    pub fn with_buffer(protocol: Protocol, mut buffer: Vec<u8>) -> Reply {
        buffer.clear();
        Reply {
            out: buffer,
            ..Reply::new(protocol)
        }
    }

    /// A reply that is written behind what is in `buffer`.
    pub fn behind(protocol: Protocol, buffer: Vec<u8>) -> Reply {
        Reply {
            out: buffer,
            ..Reply::new(protocol)
        }
    }

    /// Which protocol the client speaks.
    #[inline]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Sets the protocol that the client speaks from now on. What is already written stays as it
    /// is.
    pub const fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// All that was written, if none of it is in pieces.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        debug_assert!(self.pieces.is_empty(), "some of it is in pieces");
        &self.out
    }

    /// Bytes that were written; runs are estimated.
    #[inline]
    pub const fn len(&self) -> usize {
        self.out.len() + self.in_pieces
    }

    /// Returns whether nothing was written.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all that was written and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.out.clear();
        self.pieces.clear();
        self.in_pieces = 0;
        self.forget_referred();
    }

    /// Bytes that fit without a new allocation.
    pub const fn capacity(&self) -> usize {
        self.out.capacity()
    }

    /// Makes room for `bytes` more.
    #[inline]
    pub fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    /// Frees memory beyond `bytes` (and beyond what was written).
    pub fn shrink_to(&mut self, bytes: usize) {
        self.out.shrink_to(bytes);
        self.pieces.shrink_to(bytes / size_of::<Piece>());
    }

    /// The present end, to [`rollback`](Self::rollback) to.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark {
            bytes: self.out.len(),
            pieces: self.pieces.len(),
            in_pieces: self.in_pieces,
        }
    }

    /// Forgets what was written since `mark`.
    #[inline]
    pub fn rollback(&mut self, mark: Mark) {
        self.out.truncate(mark.bytes);
        if self.pieces.len() > mark.pieces {
            self.pieces.truncate(mark.pieces);
            self.in_pieces = mark.in_pieces;
        }
    }

    /// Bytes that were written since `mark`; runs are estimated.
    #[inline]
    pub const fn len_since(&self, mark: Mark) -> usize {
        self.len().saturating_sub(mark.bytes + mark.in_pieces)
    }

    /// Ready-made RESP.
    #[inline]
    pub fn raw(&mut self, resp: &[u8]) {
        self.out.extend_from_slice(resp);
    }

    /// Ready-made RESP that `write` appends to the output; it must not touch what is there.
    #[inline]
    pub fn raw_with<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        write(&mut self.out)
    }

    /// `OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string; line ends in it become spaces.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error; the text includes its prefix (`ERR …`), and line ends in it become spaces.
    pub fn error(&mut self, error: impl fmt::Display) {
        self.out.push(b'-');
        let text = self.out.len();
        // Writing to memory does not fail; an error type that fails to display says what it could.
        let _ = write!(self.out, "{error}");
        self.end_line(text);
    }

    /// An error whose text need not be UTF-8, because it quotes what a client sent.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.line(b'-', text);
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, number: i64) {
        if let Ok(count) = usize::try_from(number) {
            self.header(b':', count);
        } else {
            self.number(b':', number);
        }
    }

    /// An integer that counts something.
    #[inline]
    pub fn count(&mut self, count: usize) {
        self.header(b':', count);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + HEADER_BYTES_MAX + 2);
        self.header(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A number as a bulk string, of any integer type.
    #[inline]
    pub fn bulk_int(&mut self, number: impl itoa::Integer) {
        self.bulk(itoa::Buffer::new().format(number).as_bytes());
    }

    /// No value: the null bulk string in RESP2.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No value where an array would be: the null array in RESP2.
    #[inline]
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// True or false: 1 or 0 in RESP2.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(match (self.protocol, value) {
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
        });
    }

    /// A floating-point number: a bulk string in RESP2. The text is that of [`double_text`].
    pub fn double(&mut self, value: f64) {
        let mut text = [0; DOUBLE_TEXT_BYTES_MAX];
        self.double_digits(double_text(value, &mut text));
    }

    /// The same of a number of another precision, as its digits.
    pub fn double_digits(&mut self, digits: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b',', digits),
        }
    }

    /// A number of any size, in decimal digits: a bulk string in RESP2.
    pub fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits.as_bytes()),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// Text with a format of three letters (`txt`, `mkd`): a bulk string in RESP2.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', format.len() + 1 + text.len());
                self.out.extend_from_slice(format.as_bytes());
                self.out.push(b':');
                self.out.extend_from_slice(text);
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Makes what was written since `mark`, as raw bytes, one text as [`verbatim`](Self::verbatim)
    /// does.
    pub fn verbatim_since(&mut self, mark: Mark, format: &str) {
        let len = self.out.len().saturating_sub(mark.bytes);
        self.out.extend_from_slice(b"\r\n");
        let end = self.mark();
        match self.protocol {
            Protocol::Resp2 => self.header(b'$', len),
            Protocol::Resp3 => {
                self.header(b'=', format.len() + 1 + len);
                self.out.extend_from_slice(format.as_bytes());
                self.out.push(b':');
            }
        }
        self.swap(mark, end);
    }

    /// An array; `len` elements follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// A map; `len` times a key and a value follow. A flat array in RESP2.
    #[inline]
    pub fn map(&mut self, len: usize) {
        let (kind, len) = self.map_header(len);
        self.header(kind, len);
    }

    /// A set; `len` elements follow. An array in RESP2.
    #[inline]
    pub fn set(&mut self, len: usize) {
        self.header(self.set_kind(), len);
    }

    /// A message that answers nothing; `len` elements follow. An array in RESP2.
    #[inline]
    pub fn push(&mut self, len: usize) {
        self.header(
            match self.protocol {
                Protocol::Resp2 => b'*',
                Protocol::Resp3 => b'>',
            },
            len,
        );
    }

    /// Begins an aggregate whose length is not known yet: its elements follow, then one of
    /// [`array_since`](Self::array_since), [`map_since`](Self::map_since),
    /// [`set_since`](Self::set_since).
    #[inline]
    pub fn begin(&self) -> Mark {
        self.mark()
    }

    /// Begins an array of probably `len` elements: these follow, then [`Reply::end_array`]. Where
    /// the guess is good, that moves nothing.
    #[inline]
    pub fn begin_array(&mut self, len: usize) -> GuessedArray {
        let start = self.mark();
        self.array(len);
        let header_bytes = self.out.len() - start.bytes;
        GuessedArray {
            start,
            header_bytes,
            len,
        }
    }

    /// Says how many elements an array has got. Returns how many bytes its header has.
    #[inline]
    pub fn end_array(&mut self, array: GuessedArray, len: usize) -> usize {
        match len == array.len {
            true => array.header_bytes,
            false => self.change_header(array, len),
        }
    }

    /// Puts another header before an array. If the reply was dropped meanwhile, nothing is there.
    fn change_header(&mut self, array: GuessedArray, len: usize) -> usize {
        let mut header = [0; HEADER_BYTES_MAX];
        let mut header_bytes = 0;
        write_header(b'*', len, |piece| {
            let end = header_bytes + piece.len();
            header[header_bytes..end].copy_from_slice(piece);
            header_bytes = end;
        });
        let guessed = array.start.bytes..array.start.bytes + array.header_bytes;
        if guessed.end <= self.out.len() && !self.is_overrun() {
            self.out
                .splice(guessed, header[..header_bytes].iter().copied());
            for piece in self.pieces.iter_mut().skip(array.start.pieces) {
                piece.at = piece.at - array.header_bytes + header_bytes;
            }
        }
        header_bytes
    }

    /// Makes what was written since `mark` an array of `len` elements. Moves those bytes once;
    /// where the length is known, [`array`](Self::array) is cheaper.
    pub fn array_since(&mut self, mark: Mark, len: usize) {
        self.header_at(mark, b'*', len);
    }

    /// Makes what was written since `mark` a map of `len` keys and values.
    pub fn map_since(&mut self, mark: Mark, len: usize) {
        let (kind, len) = self.map_header(len);
        self.header_at(mark, kind, len);
    }

    /// Makes what was written since `mark` a set of `len` elements.
    pub fn set_since(&mut self, mark: Mark, len: usize) {
        self.header_at(mark, self.set_kind(), len);
    }

    const fn map_header(&self, len: usize) -> (u8, usize) {
        match self.protocol {
            Protocol::Resp2 => (b'*', len * 2),
            Protocol::Resp3 => (b'%', len),
        }
    }

    const fn set_kind(&self) -> u8 {
        match self.protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => b'~',
        }
    }

    /// A type byte and a length.
    #[inline]
    fn header(&mut self, kind: u8, len: usize) {
        write_header(kind, len, |piece| self.out.extend_from_slice(piece));
    }

    fn number(&mut self, kind: u8, number: impl itoa::Integer) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        self.out.reserve(HEADER_BYTES_MAX);
        self.out.push(kind);
        self.out.extend_from_slice(digits);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Puts a header before what was written since `mark`.
    fn header_at(&mut self, mark: Mark, kind: u8, len: usize) {
        let end = self.mark();
        self.header(kind, len);
        self.swap(mark, end);
    }

    /// Puts what was written since `second` before what was written between `first` and it. If the
    /// reply was dropped meanwhile, the places may be gone.
    pub fn swap(&mut self, first: Mark, second: Mark) {
        let end = self.out.len();
        let middle = second.bytes.min(end);
        let start = first.bytes.min(middle);
        if let Some(since) = self.out.get_mut(start..) {
            since.rotate_right(end - middle);
        }
        if self.pieces.len() > first.pieces {
            let (earlier_bytes, later_bytes) = (middle - start, end - middle);
            let pieces = first.pieces..second.pieces.max(first.pieces);
            self.swap_pieces(pieces, earlier_bytes, later_bytes);
        }
    }

    /// A type byte, text in which line ends become spaces, and the end of the line.
    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(kind);
        let start = self.out.len();
        self.out.extend_from_slice(text);
        self.end_line(start);
    }

    fn end_line(&mut self, text_start: usize) {
        for byte in self.out.iter_mut().skip(text_start) {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
