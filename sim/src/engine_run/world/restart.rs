//! How the server of a run ends and comes back, and what must be there then.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use journal::{Lsn, RecoveryError};
use persistence::OpenError;
use resp::{Protocol, Reply};
use values::StringValue;

use super::super::client::Client;
use super::super::follower::Follower;
use super::super::functions;
use super::super::process::{Follow, Process};
use super::{ATTEMPTS_MAX, Crash, World};
use crate::picture::Picture;

impl World {
    pub(super) fn stop(&mut self) -> Result<()> {
        let is_durable = self.process.close(&self.disk, self.clock.elapsed())?;
        let last = self.process.last();
        if is_durable {
            self.told = self.told.max(last);
            self.counts.stops += 1;
            return self.restart(Crash::Stop);
        }
        self.restart(self.some_crash())
    }

    /// The server ends in some way, and starts again.
    pub(super) fn restart(&mut self, crash: Crash) -> Result<()> {
        self.counts.crashes += u64::from(crash != Crash::Stop);
        self.counts.rewrites += self.process.rewrites;
        self.counts.packed += self.process.packed;
        self.counts.poisonings += self.process.poisonings;
        self.counts.suspended += self.process.suspended;
        self.disk.kill();
        for client in &mut self.clients {
            client.lose_connection();
        }
        if crash == Crash::Machine || (crash == Crash::Stop && self.setting.has_power_cuts()) {
            self.counts.power_cuts += u64::from(crash == Crash::Machine);
            self.disk.power_cycle();
        }
        if self.rng.once_in(2) {
            let ms = if self.rng.once_in(40) { 50_000 } else { 2000 };
            self.clock
                .advance(Duration::from_millis(self.rng.below(ms)));
        }
        let process = self.recover()?;
        let old = std::mem::replace(&mut self.process, process);
        self.check_recovered(&old).context("after a restart")
    }

    /// Somebody else writes to the log. The server answers nothing any more from what it has in
    /// memory, and loads the log again.
    pub(super) fn be_overtaken(&mut self) -> Result<()> {
        self.disk.forget_plan();
        self.disk.set_capacity(u64::MAX);
        let elapsed = self.clock.elapsed();
        self.process.deliver(&self.disk, elapsed)?;
        let is_busy = self.process.has_unfinished();
        if self.plan.bug.is_some() || !self.process.is_good() || is_busy {
            return Ok(());
        }
        // Writes are taken again if a rewrite has just mended the journal.
        self.process.look_at_journal();
        let written = self.process.position.written;
        self.counts.overtaken += 1;
        let value = self.counts.overtaken.to_string();
        let foreign = format!(
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$7\r\nforeign\r\n${}\r\n{value}\r\n",
            value.len()
        );
        self.process.be_overtaken(foreign.as_bytes(), &self.disk)?;
        // The next write shows it. It is in no log, then.
        let now = self.now();
        let engine = &mut self.process.engine;
        let session = engine.connect(String::new(), String::new(), now);
        let request: resp::ArgvBuf = ["SET", "fenced", &value].into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = engine.request(session, request.as_argv(), now, &mut reply);
        engine.disconnect(session);
        self.finish()?;
        self.process.deliver(&self.disk, elapsed)?;
        // While a sync runs, the journal may gather what it writes next.
        self.process.finish_sync(&self.disk, elapsed)?;
        ensure!(self.process.is_fenced(), "nobody noticed another writer");
        // A rewrite would put what is in memory in the place of the log.
        self.process.begin_rewrite(now);
        self.process.deliver(&self.disk, elapsed)?;
        self.process
            .go_on_with_rewrite(|| false, &self.disk, elapsed)?;
        self.release()?;
        let waits = |client: &Client| client.asked.as_ref().is_some_and(|asked| !asked.is_blocked);
        ensure!(
            !self.clients.iter().any(waits),
            "somebody waits for a log that has another writer"
        );
        self.disk.kill();
        for client in &mut self.clients {
            client.lose_connection();
        }
        let process = self.recover()?;
        let old = std::mem::replace(&mut self.process, process);
        let recovered = self.process.report.last;
        // To whoever wrote it each request is a batch.
        ensure!(
            recovered == written.plus(2) && self.told <= written,
            "{written} were written, {} told, {recovered} are back",
            self.told
        );
        self.audit()?;
        self.repeat_looks(written)?;
        let view = old.views.get(&written);
        let view = view.with_context(|| format!("no batch ever ended at {written}"))?;
        let back = Picture::of(&self.process.engine.freeze(), now).without(0, "foreign");
        let before = Picture::of(view, now).without(0, "foreign");
        before.ensure_same(&back, "before and after another writer")?;
        functions::ensure_callable(&mut self.process.engine, now)?;
        let keyspace = self.process.engine.keyspace();
        let foreign = keyspace.find(0, keyspace.hash(b"foreign"), b"foreign");
        let foreign = foreign.and_then(|record| record.value().get::<StringValue>());
        ensure!(
            foreign.map(StringValue::to_vec) == Some(value.into_bytes()),
            "what the other one wrote is not there"
        );
        Ok(())
    }

