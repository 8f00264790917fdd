//! Requests in: arrays of bulk strings, and inline lines as a person types them.
//!
//! The parser reads the bytes once, even if they arrive in pieces: it remembers where it stopped
//! within an unfinished request. It answers everything that is not a request as Redis 8.6 does, and
//! the answer never depends on where the pieces were cut. What a command means is not known here.

mod form;

use thiserror::Error;

use crate::argv::{Argv, Span};
use crate::inline;
use crate::large::Large;
use crate::limits::{
    Limits, SCRATCH_KEPT_BYTES_MAX, SPANS_KEPT_MAX, Sender, UNAUTHENTICATED_ARGS_MAX,
    UNAUTHENTICATED_BULK_BYTES_MAX,
};
use crate::reply::Reply;
use form::Form;

/// One request, borrowed from the input (or, if it was inline, from the parser).
#[derive(Debug, Clone, Copy)]
pub struct Request<'p> {
    /// Its arguments. Empty for an empty line and for an array without elements: nothing to do and
    /// nothing to answer.
    pub argv: Argv<'p>,
    /// How many bytes of the input it took; the caller drops them before it parses on.
    pub consumed: usize,
}

/// What a client sent was not a request. The connection cannot go on: where the next request would
/// begin is unknown.
///
/// `Display` is what Redis writes after `-ERR `, but for
/// [`RequestTooLarge`](Self::RequestTooLarge), where Redis closes the connection without a reply;
/// [`write`](Self::write) does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// An inline request beyond [`Limits::inline_bytes_max`].
    #[error("Protocol error: too big inline request")]
    InlineTooLong,
    /// A quote was opened and not closed, or text follows a closing quote.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// A `*` line beyond [`Limits::inline_bytes_max`].
    #[error("Protocol error: too big mbulk count string")]
    CountTooLong,
    /// The number of arguments is not a canonical number, or beyond [`Limits::args_max`].
    #[error("Protocol error: invalid multibulk length")]
    InvalidCount,
    /// Too many arguments for a client that has yet to authenticate.
    #[error("Protocol error: unauthenticated multibulk length")]
    UnauthenticatedCount,
    /// A `$` line beyond [`Limits::inline_bytes_max`].
    #[error("Protocol error: too big bulk count string")]
    BulkLengthTooLong,
    /// An argument does not begin with `$`, but with this byte.
    #[error("Protocol error: expected '$', got '{}'", char::from(*.0))]
    ExpectedBulk(u8),
    /// The length of an argument is not a canonical number, or negative, or beyond
    /// [`Limits::bulk_bytes_max`].
    #[error("Protocol error: invalid bulk length")]
    InvalidBulkLength,
    /// An argument too long for a client that has yet to authenticate.
    #[error("Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    /// The request as a whole is beyond [`Limits::request_bytes_max`].
    #[error("Protocol error: too big request")]
    RequestTooLarge,
}

impl ProtocolError {
    /// Writes the reply that Redis gives before it closes the connection, byte for byte.
    pub fn write(&self, reply: &mut Reply) {
        match self {
            ProtocolError::RequestTooLarge => {}
            // The byte goes out as it came in; as a character it might become two.
            ProtocolError::ExpectedBulk(got) => {
                let mut text = *b"ERR Protocol error: expected '$', got '?'";
                if let Some(byte) = text.iter_mut().rfind(|byte| **byte == b'?') {
                    *byte = *got;
                }
                reply.error_bytes(&text);
            }
            ProtocolError::InlineTooLong
            | ProtocolError::UnbalancedQuotes
            | ProtocolError::CountTooLong
            | ProtocolError::InvalidCount
            | ProtocolError::UnauthenticatedCount
            | ProtocolError::BulkLengthTooLong
            | ProtocolError::InvalidBulkLength
            | ProtocolError::UnauthenticatedBulkLength => reply.error(format_args!("ERR {self}")),
        }
    }
}

