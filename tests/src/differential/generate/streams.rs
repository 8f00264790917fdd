//! Commands on streams.

use super::super::command::{Argument, Command};
use super::{CONSUMERS, FUTURE_MS, Flavour, GROUPS, Generator, STREAMS};

/// Entries that fit in one node of Redis, with room to spare.
const NODE_ENTRIES: u32 = 80;

/// A threshold that no entry reaches by itself in a run.
const LONG_IDLE_MS: &str = "600000";

/// The least idle time that XCLAIM sets, and the step between two of them.
const SET_IDLE_MS: (u64, u64) = (700_000, 10_000);

/// A moment long ago, in milliseconds of the clock.
const LONG_AGO_MS: u64 = 1_600_000_000_000;

/// Where a group is set to.
#[derive(Debug, Clone, Copy)]
enum Position {
    Within,
    End,
}

/// A threshold that no entry ever reaches: an XAUTOCLAIM with it clears references to deleted
/// entries, and that alone. Which those are is not compared.
pub(in crate::differential) const NEVER_IDLE_MS: &str = "9000000000000000";

/// Commands that make Redis and weir the same again after one where they differ on purpose: Redis
/// keeps pending what DELREF and CLAIM find to be deleted, and counters of groups that XSETID and
/// XCLAIM LASTID make wrong.
pub(super) fn mending(command: &Command) -> Vec<Command> {
    let first_key = || command.arguments.get(1).cloned().into_iter().collect();
    let (keys, clears): (Vec<Argument>, bool) = match command.name().as_str() {
        "xadd" | "xtrim" if command.has("DELREF") => (first_key(), true),
        "xreadgroup" if command.has("CLAIM") => {
            let words = &command.arguments;
            let streams = Argument::from("STREAMS");
            let begin = words.iter().position(|word| *word == streams);
            let behind = words.get(begin.map_or(words.len(), |at| at + 1)..);
            let behind = behind.unwrap_or_default();
            (behind[..behind.len() / 2].to_vec(), true)
        }
        "xsetid" if command.has("ENTRIESADDED") => (first_key(), false),
        "xclaim" if command.has("LASTID") => (first_key(), false),
        _ => return Vec::new(),
    };
    let mut mending = Vec::new();
    for key in keys {
        for group in GROUPS {
            let mut command = Command::default();
            if clears {
                command.push("XAUTOCLAIM");
                command.push(key.clone());
                command.extend(&[group, CONSUMERS[0], NEVER_IDLE_MS, "0", "COUNT", "1000"]);
            } else {
                command.extend(&["XGROUP", "SETID"]);
                command.push(key.clone());
                command.extend(&[group, "0"]);
            }
            mending.push(command);
        }
    }
    mending
}

type Draw = fn(&mut Generator);

/// Every command with its weight.
const COMMANDS: [(u32, Draw); 24] = [
    (24, Generator::xadd),
    (13, Generator::xreadgroup),
    (4, Generator::xread),
    (6, Generator::xrange),
    (1, Generator::xlen),
    (6, Generator::xack),
    (3, Generator::xackdel),
    (4, Generator::xdel),
    (3, Generator::xdelex),
    (3, Generator::xtrim),
    (6, Generator::xclaim),
    (4, Generator::xautoclaim),
    (5, Generator::xpending),
    (7, Generator::xgroup_create),
    (3, Generator::xgroup_setid),
    (1, Generator::xgroup_destroy),
    (1, Generator::xgroup_createconsumer),
    (1, Generator::xgroup_delconsumer),
    (2, Generator::xinfo_stream),
    (2, Generator::xinfo_groups),
    (2, Generator::xinfo_consumers),
    (1, Generator::xsetid),
    (1, Generator::xcfgset),
    (1, Generator::xidmprecord),
];

impl Generator {
    pub(super) fn stream_command(&mut self) {
        let weights = COMMANDS.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        COMMANDS[index].1(self);
    }

