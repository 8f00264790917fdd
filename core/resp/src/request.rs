//! Requests in: arrays of bulk strings, and inline lines as a person types them.
//!
//! The parser goes over the bytes once, also when they arrive in pieces: it remembers where it stopped
//! within an unfinished request. It answers like Redis 8.6 to everything that is not a request, and
//! whether it does never depends on where the pieces were cut. What a command means is not known here.

use thiserror::Error;

use crate::argv::{Argv, Span};
use crate::limits::{
    Limits, SCRATCH_KEPT_BYTES_MAX, SPANS_KEPT_MAX, Sender, UNAUTHENTICATED_ARGS_MAX,
    UNAUTHENTICATED_BULK_BYTES_MAX,
};
use crate::reply::Reply;

/// One request, borrowed from the input (or, if it was inline, from the parser).
#[derive(Debug, Clone, Copy)]
pub struct Request<'p> {
    /// Its arguments. Empty for an empty line and for an array without elements: nothing to do and
    /// nothing to answer.
    pub argv: Argv<'p>,
    /// How many bytes of the input it took; the caller drops them before it parses on.
    pub consumed: usize,
}

/// What a client sent was no request. The connection cannot go on: where the next request would
/// begin is unknown.
///
/// `Display` is what Redis writes after `-ERR `, but for [`RequestTooLarge`](Self::RequestTooLarge),
/// where Redis closes the connection without a word; [`write`](Self::write) does as Redis does.
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