/// Reads requests from the front of a connection's input. Each connection has its own.
///
/// ```
/// use resp::{Limits, Parser};
///
/// let mut parser = Parser::new();
/// let mut input = b"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nPIN".to_vec();
///
/// let request = parser.parse(&input, &Limits::default()).unwrap().unwrap();
/// assert_eq!(request.argv.get(1), Some(&b"hi"[..]));
/// let consumed = request.consumed;
/// input.drain(..consumed);
///
/// assert!(parser.parse(&input, &Limits::default()).unwrap().is_none());
/// input.extend_from_slice(b"G\r\n");
/// let request = parser.parse(&input, &Limits::default()).unwrap().unwrap();
/// assert_eq!(request.argv.get(0), Some(&b"PING"[..]));
/// ```
#[derive(Debug, Default)]
pub struct Parser {
    /// The arguments that are complete.
    spans: Vec<Span>,
    /// What surrounded them, if they are all those of the last request.
    form: Form,
    /// The arguments of an inline request, unquoted: the input does not hold them in this form.
    scratch: Vec<u8>,
    /// Arguments still to come; 0 at the start of a request.
    args_left: usize,
    /// Where the next header begins, or the body if its header was read.
    at: usize,
    /// The length of the argument whose body is awaited.
    body: Option<usize>,
    /// How many bytes from `at` are known to hold no end of line.
    scanned: usize,
    /// How many bytes the input needs at least, counted from the front, before parsing can go on.
    needed: usize,
    /// The large arguments that are complete.
    larges: Vec<Large>,
    /// How many bytes those took on the wire.
    larges_bytes: usize,
    /// What has arrived of the awaited argument, with the end of its line, if it was set aside.
    large: Option<Vec<u8>>,
}

/// A `*` or `$` line.
enum Header {
    /// The number in it, and where the line ends.
    Complete { number: Option<i64>, end: usize },
    /// Its end has not arrived.
    Partial,
    /// Its end has not come within the limit.
    TooLong,
}

impl Parser {
    /// A parser at the start of a request. Allocates nothing.
    pub const fn new() -> Parser {
        Parser {
            spans: Vec::new(),
            form: Form::UNKNOWN,
            scratch: Vec::new(),
            args_left: 0,
            at: 0,
            body: None,
            scanned: 0,
            needed: 0,
            larges: Vec::new(),
            larges_bytes: 0,
            large: None,
        }
    }

