//! Does everything to a group of servers that a night can do, under load, and audits what they
//! have kept.
//!
//! Three weir servers share a log on three NATS servers. Producers and consumers go on meanwhile
//! (`exactly_once`). One fault comes after another, of which each ends within seconds: servers of
//! both kinds are killed, paused for longer than a lease, divided from others in one direction or
//! both, slowed down; a NATS server loses its disk; the lead is handed over. After each fault
//! appends must go on. How long they did not is printed by kind.
//!
//! usage: failover --server BINARY [--faults N] [--only NAME] [--producers N] [--seed N]
//!
//! `--only KillLeader` does one kind of fault only, to see how long appends do not go on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use weir_tests::exactly_once::{Audited, Clients, Servers};
use weir_tests::finder::Finder;
use weir_tests::group::{Group, NAME, SERVERS};
use weir_tests::link::{Direction, Link, Traffic};
use weir_tests::nats::Sync;

/// How long appends may fail to go on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause of a producer between two appends. Nothing trims the log yet, and a server that starts
/// reads all of it.
const PACE: Duration = Duration::from_millis(50);

/// How long a server may take to read the log.
const READING_TIME: Duration = Duration::from_secs(300);

/// How often to look whether appends go on.
const LOOK: Duration = Duration::from_millis(2);

/// How many of the last lines of each server are shown after a failure.
const LINES_SHOWN: usize = 40;

/// What was replied before a fault may still be on its way to a client for this long.
const REPLY_TIME: Duration = Duration::from_millis(20);

struct Options {
    server: PathBuf,
    faults: u64,
    /// What the names of faults begin with that are done.
    only: String,
    producers: u64,
    seed: u64,
}

/// What is done, to which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    HandOver,
    KillLeader,
    KillFollower,
    PauseLeader,
    DivideLeader(Ways),
    SlowLeader,
    CutLeader,
    KillLogLeader,
    KillLogServer,
    PauseLogServer,
    DivideLogServer,
    EmptyLogServer,
}

/// In which directions nothing arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ways {
    There,
    Back,
    Both,
}

const FAULTS: [Fault; 14] = [
    Fault::HandOver,
    Fault::KillLeader,
    Fault::KillFollower,
    Fault::PauseLeader,
    Fault::DivideLeader(Ways::There),
    Fault::DivideLeader(Ways::Back),
    Fault::DivideLeader(Ways::Both),
    Fault::SlowLeader,
    Fault::CutLeader,
    Fault::KillLogLeader,
    Fault::KillLogServer,
    Fault::PauseLogServer,
    Fault::DivideLogServer,
    Fault::EmptyLogServer,
];

struct Run {
    group: Group,
    finder: Arc<Finder>,
    clients: Clients,
    random: u64,
    /// How long no append was accepted, by fault.
    gaps: BTreeMap<Fault, Vec<Duration>>,
}

fn main() -> Result<()> {
    let options = options()?;
    let faults: Vec<Fault> = FAULTS
        .into_iter()
        .filter(|fault| format!("{fault:?}").starts_with(&options.only))
        .collect();
    ensure!(!faults.is_empty(), "no fault is called {}", options.only);
    let group =
        Group::start_linked(&options.server, Vec::new())?.context("this machine has no NATS servers")?;
    let finder = Arc::new(group.finder());
    let clients = Clients::start(&finder, options.producers, PACE)?;
    let mut run = Run {
        group,
        finder,
        clients,
        random: options.seed,
        gaps: BTreeMap::new(),
    };
    run.let_go_on(&mut Watch::new(&run.clients))
        .context("at the start")?;
    run.wait_for_log()?;
    for number in 1..=options.faults {
        let fault = faults[run.below(faults.len() as u64) as usize];
        if let Err(error) = run.suffer(fault) {
            run.show_logs()?;
            return Err(error).with_context(|| format!("fault {number}: {fault:?}"));
        }
    }
    let Run {
        group,
        finder,
        clients,
        gaps,
        ..
    } = run;
    let Audited {
        appended,
        acknowledged,
        retries,
    } = clients.stop(&*finder)?;
    drop(group);
    let mut out = std::io::stdout();
    for (fault, mut gaps) in gaps {
        gaps.sort_unstable();
        let (count, median, longest) = (gaps.len(), gaps[gaps.len() / 2], gaps[gaps.len() - 1]);
        writeln!(
            out,
            "{fault:?}: {count} times, appends went on after {median:.1?} (median), {longest:.1?} \
             (longest)"
        )?;
    }
    writeln!(
        out,
        "{} faults, {appended} acknowledged appends, {acknowledged} acknowledged entries, \
         {retries} retries: 0 lost, 0 doubled (seed {})",
        options.faults, options.seed,
    )?;
    Ok(())
}

fn options() -> Result<Options> {
    let mut options = Options {
        server: PathBuf::new(),
        faults: 14,
        only: String::new(),
        producers: 50,
        seed: 1,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--server" => options.server = value.into(),
            "--faults" => options.faults = value.parse()?,
            "--only" => options.only = value,
            "--producers" => options.producers = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            _ => bail!("unknown option {arg}"),
        }
    }
    ensure!(
        options.server.exists(),
        "--server must name the binary to test"
    );
    Ok(options)
}

impl Run {
    fn suffer(&mut self, fault: Fault) -> Result<()> {
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
        let while_it_lasts = Duration::from_millis(500 + self.below(5000));
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
        self.wait_for_followers()
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

    /// Waits until every server has what is in the log now, so that the next fault may take the
    /// leader away.
    fn wait_for_followers(&self) -> Result<()> {
        let start = Instant::now();
        let mut wanted = None;
        loop {
            if let Ok((own, others)) = self.finder.positions() {
                let wanted = *wanted.get_or_insert(own);
                if others.iter().filter(|at| **at >= wanted).count() == SERVERS - 1 {
                    return Ok(());
                }
            }
            ensure!(start.elapsed() < READING_TIME, "a server does not follow");
            thread::sleep(Duration::from_millis(100));
        }
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

/// How long nothing was accepted.
struct Watch {
    appends: u64,
    since: Instant,
    longest: Duration,
}

impl Watch {
    fn new(clients: &Clients) -> Watch {
        Watch {
            appends: clients.appends(),
            since: Instant::now(),
            longest: Duration::ZERO,
        }
    }

    fn look(&mut self, clients: &Clients) {
        self.longest = self.longest.max(self.since.elapsed());
        let appends = clients.appends();
        if appends != self.appends {
            (self.appends, self.since) = (appends, Instant::now());
        }
    }

    fn rest(&mut self, clients: &Clients, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            thread::sleep(LOOK);
            self.look(clients);
        }
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
