//! Somebody who changes values of other types.

use super::{Purpose, Request, command};
use crate::rng::Rng;

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::replication_run) enum Put {
    /// A member of a set.
    Member(u64),
    /// A member of a sorted set.
    Scored(u64),
    /// A field of a hash.
    Field(u64),
    /// An element of a list; sent once.
    Element(u64),
    /// A counter goes up by one; sent once.
    Count,
    /// Two counters go up in one transaction; sent once.
    Pair,
    /// A string that expires.
    Volatile(u64),
}

/// Somebody who changes values of other types.
#[derive(Debug)]
pub(super) struct Putter {
    number: u64,
    next: u64,
}

impl Putter {
    pub(super) fn new(number: usize) -> Putter {
        Putter {
            number: number as u64,
            next: 0,
        }
    }

    pub(super) fn next(&mut self, rng: &mut Rng) -> Request {
        self.next += 1;
        let thing = self.number * 1_000_000 + self.next;
        let put = match rng.below(7) {
            0 => Put::Member(thing),
            1 => Put::Scored(thing),
            2 => Put::Field(thing),
            3 => Put::Element(thing),
            4 => Put::Count,
            5 => Put::Pair,
            _ => Put::Volatile(thing),
        };
        Request::new(put.commands(), Purpose::Put(put))
    }
}

impl Put {
    /// Returns whether it may be sent again without knowing what became of it.
    pub(super) fn is_idempotent(self) -> bool {
        match self {
            Put::Member(_) | Put::Scored(_) | Put::Field(_) | Put::Volatile(_) => true,
            Put::Element(_) | Put::Count | Put::Pair => false,
        }
    }

    fn commands(self) -> Vec<resp::ArgvBuf> {
        match self {
            Put::Member(thing) => vec![command(["SADD", "set", &thing.to_string()])],
            Put::Scored(thing) => {
                let thing = thing.to_string();
                vec![command(["ZADD", "zset", &thing, &thing])]
            }
            Put::Field(thing) => {
                let thing = thing.to_string();
                vec![command(["HSET", "hash", &thing, &thing])]
            }
            Put::Element(thing) => vec![command(["RPUSH", "list", &thing.to_string()])],
            Put::Count => vec![command(["INCR", "count"])],
            Put::Pair => vec![
                command(["MULTI"]),
                command(["INCR", "one"]),
                command(["INCR", "other"]),
                command(["EXEC"]),
            ],
            Put::Volatile(thing) => {
                let key = format!("volatile{}", thing % 5);
                vec![command(["SET", &key, &thing.to_string(), "PX", "1500"])]
            }
        }
    }
}

/// Asks for all that was changed: set, sorted set, fields of the hash, list, and the counters.
pub(in crate::replication_run) fn look() -> Vec<resp::ArgvBuf> {
    vec![
        command(["SMEMBERS", "set"]),
        command(["ZRANGE", "zset", "0", "-1"]),
        command(["HKEYS", "hash"]),
        command(["LRANGE", "list", "0", "-1"]),
        command(["GET", "count"]),
        command(["GET", "one"]),
        command(["GET", "other"]),
    ]
}
