//! PUBLISH to many clients that listen to the channel, in batches.
//!
//! The figure is the server's CPU time divided by the number of messages that were published, each
//! of which goes to all of the listeners.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::timed::measure_cycles;
use super::{Rig, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts, encode};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![Box::new(Publish { listeners: 100 })]
}

struct Publish {
    listeners: usize,
}

/// Messages that are sent together.
const PIPELINE: u64 = 16;

/// Batches of a round.
const BATCHES: u64 = 1000;

const CHANNEL: &[u8] = b"bench:publish";

impl Work for Publish {
    fn suite(&self) -> Suite {
        Suite::Streams
    }

    fn name(&self) -> String {
        format!("publish-{}", self.listeners)
    }

    fn lanes(&self) -> Vec<String> {
        let listeners = self.listeners;
        vec![format!("PUBLISH 64 B P{PIPELINE} to {listeners} listeners")]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let listeners = self.listeners;
        let mut load = Load::connect(node.address(), listeners + 1)?;
        let mut subscribe = Vec::new();
        encode(&[b"SUBSCRIBE", CHANNEL], &mut subscribe);
        for listener in 0..listeners {
            load.send(listener, &subscribe, 1)?;
        }
        load.settle(Check::Shape)?;
        let mut control = node.control()?;
        let listening = listening(&mut control)?;
        ensure!(listening == listeners as u64, "{listening} clients listen");
        let text: [&[Piece<'_>]; 3] = [
            &[Piece::Fixed(b"PUBLISH")],
            &[Piece::Fixed(CHANNEL)],
            &[Piece::Text(64)],
        ];
        Ok(Box::new(Running {
            load,
            node,
            control,
            texts: setup.texts.clone(),
            publish: Template::new(&text, 0),
            listeners,
            batches: setup.scale.count(BATCHES, 3),
            published: 0,
        }))
    }
}

fn listening(control: &mut Control) -> Result<u64> {
    control.info_number("clients", "pubsub_clients")
}

struct Running {
    node: Node,
    /// The listeners, and the publisher as the last one.
    load: Load,
    control: Control,
    texts: Texts,
    publish: Template,
    listeners: usize,
    batches: u64,
    published: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let Self {
            node,
            load,
            texts,
            publish,
            listeners,
            published,
            ..
        } = self;
        let mut bytes = Vec::new();
        let batch = |load: &mut Load, _: u64| {
            bytes.clear();
            for _ in 0..PIPELINE {
                publish.write(*published, texts, &mut bytes);
                *published += 1;
            }
            // Each listener waits for all of them.
            for listener in 0..*listeners {
                load.send(listener, b"", PIPELINE)?;
            }
            let sent = Instant::now();
            load.send(*listeners, &bytes, PIPELINE)?;
            Ok(sent)
        };
        let operation = (Metric::CpuNs, PIPELINE);
        let sample = measure_cycles(node, load, Check::Bytes, self.batches, operation, batch)?;
        let listening = listening(&mut self.control)?;
        ensure!(
            listening == self.listeners as u64,
            "{listening} clients listen"
        );
        Ok(vec![sample])
    }
}
