//! XADD of which other machines have a copy before the reply, all of it on this one.
//!
//! weir: three servers that share a log on three NATS servers, which sync always; a reply says that
//! two of these have the entry on disk. The others: a primary with one or two replicas, each with a
//! journal, and `WAIT 1` behind each pipeline, whose reply says that a replica has the entry in
//! memory. That promises less.
//!
//! All processes may use every core, and all of them are counted.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use weir_tests::group::{Group, SERVERS};

use super::timed::{EntryShape, Repeat, expect_length, flush, percentiles, xadd};
use super::{Needs, Rig, Schedule, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load, Source};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::process::{Placement, Process, place_this_thread};
use crate::request::{Piece, Texts, encode};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let replicated = |persistence, replicas| -> Box<dyn Work> {
        Box::new(Replicated {
            persistence,
            replicas,
        })
    };
    vec![
        replicated(Persistence::Always, 1),
        replicated(Persistence::Always, 2),
        replicated(Persistence::EverySecond, 1),
        replicated(Persistence::EverySecond, 2),
    ]
}

/// Connections, pipeline, and XADDs of a round at full scale.
const LOADS: [(u64, u64, u64); 4] = [
    (1, 1, 2_000),
    (16, 1, 20_000),
    (16, 16, 200_000),
    (64, 16, 200_000),
];

struct Replicated {
    /// Of those that have a journal.
    persistence: Persistence,
    /// How many of them have a copy. weir always has two servers that follow.
    replicas: usize,
}

impl Replicated {
    fn policy(&self) -> &'static str {
        match self.persistence {
            Persistence::None => "none",
            Persistence::Always => "always",
            Persistence::EverySecond => "everysec",
        }
    }
}

impl Work for Replicated {
    fn suite(&self) -> Suite {
        Suite::Replicated
    }

    fn name(&self) -> String {
        format!("replicated-{}-{}", self.policy(), self.replicas)
    }

    fn lanes(&self) -> Vec<String> {
        let title = |(connections, pipeline, _)| {
            let (policy, replicas) = (self.policy(), self.replicas);
            format!("XADD 1x64 {policy}, {replicas} replicas P{pipeline} c{connections}")
        };
        LOADS.into_iter().map(title).collect()
    }

    fn needs(&self) -> Needs {
        Needs::SharedLog
    }

    fn schedule(&self) -> Schedule {
        // Servers that follow ask for news all the time, which others would feel.
        Schedule::OneAtATime { rounds_max: 7 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let servers = match peer.version.starts_with("weir") {
            true => Servers::group(peer, setup)?,
            false => Servers::replicas(self, peer, setup)?,
        };
        Ok(Box::new(Running {
            servers,
            texts: setup.texts.clone(),
            loads: LOADS.map(|(connections, pipeline, requests)| {
                let connections = setup.scale.fixed(connections, connections.min(2)) as usize;
                (connections, pipeline, setup.scale.count(requests, 50))
            }),
        }))
    }
}

/// Servers of which one takes requests.
enum Servers {
    Group { group: Group, leader: usize },
    Replicas { primary: Node, replicas: Vec<Node> },
}

impl Servers {
    fn group(peer: &Peer, setup: &Setup) -> Result<Servers> {
        let settings = vec![("--io-threads", setup.io_threads.to_string())];
        place_this_thread(Placement::Anywhere)?;
        let group = Group::start_in(&setup.data_dir, &peer.binary, settings);
        place_this_thread(Placement::Core(setup.cores.load))?;
        let group = group?.context("this machine has no NATS servers")?;
        let leader = group.leader()?;
        Ok(Servers::Group { group, leader })
    }

    fn replicas(work: &Replicated, peer: &Peer, setup: &Setup) -> Result<Servers> {
        // A rewrite in the middle of a round would measure something else.
        let flags = [("auto-aof-rewrite-percentage", "0".to_owned())];
        let start = || setup.start_at(peer, work.persistence, Placement::Anywhere, &flags);
        let primary = start()?;
        let port = primary.address().port().to_string();
        let replicas = (0..work.replicas).map(|_| {
            let replica = start()?;
            let mut control = replica.control()?;
            control.ask(&["REPLICAOF", "127.0.0.1", &port])?;
            let since = Instant::now();
            while control.info("replication")?.get("master_link_status") != Some(&"up".to_owned()) {
                ensure!(since.elapsed() < LINK_MAX, "a replica does not follow");
                thread::sleep(Duration::from_millis(10));
            }
            Ok(replica)
        });
        let replicas = replicas.collect::<Result<_>>()?;
        Ok(Servers::Replicas { primary, replicas })
    }

