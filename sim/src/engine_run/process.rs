//! The server's process: an engine and its journal, driven as the shell drives them, by one loop
//! instead of by threads. Everything in it dies with it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{IoSlice, Write};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use engine::clients::delivery::Delivery;
use engine::server::{Order, Writes};
use engine::store::keyspace::Frozen;
use engine::store::log::Journalling;
use engine::store::packing::PackingBatch;
use engine::{Author, Engine, Now};
use journal::{
    Access, BaseWriter, Commit, Cut, Disk, DiskFile, Elapsed, Encoded, Event, FileSync, Gathered,
    Health, History, LocalLog, Lsn, Names, Position, Recovery, Report, SnapshotFormat,
    SnapshotSink, SyncJob, TornTail, Trimmed,
};
use persistence::snapshot::Progress;
use persistence::{OpenError, snapshot};
use resp::ArgvBuf;
use stream::StreamId;

use super::Bug;
use super::follower::Follower;
use super::many;
use super::setting::Setting;
use crate::disk::{SimDisk, SimFile};

type Log = LocalLog<SimDisk>;

/// A server that runs.
pub(super) struct Process {
    pub(super) engine: Engine,
    pub(super) position: Position,
    /// The state after each batch that may still be the last after a crash.
    pub(super) views: BTreeMap<Lsn, Frozen>,
    /// The state after some earlier ones, for those who begin in the midst of the log.
    pub(super) earlier_views: BTreeMap<Lsn, Frozen>,
    /// The last batches, for a bug that applies one twice.
    pub(super) batches: BTreeMap<Lsn, Vec<u8>>,
    pub(super) report: Report,
    commit: Commit<Log>,
    gathered: Gathered,
    sync: Option<FileSync<SimFile>>,
    rewrite: Rewrite,
    wake_at: Option<Elapsed>,
    /// What the thread that packs chunks of streams is doing.
    packing: Option<PackingBatch>,
    /// A second engine that is fed with the effects of the first.
    follower: Option<Follower>,
    bug: Option<Bug>,
    pub(super) rewrites: u64,
    pub(super) packed: u64,
    pub(super) poisonings: u64,
    /// How often a script was in the middle, and had written, when a step ended.
    pub(super) suspended: u64,
}

/// How many earlier states are kept.
const EARLIER_VIEWS_MAX: usize = 16;

enum Rewrite {
    None,
    Asked(Frozen, Now),
    Writing(BaseWriter<SimDisk>, Frozen, Now),
    Trimming(History<SimDisk>),
}

/// Whether a second engine follows the first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    Yes,
    No,
}

impl Process {
    /// Starts the server from what is on the disk.
    pub(super) fn start(
        disk: &SimDisk,
        setting: &Setting,
        earlier_batches: &BTreeMap<Lsn, Vec<u8>>,
        follow: Follow,
        now: Now,
    ) -> Result<Process, OpenError> {
        let mut engine = setting.engine(now);
        let names = Names::new("appendonly.aof");
        let recovery = Recovery::open(Arc::new(disk.clone()), names, TornTail::Cut)?;
        let mut replay = engine.begin_replay(now);
        let (log, report) = persistence::read_log(&mut engine, recovery, &mut replay, now)?;
        if setting.bug == Some(Bug::AppliedTwice)
            && let Some(batch) = earlier_batches.get(&report.last)
        {
            let refused = |source| OpenError::Replay {
                file: "a batch applied twice".to_owned(),
                offset: 0,
                batches: None,
                source,
            };
            engine
                .replay(&mut replay, batch, Author::Weir)
                .map_err(refused)?;
        }
        engine.end_replay(replay, report.last, Journalling::On);
        engine.server.shell.persistence.journalling = true;
        let follower = match follow {
            Follow::Yes => {
                let view = engine.freeze();
                let begun = Follower::begin(&view, report.last, setting, now);
                Some(begun.map_err(|error| OpenError::TakeOver(error.to_string()))?)
            }
            Follow::No => None,
        };
        Ok(Process {
            position: Position {
                written: report.last,
                durable: report.last,
                released: report.last,
            },
            views: BTreeMap::from([(report.last, engine.freeze())]),
            earlier_views: BTreeMap::new(),
            batches: BTreeMap::new(),
            commit: Commit::new(log.with_reserve(setting.reserve_bytes), setting.policy),
            gathered: Gathered {
                last: report.last,
                ..Gathered::default()
            },
            report,
            engine,
            sync: None,
            rewrite: Rewrite::None,
            wake_at: None,
            packing: None,
            follower,
            bug: setting.bug,
            rewrites: 0,
            packed: 0,
            poisonings: 0,
            suspended: 0,
        })
    }

