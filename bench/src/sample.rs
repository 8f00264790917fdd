//! Figures of one round, and what many rounds say together: median, spread, paired ratios.

/// What a figure measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// CPU time of the server's process per operation, in nanoseconds.
    CpuNs,
    /// CPU time of the server that takes requests per operation, in nanoseconds.
    LeaderCpuNs,
    /// CPU time of the servers that have a copy per operation, all together, in nanoseconds.
    FollowersCpuNs,
    /// CPU time of the servers of a log per operation, all together, in nanoseconds.
    LogCpuNs,
    /// CPU time of the server's process per blocked reader that was woken, in nanoseconds.
    WakeUpCpuNs,
    /// CPU time over that of the plain variant, in the same round of the same server.
    OverPlain,
    /// Operations per second over those of the plain variant, likewise.
    ThroughputOverPlain,
    /// Operations per second.
    Throughput,
    /// Median latency of a batch in microseconds.
    P50Us,
    /// 99th percentile of the latency of a batch in microseconds.
    P99Us,
    /// Share of its core that the load client used, in percent; near 100 the throughput is the
    /// client's limit.
    ClientPercent,
    /// Growth of resident memory per item in bytes.
    ResidentBytes,
    /// Growth of the server's own count of used memory per item in bytes.
    UsedBytes,
    /// What MEMORY USAGE says per item, in bytes.
    ReportedBytes,
    /// Bytes of journal per operation.
    JournalBytes,
    /// Longest time between two replies to PING while the work is done, in milliseconds.
    GapMs,
    /// The same in a quiet phase of the same server.
    QuietGapMs,
    /// Longest round trip of a PING while the work is done, in milliseconds.
    RoundTripMs,
    /// Most resident memory above that before, in megabytes.
    GainedMb,
    /// Whether the server refused the request: 1 or 0.
    Refused,
    /// Time from start to the first answer, in seconds.
    StartSeconds,
    /// Duration of the work in the background, in seconds.
    WorkSeconds,
    /// Size on disk in megabytes.
    DiskMb,
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Small ones.
    Lower,
    /// Large ones.
    Higher,
}

impl Metric {
    /// Head of its column.
    pub fn title(self) -> &'static str {
        match self {
            Metric::CpuNs => "CPU ns/op",
            Metric::LeaderCpuNs => "leader CPU ns/op",
            Metric::FollowersCpuNs => "followers CPU ns/op",
            Metric::LogCpuNs => "log CPU ns/op",
            Metric::WakeUpCpuNs => "CPU ns/wake-up",
            Metric::OverPlain => "over plain",
            Metric::ThroughputOverPlain => "op/s over plain",
            Metric::Throughput => "op/s",
            Metric::P50Us => "p50 us",
            Metric::P99Us => "p99 us",
            Metric::ClientPercent => "client %",
            Metric::ResidentBytes => "RSS B/item",
            Metric::UsedBytes => "used B/item",
            Metric::ReportedBytes => "usage B/item",
            Metric::JournalBytes => "journal B/op",
            Metric::GapMs => "gap ms",
            Metric::QuietGapMs => "quiet gap ms",
            Metric::RoundTripMs => "trip ms",
            Metric::GainedMb => "gained MB",
            Metric::Refused => "refused",
            Metric::StartSeconds => "start s",
            Metric::WorkSeconds => "work s",
            Metric::DiskMb => "disk MB",
        }
    }

    /// Digits after the point.
    pub fn decimals(self) -> usize {
        match self {
            Metric::OverPlain | Metric::ThroughputOverPlain | Metric::StartSeconds => 3,
            Metric::GapMs | Metric::QuietGapMs | Metric::RoundTripMs | Metric::WorkSeconds => 2,
            Metric::ResidentBytes | Metric::UsedBytes | Metric::ReportedBytes => 1,
            Metric::JournalBytes | Metric::DiskMb => 1,
            _ => 0,
        }
    }

    /// Which values are good.
    pub fn better(self) -> Better {
        match self {
            Metric::Throughput | Metric::ThroughputOverPlain => Better::Higher,
            _ => Better::Lower,
        }
    }
}

/// What one round of one server gave. The first figure is the one that ratios are made of.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// The figures, in the order of the columns.
    pub figures: Vec<(Metric, f64)>,
    /// Digest of what the server replied or holds, where that can be compared.
    pub digest: Option<u64>,
}

impl Sample {
    /// The value of a metric, if it was measured.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.figures
            .iter()
            .find(|(name, _)| *name == metric)
            .map(|(_, value)| *value)
    }
}

/// Several values of the same thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of these values; nothing without values, or when one is not a number.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() || values.iter().any(|value| value.is_nan()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Some(Self {
            median,
            min: values[0],
            max: values[values.len() - 1],
        })
    }

    /// Ratios of values of the same round: what slowed down a whole round slowed down both.
    pub fn of_ratios(values: &[f64], reference: &[f64]) -> Option<Self> {
        Self::of(
            values
                .iter()
                .zip(reference)
                .map(|(value, reference)| value / reference),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() {
        assert_eq!(
            Spread::of([3.0, 1.0, 2.0]),
            Some(Spread {
                median: 2.0,
                min: 1.0,
                max: 3.0
            })
        );
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN]), None);
    }

    #[test]
    fn ratios_are_paired_round_by_round() {
        let ratio = Spread::of_ratios(&[1.0, 10.0, 2.0], &[2.0, 20.0, 4.0]).unwrap();
        assert_eq!(
            ratio,
            Spread {
                median: 0.5,
                min: 0.5,
                max: 0.5
            }
        );
    }
}
