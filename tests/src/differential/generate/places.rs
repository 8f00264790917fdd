//! Commands on places, which are members of sorted sets.
//!
//! Distances are stored where nothing is searched: as places they are all the same, and servers may
//! answer these in any order.

use super::super::command::Command;
use super::{Generator, PLACES, PROBE};

const MEMBERS: [&str; 12] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "none",
];

const UNITS: [&str; 5] = ["m", "km", "FT", "mi", "km"];

type Draw = fn(&mut Generator) -> Command;

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 9] = [
    (14, Generator::geoadd),
    (14, Generator::geosearch),
    (4, Generator::geosearchstore),
    (6, Generator::georadius),
    (4, Generator::geodist),
    (3, |g| g.on_places("GEOPOS")),
    (3, |g| g.on_places("GEOHASH")),
    (2, |g| g.on_places("ZREM")),
    (2, |g| {
        let key = g.place_key();
        Command::new(&["ZRANGE", key, "0", "-1", "WITHSCORES"])
    }),
];

impl Generator {
    pub(super) fn place_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        let command = COMMANDS[index].1(self);
        self.emit(command);
    }

    fn place_key(&mut self) -> &'static str {
        match self.overdue_key() {
            Some(key) => key,
            None if self.random.percent(2) => self.any_key(),
            None => self.random.pick(&PLACES),
        }
    }

    /// A position: anywhere, or near a few places, so that distances of all sizes come up.
    fn push_position(&mut self, command: &mut Command) {
        let (x, y) = match self.random.below(5) {
            0 => (self.degrees(180), self.degrees(85)),
            1 => (self.degrees(3), self.degrees(3)),
            2 => (179.0 + self.degrees(1), self.degrees(80)),
            3 => (13.0 + self.degrees(1) / 10.0, 78.0 + self.degrees(2)),
            _ => (
                -70.0 + self.degrees(1) / 100.0,
                -40.0 + self.degrees(1) / 100.0,
            ),
        };
        command.extend(&[&format!("{x:.6}"), &format!("{y:.6}")]);
    }

    fn degrees(&mut self, most: u64) -> f64 {
        let millionths = self.random.below(2 * most * 1_000_000);
        millionths as f64 / 1_000_000.0 - most as f64
    }

    fn geoadd(&mut self) -> Command {
        let key = self.place_key();
        let mut command = Command::new(&["GEOADD", key]);
        match self.random.below(8) {
            0 => command.push("NX"),
            1 => command.push("XX"),
            2 => command.push("CH"),
            3 => command.extend(&["XX", "CH"]),
            _ => {}
        }
        for _ in 0..=self.random.below(4) {
            self.push_position(&mut command);
            command.push(self.random.pick(&MEMBERS));
        }
        command
    }

    fn push_length(&mut self, command: &mut Command) {
        let digits = self.random.below(8);
        let metres = (1 + self.random.below(9)) * 10_u64.pow(digits as u32);
        command.extend(&[&format!("{metres}")]);
    }

    fn push_options(&mut self, command: &mut Command, details: bool) {
        match self.random.below(3) {
            0 => command.push("ASC"),
            1 => command.push("DESC"),
            _ => {}
        }
        if self.random.percent(30) {
            let count = self.random.pick(&["1", "2", "5", "0", "100"]);
            command.extend(&["COUNT", count]);
            // Which are found is free, and should not be stored.
            if details && self.random.percent(30) {
                command.push("ANY");
            }
        }
        let percent = if details { 30 } else { 1 };
        for option in ["WITHDIST", "WITHHASH", "WITHCOORD"] {
            if self.random.percent(percent) {
                command.push(option);
            }
        }
    }

    fn push_search(&mut self, command: &mut Command) {
        if self.random.percent(40) {
            command.extend(&["FROMMEMBER", self.random.pick(&MEMBERS)]);
        } else {
            command.push("FROMLONLAT");
            self.push_position(command);
        }
        if self.random.percent(60) {
            command.push("BYRADIUS");
        } else {
            command.push("BYBOX");
            self.push_length(command);
        }
        self.push_length(command);
        command.push(self.random.pick(&UNITS));
    }

    fn geosearch(&mut self) -> Command {
        let key = self.place_key();
        let mut command = Command::new(&["GEOSEARCH", key]);
        self.push_search(&mut command);
        self.push_options(&mut command, true);
        command
    }

    fn geosearchstore(&mut self) -> Command {
        let (mut to, from) = (self.place_key(), self.place_key());
        let distances = self.random.percent(20);
        if distances {
            to = PROBE;
        }
        self.forget_key(to);
        let mut command = Command::new(&["GEOSEARCHSTORE", to, from]);
        self.push_search(&mut command);
        self.push_options(&mut command, false);
        if distances {
            command.push("STOREDIST");
            self.push(command);
            command = Command::new(&["ZRANGE", PROBE, "0", "-1", "WITHSCORES"]);
        }
        command
    }

    fn georadius(&mut self) -> Command {
        let (key, to) = (self.place_key(), self.place_key());
        let is_read_only = self.random.percent(40);
        let mut command = if self.random.percent(50) {
            let name = ["GEORADIUS", "GEORADIUS_RO"][usize::from(is_read_only)];
            let mut command = Command::new(&[name, key]);
            self.push_position(&mut command);
            command
        } else {
            let name = ["GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"][usize::from(is_read_only)];
            Command::new(&[name, key, self.random.pick(&MEMBERS)])
        };
        self.push_length(&mut command);
        command.push(self.random.pick(&UNITS));
        let stores = !is_read_only && self.random.percent(30);
        self.push_options(&mut command, !stores);
        if stores {
            self.forget_key(to);
            if self.random.percent(50) {
                command.extend(&["STOREDIST", PROBE]);
                self.push(command);
                return Command::new(&["ZRANGE", PROBE, "0", "-1", "WITHSCORES"]);
            }
            command.extend(&["STORE", to]);
        }
        command
    }

    fn geodist(&mut self) -> Command {
        let key = self.place_key();
        let (one, other) = (self.random.pick(&MEMBERS), self.random.pick(&MEMBERS));
        let mut command = Command::new(&["GEODIST", key, one, other]);
        if self.random.percent(50) {
            command.push(self.random.pick(&UNITS));
        }
        command
    }

    fn on_places(&mut self, name: &str) -> Command {
        let key = self.place_key();
        let mut command = Command::new(&[name, key]);
        for _ in 0..=self.random.below(3) {
            command.push(self.random.pick(&MEMBERS));
        }
        command
    }
}
