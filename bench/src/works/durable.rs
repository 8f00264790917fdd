//! XADD with a journal: synced before each reply, and once a second.
//!
//! With `appendfsync always` the question is throughput, and the server may use every core, as it
//! would in production. With `everysec` the question is CPU, and the server is pinned as in the
//! works without persistence.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::timed::{EntryShape, Repeat, expect_length, flush, measure, xadd};
use super::{Rig, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::process::Placement;
use crate::request::{Piece, Template, Texts};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let durable = |persistence, pipeline, connections, requests| -> Box<dyn Work> {
        Box::new(Durable {
            persistence,
            pipeline,
            connections,
            requests,
        })
    };
    vec![
        durable(Persistence::Always, 1, 1, 4_000),
        durable(Persistence::Always, 1, 50, 50_000),
        durable(Persistence::Always, 16, 50, 200_000),
        durable(Persistence::Always, 1, 500, 50_000),
        durable(Persistence::EverySecond, 1, 50, 50_000),
        durable(Persistence::EverySecond, 16, 50, 200_000),
    ]
}

struct Durable {
    persistence: Persistence,
    pipeline: u64,
    connections: usize,
    /// XADDs of a round at full scale.
    requests: u64,
}

impl Durable {
    fn policy(&self) -> &'static str {
        match self.persistence {
            Persistence::None => "no journal",
            Persistence::Always => "always",
            Persistence::EverySecond => "everysec",
        }
    }
}

impl Work for Durable {
    fn suite(&self) -> Suite {
        Suite::Durable
    }

    fn name(&self) -> String {
        format!("{}-p{}-c{}", self.policy(), self.pipeline, self.connections)
    }

    fn lanes(&self) -> Vec<String> {
        vec![format!(
            "XADD 1x64 {} P{} c{}",
            self.policy(),
            self.pipeline,
            self.connections
        )]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        // A rewrite in the middle of a round would measure something else.
        let flags = [("auto-aof-rewrite-percentage", "0".to_owned())];
        let placement = match self.persistence {
            Persistence::Always => Placement::Anywhere,
            _ => Placement::Core(setup.cores.server),
        };
        let connections = setup.scale.fixed(self.connections as u64, 2) as usize;
        let node = setup.start_at(peer, self.persistence, placement, &flags)?;
        Ok(Box::new(Running {
            load: Load::connect(node.address(), connections)?,
            control: node.control()?,
            node,
            texts: setup.texts.clone(),
            template: xadd(KEY, &[&[Piece::Fixed(b"*")]], EntryShape::One64),
            persistence: self.persistence,
            pipeline: self.pipeline,
            requests: setup.scale.count(self.requests, 50),
            write_delay: Duration::from_millis(setup.scale.fixed(1100, 10)),
        }))
    }
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    template: Template,
    persistence: Persistence,
    pipeline: u64,
    requests: u64,
    /// With `everysec`, the last second's part may not have been written before.
    write_delay: Duration,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        flush(&mut self.control)?;
        let journal_before = self.journal_bytes()?;
        let templates = std::slice::from_ref(&self.template);
        let connections = self.load.len();
        let mut source = Repeat::new(
            templates,
            &self.texts,
            connections,
            self.pipeline,
            self.requests,
        );
        let mut sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
        let requests = source.requests();
        expect_length(&mut self.control, KEY, requests)?;
        if self.persistence == Persistence::EverySecond {
            thread::sleep(self.write_delay);
        }
        let journal = self.journal_bytes()? - journal_before;
        sample
            .figures
            .push((Metric::JournalBytes, journal / requests as f64));
        if self.persistence == Persistence::Always {
            // Throughput is what this work is about.
            sample
                .figures
                .sort_by_key(|(metric, _)| *metric != Metric::Throughput);
        }
        Ok(vec![sample])
    }
}

impl Running {
    fn journal_bytes(&mut self) -> Result<f64> {
        Ok(self
            .control
            .info_number("persistence", "aof_current_size")? as f64)
    }
}

const KEY: &[u8] = b"bench:durable";
