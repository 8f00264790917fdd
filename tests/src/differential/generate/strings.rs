//! Commands on strings.

use super::super::command::Command;
use super::Generator;

/// Values: numbers, texts, bytes.
const VALUES: [&str; 12] = [
    "0",
    "1",
    "-5",
    "42",
    "9223372036854775806",
    "1.5",
    "3.0e3",
    "hello",
    "",
    "abc",
    "a\u{1}b",
    "010",
];

/// Positions within strings, and a little beyond.
const OFFSETS: [&str; 9] = ["0", "1", "2", "5", "9", "-1", "-3", "30", "-30"];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 22] = [
    (14, Generator::set),
    (6, |g| g.on_string("GET", &[])),
    (3, |g| g.on_string("STRLEN", &[])),
    (4, |g| g.valued("APPEND")),
    (3, |g| g.ranged("GETRANGE")),
    (3, Generator::setrange),
    (6, Generator::increment),
    (2, Generator::increment_by_float),
    (3, |g| g.on_string("GETDEL", &[])),
    (2, |g| g.valued("GETSET")),
    (2, |g| g.valued("SETNX")),
    (4, Generator::getex),
    (4, Generator::mset),
    (4, Generator::msetex),
    (2, Generator::mget),
    (4, Generator::delex),
    (2, |g| g.on_string("DIGEST", &[])),
    (2, Generator::lcs),
    (4, Generator::setbit),
    (4, Generator::count_bits),
    (3, Generator::bitop),
    (4, Generator::bitfield),
];

impl Generator {
    pub(super) fn string_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    fn on_string(&mut self, name: &str, words: &[&str]) -> Command {
        let key = self.string_key();
        let mut command = Command::new(&[name, key]);
        command.extend(words);
        command
    }