    /// Ends a batch of engine calls, as the shell does: what happened goes to the journal. What
    /// goes to clients that did not just ask is returned.
    pub(super) fn finish(&mut self, now: Now) -> Result<Vec<Delivery>> {
        if self.engine.log().has_bytes() {
            let last = self.last();
            let mut batches = std::mem::take(self.engine.effects());
            self.engine.effects_taken();
            let bytes = batches.to_vec();
            if let Some(follower) = &mut self.follower {
                let first = follower.applied().next();
                follower.follow(&bytes, (first, last))?;
            }
            if self.bug == Some(Bug::AppliedTwice) {
                self.batches.insert(last, bytes);
            }
            let spare = &mut Encoded::default();
            self.gathered.batches.add(&mut batches, spare);
            self.gathered.last = last;
            self.views.insert(last, self.engine.freeze());
        }
        self.suspended += u64::from(!self.engine.is_data_whole());
        let orders = self.engine.take_orders();
        if orders.contains(&Order::RewriteJournal) {
            self.rewrite_from_here(now);
        }
        drop(self.engine.take_dropped());
        Ok(self.engine.take_deliveries())
    }

    /// The last batch of the engine.
    pub(super) fn last(&self) -> Lsn {
        self.engine.log().last()
    }

    /// Lets the engine know whether the journal takes writes.
    pub(super) fn look_at_journal(&mut self) {
        self.engine.server.writes = match self.commit.health().fault() {
            None => Writes::Accepted,
            Some(fault) => Writes::Freeing(fault.to_string()),
        };
    }

    pub(super) fn is_good(&self) -> bool {
        self.commit.health().is_good()
    }

    pub(super) fn is_poisoned(&self) -> bool {
        matches!(self.commit.health(), Health::Poisoned(_))
    }

    /// Returns whether somebody else has written to the log.
    pub(super) fn is_fenced(&self) -> bool {
        matches!(self.commit.health(), Health::Fenced(_))
    }

    /// Somebody else appends to the log's last file.
    pub(super) fn be_overtaken(&self, bytes: &[u8], disk: &SimDisk) -> Result<()> {
        let increments = &self.commit.log().manifest().increments;
        let last = increments.last().context("a log has a file")?;
        let file = disk.open(&last.name, Access::ReadWrite)?;
        let mut left = bytes;
        while !left.is_empty() {
            let written = file.write_at(&[IoSlice::new(left)], file.size()?)?;
            left = &left[written..];
        }
        file.sync()?;
        Ok(())
    }

    /// Returns whether replies that wait will leave soon.
    pub(super) fn releases(&self) -> bool {
        self.commit.health().releases()
    }

    pub(super) fn is_full(&self) -> bool {
        matches!(self.commit.health(), Health::Full(_))
    }

    pub(super) fn is_rewriting(&self) -> bool {
        !matches!(self.rewrite, Rewrite::None)
    }

    /// Returns whether nothing that the engine did still waits for the journal.
    pub(super) fn is_settled(&self) -> bool {
        self.position.released == self.last() && self.is_good() && !self.has_unfinished()
    }

    /// Returns whether a script has begun and not ended.
    pub(super) fn has_unfinished(&self) -> bool {
        self.engine.server.pause.unfinished().is_some()
    }

