//! An engine that follows a log: it begins with the state after some batch, and is given groups.
//!
//! It has the same numbers as the engine that wrote the log, answers reads as that one does, and
//! changes nothing by itself.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use engine::server::{Conflicts, Writes};
use engine::store::keyspace::Frozen;
use engine::store::keyspace::Sizes;
use engine::{Author, Engine, Expired, Lsn, Now, Replay};
use journal::{Item, Names, ReadOnly, Recovery, Source, TornTail};
use persistence::snapshot::{self, Progress};
use resp::{ArgvBuf, Protocol, Reply};

use super::setting::Setting;
use crate::disk::SimDisk;
use crate::picture::Picture;

/// An engine that follows a log.
pub(super) struct Follower {
    engine: Engine,
    replay: Replay,
    /// The batch whose state it began with.
    begun_at: Lsn,
}

impl Follower {
    /// An engine that has the state after batch `at`, which came by way of a snapshot, under other
    /// settings.
    pub(super) fn begin(view: &Frozen, at: Lsn, setting: &Setting, now: Now) -> Result<Follower> {
        let mut bytes = Vec::new();
        snapshot::write(view, &mut bytes, now, &Progress::default())?;
        let mut engine = setting.changed_engine(now);
        engine.server.writes = Writes::Refused("This one follows another.".to_owned());
        let mut replay = engine.begin_replay_after(at, now);
        snapshot::load(
            &mut engine,
            "of a follower",
            bytes.as_slice(),
            Expired::Kept,
            Conflicts::Refused,
            now,
            replay.unknown(),
        )?;
        Ok(Follower {
            engine,
            replay,
            begun_at: at,
        })
    }

    /// The last batch that it has.
    pub(super) fn applied(&self) -> Lsn {
        self.engine.log().last()
    }

    /// Follows one group.
    pub(super) fn follow(&mut self, group: &[u8], numbers: (Lsn, Lsn)) -> Result<()> {
        self.engine
            .replay_group(&mut self.replay, group, Author::Weir, numbers)?;
        ensure!(
            self.applied() == numbers.1,
            "a follower counts {} batches of {numbers:?}",
            self.applied()
        );
        Ok(())
    }

    /// Follows what a disk has of the log behind the state that it began with: all groups that have
    /// a later batch. Returns whether it has none that is missing in between.
    pub(super) fn follow_disk(&mut self, disk: &SimDisk) -> Result<bool> {
        let disk = Arc::new(ReadOnly::new(disk.clone()));
        let mut recovery = Recovery::open(disk, Names::new("appendonly.aof"), TornTail::Refuse)?;
        while let Some(item) = recovery.next()? {
            match item {
                Item::Base(_) => {}
                Item::BaseCommands(_) => anyhow::bail!("weir writes no such base"),
                Item::Batches(batches) if batches.last <= self.applied() => {}
                Item::Batches(batches) if batches.first > self.applied().next() => {
                    return Ok(false);
                }
                Item::Batches(batches) => {
                    ensure!(batches.source == Source::Weir, "who wrote this?");
                    self.follow(batches.bytes, (batches.first, batches.last))
                        .with_context(|| format!("from {} on", self.begun_at))?;
                }
            }
        }
        Ok(self.applied() == recovery.report().last)
    }

    /// Answers a read. Gives the reply and the batch that it depends on.
    pub(super) fn answer(&mut self, argv: &ArgvBuf, now: Now) -> (Vec<u8>, Lsn) {
        let session = self.engine.connect(String::new(), String::new(), now);
        let mut reply = Reply::new(Protocol::Resp2);
        let outcome = self
            .engine
            .request(session, argv.as_argv(), now, &mut reply);
        self.engine.disconnect(session);
        (reply.into_bytes(), outcome.depends_on)
    }

    /// It must hold what the other engine holds, each key changed by the same batch.
    pub(super) fn compare_with(&mut self, live: &Engine, now: Now) -> Result<()> {
        // What a timer does must not be seen either.
        self.engine.timer(now);
        let what = format!("the state, and what a follower has since {}", self.begun_at);
        let replayed = Picture::of(&self.engine.freeze(), now);
        Picture::of(&live.freeze(), now).ensure_same(&replayed, &what)?;
        ensure!(
            self.applied() == live.log().last(),
            "{what}: it is at {} and not at {}",
            self.applied(),
            live.log().last()
        );
        let (mine, others) = (self.engine.keyspace(), live.keyspace());
        for database in 0..others.database_count() {
            let walked = Sizes::of(others.records(database).map(|record| record.value()));
            ensure!(
                *others.sizes(database) == walked,
                "{what}: the sizes of keys of database {database} are not those that are counted"
            );
            for record in others.records(database) {
                let (key, changed) = (record.key(), record.changed());
                let found = mine.find(database, mine.hash(key), key);
                let replayed = found.map(|record| record.changed());
                ensure!(
                    changed <= self.begun_at || replayed == Some(changed),
                    "{what}: {} was changed by {changed}, it says {replayed:?}",
                    key.escape_ascii()
                );
            }
        }
        Ok(())
    }
}
