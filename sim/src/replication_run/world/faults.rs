//! What goes wrong with machines, links, the service and the log.

use anyhow::Result;
use replication::{Event, NodeId, Seq};

use super::{FAULTS_MS, Happening, Instant, MACHINES, SETTINGS, World};
use crate::replication_run::Damage;
use crate::replication_run::audit::Knew;

impl World {
    /// Something goes wrong, or is asked for.
    pub(super) fn fault(&mut self) -> Result<()> {
        if self.faults_are_over() {
            return Ok(());
        }
        self.at_ms(200, 4000, Happening::Fault);
        let machine = match self.leader() {
            Some(leader) if self.rng.once_in(2) => leader,
            Some(_) | None => self.rng.index(MACHINES),
        };
        let life = self.machines[machine].life;
        match self.rng.below(16) {
            0 | 1 => self.crash(machine),
            2 => {
                self.counts.losses += 1;
                self.machines[machine].kept = None;
                self.knew.retain(|knew| knew.machine != machine);
                self.crash(machine);
            }
            3..6 => {
                self.counts.pauses += 1;
                let ms = 300 + self.rng.below(6000);
                self.note(|| format!("machine {machine} pauses for {ms} ms"));
                self.machines[machine].paused_until = self.now.plus_ms(ms);
            }
            6..9 => {
                self.counts.partitions += 1;
                let kind = self.rng.below(3);
                let it = &mut self.machines[machine];
                it.cannot_send |= kind != 0;
                it.cannot_receive |= kind != 1;
                self.note(|| format!("the link of machine {machine} is cut: {kind}"));
                self.at_ms(300, 6000, Happening::LinkMended { machine });
            }
            9 => {
                self.counts.resets += 1;
                self.note(|| format!("the connection of machine {machine} is reset"));
                return self.tell(machine, life, Event::Unavailable);
            }
            10..12 => self.fail_service_over(),
            12..14 => return self.hand_over(),
            _ => {}
        }
        Ok(())
    }

    /// The machine that leads, or believes so.
    fn leader(&self) -> Option<usize> {
        let leads = |it: &&crate::replication_run::machine::Machine| {
            it.process
                .as_ref()
                .is_some_and(|process| process.leads().is_some())
        };
        self.machines.iter().find(leads).map(|it| it.number)
    }

    fn crash(&mut self, machine: usize) {
        self.counts.crashes += 1;
        self.note(|| format!("machine {machine} crashes"));
        let it = &mut self.machines[machine];
        it.process = None;
        it.life += 1;
        self.at_ms(100, 6000, Happening::Start { machine });
    }

    fn fail_service_over(&mut self) {
        if self.service.has_no_leader {
            return;
        }
        self.counts.service_failovers += 1;
        self.note(|| "the service loses its leader".to_owned());
        self.service.lose_leader();
        self.at_ms(100, 9000, Happening::ServiceElects);
        for machine in 0..MACHINES {
            if self.rng.once_in(2) {
                let life = self.machines[machine].life;
                self.answer(machine, life, Event::Unavailable);
            }
        }
    }

    pub(super) fn elect(&mut self) {
        let lost = self.service.elect(&mut self.rng);
        self.counts.proposals_lost += lost as u64;
        self.note(|| format!("the service has a leader again, and {lost} proposals less"));
        while self.service.commit().is_some() {}
        if self.rng.once_in(3) {
            self.service.stale_records = 1 + self.rng.below(4);
            self.at_ms(100, 8000, Happening::ServiceCurrent);
        }
    }

    pub(super) fn mend(&mut self, machine: usize) {
        let it = &mut self.machines[machine];
        (it.cannot_send, it.cannot_receive) = (false, false);
    }

    fn hand_over(&mut self) -> Result<()> {
        let Some(machine) = self.leader() else {
            return Ok(());
        };
        if self.machines[machine].paused_until > self.now {
            return Ok(());
        }
        let to = NodeId(self.rng.below(MACHINES as u64));
        let now = self.machines[machine].clock(self.now);
        self.note(|| format!("machine {machine} shall hand over to {to:?}"));
        if let Some(process) = &mut self.machines[machine].process {
            process.hand_over(now, SETTINGS.body_bytes_max, to)?;
        }
        self.go_on(machine)
    }

    /// The log does what it must not, once.
    pub(super) fn damage(&mut self) {
        let (first, last) = (self.service.first(), self.service.last());
        let count = (last.0 + 1).saturating_sub(first.0);
        if count < 8 {
            if self.now < Instant(0).plus_ms(FAULTS_MS) {
                self.at_ms(500, 1000, Happening::Damage);
            }
            return;
        }
        self.counts.damages += 1;
        // Rather of late, where not everybody has read it.
        let within = if self.rng.once_in(2) { 4 } else { count };
        let seq = Seq(last.0 - self.rng.below(within));
        let damage = self.plan.damage;
        self.note(|| format!("record {seq} of {last}: {damage:?}"));
        match damage {
            Damage::None => {}
            Damage::RecordLost => self.service.lose(seq),
            Damage::BitFlipped => {
                let mut rng = self.rng.fork();
                self.service.flip(seq, &mut rng);
            }
            Damage::SuffixLost => {
                let lost = 1 + self.rng.below(count.min(6));
                let left = Seq(last.0 - lost);
                self.note_what_is_known(left);
                self.service.lose_behind(left);
                self.forget_snapshots_behind(left);
            }
        }
    }

    /// Who knows of the records behind this one?
    fn note_what_is_known(&mut self, left: Seq) {
        for it in &self.machines {
            if let Some(mark) = it.kept.filter(|mark| mark.seq > left) {
                self.knew.push(Knew {
                    machine: it.number,
                    mark,
                    life: None,
                });
            }
            if let Some(process) = &it.process {
                let mark = process.node.mark();
                if mark.seq > left {
                    self.knew.push(Knew {
                        machine: it.number,
                        mark,
                        life: Some(it.life),
                    });
                }
            }
        }
    }
}
