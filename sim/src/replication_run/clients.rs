//! Producers, which send an append until they are told that it is there, and readers.

use crate::replication_run::model::{AppendId, KEYS};
use crate::rng::Rng;

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Append { key: usize, id: AppendId },
    Read { key: usize },
}

/// What it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Appended(AppendId),
    List(usize, Vec<AppendId>),
    /// Ask another machine.
    NotLeading,
}

/// Names one request: a client asks for one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) client: usize,
    pub(super) attempt: u64,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    kind: Kind,
    /// The machine that it takes for the leader.
    pub(super) machine: usize,
    pub(super) attempt: u64,
    pub(super) waits_for: Option<Request>,
    /// How many appends to each key had been acknowledged when it asked.
    pub(super) seen: [usize; KEYS],
}

#[derive(Debug)]
enum Kind {
    Producer { number: usize, next: u32 },
    Reader,
}

impl Client {
    pub(super) fn producer(number: usize) -> Client {
        Client::new(Kind::Producer { number, next: 0 })
    }

    pub(super) fn reader() -> Client {
        Client::new(Kind::Reader)
    }

    fn new(kind: Kind) -> Client {
        Client {
            kind,
            machine: 0,
            attempt: 0,
            waits_for: None,
            seen: [0; KEYS],
        }
    }

    /// What it asks next.
    pub(super) fn begin(&mut self, rng: &mut Rng) -> Request {
        let key = rng.index(KEYS);
        let request = match &mut self.kind {
            Kind::Producer { number, next } => {
                *next += 1;
                let id = AppendId::new(*number, *next);
                Request::Append { key, id }
            }
            Kind::Reader => Request::Read { key },
        };
        self.waits_for = Some(request);
        request
    }

    pub(super) fn is_producer(&self) -> bool {
        matches!(self.kind, Kind::Producer { .. })
    }
}
