//! The world: machines, clients and a log service, and a queue of what happens to them.
//!
//! One step takes what happens next from the queue, does it, and puts what follows from it back.
//! The steps are in the modules below, by who takes them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anyhow::{Result, ensure};
use replication::{Event, Read, Seq, Settings, Steady};

use crate::replication_run::audit::{self, Audit, Knew};
use crate::replication_run::clients::{self, Asked, Client, Reply, Request};
use crate::replication_run::machine::{self, Machine};
use crate::replication_run::service::{Publisher, Service};
use crate::replication_run::store::Store;
use crate::replication_run::{Counts, Damage, Drift, Plan};
use crate::rng::Rng;

mod bugs;
mod faults;
mod followers;
mod network;
mod nodes;
mod requests;
mod snapshots;

/// True time, in microseconds since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(pub(super) u64);

impl Instant {
    pub(super) fn plus_ms(self, ms: u64) -> Instant {
        Instant(self.0 + 1000 * ms)
    }

    fn plus_us(self, us: u64) -> Instant {
        Instant(self.0 + us)
    }
}

const MACHINES: usize = 3;

/// How long there are faults.
const FAULTS_MS: u64 = 40_000;

/// How long the run goes on without: more than any timeout of the protocol after another.
const SETTLE_MS: u64 = 60_000;

/// How long a client waits.
const CLIENT_TIMEOUT_MS: u64 = 1000;

/// How many records one read gives.
const READ_RECORDS_MAX: u64 = 64;

const SETTINGS: Settings = Settings {
    poll: Duration::from_millis(40),
    // Some groups take several records.
    body_bytes_max: 400,
    // No group waits to become larger, so that more is in doubt.
    small_bytes: 0,
    ..Settings::DEFAULT
};

/// What happens at some moment.
#[derive(Clone, Debug)]
enum Happening {
    /// A machine looks at its clock.
    Wake { machine: usize, life: u64 },
    /// Something reaches the process of a machine.
    Told {
        machine: usize,
        life: u64,
        event: Event,
    },
    /// A publish reaches the service.
    Published {
        by: Publisher,
        expected: Option<Seq>,
        bytes: Vec<u8>,
    },
    /// The service commits what was proposed first.
    Commit,
    /// A read reaches the service.
    Reading {
        machine: usize,
        life: u64,
        read: Read,
    },
    /// Somebody who publishes blindly has waited long enough.
    Again { by: Publisher, bytes: Vec<u8> },
    /// A request reaches a machine.
    Asked { asked: Asked, request: Request },
    /// A reply reaches a client.
    Replied { asked: Asked, reply: Reply },
    /// A client has waited for a while, or thought.
    ClientTimer { asked: Asked },
    /// Something goes wrong.
    Fault,
    /// A cut link is whole again.
    LinkMended { machine: usize },
    /// A machine starts.
    Start { machine: usize },
    /// The service has a leader again.
    ServiceElects,
    /// Its leader gives no old answers any more.
    ServiceCurrent,
    /// The log is damaged.
    Damage,
    /// A follower makes a snapshot, or answers a read.
    Follower,
    /// A snapshot is in the store.
    SnapshotWritten(Box<snapshots::Making>),
}

/// Everything.
pub(super) struct World {
    plan: Plan,
    rng: Rng,
    now: Instant,
    queue: BTreeMap<(Instant, u64), Happening>,
    queued: u64,
    service: Service,
    last_commit: Instant,
    machines: Vec<Machine>,
    clients: Vec<Client>,
    store: Store,
    /// Who is making a snapshot.
    is_making: [bool; MACHINES],
    audit: Audit,
    knew: Vec<Knew>,
    counts: Counts,
    /// Publishes of which the answer has not been delivered, for those who count out of order.
    outstanding: Vec<(Publisher, Seq)>,
    /// The lease as somebody sees it who counts from the acknowledgement.
    wrong_lease: [Option<Steady>; MACHINES],
    trace: VecDeque<String>,
}

impl World {
    pub(super) fn new(plan: Plan) -> World {
        let mut rng = Rng::new(plan.seed);
        let drift_ppm_max = match plan.drift {
            Drift::WithinMargin => 100_000,
            Drift::BeyondMargin => 400_000,
        };
        let machines = (0..MACHINES).map(|number| Machine::new(number, drift_ppm_max, &mut rng));
        let machines = machines.collect();
        World {
            plan,
            rng,
            now: Instant(0),
            queue: BTreeMap::new(),
            queued: 0,
            service: Service::default(),
            last_commit: Instant(0),
            machines,
            clients: clients::all(),
            store: Store::default(),
            is_making: [false; MACHINES],
            audit: Audit::default(),
            knew: Vec::new(),
            counts: Counts::default(),
            outstanding: Vec::new(),
            wrong_lease: [None; MACHINES],
            trace: VecDeque::new(),
        }
    }

