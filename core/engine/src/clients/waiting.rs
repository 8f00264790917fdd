//! Clients that wait for a key.
//!
//! A command that must wait leaves a [`Wait`] with the request to run again. A change of a key that
//! is waited for marks it ready. After the command or the whole transaction, the engine runs the
//! waiting requests again, in the order in which they began to wait. One that still finds nothing
//! keeps its place.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use resp::{ArgvBuf, Reply};
use values::Key;

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
    /// 0 (`WAIT`).
    Zero,
    /// The number of copies on the disk of this server, and on those of replicas: none (`WAITAOF`).
    Copies {
        /// 0 or 1.
        local: i64,
    },
}

impl TimeoutReply {
    /// Writes it.
    pub fn write(self, reply: &mut Reply) {
        match self {
            TimeoutReply::NullArray => reply.null_array(),
            TimeoutReply::Null => reply.null(),
            TimeoutReply::Slept { .. } => reply.ok(),
            TimeoutReply::Zero => reply.int(0),
            TimeoutReply::Copies { local } => {
                reply.array(2);
                reply.int(local);
                reply.int(0);
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
    },
}

/// A key that is waited for: database and name.
pub(crate) type AwaitedKey = (u16, Key);

/// The clients that wait for one key.
#[derive(Debug, Default)]
struct Queue {
    /// Longest first.
    sessions: BTreeMap<Ticket, SessionId>,
    /// The key was changed, so that its clients must be looked at.
    is_ready: bool,
}

/// Which clients wait for which key.
#[derive(Debug, Default)]
pub struct Blocking {
    /// By database and key.
    waiting: BTreeMap<u16, BTreeMap<Key, Queue>>,
    deadlines: BTreeSet<(Mono, SessionId)>,
    ready: Vec<AwaitedKey>,
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
        for key in &mut wait.keys {
            let queue = match awaited.entry(key.clone()) {
                Entry::Occupied(found) => {
                    key.clone_from(found.key());
                    found.into_mut()
                }
                Entry::Vacant(place) => place.insert(Queue::default()),
            };
            queue.sessions.insert(wait.ticket, session);
        }
        self.schedule(session, wait);
        self.clients += 1;
    }

    /// Removes a client that no longer waits.
    pub(crate) fn remove(&mut self, session: SessionId, wait: &Wait) {
        if let Some(awaited) = self.waiting.get_mut(&wait.database) {
            for key in &wait.keys {
                if let Some(queue) = awaited.get_mut(key) {
                    queue.sessions.remove(&wait.ticket);
                    if queue.sessions.is_empty() {
                        awaited.remove(key);
                    }
                }
            }
        }
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
    pub(crate) fn mark(&mut self, database: u16, key: &[u8]) {
        if self.clients > 0 {
            self.mark_awaited(database, key);
        }
    }

    #[cold]
    fn mark_awaited(&mut self, database: u16, key: &[u8]) {
        let Some(awaited) = self.waiting.get_mut(&database) else {
            return;
        };
        if let Some(queue) = awaited.get_mut(key)
            && !std::mem::replace(&mut queue.is_ready, true)
        {
            let name = awaited.get_key_value(key).map(|(name, _)| name.clone());
            self.ready.extend(name.map(|name| (database, name)));
        }
    }

    /// Marks every key of a database that is waited for: all of it was replaced.
    pub(crate) fn mark_database(&mut self, database: u16) {
        for (key, queue) in self.waiting.get_mut(&database).into_iter().flatten() {
            if !std::mem::replace(&mut queue.is_ready, true) {
                self.ready.push((database, key.clone()));
            }
        }
    }

    /// Returns whether a changed key is waited for.
    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The keys that were marked, in the order in which they were changed.
    pub(crate) fn take_ready(&mut self) -> Vec<AwaitedKey> {
        let ready = std::mem::take(&mut self.ready);
        for (database, key) in &ready {
            let awaited = self.waiting.get_mut(database);
            if let Some(queue) = awaited.and_then(|awaited| awaited.get_mut(key)) {
                queue.is_ready = false;
            }
        }
        ready
    }

    /// The clients that wait for a key and began after `last`, longest first.
    pub(crate) fn after(
        &self,
        (database, key): &AwaitedKey,
        last: Ticket,
    ) -> impl Iterator<Item = (Ticket, SessionId)> {
        self.waiting
            .get(database)
            .and_then(|awaited| awaited.get(key))
            .into_iter()
            .flat_map(move |queue| queue.sessions.range((Excluded(last), Unbounded)))
            .map(|(ticket, session)| (*ticket, *session))
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
