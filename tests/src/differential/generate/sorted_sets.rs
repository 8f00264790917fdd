//! Commands on sorted sets.
//!
//! Left out on purpose: ranges of members whose scores differ, which depend on how a server looks
//! for their ends.

use super::super::command::Command;
use super::{Generator, SORTED_SETS};

/// Members: few, so that commands meet them again, and one that is too long for a listpack.
const MEMBERS: [&str; 9] = [
    "a",
    "b",
    "c",
    "d",
    "",
    "7",
    "-7",
    "n\u{1}",
    "a member of more bytes than one may have that lies in a listpack.",
];

const SCORES: [&str; 16] = [
    "0", "1", "1", "2", "3", "-1", "2.5", "1e3", "inf", "-inf", "0.1", "1e-7", "-0", "1e20",
    "0x10", "x",
];

const BOUNDS: [&str; 10] = [
    "-inf", "+inf", "(1", "1", "2", "(2.5", "0", "-1", "(inf", "bad",
];

const LEX_BOUNDS: [&str; 8] = ["-", "+", "[a", "(a", "[c", "(d", "[", "bad"];

const RANKS: [&str; 8] = ["0", "1", "2", "-1", "-2", "100", "-100", "x"];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 37] = [
    (24, |g| g.zadd()),
    (6, |g| {
        let mut command = g.on_sorted_set("ZINCRBY");
        command.push(g.random.pick(&SCORES));
        command.push(g.random.pick(&MEMBERS));
        command
    }),
    (5, |g| g.on_members("ZREM")),
    (2, |g| g.on_sorted_set("ZCARD")),
    (3, |g| g.on_member("ZSCORE")),
    (2, |g| g.on_members("ZMSCORE")),
    (2, |g| {
        let command = g.on_member("ZRANK");
        g.sometimes(command, 30, "WITHSCORE")
    }),
    (2, |g| {
        let command = g.on_member("ZREVRANK");
        g.sometimes(command, 30, "WITHSCORE")
    }),
    (3, |g| {
        let command = g.between("ZRANGE", &RANKS);
        let command = g.sometimes(command, 30, "REV");
        g.sometimes(command, 50, "WITHSCORES")
    }),
    (3, |g| {
        let mut command = g.between("ZRANGE", &BOUNDS);
        command.push("BYSCORE");
        let command = g.sometimes(command, 40, "REV");
        let command = g.limited(command);
        g.sometimes(command, 50, "WITHSCORES")
    }),
    (2, |g| {
        let command = g.between("ZREVRANGE", &RANKS);
        g.sometimes(command, 50, "WITHSCORES")
    }),
    (2, |g| {
        let command = g.between("ZRANGEBYSCORE", &BOUNDS);
        let command = g.limited(command);
        g.sometimes(command, 50, "WITHSCORES")
    }),
    (2, |g| {
        let command = g.between("ZREVRANGEBYSCORE", &BOUNDS);
        let command = g.limited(command);
        g.sometimes(command, 50, "WITHSCORES")
    }),
    (2, |g| {
        let command = g.by_lex("ZRANGEBYLEX");
        g.limited(command)
    }),
    (2, |g| {
        let command = g.by_lex("ZREVRANGEBYLEX");
        g.limited(command)
    }),
    (2, |g| {
        let mut command = g.on_sorted_set("ZSCAN");
        command.push("0");
        g.options(&mut command, &[&["COUNT", "1000"], &["MATCH", "[a7]*"]]);
        command
    }),
    (2, |g| g.between("ZCOUNT", &BOUNDS)),
    (1, |g| g.by_lex("ZLEXCOUNT")),
    (1, |g| {
        let mut command = g.on_sorted_set("ZRANDMEMBER");
        command.push(g.random.pick(&["1000", "0"]));
        g.sometimes(command, 50, "WITHSCORES")
    }),
    (1, |g| g.waiting_at_most_for_sorted_set("BZPOPMIN", "0.001")),
    (1, |g| g.waiting_at_most_for_sorted_set("BZPOPMAX", "0.001")),
    (1, |g| g.waiting_at_most_for_sorted_set("BZMPOP", "0.001")),
    (1, |g| g.between("ZREMRANGEBYRANK", &RANKS)),
    (1, |g| g.between("ZREMRANGEBYSCORE", &BOUNDS)),
    (1, |g| g.by_lex("ZREMRANGEBYLEX")),
    (2, |g| g.popping("ZPOPMIN")),
    (2, |g| g.popping("ZPOPMAX")),
    (2, |g| {
        let command = g.on_several("ZMPOP");
        g.end_to_pop(command)
    }),
    (2, |g| g.combining("ZUNION", true, true)),
    (2, |g| g.combining("ZINTER", true, true)),
    (2, |g| g.combining("ZDIFF", false, true)),
    (2, |g| g.storing("ZUNIONSTORE", true)),
    (2, |g| g.storing("ZINTERSTORE", true)),
    (2, |g| g.storing("ZDIFFSTORE", false)),
    (1, |g| {
        let mut command = g.on_several("ZINTERCARD");
        if g.random.percent(40) {
            command.push("LIMIT");
            command.push(g.random.pick(&["0", "1", "2", "-1"]));
        }
        command
    }),
    (2, |g| {
        let mut command = g.on_sorted_set("ZRANGESTORE");
        command.push(g.random.pick(&SORTED_SETS));
        command.push(g.random.pick(&RANKS));
        command.push(g.random.pick(&RANKS));
        g.sometimes(command, 30, "REV")
    }),
    (1, |g| {
        let mut command = g.on_sorted_set("ZRANGESTORE");
        command.push(g.random.pick(&SORTED_SETS));
        command.push(g.random.pick(&BOUNDS));
        command.push(g.random.pick(&BOUNDS));
        command.push("BYSCORE");
        g.limited(command)
    }),
];

