//! `/metrics`: figures of the server and of its largest streams and groups, in the format of
//! OpenMetrics.
//!
//! A family is a row of data with the function that takes its samples from a [`Snapshot`]
//! (`families`). The snapshot is made under the lock in the time that a few pointers and counters
//! take to copy (`figures`), and read without it. How many streams and groups there are samples of
//! is bounded, and so is what is written of each, whatever is in the keyspace.

mod families;
mod figures;
mod label;
mod samples;
mod streams;

use std::sync::Arc;

use engine::glob::{self, Letters};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use server::Shard;

use crate::limits::{METRICS_ROWS_DEFAULT, METRICS_ROWS_MAX};
use crate::query::{Kind, Parameter, Query};
use crate::rights::Rights;
use crate::survey::{GroupRow, Row, Survey};
use figures::Figures;
use streams::{GroupFigures, StreamFigures, Wanted};

/// The type of what is written.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What can be asked for.
pub(crate) const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "rows",
        kind: Kind::Number(METRICS_ROWS_MAX as u64),
        help: "How many streams, and how many groups, to tell of.",
    },
    Parameter {
        name: "match",
        kind: Kind::Text,
        help: "A pattern (as of KEYS) for the names of these streams.",
    },
];

/// Which streams and groups are told of.
#[derive(Debug)]
pub(crate) struct Choice {
    rows_max: usize,
    pattern: Option<Vec<u8>>,
}

/// What the samples are taken from.
#[derive(Debug)]
pub(crate) struct Snapshot {
    figures: Figures,
    streams: Vec<StreamFigures>,
    groups: Vec<GroupFigures>,
    /// None while the first walk through a large keyspace takes its time.
    survey: Option<Arc<Survey>>,
}

impl Choice {
    /// What the parameters ask for.
    pub(crate) fn of(query: &Query) -> Choice {
        Choice {
            rows_max: query.number("rows", METRICS_ROWS_DEFAULT as u64) as usize,
            pattern: query.bytes("match").map(<[u8]>::to_vec),
        }
    }

    fn has(&self, key: &[u8], rights: &Rights) -> bool {
        let fits = |pattern: &Vec<u8>| glob::matches(pattern, key, Letters::Exact);
        self.pattern.as_ref().is_none_or(fits) && rights.sees_stream(key)
    }

    /// The largest streams that were asked for, and the groups that have most to do.
    fn wanted<'s>(&self, survey: Option<&'s Survey>, rights: &Rights) -> Wanted<'s> {
        let (rows, groups) = survey.map_or_else(Default::default, |survey| {
            (survey.rows.as_slice(), survey.groups.as_slice())
        });
        let streams = rows.iter().filter(|row| self.has(&row.key, rights));
        let groups = groups.iter();
        let groups = groups.filter(|group| self.has(&group.key, rights));
        Wanted {
            streams: streams.take(self.rows_max).collect::<Vec<&Row>>(),
            groups: groups.take(self.rows_max).collect::<Vec<&GroupRow>>(),
        }
    }
}

impl Snapshot {
    /// Takes all figures. What it shows of streams is what `rights` let their user see.
    pub(crate) fn take(
        shard: &Shard,
        survey: Option<Arc<Survey>>,
        choice: &Choice,
        rights: &Rights,
    ) -> Snapshot {
        let wanted = choice.wanted(survey.as_deref(), rights);
        let (figures, found, now) = shard.look(|engine, now| {
            let found = wanted.find(engine, now);
            (Figures::of(engine, now), found, now)
        });
        let (streams, groups) = found.measured(&wanted, now);
        Snapshot {
            figures,
            streams,
            groups,
            survey,
        }
    }

    /// Writes it.
    pub(crate) fn write(self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut page = String::new();
        text::encode(&mut page, &registry)?;
        Ok(page)
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let families = families::ALL.iter().copied().flatten();
        families
            .into_iter()
            .try_for_each(|family| family.write(self, &mut encoder))
    }
}