    /// Begins a rewrite with the current state, if none is in progress, as soon as that is whole.
    pub(super) fn begin_rewrite(&mut self, now: Now) {
        if self.is_rewriting() || self.engine.server.is_rewriting() {
            return;
        }
        if self.engine.is_data_whole() || self.bug == Some(Bug::RewrittenMidScript) {
            return self.rewrite_from_here(now);
        }
        self.engine.server.orders.push(Order::RewriteJournal);
    }

    fn rewrite_from_here(&mut self, now: Now) {
        let (bytes, at) = (self.gathered.batches.len(), self.last());
        self.gathered.cut = Some(Cut { bytes, at });
        self.rewrite = Rewrite::Asked(self.engine.freeze(), now);
    }

    /// The journal's thread takes what has gathered.
    pub(super) fn deliver(&mut self, disk: &SimDisk, elapsed: Elapsed) -> Result<()> {
        if self.gathered.batches.is_empty() && self.gathered.cut.is_none() {
            return Ok(());
        }
        let gathered = std::mem::take(&mut self.gathered);
        self.gathered.last = gathered.last;
        self.apply(Event::Gathered(gathered), disk, elapsed)
    }

    /// The sync that runs beside the journal ends.
    pub(super) fn finish_sync(&mut self, disk: &SimDisk, elapsed: Elapsed) -> Result<()> {
        let Some(job) = self.sync.take() else {
            return Ok(());
        };
        let result = job.run();
        self.apply(Event::Synced(job, result), disk, elapsed)
    }

    /// The moment may have come that the journal waits for.
    pub(super) fn tick(&mut self, disk: &SimDisk, elapsed: Elapsed) -> Result<()> {
        if self.wake_at.is_some_and(|at| at <= elapsed) {
            self.apply(Event::Tick, disk, elapsed)?;
        }
        Ok(())
    }

    /// The thread that rewrites does one step, or gives up if `gives_up`.
    pub(super) fn go_on_with_rewrite(
        &mut self,
        gives_up: impl FnOnce() -> bool,
        disk: &SimDisk,
        elapsed: Elapsed,
    ) -> Result<()> {
        match std::mem::replace(&mut self.rewrite, Rewrite::None) {
            Rewrite::Writing(..) if gives_up() => {
                self.apply(Event::SnapshotAbandoned, disk, elapsed)
            }
            Rewrite::Writing(mut sink, view, now) => {
                let written = match self.bug {
                    Some(
                        bug @ (Bug::IdempotenceForgotten
                        | Bug::CountsForgotten
                        | Bug::NumbersForgotten
                        | Bug::GroupSettingsForgotten
                        | Bug::PausesForgotten
                        | Bug::LibrariesForgotten
                        | Bug::DelayedForgotten
                        | Bug::BoundsForgotten
                        | Bug::DeliveriesForgotten),
                    ) => {
                        let base = forgetful(bug, &view, &self.engine, now)?;
                        sink.write_all(&base).is_ok()
                    }
                    _ => snapshot::write(&view, &mut sink, now, &Progress::default()).is_ok(),
                };
                match sink.finish(SnapshotFormat::Rdb) {
                    Ok(base) if written => self.apply(Event::SnapshotWritten(base), disk, elapsed),
                    Ok(_) | Err(_) => self.apply(Event::SnapshotAbandoned, disk, elapsed),
                }
            }
            Rewrite::Trimming(history) => {
                history.remove();
                self.apply(Event::Trimmed, disk, elapsed)
            }
            other => {
                self.rewrite = other;
                Ok(())
            }
        }
    }

    /// The thread that packs chunks hands in what it has packed, or else takes what is to be
    /// packed.
    pub(super) fn go_on_with_packing(&mut self, now: Now) {
        match self.packing.take() {
            Some(mut batch) => {
                batch.run();
                self.engine.end_packing(&mut batch, now);
                self.packed += 1;
            }
            None => self.packing = self.engine.begin_packing(),
        }
    }

