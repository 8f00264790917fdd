//! Everything that a night can do to a group of servers, done to one under load.
//!
//! Three weir servers share a log on three NATS servers. Producers and consumers go on meanwhile
//! ([`exactly_once`](crate::exactly_once)), and part of them are programs with real clients
//! ([`real_clients`](crate::real_clients)). One fault comes after another, of which each ends
//! within seconds: servers of both kinds are killed, paused for longer than a lease, divided from
//! others in one direction or both, slowed down; a NATS server loses its disk, or has no room on
//! it; the lead is handed over. After each fault appends must go on. In the end everything that was
//! acknowledged must be there once.

mod evidence;
mod fault;
mod outcome;
mod watch;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::exactly_once::audit::Kept;
use crate::exactly_once::told::Told;
use crate::exactly_once::{Clients, Servers};
pub use crate::faults::fault::{FAULTS, Fault, Ways};
pub use crate::faults::outcome::Outcome;
use crate::faults::watch::{LOOK, Watch};
use crate::finder::Finder;
use crate::group::{Group, NAME, SERVERS};
use crate::link::{Direction, Link, Traffic};
use crate::nats::Sync;
use crate::real_clients::{Mode, RealClient};

/// How long appends may fail to go on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause of a producer between two appends. Nothing trims the log yet, and a server that starts
/// reads all of it.
const PACE: Duration = Duration::from_millis(50);

/// How long a server may take to read the log.
const READING_TIME: Duration = Duration::from_secs(300);

/// How long a run may take, and how much longer for each fault; most take about ten seconds.
const RUN_TIME: Duration = Duration::from_secs(120);
const FAULT_TIME: Duration = Duration::from_secs(30);

/// How many of the last lines of each server are shown after a failure.
const LINES_SHOWN: usize = 40;

