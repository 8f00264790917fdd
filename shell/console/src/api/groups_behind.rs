//! The groups of all streams that have most to do: where an operator looks first.

use schemars::JsonSchema;
use serde::Serialize;

use super::{COUNT, Text, answer, count};
use crate::http::{Answer, Fault};
use crate::query::{Kind, Parameter};
use crate::routes::{Asked, DB};
use crate::survey::GroupRow;

/// Parameters of the list.
pub(crate) const LIST: &[Parameter] = &[
    Parameter {
        help: "The number of a database; all of them unless it is given.",
        ..DB
    },
    Parameter {
        name: "match",
        kind: Kind::Text,
        help: "A pattern (as of KEYS) for the names of the streams.",
    },
    COUNT,
];

/// Groups, the one that has most to do first. At most 1000 of all groups are known here.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GroupsBehind {
    groups: Vec<GroupBehind>,
    /// How old these figures are.
    age_seconds: f64,
}

/// A group, and where it is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GroupBehind {
    db: u16,
    stream: Text,
    name: Text,
    consumers: u64,
    /// Entries that were delivered and not acknowledged.
    pending: u64,
    /// Entries that it has yet to read.
    lag: u64,
}

pub(crate) async fn list(asked: Asked<'_>) -> Result<Answer, Fault> {
    let Asked { caller, query, .. } = asked;
    let rights = caller.rights().await?;
    let survey = caller.served.surveys.latest().await;
    let database = query.bytes("db").map(|_| query.number("db", 0));
    let fits = |row: &&GroupRow| {
        database.is_none_or(|database| u64::from(row.database) == database)
            && query.fits("match", &row.key)
            && rights.sees_stream(&row.key)
    };
    let rows = survey.groups.iter().filter(fits);
    answer(&GroupsBehind {
        groups: (rows.take(count(&query) as usize))
            .map(|row| GroupBehind {
                db: row.database,
                stream: (&*row.key).into(),
                name: (&*row.group).into(),
                consumers: row.consumers,
                pending: row.pending,
                lag: row.lag,
            })
            .collect(),
        age_seconds: survey.age().as_secs_f64(),
    })
}