    /// Stops properly. Returns whether everything is durable now.
    pub(super) fn close(&mut self, disk: &SimDisk, elapsed: Elapsed) -> Result<bool> {
        self.deliver(disk, elapsed)?;
        self.finish_sync(disk, elapsed)?;
        self.commit.apply(Event::Close, elapsed);
        let mut flush = self.commit.flush();
        if let Some(job) = flush.sync.take().or(self.sync.take()) {
            let result = job.run();
            self.commit.apply(Event::Synced(job, result), elapsed);
            flush = self.commit.flush();
        }
        ensure!(
            flush.closed.is_some() || disk.is_off(),
            "the journal did not close"
        );
        Ok(matches!(flush.closed, Some(Ok(()))) && !disk.is_off())
    }

    /// The second engine, fed with effects alone, must hold what the first one holds.
    pub(super) fn compare_with_follower(&mut self, now: Now) -> Result<()> {
        match &mut self.follower {
            // It has heard nothing yet of what a script does that is not finished.
            Some(_) if !self.engine.is_data_whole() => Ok(()),
            Some(follower) => follower.compare_with(&self.engine, now),
            None => Ok(()),
        }
    }

    /// The second engine must answer a read as the first one did, and know of which batch that
    /// tells: it has that batch.
    pub(super) fn ask_follower(&mut self, argv: &ArgvBuf, reply: &[u8], now: Now) -> Result<()> {
        let Some(follower) = &mut self.follower else {
            return Ok(());
        };
        let (again, depends_on) = follower.answer(argv, now);
        ensure!(
            again == reply,
            "{argv:?} is answered {} and by a follower {}",
            reply.escape_ascii(),
            again.escape_ascii()
        );
        ensure!(
            depends_on <= follower.applied() && follower.applied() == self.engine.log().last(),
            "a reply tells of {depends_on}, and the follower is at {}",
            follower.applied()
        );
        Ok(())
    }

    /// Does what the journal's thread does with an event.
    fn apply(&mut self, event: Event<Log>, disk: &SimDisk, elapsed: Elapsed) -> Result<()> {
        let was_poisoned = self.is_poisoned();
        let name = event.name();
        self.commit.apply(event, elapsed);
        let flush = self.commit.flush();
        self.poisonings += u64::from(!was_poisoned && self.is_poisoned());
        self.wake_at = flush.wake_at;
        if let Some(job) = flush.sync {
            ensure!(self.sync.is_none(), "two syncs at a time");
            self.sync = Some(job);
        }
        match (
            flush.snapshot,
            std::mem::replace(&mut self.rewrite, Rewrite::None),
        ) {
            (Some(Ok(sink)), Rewrite::Asked(view, now)) => {
                self.rewrite = Rewrite::Writing(sink, view, now);
            }
            (Some(_), _) => {}
            (None, rewrite) => self.rewrite = rewrite,
        }
        match flush.stored {
            Some(Ok(history)) => {
                self.rewrites += 1;
                self.rewrite = Rewrite::Trimming(history);
            }
            Some(Err(_)) => self.rewrite = Rewrite::None,
            None => {}
        }
        // What a machine reports after its power failed reaches nobody.
        if disk.is_off() {
            return Ok(());
        }
        let (before, position) = (self.position, self.commit.position());
        let health = if self.is_good() { "good" } else { "ill" };
        let Position {
            durable, released, ..
        } = position;
        disk.note(format!(
            "{name}: durable {durable}, released {released}, {health}"
        ));
        ensure!(
            position.durable >= before.durable && position.released >= before.released,
            "a position went back: {before:?} {position:?}"
        );
        self.position = position;
        let views = self.views.split_off(&position.released);
        self.earlier_views
            .extend(std::mem::replace(&mut self.views, views));
        while self.earlier_views.len() > EARLIER_VIEWS_MAX {
            self.earlier_views.pop_first();
        }
        Ok(())
    }
}

