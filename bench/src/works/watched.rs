//! XADD while operators look, beside XADD while nobody does: what weir's page and its metrics cost
//! those who send requests.
//!
//! Three browsers have the page open, each at another view, and Prometheus scrapes. CPU time is
//! that of all threads but the console's, so what is left is what looking takes from the request
//! path: the lock, caches, and copies of what frozen views share. Throughput counts everything,
//! since all threads share the server's core.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::timed::Repeat;
use super::{Needs, Rig, Setup, Suite, Work};
use crate::load::{Check, Load, Outcome};
use crate::node::{Node, Persistence, free_port};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::{Metric, Sample};
use crate::watchers::{Poll, Watchers};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let connections = setup.connections;
    let works = [10, 10_000].into_iter();
    works
        .map(|streams| -> Box<dyn Work> {
            Box::new(Watched {
                streams,
                connections,
            })
        })
        .collect()
}

struct Watched {
    streams: u64,
    connections: usize,
}

impl Work for Watched {
    fn suite(&self) -> Suite {
        Suite::Console
    }

    fn name(&self) -> String {
        format!("watched-{}-streams", self.streams)
    }

    fn lanes(&self) -> Vec<String> {
        let Self {
            streams,
            connections,
        } = self;
        let title = format!("XADD 1x64 P{PIPELINE} c{connections} to {streams} streams");
        vec![
            format!("{title}, nobody looks"),
            format!("{title}, three pages and Prometheus"),
        ]
    }

    fn needs(&self) -> Needs {
        Needs::Console
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let http_port = free_port()?;
        let flags = [("http-port", http_port.to_string())];
        let node = setup.start(peer, Persistence::None, &flags)?;
        Ok(Box::new(Running {
            load: Load::connect(node.address(), self.connections)?,
            node,
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, http_port)),
            texts: setup.texts.clone(),
            template: Template::parse("XADD bench:watched:#5 MAXLEN ~ 100 * payload @64")?,
            streams: self.streams,
            requests: setup.scale.count(2_000_000, 400),
            scrape_interval: Duration::from_millis(setup.scale.fixed(5_000, 50)),
        }))
    }
}

struct Running {
    node: Node,
    load: Load,
    http: SocketAddr,
    texts: Texts,
    template: Template,
    streams: u64,
    /// Of a lane; enough for some seconds, so that all watchers have asked more than once.
    requests: u64,
    scrape_interval: Duration,
}

impl Rig for Running {
    fn round(&mut self, round: u32) -> Result<Vec<Sample>> {
        // Which lane is first changes with each round, as whatever grows would count for one.
        let mut samples = match round % 2 {
            0 => [self.alone()?, self.watched()?],
            _ => {
                let watched = self.watched()?;
                [self.alone()?, watched]
            }
        };
        let plain = samples[0].clone();
        for sample in &mut samples {
            for (place, of, over) in [
                (1, Metric::CpuNs, Metric::OverPlain),
                (3, Metric::Throughput, Metric::ThroughputOverPlain),
            ] {
                let value = |sample: &Sample| sample.value(of).unwrap_or(f64::NAN);
                let ratio = value(sample) / value(&plain);
                sample.figures.insert(place, (over, ratio));
            }
        }
        Ok(samples.into())
    }
}

impl Running {
    fn alone(&mut self) -> Result<Sample> {
        self.measure()
    }

    fn watched(&mut self) -> Result<Sample> {
        let watchers = Watchers::start(self.http, views(), self.scrape_interval);
        let sample = self.measure()?;
        let answers = watchers.stop()?;
        ensure!(answers >= 6, "the watchers had {answers} answers only");
        Ok(sample)
    }

    fn measure(&mut self) -> Result<Sample> {
        let templates = std::slice::from_ref(&self.template);
        let connections = self.load.len();
        let mut source = Repeat::new(templates, &self.texts, connections, PIPELINE, self.requests)
            .wrapping_at(self.streams);
        let before = self.request_path_cpu()?;
        let Outcome {
            elapsed,
            replies,
            batch_latency_ns,
            digest,
            ..
        } = self.load.run(&mut source, Check::Shape)?;
        let cpu = self.request_path_cpu()?.saturating_sub(before);
        let mut figures = vec![
            (Metric::CpuNs, cpu.as_nanos() as f64 / replies as f64),
            (Metric::Throughput, replies as f64 / elapsed.as_secs_f64()),
        ];
        figures.extend(super::timed::percentiles(&batch_latency_ns));
        Ok(Sample {
            figures,
            digest: Some(digest),
        })
    }

    /// CPU time of all threads but the console's, which answer those who look.
    fn request_path_cpu(&self) -> Result<Duration> {
        let threads = self.node.process().thread_cpu_times()?;
        let others = threads
            .iter()
            .filter(|thread| !thread.name.starts_with(CONSOLE_THREADS));
        Ok(others.map(|thread| thread.cpu).sum())
    }
}

/// What three browsers ask for, by the intervals of the page's views.
fn views() -> Vec<Vec<Poll>> {
    let poll = |path: &str, interval_ms| Poll {
        path: format!("/api/v1{path}"),
        interval: Duration::from_millis(interval_ms),
    };
    let stream = "/streams/bench%3Awatched%3A00001";
    vec![
        // The overview.
        vec![
            poll("/groups?count=5", 2000),
            poll("/streams?sort=duplicates&count=5", 2000),
        ],
        // All streams.
        vec![poll("/streams?sort=bytes&count=100&cursor=0", 2000)],
        // One stream, and what it remembers of its producers.
        vec![
            poll(&format!("{stream}?db=0"), 1000),
            poll(&format!("{stream}/producers?db=0&count=1000"), 1000),
            poll(&format!("{stream}/idempotence?db=0"), 1000),
        ],
    ]
}

const PIPELINE: u64 = 16;

/// How the names of the console's threads begin.
const CONSOLE_THREADS: &str = "weir-console";
