//! XADD against threads for connections, the server being free to use every core.

use anyhow::Result;

use super::{CONNECTIONS, Growth, Operation, PIPELINE, sizes};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::process::Placement;
use crate::request::{Piece, Template, Texts};
use crate::sample::{Metric, Sample};
use crate::works::timed::{EntryShape, Repeat, expect_length, flush, measure, xadd};
use crate::works::{Needs, Rig, Schedule, Setup};

/// Threads cost CPU time and may give throughput: neither tells alone.
pub(super) fn growth(setup: &Setup) -> Growth {
    Growth {
        name: "scale-io-threads",
        of: "io-threads",
        operations: vec![
            Operation {
                title: "XADD 1x64 P1 c500 on all cores",
                curves: vec![
                    ("xadd-p1-by-io-threads", Metric::CpuNs),
                    ("xadd-p1-throughput-by-io-threads", Metric::Throughput),
                ],
            },
            Operation {
                title: "XADD 1x64 P16 c50 on all cores",
                curves: vec![
                    ("xadd-p16-by-io-threads", Metric::CpuNs),
                    ("xadd-p16-throughput-by-io-threads", Metric::Throughput),
                ],
            },
        ],
        sizes: sizes(setup, &[1, 2], &[1, 2]),
        needs: Needs::Streams,
        schedule: Schedule::SideBySide,
        begin,
    }
}

fn begin(peer: &Peer, setup: &Setup, size: u64) -> Result<Box<dyn Rig>> {
    let many = usize::try_from(setup.scale.fixed(500, 10))?;
    let setup = Setup {
        io_threads: u32::try_from(size)?,
        ..setup.clone()
    };
    let node = setup.start_at(peer, Persistence::None, Placement::Anywhere, &[])?;
    let lane = |connections, pipeline, requests| -> Result<Lane> {
        Ok(Lane {
            load: Load::connect(node.address(), connections)?,
            pipeline,
            requests,
        })
    };
    let lanes = vec![
        lane(many, 1, setup.scale.count(60_000, 100))?,
        lane(CONNECTIONS, PIPELINE, setup.scale.count(160_000, 800))?,
    ];
    Ok(Box::new(Running {
        lanes,
        control: node.control()?,
        node,
        texts: setup.texts,
        append: xadd(KEY, &[&[Piece::Fixed(b"*")]], EntryShape::One64),
    }))
}

struct Running {
    node: Node,
    lanes: Vec<Lane>,
    control: Control,
    texts: Texts,
    append: Template,
}

struct Lane {
    load: Load,
    pipeline: u64,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for lane in &mut self.lanes {
            flush(&mut self.control)?;
            let templates = std::slice::from_ref(&self.append);
            let connections = lane.load.len();
            let mut source = Repeat::new(
                templates,
                &self.texts,
                connections,
                lane.pipeline,
                lane.requests,
            );
            let sample = measure(&self.node, &mut lane.load, &mut source, Check::Shape)?;
            expect_length(&mut self.control, KEY, source.requests())?;
            samples.push(sample);
        }
        Ok(samples)
    }
}

const KEY: &[u8] = b"bench:threads";
