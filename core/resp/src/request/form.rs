//! The form of the last request, by which one like it is known without being read.
//!
//! Most requests of a pipeline have as many arguments as the one before, of the same lengths. All
//! bytes around the arguments are the same then, so a few comparisons of whole words tell that such
//! a request is complete and where its arguments lie, which is where those of the last one lay.

use crate::argv::Span;
use crate::limits::{FORM_ARGS_MAX, Limits, Sender};
use crate::request::END_BYTES;

/// What surrounds the arguments of a request.
#[derive(Debug)]
pub(super) struct Form {
    /// Its first bytes.
    first: u64,
    /// The line before each argument: the eight bytes that come before it, and which of them count.
    lines: Vec<Line>,
    /// Where the request ends; as far away as can be if no form is known.
    end: usize,
    /// How long its longest argument is.
    longest: usize,
    /// How long the last request was, whatever its form.
    last_len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    bytes: u64,
    mask: u64,
}

/// The bytes of a word.
const WORD_BYTES: usize = 8;

/// Where the first argument begins, at most: its line and the one before it are in the first word
/// of the request and the four bytes before the argument.
const FIRST_ARGUMENT_MAX: usize = WORD_BYTES + 4;

/// The word that ends at `end`.
#[inline]
fn word_before(input: &[u8], end: usize) -> Option<u64> {
    let before = input.get(..end)?.last_chunk()?;
    Some(u64::from_le_bytes(*before))
}

impl Form {
    /// No form is known.
    pub(super) const UNKNOWN: Form = Form {
        first: 0,
        lines: Vec::new(),
        end: usize::MAX,
        longest: 0,
        last_len: 0,
    };

    /// The spans of the last request, which it told of, change.
    #[inline]
    pub(super) fn forget(&mut self) {
        self.end = usize::MAX;
    }

    /// Forgets all, and frees its memory.
    pub(super) fn free(&mut self) {
        *self = Form::UNKNOWN;
    }

    /// The end of the request at the front of `input`, if it is complete, within the limits and has
    /// this form. Its arguments lie where `spans` says.
    #[inline]
    pub(super) fn end_of(&self, input: &[u8], spans: &[Span], limits: &Limits) -> Option<usize> {
        if self.end > input.len()
            || limits.sender != Sender::Trusted
            || spans.len() > limits.args_max
            || self.longest > limits.bulk_bytes_max
            || word_before(input, WORD_BYTES) != Some(self.first)
        {
            return None;
        }
        let is_same = |(span, line): (&Span, &Line)| {
            word_before(input, span.start())
                .is_some_and(|word| (word ^ line.bytes) & line.mask == 0)
        };
        let mut both = spans.iter().zip(&self.lines);
        both.all(is_same).then_some(self.end)
    }

    /// A request that was read ends at `end`. If the one before was as long, the next one may well
    /// have its form.
    #[inline]
    pub(super) fn note(&mut self, input: &[u8], spans: &[Span], end: usize) {
        if self.last_len == end {
            self.learn(input, spans, end);
        }
        self.last_len = end;
    }

    #[inline(never)]
    fn learn(&mut self, input: &[u8], spans: &[Span], end: usize) {
        self.lines.clear();
        self.longest = 0;
        let first = word_before(input, WORD_BYTES);
        let is_usual = spans.first().is_some_and(|first| {
            first.start() <= FIRST_ARGUMENT_MAX && spans.len() <= FORM_ARGS_MAX
        });
        let (Some(first), true) = (first, is_usual) else {
            return;
        };
        let mut header = None;
        for span in spans {
            let start = span.start();
            // The line before the first argument is in the first word too.
            let line_bytes = header.map_or(FIRST_ARGUMENT_MAX - WORD_BYTES, |at| start - at);
            let (Some(bytes), 1..=WORD_BYTES) = (word_before(input, start), line_bytes) else {
                return;
            };
            let mask = u64::MAX << (8 * (WORD_BYTES - line_bytes));
            self.lines.push(Line { bytes, mask });
            self.longest = self.longest.max(span.len());
            header = Some(start + span.len() + END_BYTES);
        }
        (self.first, self.end) = (first, end);
    }
}

impl Default for Form {
    fn default() -> Form {
        Form::UNKNOWN
    }
}
