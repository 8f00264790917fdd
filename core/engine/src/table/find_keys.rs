//! Finds the keys of a request by the key specifications of its command.
//!
//! One function for all commands, for `COMMAND GETKEYS` and whatever has to know what a request
//! touches.

use resp::Argv;

use crate::args::parse_i64;
use crate::table::{BeginSearch, FindKeys, KeyFlags, KeySpec, Spec};

/// A key of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundKey {
    /// Its position among the arguments.
    pub position: usize,
    /// What happens to it.
    pub flags: KeyFlags,
}

/// Why the keys of a request cannot be found: its arguments do not fit its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysNotFound;

/// The keys of a request, in the order of the key specifications.
///
/// # Errors
/// [`KeysNotFound`] where a keyword is missing or a count does not fit.
pub fn keys_of(spec: &Spec, argv: Argv<'_>) -> Result<Vec<FoundKey>, KeysNotFound> {
    let mut found = Vec::new();
    for keys in spec.keys {
        let flags = flags_of_request(spec, keys, argv);
        let (first, last, step) = range(keys, argv)?;
        if last < first || last >= argv.len() {
            return Err(KeysNotFound);
        }
        found.extend(
            (first..=last)
                .step_by(step)
                .map(|position| FoundKey { position, flags }),
        );
    }
    Ok(found)
}

/// First key, last key and the distance between keys.
fn range(keys: &KeySpec, argv: Argv<'_>) -> Result<(usize, usize, usize), KeysNotFound> {
    let begin = match keys.begin {
        BeginSearch::Index(index) => usize::from(index),
        BeginSearch::Keyword(word, from) => after_keyword(word, from, argv)?,
    };
    match keys.find {
        FindKeys::Range { last, step, limit } => {
            let last = match usize::try_from(last) {
                Ok(last) => begin + last,
                Err(_) if limit > 1 => {
                    let rest = argv.len().checked_sub(begin).ok_or(KeysNotFound)?;
                    (begin + rest / usize::from(limit))
                        .checked_sub(usize::from(last.unsigned_abs()))
                        .ok_or(KeysNotFound)?
                }
                Err(_) => argv
                    .len()
                    .checked_sub(usize::from(last.unsigned_abs()))
                    .ok_or(KeysNotFound)?,
            };
            Ok((begin, last, usize::from(step).max(1)))
        }
        FindKeys::KeyNum { count, first, step } => {
            let said = argv.get(begin + usize::from(count)).and_then(parse_i64);
            let said = said.and_then(|said| usize::try_from(said).ok());
            let said = said.filter(|said| *said > 0).ok_or(KeysNotFound)?;
            let first = begin + usize::from(first);
            let step = usize::from(step).max(1);
            let reach = (said - 1).checked_mul(step).ok_or(KeysNotFound)?;
            let last = first.checked_add(reach).ok_or(KeysNotFound)?;
            Ok((first, last, step))
        }
    }
}

/// The position after a keyword, searched forwards from a position, or backwards from one that is
/// counted from the end.
fn after_keyword(word: &str, from: i8, argv: Argv<'_>) -> Result<usize, KeysNotFound> {
    let is_word = |position: &usize| {
        argv.get(*position)
            .is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let found = match usize::try_from(from) {
        Ok(from) => (from..argv.len()).find(is_word),
        Err(_) => {
            let from = argv.len().checked_sub(usize::from(from.unsigned_abs()));
            let from = from.ok_or(KeysNotFound)?;
            (1..=from).rev().find(is_word)
        }
    };
    found.map(|position| position + 1).ok_or(KeysNotFound)
}

/// What happens to the keys; with some commands that depends on the options.
fn flags_of_request(spec: &Spec, keys: &KeySpec, argv: Argv<'_>) -> KeyFlags {
    if matches!(spec.name, "xread" | "xreadgroup") {
        // It is incomplete only for a client that uses nothing but the specification.
        return keys.flags.without(KeyFlags::INCOMPLETE);
    }
    if !keys.flags.has(KeyFlags::VARIABLE_FLAGS) {
        return keys.flags;
    }
    let has = |word: &str| {
        let mut options = argv.skip(2).iter();
        options.any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let compares = || ["IFEQ", "IFNE", "IFDEQ", "IFDNE"].into_iter().any(has);
    match spec.name {
        "set" if has("GET") => KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        "set" if compares() => KeyFlags::RW.and(KeyFlags::UPDATE),
        "set" => KeyFlags::OW.and(KeyFlags::UPDATE),
        "delex" if compares() => KeyFlags::RW.and(KeyFlags::DELETE),
        "delex" => KeyFlags::RM.and(KeyFlags::DELETE),
        "bitfield" if !has("SET") && !has("INCRBY") => KeyFlags::RO.and(KeyFlags::ACCESS),
        _ => keys.flags.without(KeyFlags::VARIABLE_FLAGS),
    }
}
