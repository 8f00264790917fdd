//! Commands on keys of any type, and on databases.

use super::super::command::{Argument, Command};
use super::Generator;

/// Dumps that are remembered to be restored.
const DUMPS_MAX: usize = 8;

type Draw = fn(&mut Generator) -> Option<Command>;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 19] = [
    (6, |g| Some(g.delete())),
    (3, |g| Some(g.on_keys("EXISTS"))),
    (2, |g| Some(g.on_keys("TOUCH"))),
    (4, |g| Some(g.on_key("TYPE"))),
    (4, |g| Some(g.on_key("TTL"))),
    (2, |g| Some(g.on_key("PTTL"))),
    (2, |g| Some(g.on_key("EXPIRETIME"))),
    (2, |g| Some(g.on_key("PEXPIRETIME"))),
    (3, |g| Some(g.on_key("PERSIST"))),
    (8, |g| Some(g.expire())),
    (4, |g| Some(g.object())),
    (6, |g| Some(g.rename())),
    (7, |g| Some(g.copy())),
    (3, |g| Some(g.move_key())),
    (4, |g| Some(g.database())),
    (2, |g| Some(g.list())),
    (5, Generator::dump),
    (6, Generator::restore),
    (1, |g| Some(g.flush())),
];

impl Generator {
    pub(super) fn keyspace_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        if let Some(command) = command {
            self.emit(command);
        }
    }

    fn on_key(&mut self, name: &str) -> Command {
        let key = self.any_key();
        Command::new(&[name, key])
    }

    fn on_keys(&mut self, name: &str) -> Command {
        let mut command = Command::new(&[name]);
        for _ in 0..=self.random.below(3) {
            let key = self.any_key();
            command.push(key);
        }
        command
    }

    fn delete(&mut self) -> Command {
        let name = self.random.pick(&["DEL", "UNLINK"]);
        let key = self.any_key();
        self.forget_key(key);
        Command::new(&[name, key])
    }

    fn expire(&mut self) -> Command {
        let key = self.any_key();
        let name = self
            .random
            .pick(&["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"]);
        // Far from now on either side, whatever the unit.
        let moment = match (name, self.random.below(10)) {
            (_, 0) => {
                self.forget_key(key);
                self.random.pick(&["0", "-1"]).to_owned()
            }
            ("EXPIRE", _) => self.lifetime_seconds().to_string(),
            ("PEXPIRE", _) => (self.lifetime_seconds() * 1000).to_string(),
            ("EXPIREAT", _) => self.random.pick(&["33177117420", "33177117421"]).to_owned(),
            _ => self
                .random
                .pick(&["33177117420123", "33177117421999"])
                .to_owned(),
        };
        let mut command = Command::new(&[name, key, &moment]);
        if self.random.percent(40) {
            command.push(self.random.pick(&["NX", "XX", "GT", "LT"]));
        }
        if self.random.percent(5) {
            command.push(self.random.pick(&["NX", "XX", "GT", "LT"]));
        }
        command
    }

    fn object(&mut self) -> Command {
        let subcommand = self
            .random
            .pick(&["ENCODING", "ENCODING", "REFCOUNT", "FREQ"]);
        let key = self.any_key();
        Command::new(&["OBJECT", subcommand, key])
    }

    fn two_keys(&mut self, name: &str) -> (Command, &'static str, &'static str) {
        let from = self.any_key();
        let to = self.key_like(from);
        (Command::new(&[name, from, to]), from, to)
    }

    fn rename(&mut self) -> Command {
        let name = self.random.pick(&["RENAME", "RENAMENX"]);
        let (command, from, to) = self.two_keys(name);
        self.forget_key(from);
        self.forget_key(to);
        command
    }

    fn copy(&mut self) -> Command {
        let (mut command, _, to) = self.two_keys("COPY");
        self.forget_key(to);
        if self.random.percent(20) {
            command.extend(&["DB", self.random.pick(&["0", "1"])]);
        }
        if self.random.percent(60) {
            command.push("REPLACE");
        }
        command
    }

    fn move_key(&mut self) -> Command {
        let key = self.any_key();
        self.forget_key(key);
        Command::new(&["MOVE", key, self.random.pick(&["0", "1", "16"])])
    }

    fn database(&mut self) -> Command {
        match self.random.below(5) {
            0 => Command::new(&["SWAPDB", "0", self.random.pick(&["0", "1"])]),
            1 => Command::new(&["SELECT", "1"]),
            2 => Command::new(&["DBSIZE"]),
            _ => Command::new(&["SELECT", "0"]),
        }
    }

    fn list(&mut self) -> Command {
        match self.random.below(4) {
            0 => Command::new(&["KEYS", self.random.pick(&["*", "[a-m]", "?", "s*"])]),
            1 => Command::new(&["SCAN", "0", "COUNT", "1000", "TYPE", "stream"]),
            _ => Command::new(&["SCAN", "0", "COUNT", "1000"]),
        }
    }

    fn dump(&mut self) -> Option<Command> {
        let key = self.any_key();
        let slot = self.emit_kept(Command::new(&["DUMP", key]))?;
        if self.dumps.len() == DUMPS_MAX {
            self.dumps.remove(0);
        }
        self.dumps.push((slot, key));
        None
    }

    fn restore(&mut self) -> Option<Command> {
        if self.dumps.is_empty() {
            return self.dump();
        }
        let index = self.random.below(self.dumps.len() as u64);
        let (slot, dumped) = self.dumps[usize::try_from(index).unwrap_or(0)];
        let key = self.key_like(dumped);
        self.forget_key(key);
        let mut command = Command::new(&["RESTORE", key]);
        let lifetime_ms = self.lifetime_seconds() * 1000;
        command.push(
            if self.random.percent(70) {
                0
            } else {
                lifetime_ms
            }
            .to_string(),
        );
        command.push(Argument::Reply("", slot));
        if self.random.percent(70) {
            command.push("REPLACE");
        }
        Some(command)
    }

    fn flush(&mut self) -> Command {
        if self.random.percent(30) {
            self.forget_all();
            return Command::new(&["FLUSHALL"]);
        }
        Command::new(&["FLUSHDB"])
    }
}