    /// Starts the server until that succeeds, crashing on the way now and then.
    fn recover(&mut self) -> Result<Process> {
        for attempt in 0..ATTEMPTS_MAX {
            if attempt < 3 && self.rng.once_in(8) {
                let within = 1 + self.rng.below(8);
                let failure = self.some_failure();
                self.disk.plan(self.disk.operations() + within, failure);
            } else if attempt >= 3 {
                self.disk.forget_plan();
                self.disk.set_capacity(u64::MAX);
            }
            let follow = if self.rng.once_in(4) {
                Follow::Yes
            } else {
                Follow::No
            };
            let batches = &self.process.batches;
            let started = Process::start(&self.disk, &self.setting, batches, follow, self.now());
            match started {
                Ok(process) if !self.disk.is_off() => return Ok(process),
                _ if self.disk.is_off() => {
                    self.counts.crashes += 1;
                    self.counts.power_cuts += 1;
                    self.disk.power_cycle();
                }
                Err(OpenError::Recovery(RecoveryError::Disk(_))) => self.disk.kill(),
                Ok(_) => {}
                Err(error) => bail!("the server does not start: {error}"),
            }
        }
        bail!("the server does not start, however often it is tried")
    }

    /// What came back must be what was there, and include all that anybody was told.
    fn check_recovered(&mut self, old: &Process) -> Result<()> {
        let now = self.now();
        let (last, recovered) = (old.last(), self.process.report.last);
        self.disk.note(format!(
            "of {last} batches {recovered} are back, {} were told",
            self.told
        ));
        self.counts.batches_lost += last.since(recovered);
        self.counts.cuts += self.process.report.cuts.len() as u64;
        self.audit()?;
        self.repeat_looks(recovered)?;
        ensure!(
            recovered >= self.told,
            "a reply told of batch {}, but the journal ends at {recovered}",
            self.told
        );
        let view = old.views.get(&recovered);
        let view = view.with_context(|| format!("no batch ever ended at {recovered}"))?;
        let back = Picture::of(&self.process.engine.freeze(), now);
        Picture::of(view, now).ensure_same(&back, "before and after the restart")?;
        functions::ensure_callable(&mut self.process.engine, now)?;
        self.read_from_the_midst(old)
    }

    /// Who has the state after some batch and reads the log from there must come to the same state,
    /// wherever in a group that batch is.
    fn read_from_the_midst(&mut self, old: &Process) -> Result<()> {
        let now = self.now();
        let recovered = self.process.report.last;
        let views = old.earlier_views.iter().chain(&old.views);
        let views: Vec<_> = views.filter(|(at, _)| **at <= recovered).collect();
        let (at, view) = views[self.rng.index(views.len())];
        let mut follower = Follower::begin(view, *at, &self.setting, now)?;
        // The log may begin later.
        if follower.follow_disk(&self.disk)? {
            follower.compare_with(&self.process.engine, now)?;
            self.counts.followed += recovered.since(*at);
        }
        Ok(())
    }

    /// Reads that were answered before the crash must be answered in the same way now: what the
    /// crash took back cannot have touched them, or the replies would not have left.
    fn repeat_looks(&mut self, recovered: Lsn) -> Result<()> {
        let mut looks = std::mem::take(&mut self.looks);
        looks.retain(|look| look.at > recovered);
        for look in looks {
            let engine = &mut self.process.engine;
            let session = engine.connect(String::new(), String::new(), look.now);
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = engine.request(session, look.argv.as_argv(), look.now, &mut reply);
            engine.disconnect(session);
            self.counts.looks_repeated += 1;
            ensure!(
                reply.as_bytes() == look.reply,
                "{:?} showed {:?}, which the crash took back: now it is {:?}",
                look.argv,
                String::from_utf8_lossy(&look.reply),
                String::from_utf8_lossy(reply.as_bytes()),
            );
        }
        Ok(())
    }
}
