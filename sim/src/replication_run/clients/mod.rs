//! The clients: what they ask, again and again until they are answered, and what the answers mean.

mod consumer;
mod producer;
mod putter;
mod reader;

use anyhow::{Context, Result, ensure};
use resp::ArgvBuf;
use stream::StreamId;

use crate::answer::Answer;
use crate::replication_run::audit::{Audit, Shown};
use crate::replication_run::world::Instant;
use crate::replication_run::{Counts, Plan};
use crate::rng::Rng;

use self::consumer::Consumer;
pub(super) use self::producer::AppendId;
use self::producer::Producer;
use self::putter::Putter;
pub(super) use self::putter::{Put, look as look_at_puts};
pub(super) use self::reader::read;

/// How many streams there are.
pub(super) const STREAMS: usize = 3;

/// How many of them, the first ones, have a group.
pub(super) const GROUPS: usize = 2;

const PRODUCERS: usize = 6;
const READERS: usize = 2;
const CONSUMERS: usize = 4;
const PUTTERS: usize = 2;

/// Requests that a client sends together.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) commands: Vec<ArgvBuf>,
    purpose: Purpose,
}

/// What the answers mean to the one who asked.
#[derive(Clone, Debug)]
enum Purpose {
    /// The ID of an appended entry.
    Append(usize, AppendId),
    /// The length of a stream and its last entries.
    Read(usize),
    /// A stream has its group.
    MakeGroup,
    /// New entries.
    TakeNew,
    /// Entries that the consumer has already.
    TakeOwn,
    /// Entries of others, which it has now.
    Claim,
    /// These are acknowledged.
    Acknowledge(Vec<StreamId>),
    /// Something other than a stream was changed.
    Put(Put),
}

/// What a client is told.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// The answers to what it asked, as they are on the wire.
    Answers(Vec<u8>),
    /// Ask another machine.
    NotLeading,
}

/// Names one attempt: a client asks for one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) client: usize,
    pub(super) attempt: u64,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    role: Role,
    /// The machine that it takes for the leader.
    pub(super) machine: usize,
    pub(super) attempt: u64,
    pub(super) waits_for: Option<Request>,
    /// When it asked last.
    asked_at: Instant,
    /// The last entry of each stream that had been acknowledged when it asked.
    seen: [StreamId; STREAMS],
}

#[derive(Debug)]
enum Role {
    Produces(Producer),
    Reads,
    Consumes(Consumer),
    Puts(Putter),
}

/// Until when somebody asks for something new, in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Everybody does.
    All,
    /// Only consumers do, so that in the end they have everything.
    Draining,
    /// Nobody does.
    Over,
}

/// All clients of a run.
pub(super) fn all() -> Vec<Client> {
    let producers = (0..PRODUCERS).map(|number| Role::Produces(Producer::new(number)));
    let readers = (0..READERS).map(|_| Role::Reads);
    let consumers = (0..CONSUMERS).map(|number| Role::Consumes(Consumer::new(number)));
    let putters = (0..PUTTERS).map(|number| Role::Puts(Putter::new(number)));
    let roles = producers.chain(readers).chain(consumers).chain(putters);
    roles.map(Client::new).collect()
}

impl Client {
    fn new(role: Role) -> Client {
        Client {
            role,
            machine: 0,
            attempt: 0,
            waits_for: None,
            asked_at: Instant(0),
            seen: [StreamId::MIN; STREAMS],
        }
    }