    /// Reads the request at the front of `input`; `None` if it is not complete.
    ///
    /// After `None` the caller calls again with the same bytes followed by more. After a request it
    /// first drops [`Request::consumed`] bytes. Limits apply as they are when a header is read.
    ///
    /// # Errors
    /// The input is not a request, or exceeds a limit. The connection must be closed, and the
    /// parser must not be used again.
    #[inline]
    pub fn parse<'p>(
        &'p mut self,
        input: &'p [u8],
        limits: &Limits,
    ) -> Result<Option<Request<'p>>, ProtocolError> {
        let bytes_max = limits.request_bytes_max.min(u32::MAX as usize);
        let bytes_max = bytes_max.saturating_sub(self.larges_bytes);
        // What lies beyond the limit is not looked at, so that spans cannot overflow.
        let request = input.get(..bytes_max).unwrap_or(input);
        let consumed = match self.form.end_of(request, &self.spans, limits) {
            Some(end) => end,
            None => match self.advance(request, limits)? {
                Some(end) => end,
                None if self.needed > bytes_max => return Err(ProtocolError::RequestTooLarge),
                None => return Ok(None),
            },
        };
        let inline = request.first() != Some(&b'*');
        let bytes = if inline { &self.scratch } else { request };
        Ok(Some(Request {
            argv: Argv::new(bytes, &self.spans).with_larges(&self.larges),
            consumed,
        }))
    }

    /// Returns how many more bytes must arrive, at least, before [`parse`](Self::parse) can get
    /// further, when it has just returned `None` for `input_len` bytes: so that the caller can make
    /// room for a large argument at once. It is at least 1 and within the limits, but it is only
    /// what a client claims: reserve memory as bytes arrive.
    pub fn bytes_missing(&self, input_len: usize) -> usize {
        match (&self.large, self.body) {
            (Some(large), Some(len)) => (len + 2).saturating_sub(large.len()).max(1),
            (Some(_) | None, _) => self.needed.saturating_sub(input_len).max(1),
        }
    }

    /// Sets the argument that is awaited aside, if it is long enough: what has arrived of it leaves
    /// `input`, and the rest must be added to what [`Parser::take_large`] returns, not to the
    /// input.
    pub fn set_aside(&mut self, input: &mut Vec<u8>, bytes_min: usize) {
        if self.large.is_none()
            && self.body.is_some_and(|len| len >= bytes_min)
            && self.at <= input.len()
        {
            self.large = Some(input.split_off(self.at));
        }
    }

    /// Returns what has arrived of an argument that was set aside. It must be given back with more
    /// of it, but no more than [`Parser::bytes_missing`].
    pub fn take_large(&mut self) -> Option<Vec<u8>> {
        self.large.take()
    }

    /// Gives back what [`Parser::take_large`] handed out.
    pub fn give_back_large(&mut self, large: Vec<u8>) {
        self.large = Some(large);
    }

    /// Bytes of the current request that were set aside.
    pub fn bytes_aside(&self) -> usize {
        self.larges_bytes + self.large.as_ref().map_or(0, Vec::len)
    }

    /// Takes the large arguments of the last request, to be freed where nobody waits for that.
    pub fn release_larges(&mut self) -> Vec<Large> {
        self.larges_bytes = 0;
        std::mem::take(&mut self.larges)
    }

    /// Returns whether a request was begun and not finished.
    pub const fn is_within_request(&self) -> bool {
        self.args_left > 0 || self.scanned > 0
    }

    /// Frees all memory that no unfinished request needs.
    pub fn shrink(&mut self) {
        if !self.is_within_request() {
            self.spans = Vec::new();
            self.form.free();
            self.scratch = Vec::new();
        }
    }

    /// Continues from where the parser stopped. Returns the end of the request if it is complete.
    /// Not inlined: its loop needs the registers that the caller has filled.
    #[inline(never)]
    fn advance(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        // Only the line that the parser stopped in was looked at before.
        let mut scanned = std::mem::take(&mut self.scanned);
        if self.args_left == 0 {
            self.begin();
            match *input {
                [b'*', d @ b'1'..=b'9', b'\r', _, ..] if limits.sender == Sender::Trusted => {
                    self.args_left = usize::from(d - b'0');
                    if self.args_left > limits.args_max {
                        return Err(ProtocolError::InvalidCount);
                    }
                    self.at = 4;
                }
                [b'*', ..] => {
                    if !self.count(input, scanned, limits)? {
                        return Ok(None);
                    }
                    if self.args_left == 0 {
                        return Ok(Some(self.at));
                    }
                }
                [] => return Ok(None),
                _ => return self.inline(input, scanned, limits),
            }
            scanned = 0;
        }
        self.arguments(input, scanned, limits)
    }

    /// Clears what the last request left, and frees memory if that was a huge one.
    #[inline]
    fn begin(&mut self) {
        self.spans.clear();
        self.form.forget();
        self.at = 0;
        self.needed = 1;
        if self.spans.capacity() > SPANS_KEPT_MAX
            || self.scratch.capacity() > SCRATCH_KEPT_BYTES_MAX
            || !self.larges.is_empty()
        {
            self.release();
        }
    }

    #[cold]
    fn release(&mut self) {
        self.spans.shrink_to(SPANS_KEPT_MAX);
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_KEPT_BYTES_MAX);
        self.release_larges();
    }

    /// Reads the number of arguments; `false` if its line is not complete.
    fn count(
        &mut self,
        input: &[u8],
        scanned: usize,
        limits: &Limits,
    ) -> Result<bool, ProtocolError> {
        // Redis looks for the end of this line as for that of a string: a zero byte hides it.
        let find_end = |line: &[u8]| memchr::memchr2(b'\r', 0, line);
        let (number, end) = match self.header(input, 0, scanned, limits, find_end) {
            Header::Complete { number, end } => (number, end),
            Header::Partial => return Ok(false),
            Header::TooLong => return Err(ProtocolError::CountTooLong),
        };
        let count = number.ok_or(ProtocolError::InvalidCount)?;
        let count = usize::try_from(count).unwrap_or(0);
        if count > limits.args_max {
            return Err(ProtocolError::InvalidCount);
        }
        if limits.sender == Sender::Unauthenticated && count > UNAUTHENTICATED_ARGS_MAX {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        self.args_left = count;
        self.at = end;
        Ok(true)
    }

    /// Reads arguments until all are there (then the end of the request) or the input is used up.
    #[inline]
    fn arguments(
        &mut self,
        input: &[u8],
        mut scanned: usize,
        limits: &Limits,
    ) -> Result<Option<usize>, ProtocolError> {
        let mut at = self.at;
        if let Some(len) = self.body.take() {
            // A length that was read before its body had arrived is within the limits.
            let taken = match self.large {
                Some(_) => self.take_argument_aside(at, len),
                None => self.take_argument(input, at, len),
            };
            match taken {
                Some(end) => (at, scanned) = (end, 0),
                None => return Ok(None),
            }
        }
        let short_max = match limits.sender {
            Sender::Trusted => limits.bulk_bytes_max,
            Sender::Unauthenticated => limits.bulk_bytes_max.min(UNAUTHENTICATED_BULK_BYTES_MAX),
        };
        while self.args_left > 0 {
            if let Some((len, header_bytes)) = short_header(b'$', input, at)
                && len <= short_max
                && at + header_bytes + len + END_BYTES <= input.len()
            {
                let start = at + header_bytes;
                self.spans.push(Span::new(start as u32, len as u32));
                self.args_left -= 1;
                (at, scanned) = (start + len + END_BYTES, 0);
                continue;
            }
            match self.other_argument(input, at, scanned, limits)? {
                Some(end) => (at, scanned) = (end, 0),
                None => return Ok(None),
            }
        }
        if self.larges.is_empty() {
            self.form.note(input, &self.spans, at);
        }
        Ok(Some(at))
    }

    /// Takes an argument that is long, unusual or incomplete. Where the next one's header begins,
    /// or `None` if not all of it is there.
    #[inline(never)]
    fn other_argument(
        &mut self,
        input: &[u8],
        at: usize,
        scanned: usize,
        limits: &Limits,
    ) -> Result<Option<usize>, ProtocolError> {
        match self.bulk_length(input, at, scanned, limits)? {
            Some((len, start)) => Ok(self.take_argument(input, start, len)),
            None => {
                self.at = at;
                Ok(None)
            }
        }
    }

    /// Takes an argument whose body begins at `start`. Where the next one's header begins, or
    /// `None` if not all of the body is there.
    fn take_argument(&mut self, input: &[u8], start: usize, len: usize) -> Option<usize> {
        // The sum cannot overflow: a header ends within 4 GiB, and a length is below 2^63.
        let end = start + len + END_BYTES;
        if end > input.len() {
            self.at = start;
            self.body = Some(len);
            self.needed = end;
            return None;
        }
        self.spans.push(Span::new(start as u32, len as u32));
        self.args_left -= 1;
        Some(end)
    }

    /// Takes an argument that was set aside. Where the next one's header begins, which is where its
    /// own body would have begun, or `None` if not all of it is there.
    #[cold]
    fn take_argument_aside(&mut self, at: usize, len: usize) -> Option<usize> {
        let whole = len.saturating_add(2);
        let mut large = self.large.take()?;
        if large.len() < whole {
            self.large = Some(large);
            self.at = at;
            self.body = Some(len);
            self.needed = at.saturating_add(whole);
            return None;
        }
        large.truncate(len);
        self.spans.push(Span::large(self.larges.len()));
        self.larges.push(Large::new(large));
        self.larges_bytes += whole;
        self.args_left -= 1;
        Some(at)
    }

    /// Reads the length of the argument at `at` and says where its body begins; `None` if its line
    /// is not complete. This is the slow path for unusual lines, right or wrong.
    fn bulk_length(
        &mut self,
        input: &[u8],
        at: usize,
        scanned: usize,
        limits: &Limits,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let Some((len, start)) = self.bulk_header(input, at, scanned, limits)? else {
            return Ok(None);
        };
        if len > limits.bulk_bytes_max {
            return Err(ProtocolError::InvalidBulkLength);
        }
        if limits.sender == Sender::Unauthenticated && len > UNAUTHENTICATED_BULK_BYTES_MAX {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        Ok(Some((len, start)))
    }

    /// Reads any `$` line, and finds out what is wrong with it.
    fn bulk_header(
        &mut self,
        input: &[u8],
        at: usize,
        scanned: usize,
        limits: &Limits,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let find_end = |line: &[u8]| memchr::memchr(b'\r', line);
        let (number, end) = match self.header(input, at, scanned, limits, find_end) {
            Header::Complete { number, end } => (number, end),
            Header::Partial => return Ok(None),
            Header::TooLong => return Err(ProtocolError::BulkLengthTooLong),
        };
        match input.get(at) {
            Some(b'$') | None => {}
            Some(&other) => return Err(ProtocolError::ExpectedBulk(other)),
        }
        let len = number.and_then(|len| usize::try_from(len).ok());
        Ok(Some((len.ok_or(ProtocolError::InvalidBulkLength)?, end)))
    }

    /// Reads the line at `at`: a byte that says what it is, a number, CR and one more byte.
    fn header(
        &mut self,
        input: &[u8],
        at: usize,
        scanned: usize,
        limits: &Limits,
        find_end: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Header {
        let rest = input.get(at..).unwrap_or_default();
        // A CR at the limit still ends the line.
        let line = rest.get(..=limits.inline_bytes_max).unwrap_or(rest);
        let fresh = line.get(scanned..).unwrap_or_default();
        let stop = find_end(fresh).map_or(line.len(), |offset| scanned + offset);
        if line.get(stop) == Some(&b'\r') {
            if stop + 1 < rest.len() {
                let number = line.get(1..stop).and_then(canonical_i64);
                return Header::Complete {
                    number,
                    end: at + stop + 2,
                };
            }
        } else if rest.len() > limits.inline_bytes_max {
            return Header::TooLong;
        }
        // What stopped the search is found again when more has arrived.
        self.scanned = stop;
        self.needed = input.len() + 1;
        Header::Partial
    }

    /// Reads a line as a person types it. Returns its end if it is complete.
    fn inline(
        &mut self,
        input: &[u8],
        scanned: usize,
        limits: &Limits,
    ) -> Result<Option<usize>, ProtocolError> {
        let window = limits.inline_bytes_max.saturating_add(1).min(input.len());
        let line = input.get(..window).unwrap_or_default();
        let fresh = line.get(scanned..).unwrap_or_default();
        // A zero byte hides what follows it, as in Redis: such a line never ends.
        let stop = memchr::memchr2(b'\n', 0, fresh).map_or(line.len(), |offset| scanned + offset);
        if line.get(stop) != Some(&b'\n') {
            if input.len() > limits.inline_bytes_max {
                return Err(ProtocolError::InlineTooLong);
            }
            self.scanned = stop;
            self.needed = input.len() + 1;
            return Ok(None);
        }
        let line = line.get(..stop).unwrap_or_default();
        self.scratch.clear();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        inline::split(line, &mut self.scratch, &mut self.spans)?;
        Ok(Some(stop + 1))
    }
}

/// The bytes that end an argument. They are skipped unseen, as in Redis.
pub(crate) const END_BYTES: usize = 2;

/// The number in a complete line of up to four digits at `at` that begins with `sign`, and the
/// line's length. `None` for all other lines, right or wrong: they are rare, or their arguments are
/// so long that the cost does not matter.
#[inline]
pub(crate) fn short_header(sign: u8, input: &[u8], at: usize) -> Option<(usize, usize)> {
    // A line, an argument of one byte and its end are no shorter than this. Only the line of an
    // empty argument at the end of the input is.
    let line: &[u8; 7] = input.get(at..)?.first_chunk()?;
    let [first, tens, ones, end, ..] = *line;
    if first != sign {
        return None;
    }
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens >= 10 {
        return None;
    }
    // Nearly all lines have one digit or two.
    if ones == b'\r'.wrapping_sub(b'0') {
        return Some((usize::from(tens), 4));
    }
    if ones < 10 && end == b'\r' && tens > 0 {
        return Some((usize::from(10 * tens + ones), 5));
    }
    longer_header(line)
}

/// The same for a line of three digits or four.
#[inline(never)]
fn longer_header(line: &[u8; 7]) -> Option<(usize, usize)> {
    let digit = |index: usize| {
        let digit = line[index].wrapping_sub(b'0');
        (digit < 10).then_some(usize::from(digit))
    };
    // A number of several digits does not begin with zero.
    let mut number = digit(1).filter(|first| *first > 0)?;
    for index in 2..5 {
        number = 10 * number + digit(index)?;
        if line[index + 1] == b'\r' {
            return Some((number, index + 3));
        }
    }
    None
}

/// A number as Redis accepts it in a header: no sign except a minus, no leading zero, nothing
/// around it.
fn canonical_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0'] if !negative => return Some(0),
        [b'0', ..] => return None,
        _ => {}
    }
    // Downwards, because the smallest number has no positive counterpart.
    let mut number = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number
            .checked_mul(10)?
            .checked_sub(i64::from(digit - b'0'))?;
    }
    if negative {
        Some(number)
    } else {
        number.checked_neg()
    }
}

#[cfg(test)]
mod tests;
