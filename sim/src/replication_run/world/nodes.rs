//! The nodes: what reaches them, and what they want to be done.

use anyhow::{Result, ensure};
use engine::Now;
use replication::{Action, Event, Status, Steady, Stop, StopReason};

use super::{Happening, SETTINGS, World, bugs};
use crate::replication_run::audit::Knew;
use crate::replication_run::clients::Reply;

impl World {
    /// Something reaches a machine.
    pub(super) fn tell(&mut self, machine: usize, life: u64, event: Event) -> Result<()> {
        let it = &self.machines[machine];
        if it.life != life || it.process.is_none() {
            return Ok(());
        }
        if it.paused_until > self.now {
            let again = Happening::Told {
                machine,
                life,
                event,
            };
            self.at(it.paused_until, again);
            return Ok(());
        }
        let events = self.as_the_bug_sees(machine, life, event)?;
        for event in events {
            let now = self.machines[machine].clock(self.now);
            if let Some(process) = &mut self.machines[machine].process {
                let was_leading = matches!(process.node.status(), Status::Leading(_));
                process.node.apply(now, event);
                let is_in_doubt = matches!(process.node.status(), Status::InDoubt(_));
                self.counts.doubts += u64::from(was_leading && is_in_doubt);
            }
            self.go_on(machine)?;
        }
        Ok(())
    }

    /// Does what a machine wants to be done, until it wants nothing.
    pub(super) fn go_on(&mut self, machine: usize) -> Result<()> {
        loop {
            let (now, wall) = self.clocks(machine);
            let Some(process) = &mut self.machines[machine].process else {
                return Ok(());
            };
            process.work(wall)?;
            process.commit(now, SETTINGS.body_bytes_max)?;
            let actions = process.node.take_actions();
            if actions.is_empty() {
                break;
            }
            for action in actions {
                self.act(machine, action)?;
            }
        }
        self.release(machine)?;
        self.keep_mark(machine);
        let it = &self.machines[machine];
        let life = it.life;
        if let Some(at) = it.wakes_at() {
            let at = at.max(self.now.plus_us(100));
            if it.wakes_next <= self.now || at < it.wakes_next {
                self.machines[machine].wakes_next = at;
                self.at(at, Happening::Wake { machine, life });
            }
        }
        Ok(())
    }

    /// Does one thing that a machine wants to be done.
    fn act(&mut self, machine: usize, action: Action) -> Result<()> {
        match action {
            Action::Publish(publish) => {
                self.send(machine, publish);
                Ok(())
            }
            Action::Read(read) => {
                self.send_read(machine, read);
                Ok(())
            }
            Action::Apply(group) => self.apply(machine, &group),
            Action::Begun { .. } => Ok(()),
            Action::Durable(lsn) => {
                if let Some(process) = &mut self.machines[machine].process {
                    process.durable = lsn;
                }
                Ok(())
            }
            Action::Lead(epoch) => {
                self.note(|| format!("machine {machine} leads in {epoch:?}"));
                match &mut self.machines[machine].process {
                    Some(process) => process.lead(),
                    None => Ok(()),
                }
            }
            Action::HandedOver => {
                self.counts.hand_overs += 1;
                self.note(|| format!("machine {machine} has handed over"));
                let (_, wall) = self.clocks(machine);
                match &mut self.machines[machine].process {
                    Some(process) => process.follow(wall),
                    None => Ok(()),
                }
            }
            Action::StepDown(deposed) => {
                self.counts.depositions += 1;
                self.note(|| format!("machine {machine} steps down: {deposed:?}"));
                self.start(machine)
            }
            Action::Stop(stop) => self.stopped(machine, stop),
        }
    }

    /// A machine finds that it cannot go on.
    fn stopped(&mut self, machine: usize, stop: Stop) -> Result<()> {
        self.note(|| format!("machine {machine} stops: {stop}"));
        if let StopReason::Trimmed { .. } = stop.reason {
            self.counts.left_behind += 1;
            return self.start(machine);
        }
        ensure!(self.counts.damages > 0, "machine {machine} stopped: {stop}");
        if self.goes_on_regardless(machine, &stop)? {
            return Ok(());
        }
        self.counts.stops += 1;
        let it = &mut self.machines[machine];
        it.has_stopped = true;
        it.process = None;
        it.life += 1;
        Ok(())
    }

    /// Lets replies go that may.
    fn release(&mut self, machine: usize) -> Result<()> {
        let now = self.machines[machine].clock(self.now);
        let Some(process) = &mut self.machines[machine].process else {
            return Ok(());
        };
        let Some(epoch) = process.leads() else {
            return Ok(());
        };
        let until = process.node.may_answer_until();
        let until = bugs::lease_end(self.plan.bug, until, self.wrong_lease[machine], now);
        let released = process.released(until.is_some_and(|until| now < until));
        for waiting in released {
            self.audit.leader_answered(&self.plan, machine, epoch)?;
            self.reply(waiting.asked, Reply::Answers(waiting.executed.bytes));
        }
        Ok(())
    }

    /// Now and then a machine keeps on its disk how far it has read.
    fn keep_mark(&mut self, machine: usize) {
        if self.rng.once_in(8) {
            let it = &mut self.machines[machine];
            if let Some(process) = &it.process {
                it.kept = Some(process.node.mark());
            }
        }
    }

    /// What the clocks of a machine show.
    pub(super) fn clocks(&self, machine: usize) -> (Steady, Now) {
        let it = &self.machines[machine];
        (it.clock(self.now), it.wall(self.now))
    }

    /// Starts a machine.
    pub(super) fn start(&mut self, machine: usize) -> Result<()> {
        if self.machines[machine].has_stopped {
            return Ok(());
        }
        let entropy = self.rng.number();
        let (at, replica) = self.beginning(machine)?;
        let is_ahead =
            |knew: &Knew| knew.machine != machine || knew.life.is_some() || knew.mark.seq > at.seq;
        self.knew.retain(is_ahead);
        self.wrong_lease[machine] = None;
        self.machines[machine].start(self.now, SETTINGS, at, replica, entropy);
        let life = self.machines[machine].life;
        self.tell(machine, life, Event::Tick)
    }
}
