//! Draws the commands of an episode.
//!
//! There are few keys, groups, consumers, producers and IDs, so that commands meet each other's
//! traces, and every option of every command. Two flavours of episode: IDs from a small set, always
//! explicit; and IDs of a far future, where the clock does not matter and `*` gives the same ID on
//! every server. There a stream is made by an explicit ID, or given one by XSETID.
//!
//! Left out on purpose, because the outcome would depend on the moment or the server:
//! - what Redis 8.6 does not have (XNACK, MAXCOUNT, MAXSIZE, the short tokens of XCFGSET);
//! - idle times near a threshold: entries are idle for seconds or, by XCLAIM IDLE and TIME, for
//!   more than ten minutes (each time another value, since the longest idle come first), and
//!   thresholds are zero or ten minutes;
//! - times to live that end within the run, except for keys that have expired and are still there
//!   (`DEBUG SET-ACTIVE-EXPIRE 0`): those are made by a millisecond to live and a longer sleep of
//!   the server;
//! - waiting for more than a millisecond;
//! - WATCH of an expired key, and EXEC when a watched key has expired: weir removes it, Redis lets
//!   it stay and count;
//! - indexes of LSET and LINDEX beyond 32 bits, of which Redis drops the upper ones;
//! - WATCH of a list: an LTRIM that removes nothing breaks it in Redis;
//! - `~` on streams that could have more than one node in Redis;
//! - RANDOMKEY and SCAN in parts;
//! - readers of a group that wait for several streams: in Redis one loses its turn on all of them
//!   when something happens to one;
//! - the read counter of a group, if it does not follow from its ID;
//! - faults of Redis 8.6.3: `SET … GET IFDEQ` with a bad digest replies twice, XSETID with the
//!   largest ENTRIESADDED makes the counter negative, `BITFIELD … OVERFLOW FAIL` makes a key that
//!   no replica and no watch is told of, HSETEX ends the server when it names a field twice with a
//!   deadline. After three others, in which Redis keeps references to deleted entries or a wrong
//!   lag, both servers are made the same again ([`streams::mending`]).

mod focus;
mod hashes;
mod hyperloglogs;
mod keyspace;
mod lists;
mod places;
mod samples;
mod scripts;
mod sets;
mod sort;
mod sorted_sets;
mod streams;
mod strings;

use super::command::{Command, Slot, Step};
use super::random::Random;

use focus::Family;
pub use focus::Focus;
pub(super) use streams::NEVER_IDLE_MS;

/// The first millisecond of the far future: above any clock.
const FUTURE_MS: u64 = 100_000_000_000_000;

/// IDs that are remembered to be used again.
const RECENT_IDS_MAX: usize = 40;

/// Takes longer than a millisecond on every server. What follows it is sent when both have replied.
pub(super) const SLEEP: [&str; 3] = ["DEBUG", "SLEEP", "0.003"];

/// Clients that may wait.
pub const READERS: usize = 4;

const STREAMS: [&str; 3] = ["s", "t", "u"];
const STRINGS: [&str; 4] = ["k", "l", "m", "n"];
const LISTS: [&str; 3] = ["r", "v", "w"];
const SETS: [&str; 4] = ["c", "d", "h", "j"];
const SORTED_SETS: [&str; 3] = ["x", "y", "z"];
const HASHES: [&str; 3] = ["e", "f", "i"];
const HYPERLOGLOGS: [&str; 3] = ["o", "p", "q"];
const PLACES: [&str; 3] = ["a", "b", "g"];

/// All keys, by what they mostly hold.
const KEYS: [&[&str]; 8] = [
    &STREAMS,
    &STRINGS,
    &LISTS,
    &SETS,
    &SORTED_SETS,
    &HASHES,
    &HYPERLOGLOGS,
    &PLACES,
];

/// A key that nothing else uses.
pub(super) const PROBE: &str = "probe";

const GROUPS: [&str; 2] = ["g", "h"];
const CONSUMERS: [&str; 3] = ["a", "b", "c"];

/// Which IDs an episode uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flavour {
    Small,
    Future,
}