    pub(super) fn xadd(&mut self) {
        let stream = self.stream();
        let key = if self.random.percent(1) {
            self.random.pick(&super::STRINGS)
        } else {
            STREAMS[stream]
        };
        let mut command = Command::new(&["XADD", key]);
        let idempotent = self.flavour == Flavour::Future && self.random.percent(15);
        let mut options: Vec<Vec<String>> = Vec::new();
        if self.random.percent(8) {
            options.push(vec!["NOMKSTREAM".to_owned()]);
        }
        if self.random.percent(6) {
            options.push(vec![
                self.random.pick(&["KEEPREF", "DELREF", "ACKED"]).into(),
            ]);
        }
        if self.random.percent(10) {
            options.push(self.trim(stream));
        }
        if idempotent {
            let producer = self.random.pick(&["p", "q"]);
            options.push(if self.random.percent(60) {
                let iid = format!("i{}", self.random.below(5));
                vec!["IDMP".into(), producer.into(), iid]
            } else {
                vec!["IDMPAUTO".into(), producer.into()]
            });
        }
        let id = if idempotent && self.random.percent(96) {
            "*".to_owned()
        } else {
            self.new_id(stream)
        };
        // A stream that is made by a star begins with the clock.
        if id == "*" && !options.iter().any(|option| option[0] == "NOMKSTREAM") {
            options.push(vec!["NOMKSTREAM".to_owned()]);
        }
        while !options.is_empty() {
            let index = self.random.below(options.len() as u64);
            let option = options.swap_remove(usize::try_from(index).unwrap_or(0));
            option
                .into_iter()
                .for_each(|argument| command.push(argument));
        }
        command.push(id.clone());
        self.fields(&mut command);
        self.added[stream] += 1;
        if id.ends_with('*') {
            // Where a star is, no argument may go astray: it could make an ID of the clock.
            self.push(command);
        } else {
            self.remember(id);
            self.emit(command);
        }
    }

    /// An ID for a new entry: mostly above the last one.
    fn new_id(&mut self, stream: usize) -> String {
        if self.flavour == Flavour::Future && self.random.percent(25) {
            return "*".to_owned();
        }
        let base = self.base_ms();
        let (mut ms, mut sequence) = self.tops[stream];
        ms = ms.max(base);
        match self.random.below(20) {
            0 => return self.id(),
            1 => return self.small_id(),
            2 | 3 => {
                let ms = ms + self.random.below(2);
                self.tops[stream] = (
                    ms,
                    if ms == self.tops[stream].0 {
                        sequence + 1
                    } else {
                        0
                    },
                );
                return format!("{ms}-*");
            }
            4..=10 => sequence += 1 + self.random.below(2),
            _ => (ms, sequence) = (ms + 1 + self.random.below(2), self.random.below(3)),
        }
        self.tops[stream] = (ms, sequence);
        format!("{ms}-{sequence}")
    }

    fn fields(&mut self, command: &mut Command) {
        let shape = self.random.below(5);
        for index in 0..=shape / 2 {
            let field = if shape.is_multiple_of(2) {
                format!("f{index}")
            } else {
                format!("f{}", self.random.below(3))
            };
            command.push(field);
            let value = self.random.below(4);
            command.push(match value {
                0 => String::new(),
                1 => "x".repeat(5),
                _ => value.to_string(),
            });
        }
    }

    /// MAXLEN or MINID with its options.
    fn trim(&mut self, stream: usize) -> Vec<String> {
        let mut words = Vec::new();
        let by_length = self.random.percent(65);
        words.push(if by_length { "MAXLEN" } else { "MINID" }.to_owned());
        let approximate = self.random.percent(20) && self.added[stream] < NODE_ENTRIES;
        if approximate {
            words.push("~".to_owned());
        } else if self.random.percent(40) {
            words.push("=".to_owned());
        }
        words.push(if by_length {
            self.random.pick(&[0, 1, 2, 3, 5, 8, 13, 20]).to_string()
        } else if approximate {
            // Redis keeps a node for the deleted entries at its end, weir does not: nothing or
            // everything is the same.
            self.random.pick(&["0-1", "18446744073709551615"]).into()
        } else {
            self.id()
        });
        if approximate && self.random.percent(40) {
            words.push("LIMIT".to_owned());
            words.push(self.random.pick(&["0", "1", "5", "1000"]).into());
        }
        words
    }

