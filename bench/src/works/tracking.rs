//! SET of keys that many other clients have read and track.
//!
//! Of each cycle, every tracking client reads all of the keys again, as a client does that keeps
//! what it reads, so that each SET invalidates its key for all of them. The figure is the server's
//! CPU time divided by the number of SETs, the reading and the pushes included.

use std::time::Instant;

use anyhow::Result;

use super::timed::measure_cycles;
use super::{Rig, Setup, Suite, Work};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts, encode};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let works = [1, 16, 64].into_iter();
    works
        .map(|pipeline| -> Box<dyn Work> { Box::new(Tracking { pipeline }) })
        .collect()
}

struct Tracking {
    pipeline: u64,
}

const READERS: usize = 100;

/// Cycles of a round.
const CYCLES: u64 = 300;

impl Work for Tracking {
    fn suite(&self) -> Suite {
        Suite::Tracking
    }

    fn name(&self) -> String {
        format!("tracking-p{}", self.pipeline)
    }

    fn lanes(&self) -> Vec<String> {
        let pipeline = self.pipeline;
        vec![format!(
            "SET 64 B P{pipeline}, {READERS} clients track and read again"
        )]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let mut load = Load::connect(node.address(), READERS + 1)?;
        let mut track = Vec::new();
        encode(&[b"HELLO", b"3"], &mut track);
        encode(&[b"CLIENT", b"TRACKING", b"ON"], &mut track);
        for reader in 0..READERS {
            load.send(reader, &track, 2)?;
        }
        load.settle(Check::Shape)?;
        let mut read = Vec::new();
        let keys: Vec<String> = (0..self.pipeline)
            .map(|key| format!("bench:key:{key:02}"))
            .collect();
        let words: Vec<&[u8]> = std::iter::once("MGET")
            .chain(keys.iter().map(String::as_str))
            .map(str::as_bytes)
            .collect();
        encode(&words, &mut read);
        let sets = keys
            .iter()
            .map(|key| Template::parse(&format!("SET {key} @64")))
            .collect::<Result<_>>()?;
        Ok(Box::new(Running {
            node,
            load,
            texts: setup.texts.clone(),
            read,
            sets,
            cycles: setup.scale.count(CYCLES, 3),
            sent: 0,
        }))
    }
}

struct Running {
    node: Node,
    /// The readers, and the writer as the last one.
    load: Load,
    texts: Texts,
    /// Reads every key.
    read: Vec<u8>,
    /// One for each key.
    sets: Vec<Template>,
    cycles: u64,
    sent: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let Self {
            texts,
            read,
            sets,
            sent,
            ..
        } = self;
        let pipeline = sets.len() as u64;
        let mut bytes = Vec::new();
        let cycle = |load: &mut Load, _: u64| {
            for reader in 0..READERS {
                load.send(reader, read, 1)?;
            }
            load.settle(Check::Bytes)?;
            bytes.clear();
            for set in sets.iter() {
                set.write(*sent, texts, &mut bytes);
                *sent += 1;
            }
            // Each reader waits for a push for each key.
            for reader in 0..READERS {
                load.send(reader, b"", pipeline)?;
            }
            let since = Instant::now();
            load.send(READERS, &bytes, pipeline)?;
            Ok(since)
        };
        let operation = (Metric::CpuNs, pipeline);
        let (node, load) = (&self.node, &mut self.load);
        let sample = measure_cycles(node, load, Check::Bytes, self.cycles, operation, cycle)?;
        Ok(vec![sample])
    }
}
