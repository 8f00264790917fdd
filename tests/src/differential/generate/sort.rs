//! SORT of a list, a set and a sorted set, by themselves and by what other keys hold.
//!
//! Left out on purpose:
//! - what Redis puts in any order, because it is the same to it: texts that other keys hold with
//!   LIMIT, or those of a sorted set; and members that are too long for a listpack, since sets are
//!   in any order without one;
//! - the encoding of a sorted set after SORT: Redis takes the small form from it for good, although
//!   it only reads.

use super::super::command::Command;
use super::Generator;

const LIST: &str = "sort:l";
const SET: &str = "sort:s";
const SORTED_SET: &str = "sort:z";
const STORED: &str = "sort:d";

const NUMBERS: [&str; 10] = ["1", "2", "3", "10", "-1", "1.5", "007", ".5", "1e3", "-7"];
const TEXTS: [&str; 4] = ["a", "b", "", "n\u{1}"];

const PATTERNS: [&str; 7] = ["w_*", "w_*", "h_*->f", "h_*->g", "none_*", "h_*->", "*"];

impl Generator {
    pub(super) fn sort_command(&mut self) {
        let command = match self.random.below(11) {
            0 => self.with_members(&["RPUSH", LIST]),
            1 => self.with_members(&["SADD", SET]),
            2 => {
                let key = format!("w_{}", self.sortable());
                Command::new(&["SET", &key, self.sortable()])
            }
            3 => {
                let key = format!("h_{}", self.sortable());
                let field = self.random.pick(&["f", "g"]);
                Command::new(&["HSET", &key, field, self.sortable()])
            }
            4 => match self.random.below(4) {
                0 => Command::new(&["DEL", LIST, STORED]),
                1 => Command::new(&["SPOP", SET, "100"]),
                2 => Command::new(&["LPOP", LIST, "2"]),
                _ => Command::new(&["LRANGE", STORED, "0", "-1"]),
            },
            5 => {
                let score = self.random.pick(&["1", "2", "3", "-1", "2.5"]);
                Command::new(&["ZADD", SORTED_SET, score, self.sortable()])
            }
            _ => self.sort(),
        };
        self.push(command);
    }

    fn sort(&mut self) -> Command {
        let key = match self.random.below(5) {
            0 | 1 => LIST,
            2 => SET,
            3 => STORED,
            _ => SORTED_SET,
        };
        let stores = self.random.percent(30);
        let name = match stores || self.random.percent(70) {
            true => "SORT",
            false => "SORT_RO",
        };
        let mut command = Command::new(&[name, key]);
        let is_by_texts = self.random.percent(30);
        let mut by = None;
        if self.random.percent(50) {
            let pattern = match self.random.percent(30) {
                true => "nosort",
                false => self.random.pick(&PATTERNS),
            };
            if !(is_by_texts && key == SORTED_SET) {
                by = Some(pattern);
            }
        }
        if let Some(pattern) = by {
            command.push("BY");
            command.push(pattern);
        }
        let has_ties = is_by_texts && by.is_some_and(|pattern| pattern != "nosort");
        if !has_ties && self.random.percent(40) {
            command.push("LIMIT");
            command.push(self.random.pick(&["0", "1", "2", "-1", "x"]));
            command.push(self.random.pick(&["0", "1", "3", "-1", "100"]));
        }
        for _ in 0..self.random.below(3) {
            command.push("GET");
            let pattern = match self.random.percent(30) {
                true => "#",
                false => self.random.pick(&PATTERNS),
            };
            command.push(pattern);
        }
        if self.random.percent(50) {
            command.push(self.random.pick(&["ASC", "DESC", "desc"]));
        }
        if is_by_texts {
            command.push("ALPHA");
        }
        if stores {
            command.push("STORE");
            command.push(self.random.pick(&[STORED, STORED, LIST]));
        }
        command
    }

    fn with_members(&mut self, words: &[&str]) -> Command {
        let mut command = Command::new(words);
        for _ in 0..=self.random.below(3) {
            command.push(self.sortable());
        }
        command
    }

    fn sortable(&mut self) -> &'static str {
        match self.random.percent(4) {
            true => self.random.pick(&TEXTS),
            false => self.random.pick(&NUMBERS),
        }
    }
}
