//! Finds the keys and channels of a request by the specifications of its command.
//!
//! One function for all commands: `COMMAND GETKEYS`, and everything that has to know what a request
//! touches. Nothing is allocated, so that it may be asked for each request.

use resp::Argv;

use crate::args::parse_i64;
use crate::table::{BeginSearch, ChannelSpec, ChannelUse, FindKeys, KeyFlags, KeySpec, Spec};

/// A key of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundKey<'a> {
    /// Its name.
    pub key: &'a [u8],
    /// What happens to it.
    pub flags: KeyFlags,
}

/// A channel of a request, or a pattern of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundChannel<'a> {
    /// Its name.
    pub channel: &'a [u8],
    /// A pattern of names instead of a name.
    pub is_pattern: bool,
    /// What happens to it.
    pub used: ChannelUse,
}

/// Why the keys of a request cannot be found: its arguments do not fit its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysNotFound;

/// The keys of a request, in the order of the key specifications. One whose count does not fit
/// gives [`KeysNotFound`] in place of its keys, and so does the first if its keyword is missing.
/// Those behind it are about options, and have no keys then.
pub fn keys_of<'a>(
    spec: &'a Spec,
    argv: Argv<'a>,
) -> impl Iterator<Item = Result<FoundKey<'a>, KeysNotFound>> + Clone {
    spec.keys.iter().enumerate().flat_map(move |(index, keys)| {
        let flags = flags_of_request(spec, keys, argv);
        let begin = position(keys.begin, argv);
        let is_left_out = index > 0 && begin.is_none();
        let found = arguments(begin, keys.find, argv).filter(move |_| !is_left_out);
        found.map(move |key| key.map(|key| FoundKey { key, flags }))
    })
}

/// The key of a request whose command names exactly one, always at the same place. `None` says only
/// that [`keys_of`] has to look for the keys.
#[inline]
pub fn only_key<'a>(spec: &Spec, argv: Argv<'a>) -> Option<FoundKey<'a>> {
    let [keys] = spec.keys else {
        return None;
    };
    let (BeginSearch::Index(index), FindKeys::Range { last: 0, .. }) = (keys.begin, keys.find)
    else {
        return None;
    };
    let key = argv.get(usize::from(index))?;
    let flags = flags_of_request(spec, keys, argv);
    Some(FoundKey { key, flags })
}

/// The channels of a request, found like its keys.
pub fn channels_of<'a>(
    spec: &'a Spec,
    argv: Argv<'a>,
) -> impl Iterator<Item = Result<FoundChannel<'a>, KeysNotFound>> + Clone {
    spec.channels.iter().flat_map(move |channels| {
        let ChannelSpec {
            used,
            are_patterns,
            begin,
            find,
        } = *channels;
        arguments(position(begin, argv), find, argv).map(move |channel| {
            channel.map(|channel| FoundChannel {
                channel,
                is_pattern: are_patterns,
                used,
            })
        })
    })
}

/// The arguments that a specification is about, or that they are not found.
fn arguments(
    begin: Option<usize>,
    find: FindKeys,
    argv: Argv<'_>,
) -> impl Iterator<Item = Result<&[u8], KeysNotFound>> + Clone {
    let range = begin
        .and_then(|begin| range(begin, find, argv).ok())
        .filter(|(first, last, _)| first <= last && *last < argv.len());
    let missing = range.is_none().then_some(Err(KeysNotFound));
    // Not an inclusive range: there may be millions, and one that ends before `last + 1` is faster.
    let positions = range.map(|(first, last, step)| (first..last + 1).step_by(step));
    let found = positions.into_iter().flatten();
    found
        .map(move |position| argv.get(position).ok_or(KeysNotFound))
        .chain(missing)
}

/// Where the search for keys begins, if it does.
fn position(begin: BeginSearch, argv: Argv<'_>) -> Option<usize> {
    match begin {
        BeginSearch::Index(index) => Some(usize::from(index)),
        BeginSearch::Keyword(word, from) => after_keyword(word, from, argv),
        BeginSearch::IndexOr(_, find)
        | BeginSearch::Last(_, _, find)
        | BeginSearch::Unknown(find) => find(argv),
    }
}

/// First key, last key and the distance between keys.
fn range(
    begin: usize,
    find: FindKeys,
    argv: Argv<'_>,
) -> Result<(usize, usize, usize), KeysNotFound> {
    match find {
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
/// counted from the end. Something stands there.
fn after_keyword(word: &str, from: i8, argv: Argv<'_>) -> Option<usize> {
    let is_word = |position: &usize| {
        argv.get(*position)
            .is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let last = argv.len().checked_sub(1)?;
    let found = match usize::try_from(from) {
        Ok(from) => (from..last).find(is_word),
        Err(_) => {
            let from = argv.len().checked_sub(usize::from(from.unsigned_abs()))?;
            (1..=from.min(last.saturating_sub(1))).rev().find(is_word)
        }
    };
    found.map(|position| position + 1)
}

/// What happens to the keys; with some commands that depends on the options.
fn flags_of_request(spec: &Spec, keys: &KeySpec, argv: Argv<'_>) -> KeyFlags {
    match spec.key_flags {
        Some(key_flags) if keys.flags.has(KeyFlags::VARIABLE_FLAGS) => key_flags(argv),
        // Both say something only to clients that go by the specification alone.
        Some(_) | None => keys
            .flags
            .without(KeyFlags::INCOMPLETE)
            .without(KeyFlags::VARIABLE_FLAGS),
    }
}

#[cfg(test)]
mod tests {
    use resp::ArgvBuf;

    use super::*;

    const RANGE: FindKeys = FindKeys::Range {
        last: -1,
        step: 1,
        limit: 0,
    };

    #[test]
    fn channels_are_found_by_their_specification() {
        let subscribe = Spec {
            channels: &[ChannelSpec {
                used: ChannelUse::Subscribe,
                are_patterns: true,
                begin: BeginSearch::Index(1),
                find: RANGE,
            }],
            ..Spec::named("psubscribe")
        };
        let request: ArgvBuf = ["PSUBSCRIBE", "news.*", "log"]
            .into_iter()
            .map(str::as_bytes)
            .collect();
        let found = channels_of(&subscribe, request.as_argv());
        let found: Result<Vec<_>, _> = found.collect();
        let channel = |channel| FoundChannel {
            channel,
            is_pattern: true,
            used: ChannelUse::Subscribe,
        };
        assert_eq!(found, Ok(vec![channel(b"news.*"), channel(b"log")]));
        let empty: ArgvBuf = [b"PSUBSCRIBE".as_slice()].into_iter().collect();
        let mut found = channels_of(&subscribe, empty.as_argv());
        assert_eq!(found.next(), Some(Err(KeysNotFound)));
    }
}
