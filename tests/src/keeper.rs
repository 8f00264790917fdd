//! A client that owns a few keys of all types and knows what is in them, while the server is killed
//! and started again.
//!
//! Nobody else changes its keys, and what each of its commands does follows from what is there. So
//! after a reply the state is known, and after a lost connection it is one of two: the last command
//! was carried out, wholly, or was not. Commands move elements between lists and between sets, so
//! that half of one would show. So do scripts and functions, which change all keys, and take so
//! long now and then that they are suspended in the middle. A function says of which version its
//! library is, so that one that was lost, or is not the last, or was deleted, would show.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use crate::client::{Client, Protocol};
use crate::differential::random::Random;
use crate::value::Value;

/// How long the server may take to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Elements of each kind: few, so that commands meet them again.
const ELEMENTS: u64 = 12;

/// What the keys of a keeper hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    lists: [VecDeque<u64>; 2],
    sets: [BTreeSet<u64>; 2],
    scores: BTreeMap<u64, i64>,
    /// Values of fields, and when they expire.
    fields: BTreeMap<u64, (i64, Option<u64>)>,
    /// The versions of the libraries that are there.
    versions: [Option<u64>; 2],
}

/// What a command does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Push(u64),
    Pop,
    /// From the end of one list to the front of the other.
    Move(usize),
    Add(u64),
    Remove(usize, u64),
    MoveMember(usize, u64),
    Score(u64, i64),
    PopLowest,
    Count(u64),
    SetField(u64, i64),
    DeleteField(u64),
    /// A field expires at a time of its own.
    Expire(u64, u64),
    /// A script does this to all keys.
    Script(u64, Pace),
    /// A function does the same.
    Function(u64, Pace),
    /// A version of a library is loaded in the place of the last.
    Load(usize, u64),
    /// The second library is deleted.
    Delete,
}

/// How long a script takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// It ends where it begins.
    Fast,
    /// It is suspended between its writes.
    Slow,
}

/// Pushes an element to one list, moves one to the other, adds a member to a set, gives it a score,
/// and removes a field that is named so, with the same pause between any two of these.
const SCRIPT: &str = "local function pause() for i = 1, tonumber(ARGV[2]) do end end \
     redis.call('RPUSH', KEYS[1], ARGV[1]) pause() \
     redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT') pause() \
     redis.call('SADD', KEYS[3], ARGV[1]) pause() \
     redis.call('ZINCRBY', KEYS[4], 1, ARGV[1]) pause() \
     redis.call('HDEL', KEYS[5], ARGV[1])";

impl Pace {
    /// Instructions of a pause; a slice of a script has about half a million.
    fn instructions(self) -> u64 {
        match self {
            Pace::Fast => 0,
            Pace::Slow => 400_000,
        }
    }
}

impl State {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Push(element) => self.lists[0].push_back(element),
            Step::Pop => drop(self.lists[1].pop_front()),
            Step::Move(from) => {
                if let Some(element) = self.lists[from].pop_back() {
                    self.lists[1 - from].push_front(element);
                }
            }
            Step::Add(member) => drop(self.sets[0].insert(member)),
            Step::Remove(from, member) => drop(self.sets[from].remove(&member)),
            Step::MoveMember(from, member) => {
                if self.sets[from].remove(&member) {
                    self.sets[1 - from].insert(member);
                }
            }
            Step::Score(member, by) => *self.scores.entry(member).or_default() += by,
            Step::PopLowest => {
                let lowest = self.scores.iter().min_by_key(|(member, score)| {
                    // As the server orders names.
                    (**score, member.to_string())
                });
                if let Some(member) = lowest.map(|(member, _)| *member) {
                    self.scores.remove(&member);
                }
            }
            Step::Count(field) => {
                let (value, at) = self.fields.get(&field).copied().unwrap_or_default();
                self.fields.insert(field, (value + 1, at));
            }
            Step::SetField(field, value) => drop(self.fields.insert(field, (value, None))),
            Step::DeleteField(field) => drop(self.fields.remove(&field)),
            Step::Expire(field, at) => {
                if let Some((_, expires_at)) = self.fields.get_mut(&field) {
                    *expires_at = Some(at);
                }
            }
            Step::Load(library, version) => self.versions[library] = Some(version),
            Step::Delete => self.versions[1] = None,
            Step::Script(element, _) | Step::Function(element, _) => {
                self.lists[1].push_front(element);
                self.sets[0].insert(element);
                *self.scores.entry(element).or_default() += 1;
                self.fields.remove(&element);
            }
        }
    }

    /// Without what has expired by then.
    fn at(&self, now_ms: u64) -> Self {
        let mut state = self.clone();
        let lives = |at: &Option<u64>| at.is_none_or(|at| at > now_ms);
        state.fields.retain(|_, (_, at)| lives(at));
        state
    }
}

/// Names of the keys.
struct Keys {
    lists: [String; 2],
    sets: [String; 2],
    scores: String,
    fields: String,
    libraries: [String; 2],
    /// The function of both libraries that says their version.
    versions: [String; 2],
    /// The function of the first library that changes all keys.
    change: String,
}