impl Generator {
    pub(super) fn sorted_set_command(&mut self) {
        if self.random.percent(3) {
            return self.sample_of_sorted_set();
        }
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    /// A command that may wait for a sorted set as long as it takes.
    pub(super) fn waiting_for_sorted_set(&mut self) -> Command {
        let name = self.random.pick(&["BZPOPMIN", "BZPOPMAX", "BZMPOP"]);
        self.waiting_at_most_for_sorted_set(name, "0")
    }

    fn waiting_at_most_for_sorted_set(&mut self, name: &str, seconds: &str) -> Command {
        if name == "BZMPOP" {
            let command = self.sources(Command::new(&[name, seconds])).0;
            return self.end_to_pop(command);
        }
        let mut command = self.on_sorted_set(name);
        for _ in 0..self.random.below(3) {
            let key = self.sorted_set_key();
            command.push(key);
        }
        command.push(seconds);
        command
    }

    fn end_to_pop(&mut self, mut command: Command) -> Command {
        command.push(self.random.pick(&["MIN", "MAX"]));
        if self.random.percent(30) {
            command.push("COUNT");
            command.push(self.random.pick(&["1", "2", "9", "0"]));
        }
        command
    }

    pub(super) fn sorted_set_key(&mut self) -> &'static str {
        match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&SORTED_SETS),
        }
    }

    fn on_sorted_set(&mut self, name: &str) -> Command {
        Command::new(&[name, self.sorted_set_key()])
    }

    fn zadd(&mut self) -> Command {
        let mut command = self.on_sorted_set("ZADD");
        for option in ["NX", "XX", "GT", "LT", "CH", "INCR"] {
            if self.random.percent(8) {
                command.push(option);
            }
        }
        for _ in 0..=self.random.below(3) {
            command.push(self.random.pick(&SCORES));
            command.push(self.random.pick(&MEMBERS));
        }
        command
    }

    fn on_member(&mut self, name: &str) -> Command {
        let mut command = self.on_sorted_set(name);
        command.push(self.random.pick(&MEMBERS));
        command
    }

    fn on_members(&mut self, name: &str) -> Command {
        let mut command = self.on_member(name);
        for _ in 0..self.random.below(3) {
            command.push(self.random.pick(&MEMBERS));
        }
        command
    }

    fn between(&mut self, name: &str, bounds: &[&'static str]) -> Command {
        let mut command = self.on_sorted_set(name);
        command.push(self.random.pick(bounds));
        command.push(self.random.pick(bounds));
        command
    }

    /// On the key whose members have one score.
    fn by_lex(&mut self, name: &str) -> Command {
        let key = "words";
        if self.random.percent(40) {
            let mut add = Command::new(&["ZADD", key]);
            for _ in 0..=self.random.below(3) {
                add.push("0");
                add.push(self.random.pick(&MEMBERS));
            }
            self.push(add);
        }
        let mut command = Command::new(&[name, key]);
        command.push(self.random.pick(&LEX_BOUNDS));
        command.push(self.random.pick(&LEX_BOUNDS));
        command
    }

    fn sometimes(&mut self, mut command: Command, percent: u64, option: &str) -> Command {
        if self.random.percent(percent) {
            command.push(option);
        }
        command
    }

    fn limited(&mut self, mut command: Command) -> Command {
        if self.random.percent(30) {
            command.push("LIMIT");
            command.push(self.random.pick(&["0", "1", "2", "-1"]));
            command.push(self.random.pick(&["0", "1", "3", "-1"]));
        }
        command
    }

    fn popping(&mut self, name: &str) -> Command {
        let mut command = self.on_sorted_set(name);
        if self.random.percent(40) {
            command.push(self.random.pick(&["0", "1", "2", "9", "-1"]));
        }
        command
    }

    fn on_several(&mut self, name: &str) -> Command {
        let command = Command::new(&[name]);
        self.sources(command).0
    }

    /// The number of keys and the keys.
    fn sources(&mut self, mut command: Command) -> (Command, u64) {
        let count = 1 + self.random.below(3);
        command.push(count.to_string());
        for _ in 0..count {
            let key = match self.random.percent(2) {
                true => self.any_key(),
                false => self.random.pick(&SORTED_SETS),
            };
            command.push(key);
        }
        (command, count)
    }

    fn combining(&mut self, name: &str, aggregates: bool, answers: bool) -> Command {
        let command = Command::new(&[name]);
        self.combined(command, aggregates, answers)
    }

    fn storing(&mut self, name: &str, aggregates: bool) -> Command {
        let command = self.on_sorted_set(name);
        self.combined(command, aggregates, false)
    }

    fn combined(&mut self, command: Command, aggregates: bool, answers: bool) -> Command {
        let (mut command, count) = self.sources(command);
        if aggregates && self.random.percent(30) {
            command.push("WEIGHTS");
            for _ in 0..count {
                command.push(self.random.pick(&["1", "2", "-0.5", "0", "inf"]));
            }
        }
        if aggregates && self.random.percent(30) {
            command.push("AGGREGATE");
            command.push(self.random.pick(&["SUM", "MIN", "MAX"]));
        }
        if answers {
            return self.sometimes(command, 60, "WITHSCORES");
        }
        command
    }
}