/// Draws commands, and knows roughly what they have done.
struct Generator {
    random: Random,
    flavour: Flavour,
    commands: Vec<Command>,
    /// The last ID given to each stream, as far as it is known.
    tops: [(u64, u64); STREAMS.len()],
    /// Entries added to each stream since its key was last created, at most.
    added: [u32; STREAMS.len()],
    /// IDs that were used.
    recent: Vec<String>,
    /// Dumps that can be restored, and the keys that they are of.
    dumps: Vec<(Slot, &'static str)>,
    slots: u32,
    /// How many times a time was set.
    times_set: u64,
    in_transaction: bool,
    /// A key that is still there although it has just expired, while a command on it is drawn.
    overdue: Option<&'static str>,
    focus: Focus,
    /// Some HyperLogLogs may not be whole.
    is_strange: bool,
}

/// The commands of an episode: `count` that are drawn, then those that look at everything.
pub fn episode(mut random: Random, focus: Focus, count: usize) -> Vec<Command> {
    let flavour = random.pick(&[
        Flavour::Small,
        Flavour::Small,
        Flavour::Future,
        Flavour::Future,
        Flavour::Future,
    ]);
    let mut generator = Generator::new(random, flavour, focus);
    generator.keep_overdue_keys();
    while generator.commands.len() < count {
        generator.draw();
    }
    generator.look_at_everything();
    generator.commands
}

/// The steps of an episode in which [`READERS`] clients may wait, with about `count` commands.
pub fn waiting_episode(mut random: Random, focus: Focus, count: usize) -> Vec<Step> {
    let mut generator = Generator::new(random.split(), Flavour::Small, focus);
    generator.keep_overdue_keys();
    let mut steps = Vec::with_capacity(count + 50);
    while steps.len() < count {
        if random.percent(30) {
            let reader = usize::try_from(random.below(READERS as u64)).unwrap_or(0);
            let command = if generator.random.percent(focus.waits_for_elements()) {
                generator.waiting_for_element()
            } else {
                generator.waiting_command()
            };
            steps.push(Step {
                reader: Some(reader),
                command,
            });
        } else {
            generator.draw_for_waiting();
            steps.extend(generator.commands.drain(..).map(Step::of_worker));
        }
    }
    generator.look_at_everything();
    steps.extend(generator.commands.drain(..).map(Step::of_worker));
    steps
}

impl Generator {
    fn new(mut random: Random, flavour: Flavour, focus: Focus) -> Self {
        let is_strange = random.percent(50);
        Self {
            random,
            flavour,
            commands: Vec::new(),
            tops: [(0, 0); STREAMS.len()],
            added: [0; STREAMS.len()],
            recent: Vec::new(),
            dumps: Vec::new(),
            slots: 0,
            times_set: 0,
            in_transaction: false,
            overdue: None,
            focus,
            is_strange,
        }
    }

    /// As [`Self::draw`], with more of what wakes clients, and of what they need to wait at all.
    fn draw_for_waiting(&mut self) {
        match (self.focus, self.random.below(10)) {
            (Focus::All, 0..=2) => self.xadd(),
            (Focus::All, 3) => self.xgroup_create(),
            (Focus::All, 4) => self.list_command(),
            (Focus::All, 5) => self.sorted_set_command(),
            // So that there is something to wait for.
            (Focus::Lists | Focus::SortedSets, 0..=2) => {
                let key = self.any_key();
                self.push(Command::new(&["DEL", key]));
            }
            _ => self.draw(),
        }
    }

    /// A command that may wait for an element of a list or a sorted set as long as it takes.
    fn waiting_for_element(&mut self) -> Command {
        let of_list = match self.focus {
            Focus::Lists => 95,
            Focus::SortedSets => 5,
            _ => 50,
        };
        if self.random.percent(of_list) {
            self.waiting_for_list()
        } else {
            self.waiting_for_sorted_set()
        }
    }

    fn draw(&mut self) {
        self.draw_of(self.focus.families());
    }

    fn draw_of(&mut self, families: &[(u32, Family)]) {
        let weights = families.iter().map(|(weight, _)| *weight);
        let index = self.random.weighted(weights);
        families[index].1(self);
    }

    /// Expired keys stay until a command meets them.
    fn keep_overdue_keys(&mut self) {
        self.commands
            .push(Command::new(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]));
    }

    /// Lets one or two keys expire, and draws a command that mostly meets one of them.
    fn outlive(&mut self) {
        if self.in_transaction {
            return;
        }
        let key = self.any_key();
        let mut keys = vec![key];
        if self.random.percent(30) {
            keys.push(self.any_key());
        }
        keys.dedup();
        self.commands.push(Command::new(&["UNWATCH"]));
        for key in keys {
            self.commands.push(Command::new(&["PEXPIRE", key, "1"]));
            self.forget_key(key);
        }
        self.commands.push(Command::new(&SLEEP));
        self.overdue = Some(key);
        self.draw_of(self.focus.families_of_overdue());
        self.overdue = None;
    }