    fn xtrim(&mut self) {
        let stream = self.stream();
        let mut command = Command::new(&["XTRIM", STREAMS[stream]]);
        let policy = self
            .random
            .percent(40)
            .then(|| self.random.pick(&["KEEPREF", "DELREF", "ACKED"]));
        let trim = self.trim(stream);
        trim.into_iter().for_each(|argument| command.push(argument));
        policy.into_iter().for_each(|word| command.push(word));
        self.emit(command);
    }

    fn xlen(&mut self) {
        let key = self.stream_key();
        self.emit(Command::new(&["XLEN", key]));
    }

    fn xrange(&mut self) {
        let reverse = self.random.percent(40);
        let key = self.stream_key();
        let mut command = Command::new(&[if reverse { "XREVRANGE" } else { "XRANGE" }, key]);
        let mut bounds = [self.bound("-"), self.bound("+")];
        if reverse != self.random.percent(5) {
            bounds.reverse();
        }
        bounds.into_iter().for_each(|bound| command.push(bound));
        if self.random.percent(50) {
            command.push("COUNT");
            self.push_number(&mut command, 12);
        }
        self.emit(command);
    }

    fn bound(&mut self, open: &str) -> String {
        match self.random.below(4) {
            0 | 1 => open.to_owned(),
            2 => self.id(),
            _ => format!("({}", self.id()),
        }
    }

    fn xread(&mut self) {
        let mut command = Command::new(&["XREAD"]);
        self.count_and_block(&mut command);
        let streams = 1 + self.random.below(3);
        command.push("STREAMS");
        for _ in 0..streams {
            let key = self.stream_key();
            command.push(key);
        }
        for _ in 0..streams {
            let id = match self.random.below(6) {
                0 => "0".into(),
                1 => "$".into(),
                2 => "+".into(),
                _ => self.id(),
            };
            command.push(id);
        }
        self.emit(command);
    }

    fn count_and_block(&mut self, command: &mut Command) {
        if self.random.percent(50) {
            command.push("COUNT");
            self.push_number(command, 6);
        }
        // Waits for a millisecond where there is nothing, so only seldom.
        if self
            .random
            .percent(if self.in_transaction { 20 } else { 1 })
        {
            command.extend(&["BLOCK", "1"]);
        }
    }

    fn xreadgroup(&mut self) {
        let mut command = Command::new(&["XREADGROUP", "GROUP"]);
        command.push(self.group());
        command.push(self.random.pick(&CONSUMERS));
        // With CLAIM 0 the order depends on the moment of delivery; without COUNT it does not
        // matter.
        let claim = self.random.below(100);
        if claim < 12 {
            command.extend(&["CLAIM", LONG_IDLE_MS]);
        }
        if claim == 99 {
            command.extend(&["CLAIM", "0"]);
        } else {
            self.count_and_block(&mut command);
        }
        if self.random.percent(12) {
            command.push("NOACK");
        }
        command.push("STREAMS");
        let mut keys = vec![self.stream_key()];
        if self.random.below(5) == 4 {
            let key = self.stream_key();
            // What CLAIM clears is missing when the same stream is read again.
            if !command.has("CLAIM") || keys[0] != key {
                keys.push(key);
            }
        }
        command.extend(&keys);
        for _ in keys {
            let id = match self.random.below(10) {
                0 | 1 => "0".into(),
                2 => self.id(),
                _ => ">".into(),
            };
            command.push(id);
        }
        self.emit(command);
    }

    /// A read that waits until there is something.
    pub(super) fn waiting_command(&mut self) -> Command {
        let of_group = self.random.percent(50);
        let mut command = Command::default();
        if of_group {
            command.extend(&["XREADGROUP", "GROUP"]);
            command.push(self.group());
            command.push(self.random.pick(&CONSUMERS));
        } else {
            command.push("XREAD");
        }
        if self.random.percent(50) {
            command.push("COUNT");
            command.push((1 + self.random.below(2)).to_string());
        }
        command.extend(&["BLOCK", "0"]);
        if of_group && self.random.percent(15) {
            command.push("NOACK");
        }
        let streams = if of_group {
            1
        } else {
            1 + self.random.below(4) / 3
        };
        command.push("STREAMS");
        for _ in 0..streams {
            let key = self.stream_key();
            command.push(key);
        }
        for _ in 0..streams {
            let id = match self.random.below(12) {
                0 => self.id(),
                1 => "0".to_owned(),
                2 | 3 if !of_group => "+".to_owned(),
                _ if of_group => ">".to_owned(),
                _ => "$".to_owned(),
            };
            command.push(id);
        }
        command
    }

