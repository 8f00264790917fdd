//! A family of metrics, and how its samples are written.

use std::borrow::Cow;
use std::fmt;

use batch::GroupSizes;
use engine::observe::stats::Durations;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::Snapshot;

/// A family: a row of data, and where its samples come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// Its name, without the unit and without what the format adds for its kind.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: In,
    /// What it is, without a full stop.
    pub(super) help: &'static str,
    pub(super) samples: fn(&Snapshot, &mut Samples<'_>) -> fmt::Result,
}

/// What the samples of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Grows until the server ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// The unit of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    /// Things are counted.
    Numbers,
    Bytes,
    Seconds,
}

/// Labels of a sample.
pub(super) type Labels<'l> = &'l [(&'static str, Cow<'l, str>)];

/// Where the samples of a family go.
#[derive(Debug)]
pub(super) struct Samples<'e> {
    kind: Kind,
    encoder: MetricEncoder<'e>,
}

/// The bounds of the histograms of durations: powers of four, in microseconds, from 1 µs to 4 s.
const BOUNDS_US: [u64; 12] = [
    1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304,
];

/// The bounds of the histogram of groups: powers of four.
const BOUNDS_BATCHES: [u64; 9] = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536];

/// Labels as the format writes them, which the library leaves to its callers.
fn escaped<'l>(labels: Labels<'l>) -> Vec<(&'static str, Cow<'l, str>)> {
    let escape = |value: &'l Cow<'l, str>| match value.contains(['\\', '"', '\n']) {
        false => Cow::Borrowed(value.as_ref()),
        true => {
            let value = value.replace('\\', r"\\").replace('"', "\\\"");
            Cow::Owned(value.replace('\n', "\\n"))
        }
    };
    let labels = labels.iter();
    labels.map(|(name, value)| (*name, escape(value))).collect()
}

impl Family {
    /// Writes what it is, and its samples.
    pub(super) fn write(
        &self,
        snapshot: &Snapshot,
        encoder: &mut DescriptorEncoder<'_>,
    ) -> fmt::Result {
        let unit = match self.unit {
            In::Numbers => None,
            In::Bytes => Some(Unit::Bytes),
            In::Seconds => Some(Unit::Seconds),
        };
        let kind = match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        let encoder = encoder.encode_descriptor(self.name, self.help, unit.as_ref(), kind)?;
        let kind = self.kind;
        (self.samples)(snapshot, &mut Samples { kind, encoder })
    }
}

impl Samples<'_> {
    /// The only sample of its family.
    pub(super) fn one(&mut self, value: u64) -> fmt::Result {
        match self.kind {
            Kind::Counter => self
                .encoder
                .encode_counter::<NoLabelSet, _, u64>(&value, None),
            Kind::Gauge | Kind::Histogram => self.encoder.encode_gauge(&value),
        }
    }

    /// The only sample of its family, in seconds.
    pub(super) fn one_f64(&mut self, value: f64) -> fmt::Result {
        match self.kind {
            Kind::Counter => self
                .encoder
                .encode_counter::<NoLabelSet, _, u64>(&value, None),
            Kind::Gauge | Kind::Histogram => self.encoder.encode_gauge(&value),
        }
    }

    /// One of several samples.
    pub(super) fn labelled(&mut self, labels: Labels<'_>, value: u64) -> fmt::Result {
        let labels = escaped(labels);
        let mut encoder = self.encoder.encode_family(&labels)?;
        match self.kind {
            Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
            Kind::Gauge | Kind::Histogram => encoder.encode_gauge(&value),
        }
    }

    /// The same in seconds.
    pub(super) fn labelled_f64(&mut self, labels: Labels<'_>, value: f64) -> fmt::Result {
        let labels = escaped(labels);
        let mut encoder = self.encoder.encode_family(&labels)?;
        match self.kind {
            Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
            Kind::Gauge | Kind::Histogram => encoder.encode_gauge(&value),
        }
    }

    /// A histogram of durations, which took so many nanoseconds in all.
    pub(super) fn durations(
        &mut self,
        labels: Labels<'_>,
        nanoseconds: u64,
        durations: &Durations,
    ) -> fmt::Result {
        let count = durations.count();
        let counted = durations.cumulative();
        let counted = counted.filter(|(bound_us, _)| BOUNDS_US.contains(bound_us));
        let buckets = buckets(counted.map(|(us, so_far)| (us as f64 / 1e6, so_far)), count);
        let sum = nanoseconds as f64 / 1e9;
        if labels.is_empty() {
            let encoder = &mut self.encoder;
            return encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None);
        }
        let labels = escaped(labels);
        let mut encoder = self.encoder.encode_family(&labels)?;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    /// A histogram of so many groups, which have so many batches in all.
    pub(super) fn sizes(&mut self, groups: u64, batches: u64, sizes: &GroupSizes) -> fmt::Result {
        let counted = sizes.cumulative();
        let counted = counted.filter(|(bound, _)| BOUNDS_BATCHES.contains(bound));
        let buckets = buckets(
            counted.map(|(bound, so_far)| (bound as f64, so_far)),
            groups,
        );
        let encoder = &mut self.encoder;
        encoder.encode_histogram::<NoLabelSet>(batches as f64, groups, &buckets, None)
    }
}

/// Bounds, each with how many are between it and the one before; `cumulative` has how many are
/// below each, and `count` is how many there are.
fn buckets(cumulative: impl Iterator<Item = (f64, u64)>, count: u64) -> Vec<(f64, u64)> {
    let mut below = 0;
    let mut buckets: Vec<_> = cumulative
        .map(|(bound, so_far)| (bound, so_far - std::mem::replace(&mut below, so_far)))
        .collect();
    buckets.push((f64::MAX, count - below));
    buckets
}
