//! Ten thousand idle connections: what each costs in memory, and what 500 busy ones feel beside
//! them.

use anyhow::{Context, Result};

use super::timed::{EntryShape, Repeat, expect_length, measure, xadd};
use super::{Rig, Schedule, Setup, Suite, Work};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![Box::new(IdleConnections)]
}

struct IdleConnections;

impl Work for IdleConnections {
    fn suite(&self) -> Suite {
        Suite::Steady
    }

    fn name(&self) -> String {
        "idle-connections".to_owned()
    }

    fn lanes(&self) -> Vec<String> {
        vec![
            "10,000 connections that never sent anything".to_owned(),
            "10,000 connections idle after one PING".to_owned(),
            "XADD 1x64 P1 c500 beside 10,000 idle connections".to_owned(),
        ]
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 3 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let flags = [("maxclients", "11000".to_owned())];
        Ok(Box::new(Running {
            node: setup.start(peer, Persistence::None, &flags)?,
            texts: setup.texts.clone(),
            idle: setup.scale.fixed(10_000, 50) as usize,
            busy: setup.scale.fixed(500, 10) as usize,
            requests: setup.scale.count(100_000, 200),
        }))
    }
}

struct Running {
    node: Node,
    texts: Texts,
    idle: usize,
    busy: usize,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut control = self.node.control()?;
        let before = self.node.process().resident_bytes()?;
        let mut idle = Load::connect(self.node.address(), self.idle)
            .context("opening idle connections; is the limit of open files high enough?")?;
        // A reply on the control connection, which came first, does not show that all others were
        // accepted.
        while control.info_number("clients", "connected_clients")? < self.idle as u64 {}
        let silent = self.node.process().resident_bytes()?;
        let ping = [Template::fixed(&[b"PING"])];
        idle.run(
            &mut Repeat::new(&ping, &self.texts, self.idle, 1, self.idle as u64),
            Check::Bytes,
        )?;
        let used = self.node.process().resident_bytes()?;

        let append = [xadd(KEY, &[&[Piece::Fixed(b"*")]], EntryShape::One64)];
        let mut busy = Load::connect(self.node.address(), self.busy)?;
        let mut source = Repeat::new(&append, &self.texts, self.busy, 1, self.requests);
        let busy_sample = measure(&self.node, &mut busy, &mut source, Check::Shape)?;
        expect_length(&mut control, KEY, source.requests())?;
        // The idle ones must still be served.
        idle.run(
            &mut Repeat::new(&ping, &self.texts, self.idle, 1, self.idle as u64),
            Check::Bytes,
        )?;

        let per_connection = |after: u64| (after as f64 - before as f64) / self.idle as f64;
        let memory = |after| Sample {
            figures: vec![(Metric::ResidentBytes, per_connection(after))],
            digest: None,
        };
        Ok(vec![memory(silent), memory(used), busy_sample])
    }
}

const KEY: &[u8] = b"bench:busy";