/// A snapshot as written by a program that does not know of something.
fn forgetful(bug: Bug, view: &Frozen, engine: &Engine, now: Now) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    snapshot::write(view, &mut bytes, now, &Progress::default())?;
    let context = engine.snapshot_context(now);
    let mut reader = rdb::SnapshotReader::new(bytes.as_slice(), context)?;
    let mut writer = rdb::SnapshotWriter::new(Vec::new(), rdb::Compression::Off)
        .map_err(|never: Infallible| match never {})?;
    while let Some(item) = reader.next().context("what was just written")? {
        match item {
            rdb::Item::Database(index) => writer.database(index, 1, 0)?,
            rdb::Item::Record(mut record) => {
                if bug == Bug::IdempotenceForgotten
                    && let Some(stream) = record.value.get_mut::<stream::Stream>()
                {
                    let idempotence = stream.idempotence_mut();
                    let retention = idempotence.retention();
                    let now_ms = now.stream_ms();
                    drop(idempotence.configure(retention, stream::Forget::Everything, now_ms));
                }
                if let Some(stream) = record.value.get_mut::<stream::Stream>() {
                    let told = stream.settings().to_settings();
                    let mut forgetful = told.clone();
                    match bug {
                        Bug::CountsForgotten => forgetful.counts_producers = false,
                        Bug::NumbersForgotten => forgetful.iid_mode = stream::IidMode::Window,
                        _ => {}
                    }
                    drop(stream.set_settings(&forgetful));
                    drop(stream.set_settings(&told));
                }
                if bug == Bug::BoundsForgotten
                    && let Some(stream) = record.value.get_mut::<stream::Stream>()
                {
                    let told = stream.settings().to_settings();
                    let retain = stream::Retain::default();
                    drop(stream.set_settings(&stream::StreamSettings { retain, ..told }));
                }
                if bug == Bug::GroupSettingsForgotten
                    && let Some(stream) = record.value.get_mut::<stream::Stream>()
                {
                    let groups = stream.groups().iter();
                    let names: Vec<_> = groups.map(|(name, _)| name.to_vec()).collect();
                    for name in names {
                        stream.set_group_settings(&name, &stream::GroupSettings::default());
                    }
                }
                if bug == Bug::DeliveriesForgotten
                    && let Some(stream) = record.value.get_mut::<stream::Stream>()
                {
                    stream.set_group_id(many::GROUP.as_bytes(), StreamId::MIN, None);
                }
                if bug == Bug::PausesForgotten
                    && let Some(stream) = record.value.get_mut::<stream::Stream>()
                {
                    let groups = stream.groups().iter();
                    let names: Vec<_> = groups.map(|(name, _)| name.to_vec()).collect();
                    for name in names {
                        stream.groups_mut().edit(&name, forget_pauses);
                    }
                }
                if bug == Bug::DelayedForgotten
                    && let Some(stream) = record.value.get_mut::<stream::Stream>()
                {
                    while let Some(ticket) = first_ticket(stream) {
                        stream.undelay(ticket, now.stream_ms());
                    }
                }
                writer.record(
                    &record.key,
                    &record.value,
                    record.expires_at_ms,
                    rdb::Usage::Unknown,
                )?;
            }
            rdb::Item::Function(code) if bug != Bug::LibrariesForgotten => {
                writer.function(&code)?;
            }
            rdb::Item::Auxiliary { .. }
            | rdb::Item::Size { .. }
            | rdb::Item::Function(_)
            | rdb::Item::ModuleData { .. }
            | rdb::Item::Unknown { .. } => {}
        }
    }
    Ok(writer.finish()?)
}

fn forget_pauses(group: &mut stream::Group) {
    let paused: Vec<_> = group.paused().map(|(id, _)| id).collect();
    for id in paused {
        let count = group.pending(id).map_or(0, |entry| entry.delivery_count);
        group.give_back(id, count);
    }
}

fn first_ticket(stream: &stream::Stream) -> Option<stream::Ticket> {
    stream.delayed()?.first().map(|entry| entry.ticket)
}