impl Keys {
    fn of(number: u64) -> Self {
        let name = |kind: &str| format!("kept:{number}:{kind}");
        Self {
            lists: [name("list"), name("other list")],
            sets: [name("set"), name("other set")],
            scores: name("scores"),
            fields: name("fields"),
            libraries: [0, 1].map(|library| format!("kept_{number}_{library}")),
            versions: [0, 1].map(|library| format!("version_{number}_{library}")),
            change: format!("change_{number}"),
        }
    }

    fn command(&self, step: Step) -> Vec<String> {
        let words = |words: &[&dyn ToString]| words.iter().map(|word| word.to_string()).collect();
        let (lists, sets) = (&self.lists, &self.sets);
        match step {
            Step::Push(element) => words(&[&"RPUSH", &lists[0], &element]),
            Step::Pop => words(&[&"LPOP", &lists[1]]),
            Step::Move(from) => {
                words(&[&"LMOVE", &lists[from], &lists[1 - from], &"RIGHT", &"LEFT"])
            }
            Step::Add(member) => words(&[&"SADD", &sets[0], &member]),
            Step::Remove(from, member) => words(&[&"SREM", &sets[from], &member]),
            Step::MoveMember(from, member) => {
                words(&[&"SMOVE", &sets[from], &sets[1 - from], &member])
            }
            Step::Score(member, by) => words(&[&"ZINCRBY", &self.scores, &by, &member]),
            Step::PopLowest => words(&[&"ZPOPMIN", &self.scores]),
            Step::Count(field) => words(&[&"HINCRBY", &self.fields, &field, &1]),
            Step::SetField(field, value) => words(&[&"HSET", &self.fields, &field, &value]),
            Step::DeleteField(field) => words(&[&"HDEL", &self.fields, &field]),
            Step::Expire(field, at) => {
                words(&[&"HPEXPIREAT", &self.fields, &at, &"FIELDS", &1, &field])
            }
            Step::Script(element, pace) => self.change_all(["EVAL", SCRIPT], element, pace),
            Step::Function(element, pace) => {
                self.change_all(["FCALL", &self.change], element, pace)
            }
            Step::Load(library, version) => {
                let code = self.code(library, version);
                words(&[&"FUNCTION", &"LOAD", &"REPLACE", &code])
            }
            Step::Delete => words(&[&"FUNCTION", &"DELETE", &self.libraries[1]]),
        }
    }

    /// The command that runs a script or function on all keys.
    fn change_all(&self, runs: [&str; 2], element: u64, pace: Pace) -> Vec<String> {
        let [list, other] = &self.lists;
        let keys = [list, other, &self.sets[0], &self.scores, &self.fields];
        let mut words = runs.map(str::to_owned).to_vec();
        words.push(keys.len().to_string());
        words.extend(keys.into_iter().cloned());
        words.extend([element, pace.instructions()].map(|number| number.to_string()));
        words
    }

    /// The text of a library.
    fn code(&self, library: usize, version: u64) -> String {
        let (name, tells, change) = (
            &self.libraries[library],
            &self.versions[library],
            &self.change,
        );
        let changes = match library {
            0 => format!("redis.register_function('{change}', function(KEYS, ARGV) {SCRIPT} end) "),
            _ => String::new(),
        };
        format!(
            "#!lua name={name}\n{changes}\
             redis.register_function{{function_name='{tells}', flags={{'no-writes'}}, \
             callback=function() return {version} end}}"
        )
    }

    /// Reads all of them.
    fn read(&self, client: &mut Client) -> Result<State> {
        let mut state = State::default();
        for (list, key) in state.lists.iter_mut().zip(&self.lists) {
            list.extend(numbers(&client.command(&["LRANGE", key, "0", "-1"])?)?);
        }
        for (set, key) in state.sets.iter_mut().zip(&self.sets) {
            set.extend(numbers(&client.command(&["SMEMBERS", key])?)?);
        }
        for (version, function) in state.versions.iter_mut().zip(&self.versions) {
            *version = match client.command(&["FCALL_RO", function, "0"])? {
                Value::Error(error) if error.starts_with(b"ERR Function not found") => None,
                version => {
                    let number = version.as_int();
                    let number = number.with_context(|| format!("no version: {version}"))?;
                    Some(number.try_into()?)
                }
            };
        }
        let scores = client.command(&["ZRANGE", &self.scores, "0", "-1", "WITHSCORES"])?;
        for pair in numbers(&scores)?.chunks(2) {
            state.scores.insert(pair[0], pair[1].try_into()?);
        }
        for pair in numbers(&client.command(&["HGETALL", &self.fields])?)?.chunks(2) {
            let field = pair[0].to_string();
            let at = ["HPEXPIRETIME", &self.fields, "FIELDS", "1", &field];
            let at = client.command(&at)?;
            let at = at.elements().and_then(|times| times.first()?.as_int());
            // Below zero: there is none. No number at all: the connection was lost.
            let at = u64::try_from(at.context("no time")?).ok();
            state.fields.insert(pair[0], (pair[1].try_into()?, at));
        }
        Ok(state)
    }
}

