//! What `SCAN` and its like have in common: cursors, options, and the form of the reply.

use engine::args::{Args, parse_i64};
use engine::error::{CmdError, HashError};
use engine::glob::{Letters, matches};
use resp::{Argv, Reply};

/// Elements that a step looks at by default.
pub(crate) const COUNT_DEFAULT: usize = 10;

/// Elements that a step looks at before it asks whether the reply is full.
const LOOKS_BETWEEN_ASKS: usize = 1000;

/// Reads a cursor as Redis does: what is no plain number may have spaces before it, and a sign.
pub(crate) fn parse_cursor(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_i64(text) {
        return u64::try_from(number).ok();
    }
    let text = std::str::from_utf8(text).ok()?;
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    match text.strip_prefix('-') {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => {
            digits.parse().ok().map(u64::wrapping_neg)
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// The options of a step within a value.
pub(crate) struct Options<'a> {
    /// About how many elements it looks at.
    pub(crate) count: usize,
    /// Only elements that fit this are answered.
    pub(crate) pattern: Option<&'a [u8]>,
    /// The names alone are answered (`NOVALUES`).
    pub(crate) names_only: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            count: COUNT_DEFAULT,
            pattern: None,
            names_only: false,
        }
    }
}

impl<'a> Options<'a> {
    /// Reads `[MATCH pattern] [COUNT count]`, and `[NOVALUES]` where there are values.
    ///
    /// # Errors
    /// The exact error that a client sees.
    pub(crate) fn parse(options: Argv<'a>, has_values: bool) -> Result<Options<'a>, CmdError> {
        let mut args = Args::new(options, 0);
        let mut parsed = Options::default();
        while args.left() > 0 {
            if args.keyword_with_value("MATCH") {
                parsed.pattern = Some(args.required()?);
            } else if args.keyword_with_value("COUNT") {
                parsed.count = parse_count(&mut args)?;
            } else if has_values && args.keyword("NOVALUES") {
                parsed.names_only = true;
            } else if args.keyword("NOVALUES") {
                return Err(CmdError::Hash(HashError::NoValuesOfHashOnly));
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(parsed)
    }

    /// Returns whether an element of this name is answered.
    #[inline]
    pub(crate) fn wants(&self, name: &[u8]) -> bool {
        self.pattern
            .is_none_or(|pattern| matches(pattern, name, Letters::Exact))
    }
}

/// Reads about how many elements a step looks at.
///
/// # Errors
/// It is no number, or below 1.
pub(crate) fn parse_count(args: &mut Args<'_>) -> Result<usize, CmdError> {
    let count = args.integer()?;
    if count < 1 {
        return Err(CmdError::Syntax);
    }
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Answers a step: the next cursor, and an array. `look` looks at about as many elements as it is
/// told to from a cursor on, writes those that are wanted, adds their number, and returns the next
/// cursor.
pub(crate) fn reply_step(
    reply: &mut Reply,
    (cursor, count): (u64, usize),
    mut look: impl FnMut(&mut Reply, u64, usize, &mut usize) -> u64,
) {
    let start = reply.begin();
    let (mut next, mut left, mut len) = (cursor, count, 0);
    loop {
        let looks = left.min(LOOKS_BETWEEN_ASKS);
        next = look(reply, next, looks, &mut len);
        left -= looks;
        if next == 0 || left == 0 || reply.is_full() {
            break;
        }
    }
    // The cursor is known last but comes first.
    reply.array_since(start, len);
    let end = reply.mark();
    reply.array(2);
    reply.bulk_int(next);
    reply.swap(start, end);
}