/// What was replied before a fault may still be on its way to a client for this long.
const REPLY_TIME: Duration = Duration::from_millis(20);

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
        clients.end()?;
        kept = kept_by_all(&finder)?;
        judge(gaps, libraries, &told, &kept)
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
    wait_for_followers(finder)?;
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
        let mode = options.mode;
        let group = Group::start_linked(folder.path(), &options.server, mode.settings())?;
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
        self.let_go_on(&mut Watch::new(&self.clients))
            .context("at the start")?;
        self.wait_for_log()?;
        for number in 1..=faults {
            let fault = self.draw();
            let suffered = self.suffer(fault);
            let elapsed = start.elapsed();
            match suffered {
                Ok(gap) => {
                    let appends = self.clients.appends();
                    writeln!(
                        out,
                        "{number}/{faults} {fault:?}: no append for {gap:.2?}, {appends} appends, \
                         {} s",
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

    /// One fault, until everything is as before. Returns how long no append was accepted.
    fn suffer(&mut self, fault: Fault) -> Result<Duration> {
        let rest = Duration::from_millis(200 + self.below(1000));
        thread::sleep(rest);
        let leader = self.finder.leader().context("nobody leads")?;
        let log = self
            .group
            .nats
            .stream(&stream())?
            .context("the log has no leader")?;
        let log_server = (log.leader + 1 + self.below(2) as usize) % SERVERS;
        // Longer than a lease in some cases, shorter in others.
        let while_it_lasts = self.shortest_to_longest();
        let mut watch = Watch::new(&self.clients);
        match fault {
            Fault::HandOver => {
                let mut leader = self.finder.connect()?;
                redis::cmd("FAILOVER").exec(&mut leader)?;
                watch.rest(&self.clients, while_it_lasts);
            }
            Fault::KillLeader => self.kill(leader, &mut watch)?,
            Fault::KillFollower => {
                let follower = (leader + 1 + self.below(2) as usize) % SERVERS;
                self.kill(follower, &mut watch)?;
            }
            Fault::PauseLeader => {
                self.group.signal(leader, Signal::SIGSTOP)?;
                watch.rest(&self.clients, while_it_lasts);
                self.group.signal(leader, Signal::SIGCONT)?;
            }
            Fault::DivideLeader(ways) => {
                silence(self.group.links(leader), ways);
                watch.rest(&self.clients, while_it_lasts);
                self.group.links(leader).iter().for_each(Link::mend);
            }
            Fault::SlowLeader => {
                let slow = Traffic::Slow(Duration::from_millis(1 + self.below(40)));
                for link in self.group.links(leader) {
                    link.set(Direction::There, slow);
                    link.set(Direction::Back, slow);
                }
                watch.rest(&self.clients, while_it_lasts);
                self.group.links(leader).iter().for_each(Link::mend);
            }
            Fault::CutLeader => {
                self.group.links(leader).iter().for_each(Link::cut);
                watch.rest(&self.clients, while_it_lasts);
                self.group.links(leader).iter().for_each(Link::mend);
            }
            Fault::KillLogLeader => self.restart_log_server(log.leader, false, &mut watch)?,
            Fault::KillLogServer => self.restart_log_server(log_server, false, &mut watch)?,
            Fault::EmptyLogServer => self.restart_log_server(log_server, true, &mut watch)?,
            Fault::FillLogServer => {
                let full = self.group.nats.fill()?;
                watch.rest(&self.clients, while_it_lasts);
                self.let_go_on(&mut watch)?;
                // It does not use the disk again before it is started again.
                self.group.nats.make_room()?;
                self.restart_log_server(full, false, &mut watch)?;
            }
            Fault::PauseLogServer => {
                self.group.nats.signal(log_server, Signal::SIGSTOP)?;
                watch.rest(&self.clients, while_it_lasts);
                self.group.nats.signal(log_server, Signal::SIGCONT)?;
            }
            Fault::DivideLogServer => {
                let nats = &self.group.nats;
                let others = (0..SERVERS).filter(|other| *other != log_server);
                let ways = others.flat_map(|other| [(log_server, other), (other, log_server)]);
                let links: Vec<&Link> = ways.filter_map(|(a, b)| nats.link(a, b)).collect();
                silence(links.iter().copied(), Ways::Both);
                watch.rest(&self.clients, while_it_lasts);
                links.into_iter().for_each(Link::mend);
            }
        }
        self.let_go_on(&mut watch)?;
        self.gaps.entry(fault).or_default().push(watch.longest);
        self.wait_for_log()?;
        wait_for_followers(&self.finder)?;
        self.clients.ensure_running()?;
        Ok(watch.longest)
    }

    fn kill(&mut self, node: usize, watch: &mut Watch) -> Result<()> {
        self.group.kill(node)?;
        thread::sleep(REPLY_TIME);
        self.let_go_on(watch)?;
        self.group.start_server(node)
    }

    fn restart_log_server(
        &mut self,
        server: usize,
        is_emptied: bool,
        watch: &mut Watch,
    ) -> Result<()> {
        self.group.nats.kill(server)?;
        if is_emptied {
            self.group.nats.empty(server)?;
        }
        thread::sleep(REPLY_TIME);
        self.let_go_on(watch)?;
        self.group.nats.start_server(server, Sync::Always)
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
    fn wait_for_log(&self) -> Result<()> {
        let start = Instant::now();
        loop {
            let state = self.group.nats.stream(&stream())?;
            if state.is_some_and(|state| state.followers == SERVERS - 1) {
                return Ok(());
            }
            ensure!(start.elapsed() < PATIENCE, "the log is not whole again");
            thread::sleep(Duration::from_millis(100));
        }
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
fn wait_for_followers(finder: &Finder) -> Result<()> {
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
        thread::sleep(Duration::from_millis(100));
    }
}

fn silence<'l>(links: impl IntoIterator<Item = &'l Link>, ways: Ways) {
    for link in links {
        if ways != Ways::Back {
            link.set(Direction::There, Traffic::Silent);
        }
        if ways != Ways::There {
            link.set(Direction::Back, Traffic::Silent);
        }
    }
}

/// The stream in which the log is.
fn stream() -> String {
    format!("weir-{NAME}")
}
