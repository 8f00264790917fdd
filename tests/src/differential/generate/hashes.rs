//! Commands on hashes.

use super::super::command::Command;
use super::{Generator, HASHES};

/// Fields: few, so that commands meet them again.
const FIELDS: [&str; 8] = ["a", "b", "c", "", "7", "-7", "07", "n"];

/// Values: numbers, texts, and some that are too long for a listpack.
const VALUES: [&str; 13] = [
    "0",
    "1",
    "-5",
    "9223372036854775806",
    "1.5",
    "3.0e3",
    "hello",
    "",
    " 1",
    "010",
    "a\u{1}b",
    "a value of sixty-four bytes, which is as long as it may be here.",
    "a value of more bytes than a field may have that is in a listpack.",
];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 14] = [
    (14, |g| g.set_fields("HSET")),
    (3, |g| g.set_fields("HMSET")),
    (4, |g| g.on_field("HSETNX", &VALUES)),
    (6, |g| g.on_fields("HDEL")),
    (4, |g| g.on_field("HGET", &[])),
    (3, |g| g.on_fields("HMGET")),
    (3, |g| g.on_field("HEXISTS", &[])),
    (3, |g| g.on_field("HSTRLEN", &[])),
    (2, |g| g.on_hash("HLEN")),
    (4, |g| g.on_hash("HGETALL")),
    (2, |g| g.on_hash("HKEYS")),
    (2, |g| g.on_hash("HVALS")),
    (6, |g| {
        let by = ["1", "-7", "9223372036854775807", "-9223372036854775808"];
        g.on_field("HINCRBY", &by)
    }),
    (4, |g| {
        g.on_field("HINCRBYFLOAT", &["0.1", "-1.5", "1e3", "3", "0", "inf"])
    }),
];

impl Generator {
    pub(super) fn hash_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    fn on_hash(&mut self, name: &str) -> Command {
        let key = match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&HASHES),
        };
        Command::new(&[name, key])
    }

    /// With one of `last` behind the field, if there are any.
    fn on_field(&mut self, name: &str, last: &[&'static str]) -> Command {
        let mut command = self.on_hash(name);
        command.push(self.random.pick(&FIELDS));
        if !last.is_empty() {
            command.push(self.random.pick(last));
        }
        command
    }

    fn on_fields(&mut self, name: &str) -> Command {
        let mut command = self.on_hash(name);
        for _ in 0..=self.random.below(4) {
            command.push(self.random.pick(&FIELDS));
        }
        command
    }

    fn set_fields(&mut self, name: &str) -> Command {
        let mut command = self.on_hash(name);
        for _ in 0..=self.random.below(3) {
            command.push(self.random.pick(&FIELDS));
            command.push(self.random.pick(&VALUES));
        }
        command
    }
}
