//! Recovery after a crash, and a check whether what came back is right.

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use journal::{
    Commit, Item, Lsn, Names, Position, Recovery, RecoveryError, SyncPolicy, TornTail,
    UNSYNCED_AGE_MAX,
};

use super::{Bug, Chaos, Crash, World, index, snapshot};
use crate::disk::{Failure, SimDisk};

impl World {
    /// Reads the log until that succeeds, crashing on the way as the plan says, and checks what
    /// came back.
    pub(super) fn recover(&mut self, mut crash: Crash) -> Result<()> {
        let chaos = self.plan.chaos == Chaos::Drawn;
        for attempt in 0.. {
            ensure!(attempt < 100, "recovery does not come to an end");
            if chaos && attempt < 3 && self.rng.once_in(8) {
                let within = 1 + self.rng.below(8);
                let failure = if self.rng.once_in(3) {
                    Failure::Error
                } else {
                    Failure::PowerCut
                };
                self.disk.plan(self.disk.operations() + within, failure);
            } else if attempt >= 3 {
                self.disk.forget_plan();
                self.disk.set_capacity(u64::MAX);
            }
            let disk = Arc::new(self.disk.clone());
            let names = Names::new("appendonly.aof");
            match self.read_log(disk, names) {
                Ok(()) => break,
                Err(ReadError::Wrong(error)) => return Err(error),
                Err(ReadError::Refused(
                    error @ (RecoveryError::Disk(_) | RecoveryError::Locked { .. }),
                )) => {
                    if self.disk.is_off() {
                        self.disk.power_cycle();
                        crash = Crash::Machine;
                    } else {
                        ensure!(!matches!(error, RecoveryError::Locked { .. }), "{error}");
                        self.disk.kill();
                    }
                }
                Err(ReadError::Refused(error)) => bail!("the log does not come back: {error}"),
            }
        }
        let recovered = self
            .commit
            .as_ref()
            .map_or(Lsn::ZERO, |commit| commit.position().written);
        self.check_nothing_is_lost(recovered, crash)?;
        self.batches.truncate(index(recovered.number()));
        let now = self.clock.elapsed();
        for batch in &mut self.batches {
            batch.released_at.get_or_insert(now);
        }
        self.gathered.last = recovered;
        self.delivered = recovered;
        self.position = Position {
            written: recovered,
            durable: recovered,
            released: recovered,
        };
        self.weakest = self.policy;
        self.wake_at = None;
        Ok(())
    }

    fn read_log(&mut self, disk: Arc<SimDisk>, names: Names) -> Result<(), ReadError> {
        let mut recovery = Recovery::open(Arc::clone(&disk), names.clone(), TornTail::Cut)
            .map_err(ReadError::Refused)?;
        if !self.disk.is_off() && Recovery::open(disk, names, TornTail::Cut).is_ok() {
            return Err(ReadError::Wrong(anyhow::anyhow!(
                "a second server got the lock"
            )));
        }
        let mut at = Lsn::ZERO;
        while let Some(item) = recovery.next().map_err(ReadError::Refused)? {
            match item {
                Item::Base(mut base) => {
                    let mut bytes = Vec::new();
                    if base.read_to_end(&mut bytes).is_err() {
                        break;
                    }
                    at = self.check_base(&bytes).map_err(ReadError::Wrong)?;
                }
                Item::BaseCommands(_) => {
                    return Err(ReadError::Wrong(anyhow::anyhow!(
                        "the base became commands"
                    )));
                }
                Item::Batches(batches) => {
                    for _ in 0..1 + u8::from(self.plan.bug == Some(Bug::AppliedTwice)) {
                        self.check_batches(&batches, &mut at)
                            .map_err(ReadError::Wrong)?;
                    }
                }
            }
        }
        let (log, report) = recovery.finish().map_err(ReadError::Refused)?;
        if report.last != at {
            return Err(ReadError::Wrong(anyhow::anyhow!(
                "the log is at {}, not {at}",
                report.last
            )));
        }
        self.outcome.cuts += report.cuts.len() as u64;
        // It may be another from start to start.
        let reserve_bytes = [0, 4096, 50_000][self.rng.index(3)];
        let log = log.with_reserve(reserve_bytes);
        self.commit = Some(Commit::new(log, self.policy));
        Ok(())
    }

    fn check_base(&self, bytes: &[u8]) -> Result<Lsn> {
        let at = bytes
            .get(5..13)
            .and_then(|number| number.try_into().ok())
            .map(u64::from_le_bytes);
        let at = Lsn::new(at.context("the base is cut short")?);
        ensure!(
            at <= self.submitted(),
            "the base is ahead of what was submitted"
        );
        ensure!(
            bytes == snapshot(at, self.digest(at)),
            "the base is not the state at {at}"
        );
        Ok(at)
    }

    fn check_batches(&self, batches: &journal::Batches<'_>, at: &mut Lsn) -> Result<()> {
        ensure!(
            batches.first == at.next(),
            "batch {} follows batch {at}",
            batches.first
        );
        ensure!(
            batches.last <= self.submitted(),
            "batch {} was never submitted",
            batches.last
        );
        let mine = &self.batches[index(at.number())..index(batches.last.number())];
        let expected: Vec<u8> = mine
            .iter()
            .flat_map(|batch| batch.bytes.iter().copied())
            .collect();
        ensure!(
            batches.bytes == expected,
            "batches {} to {} differ",
            batches.first,
            batches.last
        );
        *at = batches.last;
        Ok(())
    }

    fn check_nothing_is_lost(&self, recovered: Lsn, crash: Crash) -> Result<()> {
        let Position {
            durable, released, ..
        } = self.position;
        ensure!(
            recovered >= durable,
            "batch {durable} was durable, but the log ends at {recovered}"
        );
        if recovered >= released {
            return Ok(());
        }
        ensure!(
            crash == Crash::Machine && self.weakest != SyncPolicy::Always,
            "batch {released} was acknowledged, but the log ends at {recovered}"
        );
        let lost = &self.batches[index(recovered.number())..index(released.number())];
        let moments = || lost.iter().filter_map(|batch| batch.released_at);
        if let (Some(first), Some(last)) = (moments().min(), moments().max())
            && self.weakest == SyncPolicy::EverySecond
        {
            let window = last.since(first);
            ensure!(
                window <= UNSYNCED_AGE_MAX,
                "{window:?} of acknowledged batches are lost"
            );
        }
        Ok(())
    }
}

enum ReadError {
    /// Recovery says no.
    Refused(RecoveryError),
    /// What came back is wrong.
    Wrong(anyhow::Error),
}
