//! Everything that a night can do to a group of servers, done to one under load.
//!
//! Three weir servers share a log on three NATS servers. Producers and consumers go on meanwhile
//! ([`exactly_once`](crate::exactly_once)), and part of them are programs with real clients
//! ([`real_clients`](crate::real_clients)). Snapshots are made, and the log is trimmed behind them.
//! One fault comes after another, of which each ends within seconds: servers of both kinds are
//! killed, paused for longer than a lease, divided from others in one direction or both, slowed
//! down, stopped one by one; one of either kind loses its disk, a weir is left behind by the log, a
//! NATS server has no room; the lead is handed over. After each fault appends must go on. In the
//! end everything that was acknowledged must be there once.

mod doing;
mod evidence;
mod fault;
mod outcome;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::exactly_once::audit::Kept;
use crate::exactly_once::told::Told;
use crate::exactly_once::{Clients, Servers};
pub use crate::faults::fault::{FAULTS, Fault, Ways};
pub use crate::faults::outcome::Outcome;
use crate::faults::watch::{LOOK, Watch};
use crate::finder::Finder;
use crate::group::{Group, NAME, SERVERS};
use crate::real_clients::{Mode, RealClient};

/// How long appends may fail to go on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause of a producer between two appends.
const PACE: Duration = Duration::from_millis(50);

/// How long a server may take to read the newest snapshot and the log.
const READING_TIME: Duration = Duration::from_secs(300);

/// How long a run may take, and how much longer for each fault; most take about ten seconds.
const RUN_TIME: Duration = Duration::from_secs(120);
const FAULT_TIME: Duration = Duration::from_secs(30);

/// Where snapshots are, in the folder of a run.
const SNAPSHOTS: &str = "snapshots";

/// How many of the last lines of each server are shown after a failure.
const LINES_SHOWN: usize = 40;

/// What is done to which group.
#[derive(Debug)]
pub struct Options {
    /// The binary of the server.
    pub server: PathBuf,
    /// How many faults there are: all kinds in turn, each time in another order.
    pub faults: u32,
    /// What the names of those kinds begin with that are done.
    pub only: String,
    /// Producers that are not real clients.
    pub producers: u64,
    /// Programs with real clients.
    pub programs: Vec<RealClient>,
    /// How clients find the leader.
    pub mode: Mode,
    /// Chooses the order of faults, and their moments.
    pub seed: u64,
    /// How long a fault lasts at most that ends by itself.
    pub longest: Duration,
    /// After how many records there is another snapshot; fewer let the log be trimmed more often.
    pub snapshot_records: u64,
    /// Where servers keep what they have, in a folder that is made there.
    pub parent: PathBuf,
}

struct Run {
    kinds: Vec<Fault>,
    /// Those of this round that are still to come.
    deck: Vec<Fault>,
    group: Group,
    finder: Arc<Finder>,
    clients: Clients,
    random: u64,
    longest: Duration,
    /// How long no append was accepted, by fault.
    gaps: BTreeMap<Fault, Vec<Duration>>,
    /// Where everything is.
    folder: TempDir,
}

/// How long a run may take with this number of faults.
pub fn time_limit(faults: u32) -> Duration {
    RUN_TIME + FAULT_TIME * faults
}

/// Does all of it, and says for each fault what came of it, a line each.
///
/// # Errors
/// When appends do not go on, something is not as a client was told, a server cannot be started, or
/// all of it takes too long ([`time_limit`]). What servers have kept and logged is left where the
/// error says then. None when this machine has no NATS servers.
pub fn run(options: Options, out: &mut dyn Write) -> Result<Option<Outcome>> {
    let faults = options.faults;
    let libraries = options.programs.iter().map(|program| program.name);
    let libraries = libraries.collect();
    let Some(mut run) = Run::start(options)? else {
        return Ok(None);
    };
    let suffered = run.suffer_all(faults, out);
    let Run {
        folder,
        group,
        finder,
        clients,
        mut gaps,
        ..
    } = run;
    gaps.values_mut().for_each(|gaps| gaps.sort_unstable());
    let (told, mut kept) = (clients.told(), Vec::new());
    let outcome = suffered.and_then(|()| {
        let ended = clients.end();
        kept = kept_by_all(&finder)?;
        let outcome = judge(gaps, libraries, &told, &kept)?;
        // What a client could not do says nothing of what servers have kept.
        ended.with_context(|| outcome.to_string())?;
        Ok(outcome)
    });
    match outcome {
        Ok(outcome) => Ok(Some(outcome)),
        Err(error) => {
            let place = evidence::keep(folder, group, &told, &kept)?;
            let place = format!("everything is left in {}", place.display());
            Err(error.context(place))
        }
    }
}

/// What each server shows when it has everything.
fn kept_by_all(finder: &Finder) -> Result<Vec<Kept>> {
    wait_for_followers(finder, thread::sleep)?;
    let kept = |server| Kept::read(&mut finder.connect_to_reader(server)?);
    (0..SERVERS).map(kept).collect()
}

/// Compares what servers have kept with what clients were told.
fn judge(
    gaps: BTreeMap<Fault, Vec<Duration>>,
    libraries: Vec<&'static str>,
    told: &Told,
    kept: &[Kept],
) -> Result<Outcome> {
    let audited = told.compare(kept.first().context("there are no servers")?);
    let outcome = Outcome {
        gaps,
        audited,
        libraries,
    };
    ensure!(outcome.audited.wrong.is_empty(), "{outcome}");
    let same = kept.windows(2).all(|pair| pair[0] == pair[1]);
    ensure!(same, "{outcome}\nservers do not show the same");
    Ok(outcome)
}

