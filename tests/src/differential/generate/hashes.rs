//! Commands on hashes.

use super::super::command::Command;
use super::{Generator, HASHES, SLEEP};

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
const COMMANDS: [(u32, Draw); 28] = [
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
    (2, |g| g.expire_fields("HEXPIRE", &["0", "-1"])),
    (1, |g| {
        g.expire_fields("HPEXPIRE", &["0", "9223372036854775807"])
    }),
    (5, |g| {
        g.expire_fields("HEXPIREAT", &["4000000000", "4000000001", "1"])
    }),
    (5, |g| {
        g.expire_fields("HPEXPIREAT", &["4000000000000", "4000000000777", "1"])
    }),
    // Only for fields that live for ever, or not at all, does it not depend on the moment.
    (1, |g| g.on_counted("HEXPIRETIME")),
    (3, |g| g.on_counted("HPEXPIRETIME")),
    (3, |g| g.on_counted("HPERSIST")),
    (3, |g| g.on_counted("HGETDEL")),
    (4, |g| g.get_and_expire()),
    (6, |g| g.set_and_expire()),
    (2, |g| {
        let mut command = g.on_hash("HSCAN");
        command.push("0");
        g.options(
            &mut command,
            &[&["NOVALUES"], &["COUNT", "1000"], &["MATCH", "[a7]*"]],
        );
        command
    }),
    (2, |g| {
        let mut command = g.on_hash("HRANDFIELD");
        command.push("1000");
        g.options(&mut command, &[&["WITHVALUES"]]);
        command
    }),
    (1, |g| g.ttl_of_none("HTTL")),
    (1, |g| g.ttl_of_none("HPTTL")),
];

/// Commands that both servers answer alike where they meet fields whose time is over and that are
/// still there. Others Redis answers as if the fields existed.
const MEETING: [Draw; 16] = [
    |g| g.on_field("HGET", &[]),
    |g| g.on_fields("HMGET"),
    |g| g.on_field("HEXISTS", &[]),
    |g| g.on_field("HSTRLEN", &[]),
    |g| g.on_hash("HGETALL"),
    |g| g.on_hash("HKEYS"),
    |g| g.on_hash("HVALS"),
    |g| g.on_field("HINCRBY", &["1", "-7"]),
    |g| g.on_field("HINCRBYFLOAT", &["0.5"]),
    |g| g.on_field("HSETNX", &VALUES),
    |g| g.on_counted("HPEXPIRETIME"),
    |g| g.on_counted("HTTL"),
    |g| g.on_counted("HPERSIST"),
    |g| g.on_counted("HGETDEL"),
    |g| g.get_and_expire(),
    |g| {
        let mut command = g.on_hash("HSETEX");
        command.push(g.random.pick(&["FNX", "FXX"]));
        g.fields_and_values(&mut command);
        command
    },
];

impl Generator {
    pub(super) fn hash_command(&mut self) {
        if self.random.percent(3) {
            return self.sample_of_hash();
        }
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    /// Lets fields of a hash expire, draws a command that may meet them, and lets both servers
    /// remove them.
    pub(super) fn outlive_fields(&mut self) {
        if self.in_transaction {
            return;
        }
        let key = self.random.pick(&HASHES);
        // Where all fields are over, weir has no hash any more, and a new one begins as a listpack.
        self.commands
            .push(Command::new(&["HSET", key, "lasting", "0"]));
        let mut expire = Command::new(&["HPEXPIRE", key, "1"]);
        self.counted_fields(&mut expire);
        self.commands.push(expire);
        self.commands.push(Command::new(&SLEEP));
        self.overdue = Some(key);
        let command = self.random.pick(&MEETING)(self);
        self.commands.push(command);
        self.overdue = None;
        let all: Vec<&str> = ["HMGET", key].into_iter().chain(FIELDS).collect();
        self.commands.push(Command::new(&all));
    }

    /// `FIELDS`, and as many fields as it says.
    fn counted_fields(&mut self, command: &mut Command) {
        let count = 1 + self.random.below(4);
        command.push("FIELDS");
        command.push(count.to_string());
        for _ in 0..count {
            command.push(self.random.pick(&FIELDS));
        }
    }

    /// The same with values, and no field twice.
    fn fields_and_values(&mut self, command: &mut Command) {
        let (first, count) = (self.random.below(8), 1 + self.random.below(3));
        command.push("FIELDS");
        command.push(count.to_string());
        let fields = FIELDS
            .iter()
            .cycle()
            .skip(usize::try_from(first).unwrap_or(0));
        for (field, _) in fields.zip(0..count) {
            command.push(*field);
            command.push(self.random.pick(&VALUES));
        }
    }

    /// Each of these options in one of three commands.
    pub(super) fn options(&mut self, command: &mut Command, options: &[&[&str]]) {
        for option in options {
            if self.random.percent(33) {
                option.iter().for_each(|word| command.push(*word));
            }
        }
    }

    fn on_counted(&mut self, name: &str) -> Command {
        let mut command = self.on_hash(name);
        self.counted_fields(&mut command);
        command
    }

    fn ttl_of_none(&mut self, name: &str) -> Command {
        let mut command = self.on_hash(name);
        for word in ["FIELDS", "1", "none"] {
            command.push(word);
        }
        command
    }

    fn expire_fields(&mut self, name: &str, times: &[&'static str]) -> Command {
        let mut command = self.on_hash(name);
        command.push(self.random.pick(times));
        if self.random.percent(40) {
            command.push(self.random.pick(&["NX", "XX", "GT", "LT", "lt"]));
        }
        self.counted_fields(&mut command);
        command
    }

    /// Sometimes with a time that depends on nothing.
    fn until(&mut self, command: &mut Command, other: &'static str) {
        match self.random.below(6) {
            0 => command.push(other),
            1 => {
                command.push("EXAT");
                command.push(self.random.pick(&["4000000002", "1"]));
            }
            2 => {
                command.push("PXAT");
                command.push(self.random.pick(&["4000000000777", "0", "x"]));
            }
            _ => {}
        }
    }

    fn get_and_expire(&mut self) -> Command {
        let mut command = self.on_hash("HGETEX");
        self.until(&mut command, "PERSIST");
        self.counted_fields(&mut command);
        command
    }

    fn set_and_expire(&mut self) -> Command {
        let mut command = self.on_hash("HSETEX");
        self.options(&mut command, &[&["FNX"], &["FXX"]]);
        self.until(&mut command, "KEEPTTL");
        self.fields_and_values(&mut command);
        command
    }

    pub(super) fn hash_key(&mut self) -> &'static str {
        match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&HASHES),
        }
    }

    fn on_hash(&mut self, name: &str) -> Command {
        Command::new(&[name, self.hash_key()])
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
