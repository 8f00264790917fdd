//! `HOTKEYS`: the keys on which commands spend the most time, or which move the most bytes.
//!
//! While a collection runs, each command is measured by itself
//! ([`crate::Engine::wants_measuring`]), and what it took is shared out among its keys. As many
//! keys are counted as there is room for; then a new one takes the place of the one that took
//! least, and its count as well, so that no key is missed that took more than its share.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{HOT_KEY_BYTES_MAX, HOT_KEYS_COUNTED_PER_ASKED};
use crate::rng::Rng;
use crate::time::{Mono, Now};

/// What is asked of a collection.
#[derive(Debug, Clone, Copy)]
pub struct HotKeysWanted {
    /// By time.
    pub by_time: bool,
    /// By bytes of requests and replies.
    pub by_bytes: bool,
    /// How many keys are told.
    pub count: usize,
    /// One in this many commands counts for its keys.
    pub sample: u64,
    /// When it ends by itself.
    pub until: Option<Mono>,
}

/// A collection, which may have ended.
#[derive(Debug)]
pub struct HotKeys {
    /// What was asked of it.
    pub wanted: HotKeysWanted,
    /// When it began.
    pub begun: Now,
    /// When it ended.
    ended: Option<Mono>,
    /// Nanoseconds of all commands with keys.
    pub all_ns: u64,
    /// Bytes of all commands with keys.
    pub all_bytes: u64,
    /// Bytes that were shared out among keys.
    pub counted_bytes: u64,
    /// CPU seconds of the process when it began: those of the user, and those of the system.
    pub cpu_s_before: (f64, f64),
    /// Keys by nanoseconds.
    pub by_time: Heaviest,
    /// Keys by bytes.
    pub by_bytes: Heaviest,
    /// What the transaction has done that runs: it is measured as a whole.
    queued: Vec<Queued>,
}

/// A command of a transaction.
#[derive(Debug)]
struct Queued {
    keys: Vec<Box<[u8]>>,
    /// Of request and reply.
    bytes: u64,
}

impl HotKeys {
    /// Begins a collection.
    pub fn begin(wanted: HotKeysWanted, cpu_s_before: (f64, f64), now: Now) -> HotKeys {
        let room = wanted.count * HOT_KEYS_COUNTED_PER_ASKED;
        HotKeys {
            wanted,
            begun: now,
            ended: None,
            all_ns: 0,
            all_bytes: 0,
            counted_bytes: 0,
            cpu_s_before,
            by_time: Heaviest::new(room),
            by_bytes: Heaviest::new(room),
            queued: Vec::new(),
        }
    }

    /// Returns whether it goes on.
    pub fn is_active(&self, now: Now) -> bool {
        self.ended.is_none() && self.wanted.until.is_none_or(|until| now.mono < until)
    }

    /// Ends it.
    pub fn end(&mut self, now: Now) {
        if self.is_active(now) {
            self.ended = Some(now.mono);
        }
    }

    /// How long it went on, in milliseconds.
    pub fn lasted_ms(&self, now: Now) -> u64 {
        let until = self.wanted.until.unwrap_or(now.mono);
        let end = self.ended.unwrap_or(now.mono).min(until);
        end.0.saturating_sub(self.begun.mono.0)
    }

    /// A command with these keys has run in a transaction, with so many bytes of request and reply.
    pub fn note_queued<'a>(&mut self, keys: impl Iterator<Item = &'a [u8]>, bytes: u64) {
        self.queued.push(Queued {
            keys: keys.map(Box::from).collect(),
            bytes,
        });
    }

    /// A transaction has ended. Its commands are not measured one by one: they share the time
    /// evenly.
    pub fn note_transaction(&mut self, nanoseconds: u64, rng: &mut Rng) {
        let queued = std::mem::take(&mut self.queued);
        let each_ns = nanoseconds / queued.len().max(1) as u64;
        for Queued { keys, bytes } in queued {
            let keys = keys.iter().map(|key| &**key);
            self.note(keys, (each_ns, bytes), rng);
        }
    }

    /// A command with these keys took so much.
    pub fn note<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a [u8]> + Clone,
        (nanoseconds, bytes): (u64, u64),
        rng: &mut Rng,
    ) {
        let count = keys.clone().count() as u64;
        if count == 0 {
            return;
        }
        self.all_ns += nanoseconds;
        self.all_bytes += bytes;
        if self.wanted.sample > 1 && rng.below(self.wanted.sample) != 0 {
            return;
        }
        let (nanoseconds, bytes) = (nanoseconds / count, bytes / count);
        for key in keys.filter(|key| key.len() <= HOT_KEY_BYTES_MAX) {
            if self.wanted.by_time {
                self.by_time.add(key, nanoseconds);
            }
            if self.wanted.by_bytes {
                self.counted_bytes += bytes;
                self.by_bytes.add(key, bytes);
            }
        }
    }
}

