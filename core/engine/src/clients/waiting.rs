//! Clients that wait for a key.
//!
//! A command that must wait leaves a [`Wait`] with the request to run again. A change of a key that
//! is waited for marks it ready. After the command or the whole transaction, the engine runs the
//! waiting requests again, in the order in which they began to wait. One that still finds nothing
//! keeps its place.

mod by_consumer;
mod by_pattern;

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Bound::{Excluded, Unbounded};

use resp::{ArgvBuf, Reply};
use values::{Key, Typed, Value};

use self::by_consumer::WaitingConsumers;
use self::by_pattern::PatternLines;
use crate::clients::pattern_reads::PatternReadId;
use crate::clients::session::SessionId;
use crate::error::CmdError;
use crate::time::Mono;

/// What a blocked client waits for.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Database of the keys.
    pub database: u16,
    /// The keys, any of which may end the wait.
    pub keys: Vec<Key>,
    /// When to give up; never if `None`.
    pub deadline: Option<Mono>,
    /// When to try again even if no key was changed (a pending entry becomes idle long enough).
    pub retry_at: Option<Mono>,
    /// The request to run again, with what depended on the moment made explicit (`$` as an ID).
    pub request: ArgvBuf,
    /// Its reply when it gives up.
    pub on_timeout: TimeoutReply,
    /// A cheap test of whether running the request again can help.
    pub interest: Interest,
    /// Its place among all that wait, given when the wait begins.
    pub ticket: Ticket,
}

impl Wait {
    /// About how many bytes it takes: its keys are kept here and in the list of all waits, which
    /// share long names.
    pub(crate) fn heap_bytes(&self) -> usize {
        let names: usize = self.keys.iter().map(Key::heap_bytes).sum();
        self.request.heap_bytes() + names + 2 * self.keys.len() * size_of::<Key>()
    }

    /// A wait for what the shell makes ready. Its request is the one that is being run.
    pub(crate) fn for_preparation(database: u16) -> Wait {
        Wait {
            request: ArgvBuf::default(),
            ..Wait::for_shell(database, "")
        }
    }

    /// A wait for the shell, which ends it with [`crate::Engine::end_wait`].
    pub fn for_shell(database: u16, command: &str) -> Wait {
        Wait {
            database,
            keys: Vec::new(),
            deadline: None,
            retry_at: None,
            request: [command.as_bytes()].into_iter().collect(),
            on_timeout: TimeoutReply::Null,
            interest: Interest::Any,
            ticket: Ticket::default(),
        }
    }
}

/// A place in the order in which clients began to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Ticket(u64);

/// The reply of a blocked command when its time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutReply {
    /// The null array (`XREAD`, `BLPOP`).
    NullArray,
    /// The null (`BLMOVE`).
    Null,
    /// `OK` (`DEBUG SLEEP`).
    Slept {
        /// When it began.
        since: Mono,
    },
    /// The number of replicas that have the client's writes (`WAIT`).
    Replicas(Replicas),
    /// The number of copies on the disk of this server, and on those of replicas (`WAITAOF`).
    Copies {
        /// 0 or 1.
        local: i64,
        /// The others.
        replicas: Replicas,
    },
}

/// How many replicas have what a client has written, of those that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas {
    /// How many have.
    pub have: i64,
    /// How many are waited for.
    pub wanted: i64,
}

impl Replicas {
    /// Returns whether no more are waited for.
    pub fn are_enough(self) -> bool {
        self.have >= self.wanted
    }
}

impl TimeoutReply {
    /// The replicas that are waited for, if that is so.
    pub(crate) fn replicas_mut(&mut self) -> Option<&mut Replicas> {
        match self {
            TimeoutReply::Replicas(replicas) | TimeoutReply::Copies { replicas, .. } => {
                Some(replicas)
            }
            TimeoutReply::NullArray | TimeoutReply::Null | TimeoutReply::Slept { .. } => None,
        }
    }

    /// Returns whether it says that all that the client has written is on a disk.
    pub(crate) fn says_durable(self) -> bool {
        matches!(self, TimeoutReply::Copies { local: 1.., .. })
    }

