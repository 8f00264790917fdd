//! Commands on HyperLogLogs. Their strings are read whole, so that every byte is compared.
//!
//! Bytes of them are changed too. A `PFADD` after that has at most one element: one that is refused
//! adds none here, and in Redis those before the damage.

use super::super::command::{Argument, Command};
use super::{Generator, HYPERLOGLOGS};

/// Strings that are not whole, or none at all.
const STRANGE: [&[u8]; 6] = [
    b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xf0",
    b"HYLL\x01\0\0\0\x05\0\0\0\0\0\0\0\x7f\xff",
    b"HYLL\x01abc\0\0\0\0\0\0\0\x80\x7f\xff\x80",
    b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xef\x8b\x86\x84\x0d",
    b"HYLL\x02\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff",
    b"HYLL",
];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 9] = [
    (20, Generator::pfadd),
    (8, |g| g.on_hyperloglogs("PFCOUNT", 1)),
    (3, |g| g.on_hyperloglogs("PFCOUNT", 3)),
    (5, |g| g.on_hyperloglogs("PFMERGE", 3)),
    (12, |g| g.on_hyperloglogs("GET", 1)),
    (2, |g| g.on_hyperloglogs("STRLEN", 1)),
    (3, Generator::pfdebug),
    (1, Generator::strange_hyperloglog),
    (1, |g| {
        let most = ["0", "20", "60", "400", "3000", "3000", "20000"];
        let most = g.random.pick(&most);
        Command::new(&["CONFIG", "SET", "hll-sparse-max-bytes", most])
    }),
];

impl Generator {
    pub(super) fn hyperloglog_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    fn hyperloglog_key(&mut self) -> &'static str {
        match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&HYPERLOGLOGS),
        }
    }

    /// With up to this many keys.
    fn on_hyperloglogs(&mut self, name: &str, keys_max: u64) -> Command {
        let mut command = Command::new(&[name]);
        for _ in 0..=self.random.below(keys_max) {
            let key = self.hyperloglog_key();
            command.push(key);
        }
        if keys_max == 1 {
            command.arguments.truncate(2);
        }
        command
    }

    fn pfadd(&mut self) -> Command {
        let mut command = self.on_hyperloglogs("PFADD", 1);
        let few = [0, 1, 1, 1, 1, 2, 5, 30];
        let is_own = command.arguments[1..].iter().all(|key| {
            let mut own = HYPERLOGLOGS.iter();
            own.any(|own| *key == (*own).into())
        });
        let count = match is_own && !self.is_strange {
            true => self.random.pick(&few),
            false => self.random.below(2),
        };
        // Small ranges, so that elements come again; large ones, so that registers fill up.
        let range = self.random.pick(&[10, 1000, 100_000, 1_000_000_000]);
        for _ in 0..count {
            let element = self.random.below(range).to_string();
            command.extend(&[&element]);
        }
        command
    }

    fn pfdebug(&mut self) -> Command {
        // All registers are many; their bytes are compared anyway.
        let subcommands = ["ENCODING", "DECODE", "TODENSE", "NOPE", "GETREG"];
        let which = self.random.weighted([8, 8, 2, 1, 1].into_iter());
        let subcommand = subcommands[which];
        let key = self.hyperloglog_key();
        Command::new(&["PFDEBUG", subcommand, key])
    }

    fn strange_hyperloglog(&mut self) -> Command {
        let key = self.hyperloglog_key();
        if !self.is_strange {
            return Command::new(&["DEL", key]);
        }
        if self.random.percent(50) {
            let offset = (4 + self.random.below(12)).to_string();
            let byte = self.random.pick(&[0, 1, 0x84, 0xff]);
            let mut command = Command::new(&["SETRANGE", key, &offset]);
            command.arguments.push(Argument::Text(vec![byte]));
            return command;
        }
        let mut command = Command::new(&["SET", key]);
        let strange = self.random.pick(&STRANGE).to_vec();
        command.arguments.push(Argument::Text(strange));
        command
    }
}
