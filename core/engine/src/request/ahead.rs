//! A look at the requests that come next, so that what they need from memory is fetched for all of
//! them at once.

use resp::{Ahead, Argv, KeysAhead};
use values::{Ahead as Places, Sought};

use crate::Engine;
use crate::args::parse_i64;
use crate::clients::session::{Session, SessionId};
use crate::limits::{LOOK_AHEAD_KEYS_MIN, LOOK_AHEAD_REQUESTS_MAX};
use crate::store::keyspace::Record;
use crate::table::{CommandIndex, Seeks};

impl Engine {
    /// Looks up the keys of requests that come next, and what they may look for in large values,
    /// all of them before the first is served. Lookups that do not wait for one another share the
    /// latency of memory; served one by one, each would pay it. `first` is the first of these
    /// requests. Returns how many requests it looked at: none if all is small enough for the
    /// processor's caches, and none if there is only one request.
    pub fn look_ahead(
        &mut self,
        id: SessionId,
        first: Argv<'_>,
        mut requests: KeysAhead<'_>,
    ) -> usize {
        let Some(session) = self.server.sessions.find(id) else {
            return 0;
        };
        let (keyspace, database) = (&mut self.data.keyspace, session.database);
        let commands = &self.server.commands;
        let are_few_keys = keyspace.len(database) < LOOK_AHEAD_KEYS_MIN;
        if are_few_keys && seeks_nothing_again(session, first) {
            return 0;
        }
        let mut next = requests.next();
        let Some(first) = next else {
            return 0;
        };
        let mut known = seeks(commands, first.name);
        if are_few_keys {
            // One large value is as bad as many keys. Most requests are about the same one.
            let Some(sought) = sought(known, first, 0) else {
                return 0;
            };
            if requests.clone().next().is_none() {
                return 0;
            }
            let hash = keyspace.hash(first.key);
            let found = keyspace.find(database, hash, first.key);
            if found.is_none_or(|record| record.value().ahead(sought).is_none()) {
                return 0;
            }
        }
        let mut wanted = [None; LOOK_AHEAD_REQUESTS_MAX];
        let mut hashes = [0; LOOK_AHEAD_REQUESTS_MAX];
        // Keys of scripts behind their first ones.
        let mut others = [0; LOOK_AHEAD_REQUESTS_MAX];
        let (mut looked, mut looked_others, mut seeks_any) = (0, 0, false);
        keyspace.forget_ahead();
        while let Some(request) = next
            && looked < LOOK_AHEAD_REQUESTS_MAX
        {
            if !request.is_alike {
                known = seeks(commands, request.name);
            }
            let mut key = request.key;
            match known {
                Seeks::Nothing => {}
                Seeks::CountedKeys => {
                    let mut keys = counted_keys(request);
                    key = keys.next().unwrap_or_default();
                    for (hash, key) in others[looked_others..].iter_mut().zip(keys) {
                        *hash = keyspace.hash(key);
                        looked_others += 1;
                    }
                }
                Seeks::Second | Seeks::Last | Seeks::Placed | Seeks::Lowest => {
                    seeks_any = true;
                    wanted[looked] = Some((request, known));
                }
            }
            hashes[looked] = keyspace.hash_ahead(key);
            looked += 1;
            next = requests.next();
        }
        if looked < 2 {
            return 0;
        }
        let found = keyspace.find_likely(database, &hashes[..looked]);
        prefetch(&found);
        if looked_others > 0 {
            let others: [_; LOOK_AHEAD_REQUESTS_MAX] =
                keyspace.find_likely(database, &others[..looked_others]);
            prefetch(&others);
        }
        if seeks_any {
            seek(&wanted, &found);
        }
        looked
    }
}

/// Returns whether a request is of the same command as the last one of its client, and that looks
/// for nothing in values. So it is with most requests.
#[inline]
fn seeks_nothing_again(session: &Session, request: Argv<'_>) -> bool {
    let Some((last, name)) = session.last_command.zip(request.get(0)) else {
        return false;
    };
    last.spec.seeks == Seeks::Nothing && last.is_called(name)
}

/// What a command of this name looks for.
#[inline]
fn seeks(commands: &CommandIndex, name: &[u8]) -> Seeks {
    commands
        .find(name)
        .map_or(Seeks::Nothing, |row| row.spec.seeks)
}

/// Begins to fetch the values of records.
#[inline]
fn prefetch(records: &[Option<&Record>]) {
    for record in records.iter().flatten() {
        record.value().prefetch();
    }
}

/// The keys of a request that runs a script, as far as it has so many arguments.
fn counted_keys(request: Ahead<'_>) -> impl Iterator<Item = &[u8]> {
    let mut behind = request.behind();
    let count = behind.next().and_then(parse_i64);
    let count = count.and_then(|count| usize::try_from(count).ok());
    behind.take(count.unwrap_or(0))
}

/// Reads what requests look for in values.
#[inline(never)]
fn seek<const N: usize>(wanted: &[Option<(Ahead<'_>, Seeks)>; N], found: &[Option<&Record>; N]) {
    let mut places = [const { None }; N];
    let mut seeks_any = false;
    for (at, (wanted, record)) in wanted.iter().zip(found).enumerate() {
        if let (Some((request, seeks)), Some(record)) = (wanted, record)
            && let Some(sought) = sought(*seeks, *request, at)
        {
            places[at] = record.value().ahead(sought);
            seeks_any |= places[at].is_some();
        }
    }
    if seeks_any {
        Places::read(&mut places);
    }
}

/// What a request looks for in the value of its key, before which `before` others come.
#[inline]
fn sought(seeks: Seeks, request: Ahead<'_>, before: usize) -> Option<Sought<'_>> {
    match seeks {
        Seeks::Nothing | Seeks::CountedKeys => None,
        Seeks::Second => Some(Sought::Element(request.second()?)),
        Seeks::Last => Some(Sought::Element(request.last()?)),
        Seeks::Placed => {
            let score = |text: &[u8]| str::from_utf8(text).ok()?.parse().ok();
            let score = request.second().and_then(score);
            let score = score.filter(|score: &f64| !score.is_nan());
            Some(Sought::Placed(request.last()?, score))
        }
        Seeks::Lowest => Some(Sought::Ranked(before)),
    }
}

#[cfg(test)]
mod tests {
    use resp::KeysAhead;

    use super::counted_keys;

    #[test]
    fn the_keys_of_a_script_are_those_behind_their_number() {
        for (number, expected) in [
            ("0", 0),
            ("2", 2),
            ("3", 3),
            ("4", 3),
            ("-1", 0),
            ("99999999999999999999", 0),
            ("a", 0),
        ] {
            let len = number.len();
            let request = format!(
                "*6\r\n$4\r\nEVAL\r\n$1\r\ns\r\n${len}\r\n{number}\r\n\
                 $1\r\na\r\n$2\r\nbb\r\n$1\r\nc\r\n"
            );
            let seen = KeysAhead::new(request.as_bytes()).next();
            let keys: Vec<_> = seen.into_iter().flat_map(counted_keys).collect();
            let all: [&[u8]; 3] = [b"a", b"bb", b"c"];
            assert_eq!(keys, all[..expected], "{number}");
        }
    }
}
