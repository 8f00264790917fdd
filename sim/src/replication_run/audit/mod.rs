//! What clients were told, and whether it holds.

mod groups;
mod puts;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use batch::Lsn;
use engine::Now;
use engine::store::keyspace::Frozen;
use replication::{Entry, Position, Reader, Seq, Verdict};
use stream::{Stream, StreamId};

use crate::answer::Answer;
use crate::picture::Picture;
use crate::replication_run::clients::{self, AppendId, GROUPS, STREAMS, look_at_puts, stream_name};
use crate::replication_run::replica::Replica;
use crate::replication_run::service::Service;
use crate::replication_run::{Counts, Damage, Plan};

pub(super) use self::groups::Group;
use self::puts::Puts;

/// The record of what was told.
#[derive(Default)]
pub(super) struct Audit {
    acknowledged: [BTreeMap<AppendId, StreamId>; STREAMS],
    /// What somebody was shown.
    shown: Vec<Shown>,
    pub(super) groups: [Group; GROUPS],
    pub(super) puts: Puts,
    /// The epoch of the last leader that answered.
    answered: u64,
    /// States that a machine was in when all of it was in the log.
    states: Vec<(Lsn, Now, Frozen)>,
}

/// What somebody was shown of a stream.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    stream: usize,
    len: usize,
    /// The last entries.
    last: Vec<(StreamId, AppendId)>,
}

/// How many states of a run are compared with the log.
const STATES_MAX: usize = 16;

impl Shown {
    /// Reads the answers to [`clients::read`].
    pub(super) fn read(stream: usize, answers: &[Answer]) -> Result<Shown> {
        let [len, last] = answers else {
            anyhow::bail!("two things were asked");
        };
        let mut last = entries(last)?;
        last.reverse();
        Ok(Shown {
            stream,
            len: usize::try_from(len.number().context("no length")?)?,
            last,
        })
    }
}

impl Audit {
    /// The last entry of each stream of which the append was acknowledged.
    pub(super) fn seen(&self) -> [StreamId; STREAMS] {
        std::array::from_fn(|stream| {
            let ids = self.acknowledged[stream].values();
            ids.max().copied().unwrap_or(StreamId::MIN)
        })
    }

    /// A leader has answered.
    pub(super) fn leader_answered(
        &mut self,
        plan: &Plan,
        machine: usize,
        epoch: u64,
    ) -> Result<()> {
        ensure!(
            epoch >= self.answered || !plan.reads_are_current(),
            "machine {machine} answered in epoch {epoch}, after a leader of epoch {}",
            self.answered
        );
        self.answered = self.answered.max(epoch);
        Ok(())
    }

    /// An append was acknowledged, perhaps not for the first time.
    pub(super) fn acknowledged(
        &mut self,
        plan: &Plan,
        stream: usize,
        append: AppendId,
        id: StreamId,
    ) -> Result<()> {
        let first = *self.acknowledged[stream].entry(append).or_insert(id);
        ensure!(
            first == id || plan.log_forgets(),
            "{append:?} was acknowledged as {first} and then as {id}"
        );
        Ok(())
    }

    /// A leader has shown a stream to somebody who asked when the append of entry `seen` had been
    /// acknowledged.
    pub(super) fn leader_showed(
        &mut self,
        plan: &Plan,
        shown: Shown,
        seen: StreamId,
    ) -> Result<()> {
        let last = shown.last.last().map_or(StreamId::MIN, |(id, _)| *id);
        ensure!(
            last >= seen || !plan.reads_are_current(),
            "a read does not show entry {seen}, acknowledged before it began"
        );
        self.shown.push(shown);
        Ok(())
    }

    /// A follower has shown a stream.
    pub(super) fn follower_showed(&mut self, shown: Shown) {
        self.shown.push(shown);
    }

    /// A machine is in this state, and all of it is in the log.
    pub(super) fn state_is(&mut self, lsn: Lsn, now: Now, state: Frozen) {
        if self.states.len() < STATES_MAX {
            self.states.push((lsn, now, state));
        }
    }

    /// Everything is over. `serving` are the machines that have not stopped.
    pub(super) fn check(
        &mut self,
        plan: &Plan,
        service: &Service,
        serving: &[(usize, Frozen)],
        now: Now,
        counts: &mut Counts,
    ) -> Result<()> {
        let mut truth = match self.replay(service.truth(), plan, now, counts) {
            Ok(truth) => truth,
            // What was lost may not fit what came later. Then everybody stops who reads it.
            Err(error) if plan.damage == Damage::SuffixLost => {
                ensure!(
                    counts.stops > 0,
                    "nobody has noticed that the log is wrong: {error}"
                );
                return Ok(());
            }
            Err(error) => return Err(error.context("reading the log")),
        };
        let state = truth.freeze();
        let picture = Picture::of(&state, now);
        for (machine, state) in serving {
            let what = format!("the log, and machine {machine}");
            picture.ensure_same(&Picture::of(state, now), &what)?;
        }
        let mut streams = Vec::with_capacity(STREAMS);
        for stream in 0..STREAMS {
            let name = stream_name(stream);
            let range = ["XRANGE", &name, "-", "+"].iter().collect();
            streams.push(entries(&ask(&mut truth, &[range], now)?[0])?);
        }
        exactly_once(&streams)?;
        if plan.log_forgets() {
            return Ok(());
        }
        for (stream, acknowledged) in streams.iter().zip(&self.acknowledged) {
            let there: BTreeMap<_, _> = stream.iter().map(|(id, append)| (append, id)).collect();
            for (append, id) in acknowledged {
                let found = there.get(append);
                ensure!(
                    found == Some(&id),
                    "{append:?} was acknowledged as {id}, and the log says {found:?}"
                );
            }
        }
        for shown in &self.shown {
            let stream = &streams[shown.stream];
            let holds = stream.get(..shown.len);
            ensure!(
                holds.is_some_and(|until| until.ends_with(&shown.last)),
                "a read has shown what was undone: {shown:?}"
            );
        }
        let is_done = plan.damage == Damage::None;
        for (number, group) in self.groups.iter().enumerate() {
            let name = stream_name(number);
            let ids: Vec<_> = streams[number].iter().map(|(id, _)| *id).collect();
            match stream_of(&state, name.as_bytes()) {
                Some(stream) if stream.groups().find(b"g").is_some() => {
                    group.check(stream, &ids, is_done)?;
                }
                Some(_) | None => ensure!(!is_done, "{name} has no group"),
            }
        }
        self.puts.check(&ask(&mut truth, &look_at_puts(), now)?)
    }

