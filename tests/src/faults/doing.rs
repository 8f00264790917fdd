//! How each kind of fault is done.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::exactly_once::Servers;
use crate::faults::watch::{LOOK, Watch};
use crate::faults::{Fault, PATIENCE, Run, SNAPSHOTS, Ways, stream};
use crate::group::{NAME, SERVERS};
use crate::link::{Direction, Link, Traffic};
use crate::nats::Sync;

/// What was replied before a fault may still be on its way to a client for this long.
const REPLY_TIME: Duration = Duration::from_millis(20);

/// How long there may be no snapshots, which make that the log can be trimmed.
const SNAPSHOT_TIME: Duration = Duration::from_secs(120);

/// What a server says that begins with a snapshot, and one that was left behind.
const BEGINS: &str = "loaded a snapshot";
const LEFT_BEHIND: &str = "this node was left behind";

impl Run {
    /// One fault, until everything is as before. Returns how long no append was accepted.
    pub(super) fn suffer(&mut self, fault: Fault) -> Result<Duration> {
        let rest = Duration::from_millis(200 + self.below(1000));
        thread::sleep(rest);
        let leader = self.finder.leader().context("nobody leads")?;
        let log = self
            .group
            .nats
            .stream(&stream())?
            .context("the log has no leader")?;
        let follower = (leader + 1 + self.below(2) as usize) % SERVERS;
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
            Fault::KillFollower => self.kill(follower, &mut watch)?,
            Fault::EmptyFollower => {
                self.group.kill(follower)?;
                self.group.empty(follower)?;
                watch.rest(&self.clients, while_it_lasts);
                self.group.start_server(follower)?;
            }
            Fault::LeaveFollower => {
                self.group.kill(follower)?;
                self.leave_behind(follower, &mut watch)?;
                let before = self.said(follower, BEGINS);
                self.group.start_server(follower)?;
                self.wait_for_followers(&mut watch)?;
                let has_begun = self.said(follower, BEGINS) > before;
                ensure!(has_begun, "the server did not begin with a snapshot");
            }
            Fault::PauseFollower => {
                let before = self.said(follower, LEFT_BEHIND);
                self.group.pause(follower)?;
                self.leave_behind(follower, &mut watch)?;
                self.group.signal(follower, Signal::SIGCONT)?;
                self.wait_for_followers(&mut watch)?;
                let has_noticed = self.said(follower, LEFT_BEHIND) > before;
                ensure!(has_noticed, "the server was not left behind");
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
            Fault::RestartLogServers => self.restart_log_servers(log.leader, &mut watch)?,
        }
        self.let_go_on(&mut watch)?;
        self.wait_for_log(&mut watch)?;
        self.wait_for_followers(&mut watch)?;
        self.clients.ensure_running()?;
        self.gaps.entry(fault).or_default().push(watch.longest);
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

    /// As for an upgrade: the one that leads the log comes last.
    fn restart_log_servers(&mut self, leader: usize, watch: &mut Watch) -> Result<()> {
        for server in (1..=SERVERS).map(|after| (leader + after) % SERVERS) {
            self.group.nats.stop(server)?;
            let start = Instant::now();
            while !self.group.nats.has_ended(server)? {
                ensure!(start.elapsed() < PATIENCE, "a NATS server does not end");
                watch.rest(&self.clients, LOOK);
            }
            self.group.nats.start_server(server, Sync::Always)?;
            self.wait_for_log(watch)?;
        }
        Ok(())
    }

    /// Waits until the log is trimmed beyond where it ends now. Nobody waits for the server that is
    /// away, as if it had been silent for long.
    fn leave_behind(&self, follower: usize, watch: &mut Watch) -> Result<()> {
        let end = *self.group.nats.records(&stream())?.end();
        let read = format!("{NAME}-{}.read", self.group.node(follower)?);
        let read = self.folder.path().join(SNAPSHOTS).join(read);
        let start = Instant::now();
        loop {
            // It may have been about to write it.
            if read.exists() {
                fs::remove_file(&read)?;
            }
            let records = self.group.nats.records(&stream());
            if records.is_ok_and(|records| *records.start() > end) {
                return Ok(());
            }
            ensure!(start.elapsed() < SNAPSHOT_TIME, "the log is not trimmed");
            watch.rest(&self.clients, Duration::from_millis(100));
        }
    }

    /// How often a server has said something.
    fn said(&self, server: usize, what: &str) -> usize {
        self.group.log(server).matches(what).count()
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
