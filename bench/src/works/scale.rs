//! The cost of an operation against the size of what it works on: entries of a stream, streams,
//! pending entries, blocked readers, tracked producers, threads.
//!
//! Every size has a server of its own, so that what is kept for one size does not affect another. A
//! [`Growth`] has a lane for each of its operations at each size, and a curve for each of its
//! operations.

mod blocked;
mod entries;
mod pending;
mod producers;
mod streams;
mod threads;

use anyhow::{Context, Result};

use super::{Needs, Rig, Schedule, Setup, Suite, Work, fan_out};
use crate::curve::{Curve, Point, short_number};
use crate::peer::Peer;
use crate::sample::{Metric, Sample};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let growths = [
        entries::appends(setup),
        entries::ranges(setup),
        streams::growth(setup),
        pending::growth(setup),
        blocked::growth(setup),
        wake_ups(setup),
        producers::growth(setup),
        threads::growth(setup),
    ];
    growths
        .into_iter()
        .map(|growth| Box::new(growth) as Box<dyn Work>)
        .collect()
}

/// Operations done by servers that differ in the size of something.
struct Growth {
    name: &'static str,
    /// What the size counts, in the plural.
    of: &'static str,
    operations: Vec<Operation>,
    sizes: Vec<u64>,
    needs: Needs,
    schedule: Schedule,
    /// Starts a server of a size, which gives a sample per operation each round.
    begin: fn(&Peer, &Setup, u64) -> Result<Box<dyn Rig>>,
}

/// What is done, and shown as a curve for each metric.
struct Operation {
    /// Its name in lanes and curves.
    title: &'static str,
    /// The names of its curves, and what they show.
    curves: Vec<(&'static str, Metric)>,
}

impl Operation {
    fn cpu(name: &'static str, title: &'static str) -> Self {
        Self {
            title,
            curves: vec![(name, Metric::CpuNs)],
        }
    }
}

impl Work for Growth {
    fn suite(&self) -> Suite {
        Suite::Scale
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn lanes(&self) -> Vec<String> {
        let of_size = |size: &u64| {
            let size = short_number(*size);
            self.operations
                .iter()
                .map(move |operation| format!("{}, {} {size}", operation.title, self.of))
        };
        self.sizes.iter().flat_map(of_size).collect()
    }

    fn curves(&self) -> Vec<Curve> {
        let mut curves = Vec::new();
        for (place, operation) in self.operations.iter().enumerate() {
            for (name, metric) in &operation.curves {
                let sizes = self.sizes.iter().enumerate();
                curves.push(Curve {
                    name: (*name).to_owned(),
                    title: operation.title.to_owned(),
                    size_title: self.of.to_owned(),
                    metric: *metric,
                    points: sizes
                        .map(|(step, size)| Point {
                            size: *size,
                            lane: step * self.operations.len() + place,
                        })
                        .collect(),
                });
            }
        }
        curves
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn schedule(&self) -> Schedule {
        self.schedule
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let begin = |size: &u64| {
            let mut rig = (self.begin)(peer, setup, *size)
                .with_context(|| format!("{} {}", self.of, short_number(*size)))?;
            if self.schedule != Schedule::SideBySide {
                // Nobody else asks for the round that warms up.
                rig.round(0)?;
            }
            Ok(rig)
        };
        let rigs = self.sizes.iter().map(begin).collect::<Result<Vec<_>>>()?;
        Ok(Box::new(OfAllSizes(rigs)))
    }
}

struct OfAllSizes(Vec<Box<dyn Rig>>);

impl Rig for OfAllSizes {
    fn round(&mut self, round: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for rig in &mut self.0 {
            samples.extend(rig.round(round)?);
        }
        Ok(samples)
    }
}

/// These sizes, or the small ones where nothing is measured.
fn sizes(setup: &Setup, full: &[u64], quick: &[u64]) -> Vec<u64> {
    match setup.scale {
        super::Scale::Full(_) => full.to_vec(),
        super::Scale::Quick => quick.to_vec(),
    }
}

/// One XADD wakes readers that are blocked in XREAD.
fn wake_ups(setup: &Setup) -> Growth {
    Growth {
        name: "scale-woken",
        of: "woken readers",
        operations: vec![Operation {
            title: "XREAD BLOCK, readers woken by one XADD",
            curves: vec![("xadd-by-woken-readers", Metric::WakeUpCpuNs)],
        }],
        sizes: sizes(setup, &[1, 10, 100, 1000], &[1, 10]),
        needs: Needs::Streams,
        schedule: Schedule::SideBySide,
        begin: |peer, setup, size| {
            fan_out::begin_with(usize::try_from(size)?, WAKE_UPS, peer, setup)
        },
    }
}

/// How many readers are woken in a round, whatever their number: with one, each takes a round trip
/// of its own.
const WAKE_UPS: u64 = 20_000;
/// Connections that send in batches of [`PIPELINE`].
const CONNECTIONS: usize = 50;
const PIPELINE: u64 = 16;
