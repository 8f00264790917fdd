//! The log that the settings of a server name, and the snapshots of its group.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use cluster::{Bounds, ServiceConfig, SnapshotFolder, SnapshotStore};
use engine::Engine;
use engine::config::{LogSnapshots, Settings, ShellConfig};
use replication::{NodeId, Position, Seq};
use server::Clock;

use crate::command_line::{self, Invocation};
use crate::group;

/// A log, and what is needed to load what it leads to.
pub(super) struct NamedLog {
    pub(super) service: ServiceConfig,
    /// Where its snapshots are; none if no place is named.
    pub(super) store: Option<Box<dyn SnapshotStore>>,
    settings: Settings,
    seed: u64,
    pub(super) clock: Clock,
}

impl NamedLog {
    /// Reads settings as the server does: a file, and others behind it.
    ///
    /// # Errors
    /// They are wrong, or name no log.
    pub(super) fn of(arguments: &[String]) -> anyhow::Result<NamedLog> {
        let Invocation::Serve(configuration) = command_line::settings(arguments.iter().cloned())?
        else {
            bail!("the settings of a server are needed");
        };
        let settings = configuration.settings;
        let log = ShellConfig::resolve(&settings).shared_log;
        let log = log.context(
            "no log is named: give the configuration file of a server of the group, or its settings",
        )?;
        let service = group::service(&log)?;
        let store = log.snapshots.map(|LogSnapshots { folder, .. }| {
            // No node has this number, so nothing of one is touched.
            let store = SnapshotFolder::new(&folder, service.group.clone(), NodeId(0));
            Box::new(store) as Box<dyn SnapshotStore>
        });
        Ok(NamedLog {
            service,
            store,
            settings,
            seed: crate::seed()?,
            clock: Clock::start(),
        })
    }

    /// An engine without anything in it.
    pub(super) fn empty(&self) -> Engine {
        let (settings, now) = (self.settings.clone(), self.clock.now());
        Engine::new(settings, self.seed, now, &commands::TABLE)
    }
}

/// Where a reader begins that wants to read all of a log: at its start, or at the oldest snapshot
/// that it follows.
pub(super) fn beginning(log: Bounds, snapshots: &[Position]) -> Option<Position> {
    if log.first <= Seq::ZERO.next() {
        return Some(Position::default());
    }
    let fits = |at: &&Position| at.seq.next() >= log.first;
    snapshots
        .iter()
        .filter(fits)
        .min_by_key(|at| at.seq)
        .copied()
}

/// Tells whoever waits at a terminal how far reading is.
pub(super) struct Told(Instant);

/// The pause between two lines.
const PAUSE: Duration = Duration::from_secs(2);

impl Told {
    pub(super) fn begin() -> Told {
        Told(Instant::now())
    }

    /// Says so if nothing was said for a while.
    pub(super) fn at(&mut self, seq: Seq, log: Bounds) {
        if self.0.elapsed() >= PAUSE {
            self.0 = Instant::now();
            let last = log.last;
            // Nobody may be there to read it.
            writeln!(std::io::stderr(), "record {seq} of {last} was read").ok();
        }
    }
}