    /// Writes it.
    pub fn write(self, reply: &mut Reply) {
        match self {
            TimeoutReply::NullArray => reply.null_array(),
            TimeoutReply::Null => reply.null(),
            TimeoutReply::Slept { .. } => reply.ok(),
            TimeoutReply::Replicas(replicas) => reply.int(replicas.have),
            TimeoutReply::Copies { local, replicas } => {
                reply.array(2);
                reply.int(local);
                reply.int(replicas.have);
            }
        }
    }
}

/// How a wait ends without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveUp {
    /// Its time is up.
    Timeout,
    /// `CLIENT UNBLOCK … ERROR`.
    Error(CmdError),
}

/// What kind of change can end a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interest {
    /// Any change of the key.
    Any,
    /// An entry above an ID, for each key in turn (`XREAD`).
    EntriesAbove(Vec<stream::StreamId>),
    /// News for a group: entries above its last-delivered ID, or that the group is gone
    /// (`XREADGROUP`).
    Group {
        /// Its name.
        group: Vec<u8>,
        /// Who reads; if it was removed, the next try creates it again.
        consumer: Vec<u8>,
        /// Whether it reads what others have not acknowledged, too.
        claims: bool,
    },
    /// That the key holds a value that has enough (`BLPOP`).
    Value(Enough),
    /// That it is the turn of any of the streams of a read by a pattern, which has no keys
    /// (`XREADGROUP … PATTERN`).
    Streams {
        /// The read.
        read: PatternReadId,
        /// The name of the group.
        group: Vec<u8>,
        /// Who reads.
        consumer: Vec<u8>,
    },
}

/// A value of a type with no fewer elements than are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Enough {
    /// The name of the type.
    type_name: &'static str,
    /// At least 1: a value is never empty.
    elements_min: usize,
}

impl Enough {
    /// A value of a type that has at least so many elements.
    pub const fn of<T: Typed>(elements_min: usize) -> Enough {
        Enough {
            type_name: T::NAME,
            elements_min,
        }
    }

    /// Returns whether this value is one.
    pub(crate) fn is_met_by(&self, value: &Value) -> bool {
        let is_large = |(_, size)| size >= self.elements_min;
        value.type_name() == self.type_name && value.size().is_some_and(is_large)
    }
}

impl Interest {
    /// What is waited for, if that is all.
    fn source(&self) -> Option<Source> {
        match self {
            Interest::Group {
                group,
                claims: false,
                ..
            } => Some(Source::Group(group.clone())),
            Interest::Value(enough) => Some(Source::Value(*enough)),
            Interest::Any
            | Interest::EntriesAbove(_)
            | Interest::Group { .. }
            | Interest::Streams { .. } => None,
        }
    }

    /// The consumer as which the client waits: its group's name and its own.
    fn consumer(&self) -> Option<(&[u8], &[u8])> {
        match self {
            Interest::Group {
                group, consumer, ..
            }
            | Interest::Streams {
                group, consumer, ..
            } => Some((group, consumer)),
            Interest::Any | Interest::EntriesAbove(_) | Interest::Value(_) => None,
        }
    }
}

/// What clients can wait for together: once nothing is left of it, none of them has to look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// New entries of a group.
    Group(Vec<u8>),
    /// A value that has enough.
    Value(Enough),
}

/// What happened to a key that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum News {
    /// Something that matters only when more happens: then all who wait look.
    Later,
    /// Something was added. Those who wait for the same look until there is nothing left.
    More,
    /// Anything: all who wait look.
    Any,
}

/// A key that is waited for: database and name.
pub(crate) type AwaitedKey = (u16, Key);

/// Clients that wait for the same, longest first.
type Line = BTreeMap<Ticket, SessionId>;

/// The clients that wait for one key.
#[derive(Debug, Default)]
struct Queue {
    /// Those of whom each has to look by itself.
    each: Line,
    /// Those who wait for the same.
    by_source: BTreeMap<Source, Line>,
    /// The key was changed, so that its clients must be looked at.
    is_ready: bool,
    /// All of them have to look then.
    all_look: bool,
}