/// The keys with the greatest weights.
#[derive(Debug)]
pub struct Heaviest {
    room: usize,
    by_key: BTreeMap<Box<[u8]>, u64>,
    by_weight: BTreeSet<(u64, Box<[u8]>)>,
}

impl Heaviest {
    fn new(room: usize) -> Heaviest {
        Heaviest {
            room,
            by_key: BTreeMap::new(),
            by_weight: BTreeSet::new(),
        }
    }

    /// Adds to the weight of a key.
    fn add(&mut self, key: &[u8], weight: u64) {
        let before = match self.by_key.get(key) {
            Some(&before) => {
                self.by_weight.remove(&(before, key.into()));
                before
            }
            None if self.by_key.len() < self.room => 0,
            None => match self.by_weight.pop_first() {
                Some((least, other)) => {
                    self.by_key.remove(&other);
                    least
                }
                None => return,
            },
        };
        let weight = before.saturating_add(weight);
        self.by_key.insert(key.into(), weight);
        self.by_weight.insert((weight, key.into()));
    }

    /// The heaviest keys first, with their weights.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> + Clone {
        let heaviest = self.by_weight.iter().rev();
        heaviest.map(|(weight, key)| (&**key, *weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now {
        unix_us: 0,
        mono: Mono(0),
    };

    fn collect(count: usize) -> HotKeys {
        let wanted = HotKeysWanted {
            by_time: true,
            by_bytes: true,
            count,
            sample: 1,
            until: None,
        };
        HotKeys::begin(wanted, (0.0, 0.0), NOW)
    }

    #[test]
    fn a_heavy_key_is_found_among_more_light_ones_than_there_is_room_for() {
        let mut hot = collect(2);
        let rng = &mut Rng::new(1);
        for number in 0..10_000 {
            let light = format!("light:{number}");
            hot.note([light.as_bytes()].into_iter(), (10, 1), rng);
            if number % 10 == 0 {
                hot.note([&b"heavy"[..]].into_iter(), (1000, 7), rng);
            }
        }
        let room = 2 * HOT_KEYS_COUNTED_PER_ASKED;
        assert_eq!(hot.by_time.by_key.len(), room);
        assert_eq!(hot.by_time.by_weight.len(), room);
        let (key, weight) = hot.by_time.iter().next().unwrap();
        assert_eq!((key, weight), (&b"heavy"[..], 1_000_000));
        assert_eq!(hot.all_ns, 1_100_000);
    }

    #[test]
    fn what_a_command_took_is_shared_out_among_its_keys() {
        let mut hot = collect(10);
        let rng = &mut Rng::new(1);
        let long = vec![b'x'; HOT_KEY_BYTES_MAX + 1];
        let keys = [&b"a"[..], &b"b"[..], &long, &b"a"[..]];
        hot.note(keys.into_iter(), (400, 80), rng);
        hot.note([].into_iter(), (1000, 1000), rng);
        let found: Vec<_> = hot.by_bytes.iter().collect();
        assert_eq!(found, [(&b"a"[..], 40), (&b"b"[..], 20)]);
        assert_eq!((hot.all_ns, hot.all_bytes), (400, 80));
    }

    #[test]
    fn commands_of_a_transaction_share_its_time() {
        let mut hot = collect(10);
        let rng = &mut Rng::new(1);
        hot.note_queued([&b"a"[..]].into_iter(), 30);
        hot.note_queued([&b"a"[..], b"b"].into_iter(), 20);
        assert_eq!(hot.all_bytes, 0);
        hot.note_transaction(400, rng);
        let by_time: Vec<_> = hot.by_time.iter().collect();
        assert_eq!(by_time, [(&b"a"[..], 300), (&b"b"[..], 100)]);
        let by_bytes: Vec<_> = hot.by_bytes.iter().collect();
        assert_eq!(by_bytes, [(&b"a"[..], 40), (&b"b"[..], 10)]);
        hot.note_transaction(400, rng);
        assert_eq!((hot.all_ns, hot.all_bytes), (400, 50));
    }

    #[test]
    fn it_ends_by_itself() {
        let at = |ms| Now {
            mono: Mono(ms),
            ..NOW
        };
        let mut hot = collect(1);
        hot.wanted.until = Some(Mono(1000));
        assert!(hot.is_active(at(999)) && !hot.is_active(at(1000)));
        assert_eq!((hot.lasted_ms(at(10)), hot.lasted_ms(at(5000))), (10, 1000));
        hot.end(at(500));
        assert_eq!(hot.lasted_ms(at(5000)), 500);
    }
}
