//! Reads a request's arguments from left to right.
//!
//! Pure: an [`Args`] knows the request's bytes and nothing else. Options that several commands
//! share are parsed by one function each, in the file of the family.

use resp::Argv;

use crate::error::CmdError;
use crate::fold::is_word;

/// A cursor over the arguments after a command's name (and subcommand).
#[derive(Debug, Clone)]
pub struct Args<'a> {
    argv: Argv<'a>,
    next: usize,
}

impl<'a> Args<'a> {
    /// Begins at argument `first` of a request.
    pub fn new(argv: Argv<'a>, first: usize) -> Args<'a> {
        Args { argv, next: first }
    }

    /// The whole request, the command's name included.
    pub fn whole(&self) -> Argv<'a> {
        self.argv
    }

    /// Position of the next argument in the whole request.
    pub fn position(&self) -> usize {
        self.next
    }

    /// Returns how many arguments are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.argv.len().saturating_sub(self.next)
    }

    /// The next argument, not taken.
    #[inline]
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.argv.get(self.next)
    }

    /// Takes the next argument.
    ///
    /// # Errors
    /// A syntax error if there is none.
    #[inline]
    pub fn required(&mut self) -> Result<&'a [u8], CmdError> {
        match self.next() {
            Some(arg) => Ok(arg),
            None => Err(CmdError::Syntax),
        }
    }

    /// Takes the next argument if there is one.
    #[expect(
        clippy::should_implement_trait,
        reason = "a cursor with many ways to advance, not an iterator"
    )]
    #[inline]
    pub fn next(&mut self) -> Option<&'a [u8]> {
        let arg = self.argv.get(self.next)?;
        self.next += 1;
        Some(arg)
    }

    /// Takes the next argument if it is the keyword, in any case of letters.
    #[inline(always)]
    pub fn keyword(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|arg| is_word(arg, word));
        self.next += usize::from(found);
        found
    }

    /// Takes the next argument if it is the keyword and another argument follows; Redis reads most
    /// options with a value that way, so that a keyword without its value is a syntax error.
    #[inline(always)]
    pub fn keyword_with_value(&mut self, word: &str) -> bool {
        self.left() >= 2 && self.keyword(word)
    }

    /// Takes a signed 64-bit number.
    ///
    /// # Errors
    /// `value is not an integer or out of range`, or a syntax error if nothing is left.
    #[inline]
    pub fn integer(&mut self) -> Result<i64, CmdError> {
        parse_i64(self.required()?).ok_or(CmdError::NotAnInteger)
    }

    /// Takes all that is left.
    #[inline]
    pub fn rest(&mut self) -> Argv<'a> {
        let rest = self.argv.skip(self.next);
        self.next = self.argv.len();
        rest
    }

    /// Takes the next `n` arguments.
    ///
    /// # Errors
    /// A syntax error if fewer are left.
    pub fn take(&mut self, n: usize) -> Result<Argv<'a>, CmdError> {
        if self.left() < n {
            return Err(CmdError::Syntax);
        }
        let taken = self.argv.skip(self.next).take(n);
        self.next += n;
        Ok(taken)
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// A syntax error otherwise.
    #[inline]
    pub fn finish(&self) -> Result<(), CmdError> {
        if self.left() == 0 {
            Ok(())
        } else {
            Err(CmdError::Syntax)
        }
    }
}

/// Returns whether an option stands anywhere behind the first argument of a command, in any case of
/// letters, be it as an option or as a value.
pub fn has_option(request: Argv<'_>, word: &str) -> bool {
    let mut options = request.skip(2).iter();
    options.any(|arg| is_word(arg, word))
}

/// A canonical decimal number, as Redis reads integers: no plus sign, no leading zero, no space.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0'] if !negative => return Some(0),
        [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut value: u64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen digits cannot overflow.
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    if negative {
        0i64.checked_sub_unsigned(value)
    } else {
        i64::try_from(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::parse_i64;

    #[test]
    fn integers_are_read_as_redis_reads_them() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("-0", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("", None),
            ("-", None),
            ("1a", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), value, "{text:?}");
        }
    }
}