    fn value(&mut self) -> &'static str {
        self.random.pick(&VALUES)
    }

    fn valued(&mut self, name: &str) -> Command {
        let value = self.value();
        self.on_string(name, &[value])
    }

    fn ranged(&mut self, name: &str) -> Command {
        let (from, to) = (self.random.pick(&OFFSETS), self.random.pick(&OFFSETS));
        self.on_string(name, &[from, to])
    }

    fn set(&mut self) -> Command {
        let mut command = self.valued("SET");
        match self.random.below(12) {
            0 => command.push("NX"),
            1 => command.push("XX"),
            2 => command.extend(&["IFEQ", self.random.pick(&VALUES)]),
            3 => command.extend(&["IFNE", self.random.pick(&VALUES)]),
            4 => {
                let digest = self.digest();
                command.extend(&[self.random.pick(&["IFDEQ", "IFDNE"]), digest]);
            }
            _ => {}
        }
        if self.random.percent(20) && !command.has("IFDEQ") && !command.has("IFDNE") {
            command.push("GET");
        }
        self.lifetime(&mut command, 20);
        if self.random.percent(8) {
            command.push("KEEPTTL");
        }
        command
    }

    /// A digest: of a value that may be there, or of none.
    fn digest(&mut self) -> &'static str {
        // Of "v" and "hello", as recorded in the cases.
        self.random.pick(&[
            "f7042be43fb80714",
            "9555e8555c62dcfd",
            "9555E8555C62DCFD",
            "0000000000000000",
        ])
    }

    fn lifetime(&mut self, command: &mut Command, percent: u64) {
        if !self.random.percent(percent) {
            return;
        }
        let seconds = self.lifetime_seconds();
        match self.random.below(5) {
            0 => command.extend(&["PX", &format!("{seconds}000")]),
            1 => command.extend(&["EXAT", &format!("331{seconds:07}0")]),
            2 => command.extend(&["PXAT", &format!("331{seconds:07}0123")]),
            _ => command.extend(&["EX", &seconds.to_string()]),
        }
    }

    fn setrange(&mut self) -> Command {
        let offset = self.random.pick(&["0", "1", "3", "8", "20", "-1"]);
        let value = self.value();
        self.on_string("SETRANGE", &[offset, value])
    }

    fn increment(&mut self) -> Command {
        let name = self.random.pick(&["INCR", "DECR", "INCRBY", "DECRBY"]);
        if name.ends_with("BY") {
            let by = self.random.pick(&[
                "1",
                "-7",
                "100",
                "9223372036854775807",
                "-9223372036854775808",
            ]);
            self.on_string(name, &[by])
        } else {
            self.on_string(name, &[])
        }
    }

    fn increment_by_float(&mut self) -> Command {
        let by = self.random.pick(&["0.1", "-1.5", "1e3", "3", "0"]);
        self.on_string("INCRBYFLOAT", &[by])
    }

    fn getex(&mut self) -> Command {
        let mut command = self.on_string("GETEX", &[]);
        if self.random.percent(20) {
            command.push("PERSIST");
        } else {
            self.lifetime(&mut command, 70);
        }
        command
    }

    fn pairs(&mut self, command: &mut Command, count: u64) {
        for _ in 0..count {
            let (key, value) = (self.string_key(), self.value());
            self.forget_key(key);
            command.extend(&[key, value]);
        }
    }

    fn mset(&mut self) -> Command {
        let mut command = Command::new(&[self.random.pick(&["MSET", "MSETNX"])]);
        let count = 1 + self.random.below(3);
        self.pairs(&mut command, count);
        command
    }

    fn msetex(&mut self) -> Command {
        let count = 1 + self.random.below(3);
        let mut command = Command::new(&["MSETEX", &count.to_string()]);
        self.pairs(&mut command, count);
        match self.random.below(6) {
            0 => command.push("NX"),
            1 => command.push("XX"),
            2 => command.push("KEEPTTL"),
            _ => {}
        }
        self.lifetime(&mut command, 40);
        command
    }

    fn mget(&mut self) -> Command {
        let mut command = Command::new(&["MGET"]);
        for _ in 0..=self.random.below(3) {
            let key = self.string_key();
            command.push(key);
        }
        command
    }

    fn delex(&mut self) -> Command {
        let mut command = self.on_string("DELEX", &[]);
        match self.random.below(5) {
            0 => {}
            1 | 2 => {
                let digest = self.digest();
                command.extend(&[self.random.pick(&["IFDEQ", "IFDNE"]), digest]);
            }
            _ => {
                let value = self.value();
                command.extend(&[self.random.pick(&["IFEQ", "IFNE"]), value]);
            }
        }
        command
    }

    fn lcs(&mut self) -> Command {
        let key = self.string_key();
        let mut command = self.on_string("LCS", &[key]);
        for word in ["LEN", "IDX", "WITHMATCHLEN"] {
            if self.random.percent(35) {
                command.push(word);
            }
        }
        if self.random.percent(25) {
            command.extend(&["MINMATCHLEN", self.random.pick(&["0", "2", "4"])]);
        }
        command
    }

    fn setbit(&mut self) -> Command {
        let offset = self.random.below(80).to_string();
        if self.random.percent(30) {
            return self.on_string("GETBIT", &[&offset]);
        }
        let bit = self.random.pick(&["0", "1", "1", "2"]);
        self.on_string("SETBIT", &[&offset, bit])
    }

    fn count_bits(&mut self) -> Command {
        let mut command = if self.random.percent(50) {
            self.on_string("BITCOUNT", &[])
        } else {
            let bit = self.random.pick(&["0", "1"]);
            let mut command = self.on_string("BITPOS", &[bit]);
            if self.random.percent(20) {
                command.push(self.random.pick(&OFFSETS));
                return command;
            }
            command
        };
        if self.random.percent(70) {
            command.extend(&[self.random.pick(&OFFSETS), self.random.pick(&OFFSETS)]);
            if self.random.percent(50) {
                command.push(self.random.pick(&["BYTE", "BIT"]));
            }
        }
        command
    }

    fn bitop(&mut self) -> Command {
        let operation = self
            .random
            .pick(&["AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"]);
        let target = self.string_key();
        let mut command = Command::new(&["BITOP", operation, target]);
        self.forget_key(target);
        for _ in 0..=self.random.below(3) {
            let key = self.string_key();
            command.push(key);
        }
        command
    }

    fn bitfield(&mut self) -> Command {
        let read_only = self.random.percent(25);
        let mut command = self.on_string(if read_only { "BITFIELD_RO" } else { "BITFIELD" }, &[]);
        for _ in 0..=self.random.below(3) {
            let kind = self.random.pick(&["u1", "u8", "i5", "i16", "u63", "i64"]);
            let offset = self.random.pick(&["0", "3", "#1", "#2", "17"]);
            let number = self.random.pick(&["1", "-1", "7", "255", "-100", "100000"]);
            match self.random.below(if read_only { 1 } else { 4 }) {
                0 => command.extend(&["GET", kind, offset]),
                1 => command.extend(&["SET", kind, offset, number]),
                2 => command.extend(&["INCRBY", kind, offset, number]),
                _ => command.extend(&["OVERFLOW", self.random.pick(&["WRAP", "SAT"])]),
            }
        }
        command
    }
}
