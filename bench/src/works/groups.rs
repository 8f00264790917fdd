//! XREADGROUP, then XACK of what was read. Each connection is the only consumer of a group of its
//! own, so that what it reads does not depend on the others and replies can be compared byte by
//! byte.

use anyhow::{Result, ensure};

use super::timed::{EntryShape, Prepared, Repeat, entry_ms, fill, measure};
use super::{Rig, Setup, Suite, Work};
use crate::control::{Control, Value};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts, encode};
use crate::sample::Sample;

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let groups = |count, pipeline| -> Box<dyn Work> { Box::new(Groups { count, pipeline }) };
    vec![groups(10, 1), groups(10, 16), groups(100, 1)]
}

struct Groups {
    /// Entries per XREADGROUP and IDs per XACK.
    count: u64,
    pipeline: u64,
}

impl Work for Groups {
    fn suite(&self) -> Suite {
        Suite::Streams
    }

    fn name(&self) -> String {
        format!("xreadgroup-{}-p{}", self.count, self.pipeline)
    }

    fn lanes(&self) -> Vec<String> {
        let Self { count, pipeline } = self;
        vec![
            format!("XREADGROUP COUNT {count} P{pipeline} c{CONNECTIONS}"),
            format!("XACK of {count} P{pipeline} c{CONNECTIONS}"),
        ]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let texts = setup.texts.clone();
        let batch = self.count * self.pipeline;
        let entries = setup.scale.count(24_000, batch).div_ceil(batch) * batch;
        fill(&node, KEY, EntryShape::One64, entries, &texts)?;
        let count = self.count.to_string();
        let mut control = node.control()?;
        let mut reads = Vec::new();
        for connection in 0..CONNECTIONS {
            let group = group(connection);
            control.ask(&["XGROUP", "CREATE", "bench:groups", &group, "0"])?;
            reads.push(Template::fixed(&[
                b"XREADGROUP",
                b"GROUP",
                group.as_bytes(),
                b"consumer",
                b"COUNT",
                count.as_bytes(),
                b"STREAMS",
                KEY,
                b">",
            ]));
        }
        Ok(Box::new(Running {
            load: Load::connect(node.address(), CONNECTIONS)?,
            control,
            node,
            texts,
            reads,
            entries,
            count: self.count,
            pipeline: self.pipeline,
        }))
    }
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    reads: Vec<Template>,
    entries: u64,
    count: u64,
    pipeline: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        for connection in 0..CONNECTIONS {
            self.control
                .ask(&["XGROUP", "SETID", "bench:groups", &group(connection), "0"])?;
        }
        let requests = self.entries / self.count * CONNECTIONS as u64;
        let mut reads = Repeat::new(
            &self.reads,
            &self.texts,
            CONNECTIONS,
            self.pipeline,
            requests,
        );
        ensure!(
            reads.requests() == requests,
            "a round must read every entry once"
        );
        let read = measure(&self.node, &mut self.load, &mut reads, Check::Bytes)?;
        self.expect_pending(self.entries)?;
        let mut acks = self.acks();
        let ack = measure(&self.node, &mut self.load, &mut acks, Check::Bytes)?;
        self.expect_pending(0)?;
        Ok(vec![read, ack])
    }
}

impl Running {
    /// The IDs are known without reading replies, because the stream was filled with known ones.
    fn acks(&self) -> Prepared {
        let of_connection = |connection: usize| {
            let group = group(connection);
            let mut batches = Vec::new();
            let (mut bytes, mut requests) = (Vec::new(), 0);
            for first in (0..self.entries).step_by(self.count as usize) {
                let ids: Vec<String> = (first..first + self.count)
                    .map(|entry| format!("{}-0", entry_ms(entry)))
                    .collect();
                let mut arguments: Vec<&[u8]> = vec![b"XACK", KEY, group.as_bytes()];
                arguments.extend(ids.iter().map(String::as_bytes));
                encode(&arguments, &mut bytes);
                requests += 1;
                if requests == self.pipeline {
                    batches.push((std::mem::take(&mut bytes), requests));
                    requests = 0;
                }
            }
            batches
        };
        Prepared::new((0..CONNECTIONS).map(of_connection).collect())
    }

    fn expect_pending(&mut self, expected: u64) -> Result<()> {
        for connection in 0..CONNECTIONS {
            let reply = self
                .control
                .ask(&["XPENDING", "bench:groups", &group(connection)])?;
            let Value::Array(parts) = reply else {
                anyhow::bail!("XPENDING did not give a list")
            };
            ensure!(
                parts.first() == Some(&Value::Int(expected as i64)),
                "pending entries: {parts:?}"
            );
        }
        Ok(())
    }
}

fn group(connection: usize) -> String {
    format!("group-{connection}")
}

const KEY: &[u8] = b"bench:groups";
const CONNECTIONS: usize = 10;
