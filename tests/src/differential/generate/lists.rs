//! Commands on lists.

use super::super::command::Command;
use super::{Generator, LISTS};

/// Elements: few, so that they are met again; some long ones, so that lists have several nodes.
const ELEMENTS: [&str; 11] = [
    "a",
    "b",
    "c",
    "",
    "7",
    "-7",
    "07",
    "9223372036854775807",
    "a\u{1}b",
    "an element of more than sixty-four bytes, which is a longer kind of text.",
    "4096",
];

const INDEXES: [&str; 9] = ["0", "1", "2", "5", "-1", "-2", "-4", "100", "-100"];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 23] = [
    (10, |g| g.push_elements("RPUSH")),
    (8, |g| g.push_elements("LPUSH")),
    (3, |g| g.push_elements("LPUSHX")),
    (3, |g| g.push_elements("RPUSHX")),
    (5, |g| g.pop("LPOP")),
    (5, |g| g.pop("RPOP")),
    (2, |g| g.on_list("LLEN")),
    (5, |g| g.at_indexes("LRANGE", 2)),
    (3, |g| g.at_indexes("LINDEX", 1)),
    (3, |g| {
        let mut command = g.at_indexes("LSET", 1);
        g.push_element(&mut command);
        command
    }),
    (5, |g| {
        let mut command = g.on_list("LINSERT");
        command.push(g.random.pick(&["BEFORE", "AFTER"]));
        g.push_element(&mut command);
        g.push_element(&mut command);
        command
    }),
    (4, |g| {
        let mut command = g.on_list("LREM");
        command.push(g.random.pick(&["0", "1", "-1", "2", "-3"]));
        g.push_element(&mut command);
        command
    }),
    (3, |g| g.at_indexes("LTRIM", 2)),
    (4, Generator::lpos),
    (5, |g| g.moving("LMOVE")),
    (3, |g| g.moving("RPOPLPUSH")),
    (4, |g| g.pop_of_several("LMPOP", &[])),
    (1, |g| g.waiting_at_most("BLPOP", "0.001")),
    (1, |g| g.waiting_at_most("BRPOP", "0.001")),
    (1, |g| g.waiting_at_most("BLMOVE", "0.001")),
    (1, |g| g.waiting_at_most("BRPOPLPUSH", "0.001")),
    (1, |g| g.waiting_at_most("BLMPOP", "0.001")),
    (1, |g| {
        let mut command = g.on_list("LPUSH");
        for _ in 0..300 {
            command.push("4096");
            command.push("an element");
        }
        command
    }),
];

impl Generator {
    pub(super) fn list_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    /// A command that may wait for a list as long as it takes.
    pub(super) fn waiting_for_list(&mut self) -> Command {
        let name =
            self.random
                .pick(&["BLPOP", "BRPOP", "BLMOVE", "BLMOVE", "BRPOPLPUSH", "BLMPOP"]);
        self.waiting_at_most(name, "0")
    }

    fn list_key(&mut self) -> &'static str {
        match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&LISTS),
        }
    }

    fn on_list(&mut self, name: &str) -> Command {
        let key = self.list_key();
        Command::new(&[name, key])
    }

    fn push_element(&mut self, command: &mut Command) {
        command.push(self.random.pick(&ELEMENTS));
    }

    fn push_elements(&mut self, name: &str) -> Command {
        let mut command = self.on_list(name);
        for _ in 0..=self.random.below(4) {
            self.push_element(&mut command);
        }
        command
    }

    fn pop(&mut self, name: &str) -> Command {
        let mut command = self.on_list(name);
        if self.random.percent(40) {
            self.push_number(&mut command, 6);
        }
        command
    }

    fn at_indexes(&mut self, name: &str, count: usize) -> Command {
        let mut command = self.on_list(name);
        for _ in 0..count {
            command.push(self.random.pick(&INDEXES));
        }
        command
    }

    fn lpos(&mut self) -> Command {
        let mut command = self.on_list("LPOS");
        self.push_element(&mut command);
        for (word, values) in [
            ("RANK", ["1", "2", "-1", "-2"]),
            ("COUNT", ["0", "1", "2", "5"]),
            ("MAXLEN", ["0", "1", "3", "10"]),
        ] {
            if self.random.percent(40) {
                command.push(word);
                command.push(self.random.pick(&values));
            }
        }
        command
    }

    /// With both ends behind the keys, if the command takes them.
    fn moving(&mut self, name: &str) -> Command {
        let mut command = self.on_list(name);
        command.push(self.list_key());
        if name.ends_with("LMOVE") {
            for _ in 0..2 {
                command.push(self.random.pick(&["LEFT", "RIGHT"]));
            }
        }
        command
    }

    fn pop_of_several(&mut self, name: &str, first: &[&str]) -> Command {
        let mut command = Command::new(&[name]);
        command.extend(first);
        let keys = 1 + self.random.below(3);
        command.push(keys.to_string());
        for _ in 0..keys {
            let key = self.list_key();
            command.push(key);
        }
        command.push(self.random.pick(&["LEFT", "RIGHT"]));
        if self.random.percent(40) {
            command.push("COUNT");
            command.push(self.random.pick(&["1", "2", "5"]));
        }
        command
    }

    fn waiting_at_most(&mut self, name: &str, seconds: &str) -> Command {
        match name {
            "BLMPOP" => self.pop_of_several(name, &[seconds]),
            "BLMOVE" | "BRPOPLPUSH" => {
                let mut command = self.moving(name);
                command.push(seconds);
                command
            }
            _ => {
                let mut command = self.on_list(name);
                for _ in 0..self.random.below(3) {
                    let key = self.list_key();
                    command.push(key);
                }
                command.push(seconds);
                command
            }
        }
    }
}