impl Run {
    /// A group under load; none when this machine has no NATS servers.
    fn start(options: Options) -> Result<Option<Run>> {
        let folder = tempfile::Builder::new()
            .prefix("weir-failover-")
            .tempdir_in(&options.parent)?;
        let snapshots = folder.path().join(SNAPSHOTS);
        fs::create_dir(&snapshots)?;
        let (mode, records) = (options.mode, options.snapshot_records);
        let mut settings = mode.settings();
        settings.push(("--log-snapshots", snapshots.display().to_string()));
        settings.push(("--log-snapshot-records", records.to_string()));
        let group = Group::start_linked(folder.path(), &options.server, settings)?;
        let Some(group) = group else {
            return Ok(None);
        };
        let finder = Arc::new(group.finder());
        let mut clients = Clients::start(&finder, options.producers, PACE)?;
        for program in options.programs {
            clients.join(program, (mode, &finder), PACE)?;
        }
        let kinds = FAULTS.into_iter();
        let kinds = kinds.filter(|kind| *kind != Fault::FillLogServer || group.nats.can_be_full());
        let kinds: Vec<Fault> = kinds
            .filter(|kind| format!("{kind:?}").starts_with(&options.only))
            .collect();
        ensure!(!kinds.is_empty(), "no fault is called {}", options.only);
        Ok(Some(Run {
            kinds,
            deck: Vec::new(),
            group,
            finder,
            clients,
            random: options.seed,
            longest: options.longest,
            gaps: BTreeMap::new(),
            folder,
        }))
    }

    fn suffer_all(&mut self, faults: u32, out: &mut dyn Write) -> Result<()> {
        let start = Instant::now();
        let mut watch = Watch::new(&self.clients);
        self.let_go_on(&mut watch).context("at the start")?;
        self.wait_for_log(&mut watch)?;
        for number in 1..=faults {
            let fault = self.draw();
            let suffered = self.suffer(fault);
            let elapsed = start.elapsed();
            match suffered {
                Ok(gap) => {
                    let appends = self.clients.appends();
                    let records = self.group.nats.records(&stream())?;
                    writeln!(
                        out,
                        "{number}/{faults} {fault:?}: no append for {gap:.2?}, {appends} appends, \
                         records {records:?}, {} s",
                        elapsed.as_secs()
                    )?;
                    out.flush()?;
                }
                Err(error) => {
                    self.show_logs()?;
                    return Err(error).with_context(|| format!("fault {number}: {fault:?}"));
                }
            }
            let limit = time_limit(faults);
            ensure!(elapsed < limit, "not done in {limit:?}: {number} faults");
        }
        Ok(())
    }

    /// The next fault: one of each kind before any comes again.
    fn draw(&mut self) -> Fault {
        if self.deck.is_empty() {
            self.deck = self.kinds.clone();
        }
        let at = self.below(self.deck.len() as u64) as usize;
        self.deck.swap_remove(at)
    }

    /// Waits until appends are accepted again.
    fn let_go_on(&self, watch: &mut Watch) -> Result<()> {
        let (start, before) = (Instant::now(), self.clients.appends());
        while self.clients.appends() == before {
            ensure!(start.elapsed() < PATIENCE, "appends do not go on");
            watch.rest(&self.clients, LOOK);
        }
        watch.look(&self.clients);
        Ok(())
    }

    /// Waits until every server of the log has all of it, so that the next fault may take one away.
    fn wait_for_log(&self, watch: &mut Watch) -> Result<()> {
        let (start, name) = (Instant::now(), stream());
        let mut wanted = None;
        loop {
            let nats = &self.group.nats;
            if let Ok(records) = nats.records(&name) {
                let wanted = *wanted.get_or_insert(*records.end());
                // The leader may not have noticed that one was away.
                let has_all = |server| nats.last_at(server, &name) >= Some(wanted);
                let state = nats.stream(&name)?;
                if state.is_some_and(|state| state.followers == SERVERS - 1)
                    && (0..SERVERS).all(has_all)
                {
                    return Ok(());
                }
            }
            ensure!(start.elapsed() < PATIENCE, "the log is not whole again");
            watch.rest(&self.clients, Duration::from_millis(100));
        }
    }

    fn wait_for_followers(&self, watch: &mut Watch) -> Result<()> {
        wait_for_followers(&self.finder, |time| watch.rest(&self.clients, time))
    }

    fn shortest_to_longest(&mut self) -> Duration {
        let longest = u64::try_from(self.longest.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(500 + self.below(longest.max(501) - 500))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    /// What the servers said at last.
    fn show_logs(&self) -> Result<()> {
        let mut out = std::io::stderr();
        for index in 0..SERVERS {
            let said = self.group.log(index);
            let lines: Vec<&str> = said.lines().collect();
            let last = lines.len().saturating_sub(LINES_SHOWN);
            writeln!(out, "server {index}:\n{}", lines[last..].join("\n"))?;
        }
        Ok(())
    }
}

/// Waits until every server has what is in the log now, so that the next fault may take the
/// leader away.
fn wait_for_followers(finder: &Finder, mut rest: impl FnMut(Duration)) -> Result<()> {
    let start = Instant::now();
    let mut wanted = None;
    loop {
        if let Ok((own, others)) = finder.positions() {
            let wanted = *wanted.get_or_insert(own);
            if others.iter().filter(|at| **at >= wanted).count() == SERVERS - 1 {
                return Ok(());
            }
        }
        ensure!(start.elapsed() < READING_TIME, "a server does not follow");
        rest(Duration::from_millis(100));
    }
}

/// The stream in which the log is.
fn stream() -> String {
    format!("weir-{NAME}")
}
