//! `NX`, `XX`, `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`: the conditions of a command.

use engine::args::{Args, has_option};
use engine::command::Ctx;
use engine::error::CmdError;
use resp::Argv;
use values::StringValue;
use xxhash_rust::xxh3::xxh3_64;

/// Which keys must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existence {
    /// It does not matter.
    Any,
    /// `NX`: none of them.
    Missing,
    /// `XX`: all of them.
    There,
}

impl Existence {
    /// Takes `NX` or `XX`, if one comes next that does not contradict what was said before.
    pub(super) fn parse(&mut self, args: &mut Args<'_>) -> bool {
        if *self != Existence::There && args.keyword("NX") {
            *self = Existence::Missing;
        } else if *self != Existence::Missing && args.keyword("XX") {
            *self = Existence::There;
        } else {
            return false;
        }
        true
    }

    /// Returns whether a key meets it.
    pub(super) fn holds(self, key: &[u8], ctx: &mut Ctx<'_>) -> bool {
        match self {
            Existence::Any => true,
            Existence::Missing => ctx.store.record(key).is_none(),
            Existence::There => ctx.store.record(key).is_some(),
        }
    }
}

/// What a string must equal, or not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition<'a> {
    /// These bytes.
    Equal(&'a [u8]),
    /// Other bytes.
    NotEqual(&'a [u8]),
    /// Bytes of this digest.
    DigestEqual(&'a [u8]),
    /// Bytes of another digest.
    DigestNotEqual(&'a [u8]),
}

/// Characters of a digest.
const DIGEST_CHARS: usize = 16;

impl<'a> Condition<'a> {
    /// Takes a condition with its value, if it comes next.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Option<Condition<'a>>, CmdError> {
        Ok(Some(if args.keyword_with_value("IFEQ") {
            Condition::Equal(args.required()?)
        } else if args.keyword_with_value("IFNE") {
            Condition::NotEqual(args.required()?)
        } else if args.keyword_with_value("IFDEQ") {
            Condition::DigestEqual(args.required()?)
        } else if args.keyword_with_value("IFDNE") {
            Condition::DigestNotEqual(args.required()?)
        } else {
            return Ok(None);
        }))
    }

    /// Returns whether both are of the same kind: then the later one counts.
    pub(super) fn is_alike(&self, other: &Condition<'_>) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Returns whether a missing key meets it.
    pub(super) fn holds_for_missing(&self) -> bool {
        matches!(self, Condition::NotEqual(_) | Condition::DigestNotEqual(_))
    }

    /// Returns whether a string meets it.
    ///
    /// # Errors
    /// If the digest to compare with is not a digest.
    pub(super) fn holds(&self, string: &StringValue) -> Result<bool, CmdError> {
        match *self {
            Condition::Equal(value) => Ok(string.with_bytes(|bytes| bytes == value)),
            Condition::NotEqual(value) => Ok(string.with_bytes(|bytes| bytes != value)),
            Condition::DigestEqual(text) => Ok(has_digest(string, text)?),
            Condition::DigestNotEqual(text) => Ok(!has_digest(string, text)?),
        }
    }
}

fn has_digest(string: &StringValue, text: &[u8]) -> Result<bool, CmdError> {
    if text.len() != DIGEST_CHARS {
        return Err(CmdError::InvalidDigest);
    }
    Ok(digest(string).as_bytes().eq_ignore_ascii_case(text))
}

/// The digest of a string: XXH3-64 as 16 hexadecimal digits.
pub(super) fn digest(string: &StringValue) -> String {
    let hash = string.with_bytes(xxh3_64);
    format!("{hash:016x}")
}

/// Returns whether a request compares the string that is there, as far as its options tell.
pub(super) fn compares(request: Argv<'_>) -> bool {
    ["IFEQ", "IFNE", "IFDEQ", "IFDNE"]
        .into_iter()
        .any(|word| has_option(request, word))
}