    fn xack(&mut self) {
        let mut command = self.of_group("XACK");
        for _ in 0..=self.random.below(4) {
            self.push_id(&mut command);
        }
        self.emit(command);
    }

    fn xackdel(&mut self) {
        let mut command = self.of_group("XACKDEL");
        self.policy_and_ids(&mut command);
        self.emit(command);
    }

    fn xdel(&mut self) {
        let mut command = self.of_stream("XDEL");
        for _ in 0..=self.random.below(3) {
            self.push_id(&mut command);
        }
        self.emit(command);
    }

    fn xdelex(&mut self) {
        let mut command = self.of_stream("XDELEX");
        self.policy_and_ids(&mut command);
        self.emit(command);
    }

    fn policy_and_ids(&mut self, command: &mut Command) {
        if self.random.percent(75) {
            command.push(self.random.pick(&["KEEPREF", "DELREF", "ACKED"]));
        }
        let count = 1 + self.random.below(4);
        command.push("IDS");
        command.push(count.to_string());
        for _ in 0..count {
            self.push_id(command);
        }
    }

    fn xclaim(&mut self) {
        let mut command = self.of_group("XCLAIM");
        command.push(self.random.pick(&CONSUMERS));
        command.push(self.random.pick(&["0", "0", "0", LONG_IDLE_MS]));
        for _ in 0..=self.random.below(4) {
            self.push_id(&mut command);
        }
        match self.random.below(10) {
            0..=3 => {
                self.times_set += 1;
                let (least, step) = SET_IDLE_MS;
                command.push("IDLE");
                command.push((least + step * self.times_set).to_string());
            }
            4 => {
                self.times_set += 1;
                command.push("TIME");
                command.push((LONG_AGO_MS + 1000 * self.times_set).to_string());
            }
            _ => {}
        }
        if self.random.percent(15) {
            command.push("RETRYCOUNT");
            self.push_number(&mut command, 9);
        }
        if self.random.percent(25) {
            command.push("FORCE");
        }
        if self.random.percent(25) {
            command.push("JUSTID");
        }
        if self.random.percent(6) {
            command.push("LASTID");
            self.push_id(&mut command);
        }
        self.emit(command);
    }

    fn xautoclaim(&mut self) {
        let mut command = self.of_group("XAUTOCLAIM");
        command.push(self.random.pick(&CONSUMERS));
        command.push(self.random.pick(&["0", "0", LONG_IDLE_MS]));
        if self.random.percent(60) {
            command.push("0");
        } else {
            let start = self.bound("-");
            command.push(start);
        }
        if self.random.percent(60) {
            command.push("COUNT");
            let count = 1 + self.random.below(5);
            command.push(count.to_string());
        }
        if self.random.percent(30) {
            command.push("JUSTID");
        }
        self.emit(command);
    }

    fn xpending(&mut self) {
        let mut command = self.of_group("XPENDING");
        if self.random.percent(70) {
            if self.random.percent(25) {
                command.extend(&["IDLE", LONG_IDLE_MS]);
            }
            for open in ["-", "+"] {
                let bound = self.bound(open);
                command.push(bound);
            }
            self.push_number(&mut command, 15);
            if self.random.percent(40) {
                command.push(self.random.pick(&CONSUMERS));
            }
        }
        self.emit(command);
    }

    pub(super) fn xgroup_create(&mut self) {
        let key = self.stream_key();
        let mut command = Command::new(&["XGROUP", "CREATE", key]);
        command.push(self.group());
        let id = self.group_id(&mut command);
        let make = self.random.percent(60);
        if make {
            command.push("MKSTREAM");
        }
        self.entries_read(id, &mut command);
        if make && self.flavour == Flavour::Future {
            // An empty stream takes its first ID from the clock, unless it was given one.
            let first = format!("{FUTURE_MS}-0");
            self.commands.push(command);
            self.commands.push(Command::new(&["XSETID", key, &first]));
        } else {
            self.emit(command);
        }
    }