/// Reads requests from the front of a connection's input. One a connection.
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
    /// The arguments of an inline request, unquoted; they have no other place to be.
    scratch: Vec<u8>,
    /// Arguments still to come; 0 at the begin of a request.
    args_left: usize,
    /// Where the next header begins, or the body if its header was read.
    at: usize,
    /// The length of the argument whose body is awaited.
    body: Option<usize>,
    /// How many bytes from `at` are known to hold no end of line.
    scanned: usize,
    /// How many bytes the input needs at least, counted from the front, before parsing can go on.
    needed: usize,
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
    /// A parser at the begin of a request. Allocates nothing.
    pub const fn new() -> Parser {
        Parser {
            spans: Vec::new(),
            scratch: Vec::new(),
            args_left: 0,
            at: 0,
            body: None,
            scanned: 0,
            needed: 0,
        }
    }

    /// Reads the request at the front of `input`; `None` if it is not complete.
    ///
    /// After `None` the caller calls again with the same bytes and more behind them. After a request
    /// it drops [`Request::consumed`] bytes first. Limits apply as they are when a header is read.
    ///
    /// # Errors
    /// The input is no request, or beyond a limit. The connection is to be closed; the parser must not
    /// be used again.
    #[inline]
    pub fn parse<'p>(
        &'p mut self,
        input: &'p [u8],
        limits: &Limits,
    ) -> Result<Option<Request<'p>>, ProtocolError> {
        let bytes_max = limits.request_bytes_max.min(u32::MAX as usize);
        // What lies beyond the limit is not looked at, so that spans cannot overflow.
        let request = input.get(..bytes_max).unwrap_or(input);
        let consumed = match self.advance(request, limits)? {
            Some(end) => end,
            None if self.needed > bytes_max => return Err(ProtocolError::RequestTooLarge),
            None => return Ok(None),
        };
        let inline = request.first() != Some(&b'*');
        let bytes = if inline { &self.scratch } else { request };
        Ok(Some(Request {
            argv: Argv::new(bytes, &self.spans),
            consumed,
        }))
    }

    /// How many more bytes must arrive, at least, before [`parse`](Self::parse) can get further, when
    /// it has just returned `None` for `input_len` bytes: so that room for a large argument can be made
    /// at once. It is at least 1 and within the limits, but it is a client's claim: memory should be
    /// reserved as bytes arrive.
    pub fn bytes_missing(&self, input_len: usize) -> usize {
        self.needed.saturating_sub(input_len).max(1)
    }

    /// Whether a request was begun and not finished.
    pub const fn is_within_request(&self) -> bool {
        self.args_left > 0 || self.scanned > 0
    }

    /// Gives back all memory that no unfinished request needs.
    pub fn shrink(&mut self) {
        if !self.is_within_request() {
            self.spans = Vec::new();
            self.scratch = Vec::new();
        }
    }

    /// Goes on from where the parser stopped. Returns the end of the request if it is complete.
    #[inline]
    fn advance(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
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
                    if !self.count(input, limits)? {
                        return Ok(None);
                    }
                    if self.args_left == 0 {
                        return Ok(Some(self.at));
                    }
                }
                [] => return Ok(None),
                _ => return self.inline(input, limits),
            }
        }
        self.arguments(input, limits)
    }

    /// Clears what the last request left, and gives memory back if that was a huge one.
    #[inline]
    fn begin(&mut self) {
        self.spans.clear();
        self.at = 0;
        self.needed = 1;
        if self.spans.capacity() > SPANS_KEPT_MAX
            || self.scratch.capacity() > SCRATCH_KEPT_BYTES_MAX
        {
            self.release();
        }
    }

    #[cold]
    fn release(&mut self) {
        self.spans.shrink_to(SPANS_KEPT_MAX);
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_KEPT_BYTES_MAX);
    }

    /// Reads the number of arguments; `false` if its line is not complete.
    fn count(&mut self, input: &[u8], limits: &Limits) -> Result<bool, ProtocolError> {
        // Redis looks for the end of this line as for that of a string: a zero byte hides it.
        let (number, end) = match self.header(input, limits, |line| memchr::memchr2(b'\r', 0, line))
        {
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
    fn arguments(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let bulk_bytes_max = match limits.sender {
            Sender::Trusted => limits.bulk_bytes_max,
            // Longer ones are refused on the slow path, which knows which error it is.
            Sender::Unauthenticated => limits.bulk_bytes_max.min(UNAUTHENTICATED_BULK_BYTES_MAX),
        };
        while self.args_left > 0 {
            let rest = input.get(self.at..).unwrap_or_default();
            // Most arguments are shorter than 100 bytes.
            let (len, start) = match (self.body, rest) {
                (None, &[b'$', d @ b'0'..=b'9', b'\r', _, ..]) => {
                    (usize::from(d - b'0'), self.at + 4)
                }
                (None, &[b'$', tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', _, ..]) => (
                    usize::from(tens - b'0') * 10 + usize::from(ones - b'0'),
                    self.at + 5,
                ),
                (None, _) => match self.bulk_length(input, limits)? {
                    Some((len, start)) => (len, start),
                    None => return Ok(None),
                },
                (Some(len), _) => (len, self.at),
            };
            if len > bulk_bytes_max && self.body.is_none() {
                return Err(if len > limits.bulk_bytes_max {
                    ProtocolError::InvalidBulkLength
                } else {
                    ProtocolError::UnauthenticatedBulkLength
                });
            }
            // The two bytes that end an argument are skipped unseen, as Redis does.
            let end = start.saturating_add(len).saturating_add(2);
            if end > input.len() {
                self.at = start;
                self.body = Some(len);
                self.needed = end;
                return Ok(None);
            }
            self.body = None;
            self.spans.push(Span::new(start as u32, len as u32));
            self.at = end;
            self.args_left -= 1;
        }
        Ok(Some(self.at))
    }

    /// Reads the length of the next argument and says where its body begins.
    fn bulk_length(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let (number, end) = match self.header(input, limits, |line| memchr::memchr(b'\r', line)) {
            Header::Complete { number, end } => (number, end),
            Header::Partial => return Ok(None),
            Header::TooLong => return Err(ProtocolError::BulkLengthTooLong),
        };
        match input.get(self.at) {
            Some(b'$') => {}
            Some(&other) => return Err(ProtocolError::ExpectedBulk(other)),
            None => return Ok(None),
        }
        let len = number.and_then(|len| usize::try_from(len).ok());
        Ok(Some((len.ok_or(ProtocolError::InvalidBulkLength)?, end)))
    }

    /// Reads the line at `self.at`: a byte that says what it is, a number, CR and one byte more.
    fn header(
        &mut self,
        input: &[u8],
        limits: &Limits,
        find_end: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Header {
        let window = self
            .at
            .saturating_add(limits.inline_bytes_max)
            .saturating_add(1)
            .min(input.len());
        let line = input.get(self.at..window).unwrap_or_default();
        let fresh = line.get(self.scanned..).unwrap_or_default();
        match find_end(fresh).map(|offset| self.scanned + offset) {
            Some(cr) if line.get(cr) == Some(&b'\r') && self.at + cr + 1 < input.len() => {
                self.scanned = 0;
                let number = line.get(1..cr).and_then(canonical_i64);
                Header::Complete {
                    number,
                    end: self.at + cr + 2,
                }
            }
            // Not scanned further than to what was found: it is found again with what follows.
            Some(found) => self.partial_header(input, limits, found),
            None => self.partial_header(input, limits, line.len()),
        }
    }

    fn partial_header(&mut self, input: &[u8], limits: &Limits, scanned: usize) -> Header {
        let cr_awaits_a_byte = input.len() == self.at + scanned + 1 && input.last() == Some(&b'\r');
        if input.len() - self.at > limits.inline_bytes_max && !cr_awaits_a_byte {
            return Header::TooLong;
        }
        self.scanned = scanned;
        self.needed = input.len() + 1;
        Header::Partial
    }

    /// Reads a line as a person types it. Returns its end if it is complete.
    fn inline(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let window = limits.inline_bytes_max.saturating_add(1).min(input.len());
        let line = input.get(..window).unwrap_or_default();
        let fresh = line.get(self.scanned..).unwrap_or_default();
        // A zero byte hides what follows it, as in Redis: such a line never ends.
        let stop =
            memchr::memchr2(b'\n', 0, fresh).map_or(line.len(), |offset| self.scanned + offset);
        if line.get(stop) != Some(&b'\n') {
            if input.len() > limits.inline_bytes_max {
                return Err(ProtocolError::InlineTooLong);
            }
            self.scanned = stop;
            self.needed = input.len() + 1;
            return Ok(None);
        }
        self.scanned = 0;
        let line = line.get(..stop).unwrap_or_default();
        self.split(line.strip_suffix(b"\r").unwrap_or(line))?;
        Ok(Some(stop + 1))
    }

    /// Cuts a line into arguments and takes their quotes off.
    fn split(&mut self, line: &[u8]) -> Result<(), ProtocolError> {
        self.scratch.clear();
        let mut rest = line;
        loop {
            rest = skip_space(rest);
            if rest.is_empty() {
                return Ok(());
            }
            let start = self.scratch.len();
            rest = unquote(rest, &mut self.scratch)?;
            self.spans
                .push(Span::new(start as u32, (self.scratch.len() - start) as u32));
        }
    }
}

/// A number as Redis takes it in a header: no sign but a minus, no zero in front, nothing around it.
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

/// What Redis takes for space between arguments.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn skip_space(line: &[u8]) -> &[u8] {
    let start = line
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(line.len());
    line.get(start..).unwrap_or_default()
}

/// Moves the argument at the front of `line` to `out`, without its quotes; returns what follows it.
fn unquote<'l>(mut line: &'l [u8], out: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        line = match line {
            // Vertical tab and form feed part arguments only where one has not begun.
            [] | [b' ' | b'\t' | b'\n' | b'\r', ..] => return Ok(line),
            [b'"', rest @ ..] => return closed(double_quoted(rest, out)?),
            [b'\'', rest @ ..] => return closed(single_quoted(rest, out)?),
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        }
    }
}

/// A closing quote ends the argument: space or nothing may follow.
fn closed(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest.first() {
        Some(byte) if !is_space(*byte) => Err(ProtocolError::UnbalancedQuotes),
        Some(_) | None => Ok(rest),
    }
}

fn double_quoted<'l>(mut line: &'l [u8], out: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        let (byte, rest) = match line {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'x', high, low, rest @ ..] if is_hex(*high) && is_hex(*low) => {
                (hex(*high) << 4 | hex(*low), rest)
            }
            [b'\\', escaped, rest @ ..] => (unescape(*escaped), rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        out.push(byte);
        line = rest;
    }
}

fn single_quoted<'l>(mut line: &'l [u8], out: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        let (byte, rest) = match line {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', rest @ ..] => return Ok(rest),
            [b'\\', b'\'', rest @ ..] => (b'\'', rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        out.push(byte);
        line = rest;
    }
}

const fn is_hex(digit: u8) -> bool {
    digit.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// What a backslash and this byte stand for.
const fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}
