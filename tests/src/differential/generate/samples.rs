//! Commands that answer with elements drawn at random, each server with its own.
//!
//! What follows them shows that these are elements of the value, and different ones where they have
//! to be. What changes with them is a copy of the value, which is removed again.

use super::super::command::{Argument, Command, Slot};
use super::{Generator, PROBE};

/// How many may be drawn at a time: about as many as the values have.
const COUNTS: [&str; 5] = ["1", "2", "3", "5", "9"];

/// As many, of which some may be the same.
const REPEATED: [&str; 3] = ["-1", "-4", "-20"];

impl Generator {
    pub(super) fn sample_of_set(&mut self) {
        if self.in_transaction {
            return;
        }
        let (key, count, repeated) = (self.set_key(), self.count(), self.repeated());
        match self.random.below(5) {
            0 => {
                let drawn = self.sample(&["SRANDMEMBER", key]);
                self.with_elements(&["SMISMEMBER", key], drawn);
            }
            1 => {
                let drawn = self.sample(&["SRANDMEMBER", key, repeated]);
                self.with_elements(&["SMISMEMBER", key], drawn);
            }
            2 => {
                let drawn = self.sample(&["SRANDMEMBER", key, count]);
                self.with_elements(&["SMISMEMBER", key], drawn);
                self.with_elements(&["SADD", PROBE], drawn);
            }
            which => {
                self.push(Command::new(&["COPY", key, PROBE, "REPLACE"]));
                let drawn = match which {
                    3 => self.sample(&["SPOP", PROBE]),
                    _ => self.sample(&["SPOP", PROBE, count]),
                };
                self.push(Command::new(&["SCARD", PROBE]));
                self.with_elements(&["SMISMEMBER", key], drawn);
                // As many come back as had gone.
                self.with_elements(&["SADD", PROBE], drawn);
                self.push(Command::new(&["SMEMBERS", PROBE]));
            }
        }
        self.push(Command::new(&["DEL", PROBE]));
    }

    pub(super) fn sample_of_sorted_set(&mut self) {
        if self.in_transaction {
            return;
        }
        let (key, count, repeated) = (self.sorted_set_key(), self.count(), self.repeated());
        self.push(Command::new(&["COPY", key, PROBE, "REPLACE"]));
        match self.random.below(4) {
            0 => {
                let drawn = self.sample(&["ZRANDMEMBER", key]);
                self.with_elements(&["ZREM", PROBE], drawn);
            }
            1 => {
                self.sample(&["ZRANDMEMBER", key, repeated, "WITHSCORES"]);
            }
            _ => {
                let drawn = self.sample(&["ZRANDMEMBER", key, count]);
                self.with_elements(&["ZREM", PROBE], drawn);
            }
        }
        self.push(Command::new(&["DEL", PROBE]));
    }

    pub(super) fn sample_of_hash(&mut self) {
        if self.in_transaction {
            return;
        }
        let (key, count, repeated) = (self.hash_key(), self.count(), self.repeated());
        self.push(Command::new(&["COPY", key, PROBE, "REPLACE"]));
        match self.random.below(4) {
            0 => {
                let drawn = self.sample(&["HRANDFIELD", key]);
                self.with_elements(&["HDEL", PROBE], drawn);
            }
            1 => {
                // These fields have these values already.
                let drawn = self.sample(&["HRANDFIELD", key, repeated, "WITHVALUES"]);
                self.with_elements(&["HSET", PROBE], drawn);
                self.push(Command::new(&["HGETALL", PROBE]));
            }
            _ => {
                let drawn = self.sample(&["HRANDFIELD", key, count]);
                self.with_elements(&["HDEL", PROBE], drawn);
            }
        }
        self.push(Command::new(&["DEL", PROBE]));
    }

    fn count(&mut self) -> &'static str {
        self.random.pick(&COUNTS)
    }

    fn repeated(&mut self) -> &'static str {
        self.random.pick(&REPEATED)
    }

    fn sample(&mut self, words: &[&str]) -> Option<Slot> {
        self.emit_kept(Command::new(words))
    }

    fn with_elements(&mut self, words: &[&str], drawn: Option<Slot>) {
        let mut command = Command::new(words);
        command.arguments.extend(drawn.map(Argument::Elements));
        self.push(command);
    }
}