    /// The engine that a log leads to. Each state that was seen must be that of the log.
    fn replay(
        &mut self,
        records: &[Vec<u8>],
        plan: &Plan,
        now: Now,
        counts: &mut Counts,
    ) -> Result<Replica> {
        self.states.sort_by_key(|(lsn, _, _)| *lsn);
        let mut states = std::mem::take(&mut self.states).into_iter().peekable();
        let mut reader = Reader::new(Position::default(), None);
        let mut replica = Replica::new(now)?;
        for (number, bytes) in (1..).zip(records) {
            counts.records += 1;
            match reader.read(Seq(number), Seq(1), bytes)? {
                Verdict::Void => counts.void += 1,
                Verdict::Valid(Entry::Epoch(..)) => counts.epochs += 1,
                Verdict::Valid(Entry::Group(group)) => replica.apply(&group)?,
                Verdict::Valid(Entry::Part | Entry::Beat | Entry::HandOver(_)) => {}
            }
            while let Some((lsn, at, state)) = states.next_if(|(lsn, ..)| *lsn <= replica.lsn()) {
                if lsn == replica.lsn() && !plan.log_forgets() {
                    counts.states_compared += 1;
                    let what = format!("the log, and what a machine had at batch {lsn}");
                    Picture::of(&replica.freeze(), at)
                        .ensure_same(&Picture::of(&state, at), &what)?;
                }
            }
        }
        Ok(replica)
    }
}

/// Asks a follower.
fn ask(replica: &mut Replica, commands: &[resp::ArgvBuf], now: Now) -> Result<Vec<Answer>> {
    let executed = replica.execute(usize::MAX, commands, now)?;
    let mut rest = executed.bytes.as_slice();
    commands.iter().map(|_| Answer::read(&mut rest)).collect()
}

/// What a follower shows of a stream.
pub(super) fn shown_by(replica: &mut Replica, stream: usize, now: Now) -> Result<Shown> {
    let answers = ask(replica, &clients::read(stream).commands, now)?;
    Shown::read(stream, &answers)
}

fn stream_of<'a>(state: &'a Frozen, name: &[u8]) -> Option<&'a Stream> {
    let mut records = state.databases.first()?.iter();
    let record = records.find(|record| record.key() == name)?;
    record.value().get::<Stream>()
}

/// The entries of a reply, each with the append that made it.
fn entries(answer: &Answer) -> Result<Vec<(StreamId, AppendId)>> {
    let entry = |entry: &Answer| {
        let [id, fields] = entry.list()? else {
            return None;
        };
        let append = fields.list()?.get(1)?.number()?;
        Some((id.id()?, AppendId(u32::try_from(append).ok()?)))
    };
    let all = answer.list().context("no entries")?.iter().map(entry);
    all.collect::<Option<_>>().context("no entry")
}

/// Nothing is there twice, and the appends of each producer are in order.
fn exactly_once(streams: &[Vec<(StreamId, AppendId)>]) -> Result<()> {
    let mut all = BTreeSet::new();
    for (number, stream) in streams.iter().enumerate() {
        let mut last = BTreeMap::new();
        for (id, append) in stream {
            ensure!(all.insert(*append), "{append:?} is there twice, as {id}");
            let before = last.insert(append.producer(), *append);
            ensure!(
                before.is_none_or(|before| before < *append),
                "stream {number} is not in the order of its producers: {append:?}"
            );
        }
    }
    Ok(())
}

/// What a machine knew of a log when that lost a part.
#[derive(Debug)]
pub(super) struct Knew {
    pub(super) machine: usize,
    pub(super) mark: replication::Mark,
    /// The life of the machine, if it has not kept this on its disk.
    pub(super) life: Option<u64>,
}

/// Returns whether a log has what was known of it.
pub(super) fn has(service: &Service, mark: &replication::Mark) -> Result<bool> {
    let mut reader = Reader::new(Position::default(), None);
    for (number, bytes) in (1..=mark.seq.0).zip(service.truth()) {
        if reader.read(Seq(number), Seq(1), bytes).is_err() {
            return Ok(false);
        }
    }
    if reader.at().seq != mark.seq {
        return Ok(false);
    }
    Ok(reader.at().chain == mark.chain)
}