    /// The key whose time has just ended, for most keys of the command after that.
    fn overdue_key(&mut self) -> Option<&'static str> {
        self.overdue.filter(|_| self.random.percent(70))
    }

    /// Adds a command, sometimes with something wrong in it.
    fn emit(&mut self, command: Command) {
        let command = if self.random.percent(3) {
            self.spoil(command)
        } else {
            command
        };
        self.push(command);
    }

    /// Adds a command, and what makes both servers the same again where they differ on purpose
    /// after it.
    fn push(&mut self, command: Command) {
        let mending = streams::mending(&command);
        self.commands.push(command);
        self.commands.extend(mending);
    }

    /// Adds a command whose reply later commands may use.
    fn emit_kept(&mut self, mut command: Command) -> Option<Slot> {
        // In a transaction the reply is QUEUED.
        let slot = (!self.in_transaction).then(|| {
            self.slots += 1;
            Slot(self.slots)
        });
        command.slot = slot;
        self.commands.push(command);
        slot
    }

    /// Drops, doubles, or replaces an argument, in commands where that cannot make the outcome
    /// depend on the moment.
    fn spoil(&mut self, mut command: Command) -> Command {
        const JUNK: [&str; 14] = [
            "abc",
            "-1",
            "0",
            "",
            "1.5",
            "9223372036854775807",
            "9223372036854775808",
            "*",
            "+",
            "-",
            "$",
            "(1-1",
            "1-1-1",
            "NOPE",
        ];
        let delicate = [
            "BLOCK", "CLAIM", "CONFIG", "IFDEQ", "IFDNE", "RESTORE", "DUMP", "XSETID", "IDLE",
            "TIME", "EX", "PX",
        ];
        let name = command.name();
        if command.arguments.len() < 2
            || delicate.iter().any(|word| command.has(word))
            || [
                "setrange",
                "setbit",
                "bitfield",
                "hsetex",
                "hscan",
                "hrandfield",
                "zrandmember",
                "spop",
                "srandmember",
                "zscan",
                "sscan",
                "lset",
                "lindex",
            ]
            .contains(&name.as_str())
            || ["bl", "brpop", "bz"]
                .iter()
                .any(|wait| name.starts_with(wait))
        {
            return command;
        }
        let last = command.arguments.len() as u64 - 1;
        let at = usize::try_from(1 + self.random.below(last)).unwrap_or(1);
        let may_move = !["xclaim", "xautoclaim", "xpending"].contains(&name.as_str());
        match self.random.below(4) {
            0 if may_move => drop(command.arguments.remove(at)),
            1 if may_move => command.arguments.insert(at, command.arguments[at].clone()),
            // A star could make an ID of the clock.
            _ => match self.random.pick(&JUNK) {
                "*" if name == "xadd" => {}
                junk => command.arguments[at] = junk.into(),
            },
        }
        command
    }

    fn transaction_command(&mut self) {
        if self.in_transaction {
            let word = if self.random.percent(85) {
                "EXEC"
            } else {
                "DISCARD"
            };
            self.in_transaction = false;
            self.commands.push(Command::new(&[word]));
            return;
        }
        match self.random.below(10) {
            0 => {
                let mut key = self.any_key();
                while LISTS.contains(&key) {
                    key = self.any_key();
                }
                self.commands.push(Command::new(&["EXISTS", key]));
                self.commands.push(Command::new(&["WATCH", key]));
            }
            1 => self.commands.push(Command::new(&["UNWATCH"])),
            2 => self
                .commands
                .push(Command::new(&[self.random.pick(&["EXEC", "DISCARD"])])),
            _ => {
                self.in_transaction = true;
                self.commands.push(Command::new(&["MULTI"]));
                for _ in 0..self.random.below(6) {
                    self.draw();
                    if !self.in_transaction {
                        return;
                    }
                }
                self.transaction_command();
            }
        }
    }

    fn look_at_everything(&mut self) {
        if self.in_transaction {
            self.commands.push(Command::new(&["EXEC"]));
            self.in_transaction = false;
        }
        for database in ["1", "0"] {
            self.commands.push(Command::new(&["SELECT", database]));
            self.commands.push(Command::new(&["DBSIZE"]));
            self.commands.push(Command::new(&["KEYS", "*"]));
            for &key in KEYS.into_iter().flatten() {
                for words in [
                    &["TYPE", key][..],
                    &["TTL", key],
                    &["OBJECT", "ENCODING", key],
                    &["GET", key],
                    &["LRANGE", key, "0", "-1"],
                    &["SMEMBERS", key],
                    &["HGETALL", key],
                    &["HPEXPIRETIME", key, "FIELDS", "3", "a", "b", "7"],
                    &["ZRANGE", key, "0", "-1", "WITHSCORES"],
                    &["XRANGE", key, "-", "+"],
                    &["XREVRANGE", key, "+", "-"],
                    &["XINFO", "STREAM", key],
                    &["XINFO", "STREAM", key, "FULL", "COUNT", "0"],
                    &["XINFO", "GROUPS", key],
                ] {
                    self.commands.push(Command::new(words));
                }
            }
        }
    }

    fn any_key(&mut self) -> &'static str {
        if let Some(key) = self.overdue_key() {
            return key;
        }
        let weights = self.focus.weights_of_keys();
        let keys = KEYS[self.random.weighted(weights.into_iter())];
        self.random.pick(keys)
    }

    /// The index of a stream; the first ones more often.
    fn stream(&mut self) -> usize {
        self.random.weighted([6, 3, 1].into_iter())
    }

    /// The key of a stream, seldom that of something else.
    fn stream_key(&mut self) -> &'static str {
        if let Some(key) = self.overdue_key() {
            return key;
        }
        if self.random.percent(2) {
            self.random.pick(&STRINGS)
        } else {
            STREAMS[self.stream()]
        }
    }

    /// The key of a string, seldom that of something else.
    fn string_key(&mut self) -> &'static str {
        if let Some(key) = self.overdue_key() {
            return key;
        }
        if self.random.percent(2) {
            self.random.pick(&STREAMS)
        } else {
            self.random.pick(&STRINGS)
        }
    }

    /// A key to write a value over that `key` holds: mostly one of its type.
    fn key_like(&mut self, key: &str) -> &'static str {
        if STREAMS.contains(&key) {
            let keys: &[&str] = if self.random.percent(97) {
                &STREAMS
            } else {
                &STRINGS
            };
            return self.random.pick(keys);
        }
        if HYPERLOGLOGS.contains(&key) || self.random.percent(90) {
            let own = KEYS.into_iter().find(|keys| keys.contains(&key));
            return self.random.pick(own.unwrap_or(&STRINGS));
        }
        let any = self.random.weighted([3, 30, 1, 1, 1, 1, 0, 1].into_iter());
        self.random.pick(KEYS[any])
    }

    /// A group; the first one more often.
    fn group(&mut self) -> &'static str {
        GROUPS[self.random.weighted([3, 1].into_iter())]
    }

    /// The key was deleted or replaced.
    fn forget_key(&mut self, key: &str) {
        if let Some(index) = STREAMS.iter().position(|name| *name == key) {
            // What takes its place may continue from any other stream's last ID, or begin again.
            self.tops[index] = if self.random.percent(20) {
                (0, 0)
            } else {
                self.tops.iter().copied().max().unwrap_or_default()
            };
            // Whatever takes its place may hold as many entries as any stream.
            self.added[index] = self.added.iter().copied().max().unwrap_or(0);
        }
    }

    /// All keys are gone.
    fn forget_all(&mut self) {
        self.tops = [(0, 0); STREAMS.len()];
        self.added = [0; STREAMS.len()];
    }

    fn base_ms(&self) -> u64 {
        match self.flavour {
            Flavour::Small => 0,
            Flavour::Future => FUTURE_MS,
        }
    }

    /// An ID that may exist: one that was used, or one from a small set.
    fn id(&mut self) -> String {
        if !self.recent.is_empty() && self.random.percent(85) {
            let index = self.random.below(self.recent.len() as u64);
            return self.recent[usize::try_from(index).unwrap_or(0)].clone();
        }
        self.small_id()
    }

    fn small_id(&mut self) -> String {
        let ms = self.base_ms() + self.random.below(40);
        match self.random.below(10) {
            0 => ms.to_string(),
            _ => format!("{ms}-{}", self.random.below(4)),
        }
    }

    fn remember(&mut self, id: String) {
        if self.recent.len() == RECENT_IDS_MAX {
            let index = self.random.below(RECENT_IDS_MAX as u64);
            self.recent.swap_remove(usize::try_from(index).unwrap_or(0));
        }
        self.recent.push(id);
    }

    fn push_id(&mut self, command: &mut Command) {
        let id = self.id();
        command.push(id);
    }

    /// A time to live that does not end within a run; each time another one, since they are
    /// compared with each other.
    fn lifetime_seconds(&mut self) -> u64 {
        self.times_set += 1;
        5_000 + 100 * self.times_set
    }

    fn push_number(&mut self, command: &mut Command, bound: u64) {
        let number = self.random.below(bound);
        command.push(number.to_string());
    }
}

#[cfg(test)]
mod tests;