    /// What it asks now, for the first time or again.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        phase: Phase,
        audit: &mut Audit,
        counts: &mut Counts,
        rng: &mut Rng,
    ) -> Option<Request> {
        self.attempt += 1;
        self.asked_at = now;
        self.seen = audit.seen();
        let request = match (self.waits_for.take(), &mut self.role) {
            (Some(request), Role::Produces(_) | Role::Reads) => {
                counts.retries += u64::from(matches!(request.purpose, Purpose::Append(..)));
                Some(request)
            }
            (lost, Role::Consumes(consumer)) if phase != Phase::Over => {
                Some(consumer.next(lost, rng))
            }
            (Some(request), Role::Puts(_)) if request.is_idempotent() => Some(request),
            (_, Role::Puts(putter)) if phase == Phase::All => Some(putter.next(rng)),
            (None, Role::Produces(producer)) if phase == Phase::All => Some(producer.next(rng)),
            (None, Role::Reads) if phase == Phase::All => Some(read(rng.index(STREAMS))),
            (_, Role::Produces(_) | Role::Reads | Role::Consumes(_) | Role::Puts(_)) => None,
        };
        match (request.as_ref().map(|request| &request.purpose), &self.role) {
            (Some(Purpose::Put(put)), _) => audit.puts.asked(*put),
            (Some(Purpose::Acknowledge(ids)), Role::Consumes(consumer)) => {
                audit.groups[consumer.stream].acknowledges(ids);
            }
            (_, Role::Produces(_) | Role::Reads | Role::Consumes(_) | Role::Puts(_)) => {}
        }
        self.waits_for.clone_from(&request);
        request
    }

    /// It was answered by a leader.
    pub(super) fn answered(
        &mut self,
        bytes: &[u8],
        plan: &Plan,
        now: Instant,
        audit: &mut Audit,
        counts: &mut Counts,
    ) -> Result<()> {
        let Some(request) = self.waits_for.take() else {
            return Ok(());
        };
        let mut rest = bytes;
        let answers = request.commands.iter().map(|_| Answer::read(&mut rest));
        let answers: Vec<_> = answers.collect::<Result<_>>()?;
        ensure!(rest.is_empty(), "a reply too many: {rest:?}");
        let last = answers.last().context("nothing was asked")?;
        let (asked_at, seen) = (self.asked_at, self.seen);
        let understood = match (&mut self.role, &request.purpose) {
            (Role::Produces(producer), Purpose::Append(stream, append)) => {
                counts.acknowledged += 1;
                let id = last.id().context("no ID");
                id.and_then(|id| {
                    producer.told(*stream, *append);
                    audit.acknowledged(plan, *stream, *append, id)
                })
            }
            (_, Purpose::Read(stream)) => {
                counts.leader_reads += 1;
                let shown = Shown::read(*stream, &answers);
                shown.and_then(|shown| audit.leader_showed(plan, shown, seen[*stream]))
            }
            (Role::Consumes(consumer), purpose) => {
                let group = &mut audit.groups[consumer.stream];
                consumer.answered(purpose, last, (plan, asked_at, now), group, counts)
            }
            (Role::Puts(_), Purpose::Put(put)) => {
                counts.puts += 1;
                audit.puts.acknowledged(*put, last)
            }
            (role, purpose) => Err(anyhow::anyhow!("{role:?} asked for {purpose:?}")),
        };
        understood.with_context(|| format!("the reply to {request:?} is {answers:?}"))
    }
}

impl Request {
    fn new(commands: Vec<ArgvBuf>, purpose: Purpose) -> Request {
        Request { commands, purpose }
    }

    /// What it appends to a stream.
    pub(super) fn append(&self) -> Option<AppendId> {
        match self.purpose {
            Purpose::Append(_, append) => Some(append),
            Purpose::Read(_)
            | Purpose::MakeGroup
            | Purpose::TakeNew
            | Purpose::TakeOwn
            | Purpose::Claim
            | Purpose::Acknowledge(_)
            | Purpose::Put(_) => None,
        }
    }

    /// Returns whether it may be sent again without knowing what became of it.
    fn is_idempotent(&self) -> bool {
        match self.purpose {
            Purpose::Put(put) => put.is_idempotent(),
            Purpose::Append(..)
            | Purpose::Read(_)
            | Purpose::MakeGroup
            | Purpose::TakeOwn
            | Purpose::Acknowledge(_) => true,
            Purpose::TakeNew | Purpose::Claim => false,
        }
    }
}

/// A command of words.
fn command<const N: usize>(words: [&str; N]) -> ArgvBuf {
    words.iter().collect()
}

/// The name of a stream.
pub(super) fn stream_name(stream: usize) -> String {
    format!("s{stream}")
}