fn numbers(reply: &Value) -> Result<Vec<u64>> {
    let elements = reply
        .elements()
        .with_context(|| format!("no list: {reply}"))?;
    let number = |element: &Value| {
        let bytes = element.as_bytes().context("no string")?;
        Ok(std::str::from_utf8(bytes)?.parse()?)
    };
    elements.iter().map(number).collect()
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// Draws a command. Fields that expire do so in a second or in a year, and a field with a deadline
/// is neither counted nor given another one: whether it is still there would depend on the moment.
fn draw(state: &State, random: &mut Random) -> Step {
    let (element, from) = (random.below(ELEMENTS), usize::from(random.percent(50)));
    let lasts = state
        .fields
        .get(&element)
        .is_none_or(|(_, at)| at.is_none());
    match random.below(17) {
        0..2 => Step::Push(element),
        2 => Step::Pop,
        3..5 => Step::Move(from),
        5..7 => Step::Add(element),
        7 => Step::Remove(from, element),
        8..10 => Step::MoveMember(from, element),
        10 => Step::Score(element, 1 + i64::from(random.percent(50))),
        11 if random.percent(30) => Step::PopLowest,
        12 if lasts => Step::Count(element),
        13 if lasts => {
            let soon = if random.percent(50) {
                1000
            } else {
                31_536_000_000
            };
            Step::Expire(element, now_ms() + soon)
        }
        14 if random.percent(50) => Step::DeleteField(element),
        14 => {
            let pace = match random.percent(5) {
                true => Pace::Slow,
                false => Pace::Fast,
            };
            match random.percent(50) {
                true => Step::Script(element, pace),
                false => Step::Function(element, pace),
            }
        }
        16 if random.percent(10) => Step::Load(0, random.below(1000)),
        16 if state.versions[1].is_none() => Step::Load(1, random.below(1000)),
        16 if random.percent(20) => Step::Delete,
        _ => Step::SetField(element, i64::try_from(random.below(100)).unwrap_or(0)),
    }
}

/// Changes the keys of a keeper with this number until it is told to stop, and compares what is
/// there with what must be whenever the connection was lost and in the end. Gives how many commands
/// had a reply, and how often it compared.
///
/// # Errors
/// Something is lost or doubled, or the server does not come back.
pub fn keep(number: u64, address: SocketAddr, stop: &AtomicBool) -> Result<(u64, u64)> {
    let (keys, mut random) = (Keys::of(number), Random::new(number));
    let mut state = State {
        versions: [Some(0), None],
        ..State::default()
    };
    let (mut replies, mut comparisons) = (0, 0);
    let mut client = connect(address)?;
    // Whether it was carried out when there is no reply does not matter: it may be again.
    loop {
        match client.command(&keys.command(Step::Load(0, 0))) {
            Ok(Value::Error(error)) => bail!("no library: {}", String::from_utf8_lossy(&error)),
            Ok(Value::Closed) | Err(_) => client = connect(address)?,
            Ok(_) => break,
        }
    }
    loop {
        let step = draw(&state, &mut random);
        let ends = stop.load(Ordering::Relaxed);
        let lost = match client.command(&keys.command(step)) {
            Ok(Value::Closed) | Err(_) => true,
            Ok(Value::Error(error)) => bail!("{step:?}: {}", String::from_utf8_lossy(&error)),
            Ok(_) => false,
        };
        let before = state.clone();
        state.apply(step);
        replies += u64::from(!lost);
        if lost || ends {
            state = compare(&keys, [&before, &state], lost, address, &mut client)
                .with_context(|| format!("keeper {number}, at {step:?}"))?;
            comparisons += 1;
        }
        if ends {
            return Ok((replies, comparisons));
        }
    }
}

/// What is there, which must be one of two, and the second if there was a reply.
fn compare(
    keys: &Keys,
    [before, after]: [&State; 2],
    lost: bool,
    address: SocketAddr,
    client: &mut Client,
) -> Result<State> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if lost {
            *client = connect(address)?;
        }
        let from = now_ms();
        let Ok(found) = keys.read(client) else {
            // It was killed again.
            ensure!(Instant::now() < deadline, "nothing can be read");
            *client = connect(address)?;
            continue;
        };
        let to = now_ms();
        // A field that expires just then may be there or not.
        let expires = |state: &State| {
            let times = state.fields.values().filter_map(|(_, at)| *at);
            times
                .into_iter()
                .any(|at| (from.saturating_sub(2)..=to + 2).contains(&at))
        };
        if expires(before) || expires(after) {
            continue;
        }
        if found == after.at(to) || (lost && found == before.at(to)) {
            return Ok(found);
        }
        bail!(
            "there is {found:?}, and not {:?} or before {:?}",
            after.at(to),
            before.at(to)
        );
    }
}

fn connect(address: SocketAddr) -> Result<Client> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut client = match Client::connect(address, Protocol::Resp2) {
            Ok(client) => client,
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
        };
        // While it loads it answers with an error.
        if matches!(client.command(&["PING"]), Ok(Value::Simple(_))) {
            return Ok(client);
        }
        ensure!(Instant::now() < deadline, "the server does not answer");
        std::thread::sleep(Duration::from_millis(2));
    }
}