    fn address(&self) -> Result<std::net::SocketAddr> {
        match self {
            Servers::Group { group, leader } => group.address(*leader),
            Servers::Replicas { primary, .. } => Ok(primary.address()),
        }
    }

    /// What is sent behind each pipeline to know that there is a copy.
    fn barrier(&self) -> Vec<u8> {
        let mut barrier = Vec::new();
        if let Servers::Replicas { .. } = self {
            encode(&[b"WAIT", b"1", b"0"], &mut barrier);
        }
        barrier
    }

    /// CPU time so far: of the one that takes requests, of those that have a copy, and of a log.
    fn cpu(&self) -> Result<[Duration; 3]> {
        let sum = |processes: Vec<Process>| -> Result<Duration> {
            processes.iter().map(Process::cpu_time).sum()
        };
        match self {
            Servers::Group { group, leader } => {
                let of = |server| Process::new(group.process(server)?);
                let followers = (0..SERVERS).filter(|server| server != leader).map(of);
                let log = group.nats.processes().into_iter().map(Process::new);
                Ok([
                    of(*leader)?.cpu_time()?,
                    sum(followers.collect::<Result<_>>()?)?,
                    sum(log.collect::<Result<_>>()?)?,
                ])
            }
            Servers::Replicas { primary, replicas } => Ok([
                primary.process().cpu_time()?,
                sum(replicas.iter().map(Node::process).collect())?,
                Duration::ZERO,
            ]),
        }
    }
}

struct Running {
    servers: Servers,
    texts: Texts,
    loads: [(usize, u64, u64); LOADS.len()],
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut control = Control::connect(self.servers.address()?)?;
        // Warms up; `begin` has just started everything.
        let (connections, pipeline, requests) = self.loads[LOADS.len() - 1];
        self.append(&mut control, connections, pipeline, requests / 10)?;
        let loads = self.loads.into_iter();
        loads
            .map(|(connections, pipeline, requests)| {
                self.append(&mut control, connections, pipeline, requests)
            })
            .collect()
    }
}

impl Running {
    fn append(
        &self,
        control: &mut Control,
        connections: usize,
        pipeline: u64,
        requests: u64,
    ) -> Result<Sample> {
        flush(control)?;
        let mut load = Load::connect(self.servers.address()?, connections)?;
        let templates = [xadd(KEY, &[&[Piece::Fixed(b"*")]], EntryShape::One64)];
        let mut source = Behind {
            appends: Repeat::new(&templates, &self.texts, connections, pipeline, requests),
            barrier: self.servers.barrier(),
        };
        let before = self.servers.cpu()?;
        let outcome = load.run(&mut source, Check::Shape)?;
        // Copies are made a moment later.
        thread::sleep(COPY_TIME);
        let after = self.servers.cpu()?;
        let requests = source.appends.requests();
        expect_length(control, KEY, requests)?;
        let cpu = std::array::from_fn(|of| {
            let used: Duration = after[of].saturating_sub(before[of]);
            used.as_nanos() as f64 / requests as f64
        });
        let [leader, followers, log]: [f64; 3] = cpu;
        let seconds = outcome.elapsed.as_secs_f64();
        let mut figures = vec![(Metric::Throughput, requests as f64 / seconds)];
        figures.extend(percentiles(&outcome.batch_latency_ns));
        figures.extend([
            (Metric::CpuNs, cpu.iter().sum()),
            (Metric::LeaderCpuNs, leader),
            (Metric::FollowersCpuNs, followers),
            (Metric::LogCpuNs, log),
            (
                Metric::ClientPercent,
                outcome.client_cpu.as_secs_f64() / seconds * 100.0,
            ),
        ]);
        Ok(Sample {
            figures,
            digest: None,
        })
    }
}

/// Appends, and something behind each batch of them.
struct Behind<'a> {
    appends: Repeat<'a>,
    barrier: Vec<u8>,
}

impl Source for Behind<'_> {
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64 {
        match self.appends.next_batch(connection, out) {
            0 => 0,
            replies => {
                out.extend_from_slice(&self.barrier);
                replies + u64::from(!self.barrier.is_empty())
            }
        }
    }
}

const KEY: &[u8] = b"bench:replicated";
const LINK_MAX: Duration = Duration::from_secs(60);
const COPY_TIME: Duration = Duration::from_millis(100);