impl Queue {
    fn line(&self, source: Option<&Source>) -> Option<&Line> {
        match source {
            None => Some(&self.each),
            Some(source) => self.by_source.get(source),
        }
    }

    fn add(&mut self, session: SessionId, ticket: Ticket, source: Option<Source>) {
        let line = match source {
            None => &mut self.each,
            Some(source) => self.by_source.entry(source).or_default(),
        };
        line.insert(ticket, session);
    }

    /// Removes a client. Returns whether nobody is left.
    fn remove(&mut self, wait: &Wait) -> bool {
        match wait.interest.source() {
            None => {
                self.each.remove(&wait.ticket);
            }
            Some(source) => {
                if let Some(line) = self.by_source.get_mut(&source) {
                    line.remove(&wait.ticket);
                    if line.is_empty() {
                        self.by_source.remove(&source);
                    }
                }
            }
        }
        self.each.is_empty() && self.by_source.is_empty()
    }

    /// Notes that something has happened. Returns whether the key was not ready and is now.
    fn note(&mut self, news: News) -> bool {
        self.all_look |= news != News::More;
        news != News::Later && !std::mem::replace(&mut self.is_ready, true)
    }
}

/// Those who are next of each line of a key's queue.
#[derive(Debug)]
pub(crate) struct Fronts {
    /// Whether all look, even if there is nothing left for those who wait for the same.
    pub(crate) all_look: bool,
    /// What those of a line wait for, by the line's number.
    sources: Vec<Option<Source>>,
    /// The first of each line, with the line's number.
    first: BinaryHeap<Reverse<(Ticket, usize, SessionId)>>,
}

impl Fronts {
    /// Takes the client that has waited longest, with the number of its line, whose next must be
    /// put back ([`Blocking::next_of`]) or which is through. What was served since it was put here
    /// may have ended its wait: one that still waits has this ticket.
    pub(crate) fn pop(&mut self) -> Option<(Ticket, usize, SessionId)> {
        self.first.pop().map(|Reverse(front)| front)
    }

    /// What those of a line wait for, if they all wait for the same.
    pub(crate) fn source(&self, line: usize) -> Option<&Source> {
        self.sources[line].as_ref()
    }
}

/// Which clients wait for which key.
#[derive(Debug, Default)]
pub struct Blocking {
    /// By database and key.
    waiting: BTreeMap<u16, BTreeMap<Key, Queue>>,
    deadlines: BTreeSet<(Mono, SessionId)>,
    ready: Vec<AwaitedKey>,
    by_pattern: PatternLines,
    consumers: WaitingConsumers,
    clients: usize,
    last_ticket: Ticket,
}

impl Blocking {
    /// Returns how many clients wait.
    pub fn clients(&self) -> usize {
        self.clients
    }

    /// Keys that are waited for.
    pub fn keys(&self) -> usize {
        self.waiting.values().map(BTreeMap::len).sum()
    }

    /// Adds a client that begins to wait. All who wait for a key share its name, so that whoever is
    /// the last to go takes the name along.
    pub(crate) fn add(&mut self, session: SessionId, wait: &mut Wait) {
        self.last_ticket.0 += 1;
        wait.ticket = self.last_ticket;
        let awaited = self.waiting.entry(wait.database).or_default();
        let Wait {
            keys,
            interest,
            ticket,
            ..
        } = wait;
        for key in keys {
            let queue = match awaited.entry(key.clone()) {
                Entry::Occupied(found) => {
                    key.clone_from(found.key());
                    found.into_mut()
                }
                Entry::Vacant(place) => place.insert(Queue::default()),
            };
            queue.add(session, *ticket, interest.source());
        }
        self.by_pattern.add(session, wait);
        self.consumers.add(wait);
        self.schedule(session, wait);
        self.clients += 1;
    }