    fn xgroup_setid(&mut self) {
        let mut command = self.group_command("SETID");
        let id = self.group_id(&mut command);
        self.entries_read(id, &mut command);
        self.emit(command);
    }

    fn group_id(&mut self, command: &mut Command) -> Position {
        let (id, position) = match self.random.below(4) {
            0 | 1 => ("0".into(), Position::Within),
            2 => ("$".into(), Position::End),
            _ => (self.id(), Position::Within),
        };
        command.push(id);
        position
    }

    /// What the group is said to have read: before the end not so much that it would be more than
    /// was added once it has read the rest.
    fn entries_read(&mut self, position: Position, command: &mut Command) {
        if self.random.percent(15) {
            command.push("ENTRIESREAD");
            let number = match position {
                Position::Within => self.random.pick(&["-1", "0"]),
                Position::End => self.random.pick(&["-1", "0", "1", "2", "5", "20"]),
            };
            command.push(number);
        }
    }

    fn xgroup_destroy(&mut self) {
        let command = self.group_command("DESTROY");
        self.emit(command);
    }

    fn xgroup_createconsumer(&mut self) {
        let mut command = self.group_command("CREATECONSUMER");
        command.push(self.random.pick(&CONSUMERS));
        self.emit(command);
    }

    fn xgroup_delconsumer(&mut self) {
        let mut command = self.group_command("DELCONSUMER");
        command.push(self.random.pick(&CONSUMERS));
        self.emit(command);
    }

    fn xinfo_stream(&mut self) {
        let key = self.stream_key();
        let mut command = Command::new(&["XINFO", "STREAM", key]);
        if self.random.percent(50) {
            command.push("FULL");
            if self.random.percent(50) {
                command.push("COUNT");
                self.push_number(&mut command, 4);
            }
        }
        self.emit(command);
    }

    fn xinfo_groups(&mut self) {
        let key = self.stream_key();
        self.emit(Command::new(&["XINFO", "GROUPS", key]));
    }

    fn xinfo_consumers(&mut self) {
        let key = self.stream_key();
        let group = self.group();
        self.emit(Command::new(&["XINFO", "CONSUMERS", key, group]));
    }

    fn xsetid(&mut self) {
        let mut command = self.of_stream("XSETID");
        self.push_id(&mut command);
        if self.random.percent(40) {
            command.push("ENTRIESADDED");
            self.push_number(&mut command, 60);
        }
        if self.random.percent(40) {
            command.push("MAXDELETEDID");
            self.push_id(&mut command);
        }
        self.emit(command);
    }

    fn xcfgset(&mut self) {
        let mut command = self.of_stream("XCFGSET");
        if self.random.percent(50) {
            command.push("IDMP-DURATION");
            // No shorter than the longest run.
            command.push(self.random.pick(&["100", "1000", "86400"]));
        }
        if self.random.percent(60) {
            command.push("IDMP-MAXSIZE");
            command.push(self.random.pick(&["1", "2", "3", "100"]));
        }
        self.emit(command);
    }

    fn xidmprecord(&mut self) {
        // The age of an iid counts from its ID, so that small ones are forgotten at once.
        if self.flavour == Flavour::Small {
            return;
        }
        let mut command = self.of_stream("XIDMPRECORD");
        command.push(self.random.pick(&["p", "q"]));
        let iid = format!("i{}", self.random.below(5));
        command.push(iid);
        self.push_id(&mut command);
        self.emit(command);
    }

    fn of_stream(&mut self, name: &str) -> Command {
        let key = self.stream_key();
        Command::new(&[name, key])
    }

    fn of_group(&mut self, name: &str) -> Command {
        let mut command = self.of_stream(name);
        command.push(self.group());
        command
    }

    fn group_command(&mut self, subcommand: &str) -> Command {
        let key = self.stream_key();
        let mut command = Command::new(&["XGROUP", subcommand, key]);
        command.push(self.group());
        command
    }
}
