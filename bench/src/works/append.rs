//! XADD: two shapes of entries, three depths of pipeline; and idempotent appends beside plain ones.

use anyhow::{Result, ensure};

use super::timed::{EntryShape, Repeat, expect_length, flush, measure, xadd};
use super::{Needs, Rig, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::{Metric, Sample};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    let connections = setup.connections;
    for shape in [EntryShape::One64, EntryShape::Five16] {
        for pipeline in [1, 16, 64] {
            let variants = &[Variant::Plain];
            works.push(Box::new(Append {
                shape,
                pipeline,
                connections,
                variants,
            }));
        }
    }
    for pipeline in [1, 16, 64] {
        let variants = &[Variant::Plain, Variant::Idmp, Variant::IdmpAuto];
        works.push(Box::new(Append {
            shape: EntryShape::One64,
            pipeline,
            connections,
            variants,
        }));
    }
    works
}

struct Append {
    shape: EntryShape,
    pipeline: u64,
    connections: usize,
    /// One lane each, done in turn by the same server.
    variants: &'static [Variant],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Plain,
    /// A producer per connection, an iid of 16 digits.
    Idmp,
    IdmpAuto,
}

impl Work for Append {
    fn suite(&self) -> Suite {
        Suite::Streams
    }

    fn name(&self) -> String {
        let kind = if self.variants.len() > 1 {
            "idmp"
        } else {
            "xadd"
        };
        format!("{kind}-{}-p{}", self.shape.name(), self.pipeline)
    }

    fn lanes(&self) -> Vec<String> {
        let lane = |variant: &Variant| {
            let option = match variant {
                Variant::Plain => "",
                Variant::Idmp => " IDMP",
                Variant::IdmpAuto => " IDMPAUTO",
            };
            let (shape, pipeline, connections) =
                (self.shape.name(), self.pipeline, self.connections);
            format!("XADD{option} {shape} P{pipeline} c{connections}")
        };
        self.variants.iter().map(lane).collect()
    }

    fn needs(&self) -> Needs {
        if self.variants.len() > 1 {
            Needs::Idempotence
        } else {
            Needs::Streams
        }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let full = match self.pipeline {
            1 => 40_000,
            16 => 160_000,
            _ => 320_000,
        };
        Ok(Box::new(Running {
            load: Load::connect(node.address(), self.connections)?,
            control: node.control()?,
            node,
            texts: setup.texts.clone(),
            requests: setup.scale.count(full, 200),
            lanes: self
                .variants
                .iter()
                .map(|variant| self.templates(*variant))
                .collect(),
            pipeline: self.pipeline,
        }))
    }
}

impl Append {
    /// One template per connection, because each is a producer of its own.
    fn templates(&self, variant: Variant) -> Vec<Template> {
        let id = [Piece::Fixed(b"*")];
        let of_connection = |connection: usize| {
            let producer = format!("producer-{connection:04}");
            let producer = [Piece::Fixed(producer.as_bytes())];
            match variant {
                Variant::Plain => xadd(KEY, &[&id], self.shape),
                Variant::Idmp => {
                    let iid = [Piece::Serial(16)];
                    xadd(
                        KEY,
                        &[&[Piece::Fixed(b"IDMP")], &producer, &iid, &id],
                        self.shape,
                    )
                }
                Variant::IdmpAuto => xadd(
                    KEY,
                    &[&[Piece::Fixed(b"IDMPAUTO")], &producer, &id],
                    self.shape,
                ),
            }
        };
        (0..self.connections).map(of_connection).collect()
    }
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    requests: u64,
    lanes: Vec<Vec<Template>>,
    pipeline: u64,
}

impl Rig for Running {
    fn round(&mut self, round: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for templates in &self.lanes {
            flush(&mut self.control)?;
            let connections = self.load.len();
            let mut source = Repeat::new(
                templates,
                &self.texts,
                connections,
                self.pipeline,
                self.requests,
            );
            let sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
            expect_length(&mut self.control, KEY, source.requests())?;
            if round == 0 {
                let (digest, count) = self.control.stream_digest(std::str::from_utf8(KEY)?)?;
                ensure!(
                    (digest, count) == (source.content_digest(), source.requests()),
                    "the stream does not hold what was sent"
                );
            }
            samples.push(sample);
        }
        if samples.len() > 1 {
            compare_with_plain(&mut samples);
        }
        Ok(samples)
    }
}

/// Adds the ratio to the first lane, which the same server did a moment before.
fn compare_with_plain(samples: &mut [Sample]) {
    let plain = samples[0].value(Metric::CpuNs).unwrap_or(f64::NAN);
    for sample in samples {
        let ratio = sample.value(Metric::CpuNs).unwrap_or(f64::NAN) / plain;
        sample.figures.insert(1, (Metric::OverPlain, ratio));
    }
}

const KEY: &[u8] = b"bench:stream";