    pub(super) fn run(&mut self) -> Result<Counts> {
        for machine in 0..MACHINES {
            self.at_ms(0, 2000, Happening::Start { machine });
        }
        for client in 0..self.clients.len() {
            let asked = Asked { client, attempt: 0 };
            self.at_ms(0, 3000, Happening::ClientTimer { asked });
        }
        self.at_ms(1000, 5000, Happening::Fault);
        self.at_ms(1000, 2000, Happening::Follower);
        if self.plan.damage != Damage::None {
            self.at_ms(8000, FAULTS_MS, Happening::Damage);
        }
        let end = Instant(0).plus_ms(FAULTS_MS + SETTLE_MS);
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > end {
                break;
            }
            self.now = at;
            self.happen(happening)?;
        }
        self.check()?;
        Ok(self.counts)
    }

    /// What happened last.
    pub(super) fn trace(&self) -> Vec<String> {
        self.trace.iter().cloned().collect()
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if self.trace.len() == 200 {
            self.trace.pop_front();
        }
        let ms = self.now.0 / 1000;
        self.trace.push_back(format!("{ms} ms: {}", text()));
    }

    fn faults_are_over(&self) -> bool {
        self.now >= Instant(0).plus_ms(FAULTS_MS)
    }

    fn at(&mut self, at: Instant, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at, self.queued), happening);
    }

    /// Lets something happen from `min` to `max` milliseconds from now.
    fn at_ms(&mut self, min: u64, max: u64, happening: Happening) {
        let ms = min + self.rng.below(max - min);
        let us = self.rng.below(1000);
        self.at(self.now.plus_ms(ms).plus_us(us), happening);
    }

    fn happen(&mut self, happening: Happening) -> Result<()> {
        match happening {
            // An earlier one has come in between.
            Happening::Wake { machine, .. } if self.machines[machine].wakes_next != self.now => {
                Ok(())
            }
            Happening::Wake { machine, life } => self.tell(machine, life, Event::Tick),
            Happening::Told {
                machine,
                life,
                event,
            } => self.tell(machine, life, event),
            Happening::Published {
                by,
                expected,
                bytes,
            } => {
                self.published(by, expected, bytes);
                Ok(())
            }
            Happening::Commit => {
                self.commit();
                Ok(())
            }
            Happening::Reading {
                machine,
                life,
                read,
            } => {
                self.read(machine, life, read);
                Ok(())
            }
            Happening::Again { by, bytes } => {
                self.publish_again(by, &bytes);
                Ok(())
            }
            Happening::Asked { asked, request } => self.asked(asked, request),
            Happening::Replied { asked, reply } => self.replied(asked, reply),
            Happening::ClientTimer { asked } => {
                self.client_timer(asked);
                Ok(())
            }
            Happening::Fault => self.fault(),
            Happening::LinkMended { machine } => {
                self.mend(machine);
                Ok(())
            }
            Happening::Start { machine } => self.start(machine),
            Happening::ServiceElects => {
                self.elect();
                Ok(())
            }
            Happening::ServiceCurrent => {
                self.service.stale_records = 0;
                Ok(())
            }
            Happening::Damage => {
                self.damage();
                Ok(())
            }
            Happening::Follower => self.follower(),
            Happening::SnapshotWritten(making) => self.snapshot_written(*making),
        }
    }

    /// Everything is over: does all hold that should?
    fn check(&mut self) -> Result<()> {
        if self.plan.damage == Damage::None {
            let waits = self
                .clients
                .iter()
                .find(|client| client.waits_for.is_some());
            ensure!(waits.is_none(), "{waits:?} waits, and nothing is wrong");
            let leaders = self
                .machines
                .iter()
                .filter_map(|it| it.process.as_ref()?.leads());
            ensure!(leaders.count() == 1, "one machine should lead");
        }
        for knew in &self.knew {
            let it = &self.machines[knew.machine];
            let knows = knew.life.is_none_or(|life| life == it.life) && !it.has_stopped;
            // A leader that appends to a log as long as it should be learns nothing from it. Then
            // its followers stop.
            let process = it.process.as_ref();
            let leads = process.is_some_and(|process| process.leads().is_some());
            ensure!(
                !knows
                    || (leads && self.counts.stops > 0)
                    || audit::has(&self.service, &knew.mark)?,
                "machine {} knew {:?} of the log, which has lost it, and did not stop",
                knew.machine,
                knew.mark
            );
        }
        let serving = self.machines.iter().filter_map(|it| {
            let process = it.process.as_ref()?;
            Some((it.number, process.replica.freeze()))
        });
        let serving: Vec<_> = serving.collect();
        // Later than any machine believes it to be.
        let now = machine::wall(self.now.plus_ms(10_000));
        let (plan, service, counts) = (&self.plan, &self.service, &mut self.counts);
        self.audit.check(plan, service, &serving, now, counts)
    }
}
