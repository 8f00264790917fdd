//! Commands on sets. What is drawn at random is drawn whole here, as servers draw differently.

use super::super::command::Command;
use super::{Generator, SETS};

/// Members: few, so that commands meet them again; some are too long for a listpack.
const MEMBERS: [&str; 22] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "-7",
    "300",
    "-300",
    "70000",
    "5000000000",
    "-9223372036854775808",
    "9223372036854775808",
    "007",
    "-0",
    "",
    "a",
    "b",
    "c",
    "a\u{1}b",
    "a member of sixty-four bytes, which is as long as it may be here",
    "a member of more bytes than one may have that is in a small listpack",
];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 19] = [
    (18, |g| g.on_members_of_set("SADD", &MEMBERS)),
    // Integers alone, so that there are intsets.
    (6, |g| g.on_members_of_set("SADD", &MEMBERS[..11])),
    (3, Generator::many_members),
    (9, |g| g.on_members_of_set("SREM", &MEMBERS)),
    (3, |g| g.on_set("SCARD")),
    (4, |g| g.on_members_of_set("SISMEMBER", &MEMBERS)),
    (3, |g| g.on_members_of_set("SMISMEMBER", &MEMBERS)),
    (5, |g| g.on_set("SMEMBERS")),
    (6, Generator::smove),
    (5, |g| g.on_sets("SINTER")),
    (4, |g| g.on_sets("SUNION")),
    (5, |g| g.on_sets("SDIFF")),
    (4, Generator::sintercard),
    (3, |g| g.stored_sets("SINTERSTORE")),
    (3, |g| g.stored_sets("SUNIONSTORE")),
    (3, |g| g.stored_sets("SDIFFSTORE")),
    (1, Generator::whole_sample),
    (3, Generator::sscan),
    (4, |g| {
        let mut command = g.on_set("OBJECT");
        command.arguments.insert(1, "ENCODING".into());
        command
    }),
];

impl Generator {
    pub(super) fn set_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        if self.random.percent(4) {
            return self.sample_of_set();
        }
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    pub(super) fn set_key(&mut self) -> &'static str {
        match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&SETS),
        }
    }

    fn on_set(&mut self, name: &str) -> Command {
        Command::new(&[name, self.set_key()])
    }

    fn on_members_of_set(&mut self, name: &str, members: &[&'static str]) -> Command {
        let mut command = self.on_set(name);
        let most = if name == "SISMEMBER" { 1 } else { 4 };
        for _ in 0..=self.random.below(most) {
            command.push(self.random.pick(members));
        }
        command
    }

    /// More members than fit the small forms, or as many arguments for few members. One is new:
    /// Redis leaves a small form even if none is, and weir does not.
    fn many_members(&mut self) -> Command {
        let mut command = self.on_set("SADD");
        let count = self.random.pick(&[100, 127, 128, 129, 500, 512, 513]);
        let different = self.random.pick(&[3, 1000]);
        let prefix = self.random.pick(&["", "", "m"]);
        let new = 1_000_000 + self.random.below(9_000_000);
        command.push(format!("{prefix}{new}"));
        for number in 1..count {
            command.push(format!("{prefix}{}", number % different));
        }
        command
    }

    fn smove(&mut self) -> Command {
        let (from, to) = (self.set_key(), self.set_key());
        Command::new(&["SMOVE", from, to, self.random.pick(&MEMBERS)])
    }

    fn push_sets(&mut self, command: &mut Command) -> u64 {
        let count = 1 + self.random.below(4);
        for _ in 0..count {
            let key = self.set_key();
            command.push(key);
        }
        count
    }

    fn on_sets(&mut self, name: &str) -> Command {
        let mut command = Command::new(&[name]);
        self.push_sets(&mut command);
        command
    }

    fn stored_sets(&mut self, name: &str) -> Command {
        let mut command = self.on_set(name);
        self.push_sets(&mut command);
        command
    }

    fn sintercard(&mut self) -> Command {
        let mut command = Command::new(&["SINTERCARD", ""]);
        let count = self.push_sets(&mut command);
        command.arguments[1] = count.to_string().into();
        if self.random.percent(50) {
            command.push("LIMIT");
            self.push_number(&mut command, 4);
        }
        command
    }

    /// All members, or none.
    fn whole_sample(&mut self) -> Command {
        let name = self.random.pick(&["SPOP", "SRANDMEMBER", "SRANDMEMBER"]);
        let mut command = self.on_set(name);
        command.push(self.random.pick(&["100000", "100000", "0", "x"]));
        command
    }

    fn sscan(&mut self) -> Command {
        let mut command = self.on_set("SSCAN");
        command.push("0");
        if self.random.percent(40) {
            command.push("MATCH");
            command.push(self.random.pick(&["*", "[a-c]", "-*", "[0-9]*"]));
        }
        // All at once.
        command.push("COUNT");
        command.push("10000");
        command
    }
}