    /// Removes a client that no longer waits.
    pub(crate) fn remove(&mut self, session: SessionId, wait: &Wait) {
        if let Some(awaited) = self.waiting.get_mut(&wait.database) {
            for key in &wait.keys {
                if awaited.get_mut(key).is_some_and(|queue| queue.remove(wait)) {
                    awaited.remove(key);
                }
            }
        }
        self.by_pattern.remove(wait);
        self.consumers.remove(wait);
        self.unschedule(session, wait);
        self.clients -= 1;
    }

    /// Notes when the client must be looked at even if nothing happens.
    pub(crate) fn schedule(&mut self, session: SessionId, wait: &Wait) {
        self.deadlines.extend(
            [wait.deadline, wait.retry_at]
                .into_iter()
                .flatten()
                .map(|at| (at, session)),
        );
    }

    /// Undoes [`Blocking::schedule`].
    pub(crate) fn unschedule(&mut self, session: SessionId, wait: &Wait) {
        for at in [wait.deadline, wait.retry_at].into_iter().flatten() {
            self.deadlines.remove(&(at, session));
        }
    }

    /// Marks a changed key, if anyone waits for it.
    #[inline]
    pub(crate) fn mark(&mut self, database: u16, key: &[u8], news: News) {
        if self.clients > 0 {
            self.mark_awaited(database, key, news);
        }
    }

    #[cold]
    fn mark_awaited(&mut self, database: u16, key: &[u8], news: News) {
        let Some(awaited) = self.waiting.get_mut(&database) else {
            return;
        };
        if let Some(queue) = awaited.get_mut(key)
            && queue.note(news)
        {
            let name = awaited.get_key_value(key).map(|(name, _)| name.clone());
            self.ready.extend(name.map(|name| (database, name)));
        }
    }

    /// Marks every key of a database that is waited for: all of it was replaced.
    pub(crate) fn mark_database(&mut self, database: u16) {
        for (key, queue) in self.waiting.get_mut(&database).into_iter().flatten() {
            if queue.note(News::Any) {
                self.ready.push((database, key.clone()));
            }
        }
    }

    /// Returns whether a changed key is waited for, or the turn of a stream.
    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty() | !self.by_pattern.ready.is_empty()
    }

    /// The keys that were marked, in the order in which they were changed, each with those who are
    /// to look first.
    pub(crate) fn take_ready(&mut self) -> Vec<(AwaitedKey, Fronts)> {
        let ready = std::mem::take(&mut self.ready);
        let fronts = ready.into_iter().filter_map(|key| {
            let queue = self.waiting.get_mut(&key.0)?.get_mut(&key.1)?;
            queue.is_ready = false;
            let all_look = std::mem::take(&mut queue.all_look);
            let mut fronts = Fronts {
                all_look,
                sources: Vec::new(),
                first: BinaryHeap::new(),
            };
            let shared = queue.by_source.iter();
            let shared = shared.map(|(source, line)| (Some(source.clone()), line));
            for (source, line) in std::iter::once((None, &queue.each)).chain(shared) {
                if let Some((ticket, session)) = line.first_key_value() {
                    let line = fronts.sources.len();
                    fronts.first.push(Reverse((*ticket, line, *session)));
                    fronts.sources.push(source);
                }
            }
            Some((key, fronts))
        });
        fronts.collect()
    }

    /// Puts the next of a line, behind `last`, among those who are next.
    pub(crate) fn next_of(
        &self,
        (database, key): &AwaitedKey,
        fronts: &mut Fronts,
        line: usize,
        last: Ticket,
    ) {
        let queue = self.waiting.get(database).and_then(|keys| keys.get(key));
        let waiting = queue.and_then(|queue| queue.line(fronts.source(line)));
        let behind = waiting.and_then(|line| line.range((Excluded(last), Unbounded)).next());
        if let Some((ticket, session)) = behind {
            fronts.first.push(Reverse((*ticket, line, *session)));
        }
    }

    /// The next moment at which a client must be looked at.
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes a client whose moment has come.
    pub(crate) fn pop_due(&mut self, now: Mono) -> Option<SessionId> {
        let (at, session) = *self.deadlines.first()?;
        if at > now {
            return None;
        }
        self.deadlines.pop_first();
        Some(session)
    }
}
