//! BLPOP hand-over: clients wait, each for a list of its own, and another client pushes an element
//! for each in one pipeline.
//!
//! The figure is the server's CPU time of a whole cycle (the pushes and the BLPOPs) divided by the
//! number of clients that waited.

use std::time::Instant;

use anyhow::Result;

use super::{PIPELINES, Rig, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::encode;
use crate::sample::{Metric, Sample};
use crate::works::fan_out::wait_until_blocked;
use crate::works::timed::measure_cycles;

pub(super) fn works() -> impl Iterator<Item = Box<dyn Work>> {
    let hand_over = |waiters| -> Box<dyn Work> { Box::new(HandOver { waiters }) };
    PIPELINES.into_iter().map(hand_over)
}

struct HandOver {
    waiters: u64,
}

impl Work for HandOver {
    fn suite(&self) -> Suite {
        Suite::Types
    }

    fn name(&self) -> String {
        format!("types-hand-over-p{}", self.waiters)
    }

    fn lanes(&self) -> Vec<String> {
        let waiters = self.waiters;
        vec![format!("BLPOP hand-over to {waiters} P{waiters}")]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let waiters = usize::try_from(self.waiters)?;
        let key = |waiter: usize| format!("list:{waiter}");
        let mut pops = vec![Vec::new(); waiters];
        let mut pushes = Vec::new();
        for (waiter, pop) in pops.iter_mut().enumerate() {
            encode(&[b"BLPOP", key(waiter).as_bytes(), b"0"], pop);
            encode(&[b"LPUSH", key(waiter).as_bytes(), b"element"], &mut pushes);
        }
        Ok(Box::new(Running {
            load: Load::connect(node.address(), waiters + 1)?,
            control: node.control()?,
            node,
            pops,
            pushes,
            cycles: setup.scale.count(HAND_OVERS / self.waiters, 3),
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    /// The clients that wait, and the one that pushes as the last.
    load: Load,
    pops: Vec<Vec<u8>>,
    pushes: Vec<u8>,
    cycles: u64,
}

impl Rig for Running {
    fn round(&mut self, round: u32) -> Result<Vec<Sample>> {
        let Self {
            node,
            load,
            control,
            pops,
            pushes,
            cycles,
        } = self;
        let waiters = pops.len();
        let operation = (Metric::CpuNs, waiters as u64);
        let cycle = |load: &mut Load, cycle: u64| {
            for (waiter, pop) in pops.iter().enumerate() {
                load.send(waiter, pop, 1)?;
            }
            if round == 0 && cycle == 0 {
                wait_until_blocked(control, waiters)?;
            }
            let sent = Instant::now();
            load.send(waiters, pushes, waiters as u64)?;
            Ok(sent)
        };
        let sample = measure_cycles(node, load, Check::Shape, *cycles, operation, cycle)?;
        Ok(vec![sample])
    }
}

/// How many elements are handed over in a round.
const HAND_OVERS: u64 = 20_000;
