//! Lists of streams, and what is known of one.

use schemars::JsonSchema;
use serde::Serialize;
use stream::{Counted as Count, Tally};

use super::{COUNT, CURSOR, Text, answer, count, number_of, text_of};
use crate::http::{Answer, Fault};
use crate::order::Order;
use crate::query::{Kind, Parameter};
use crate::routes::{Asked, DB};
use crate::survey::Row;
use crate::view;

/// Parameters of a list of streams.
pub(crate) const LIST: &[Parameter] = &[
    Parameter {
        help: "The number of a database; all of them unless it is given.",
        ..DB
    },
    Parameter {
        name: "sort",
        kind: Kind::Word(&Order::WORDS),
        help: "What comes first: the largest (bytes, which is the default, or length), those whose \
               groups are behind (lag, pending), the latest (last), those that remember or caught \
               most (iids, duplicates), or the least name.",
    },
    Parameter {
        name: "reverse",
        kind: Kind::Flag,
        help: "The other way round.",
    },
    Parameter {
        name: "match",
        kind: Kind::Text,
        help: "A pattern (as of KEYS) for the names.",
    },
    COUNT,
    CURSOR,
];

/// A page of streams.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Streams {
    streams: Vec<StreamRow>,
    /// How many streams fit the question.
    total: u64,
    /// Where the next page begins; null on the last.
    cursor: Option<String>,
    /// How old these figures are.
    age_seconds: f64,
}

/// A stream in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StreamRow {
    db: u16,
    name: Text,
    /// Entries that it has.
    length: u64,
    /// Entries that were ever added.
    added: u64,
    /// About how many bytes of memory it takes.
    bytes: u64,
    /// The time in the last ID, in milliseconds since the epoch.
    last_ms: u64,
    groups: u32,
    /// Entries that the group furthest behind has yet to read.
    lag: u64,
    /// Pending entries of all groups.
    pending: u64,
    /// Producers of which idempotent IDs are remembered.
    producers: u64,
    /// Idempotent IDs that are remembered.
    iids: u64,
    /// Idempotent appends that were duplicates.
    duplicates: u64,
}

/// What is known of a stream.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stream {
    name: Text,
    /// Entries that it has.
    length: u64,
    /// Entries that were ever added.
    added: u64,
    /// The first entry; `0-0` if there is none.
    first_id: String,
    /// The greatest ID that was given out.
    last_id: String,
    /// The greatest ID that was deleted other than by trimming.
    max_deleted_id: String,
    groups: u64,
    /// Entries that wait to be appended.
    delayed: u64,
    idempotence: Idempotence,
}

/// What a stream remembers of its producers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Idempotence {
    /// For how long an ID is remembered.
    duration_seconds: u64,
    /// How many IDs are remembered for each producer.
    maxsize: u64,
    /// Producers of which IDs are remembered.
    producers: u64,
    /// IDs that are remembered.
    iids: u64,
    /// Idempotent appends that added an entry.
    added: u64,
    /// Idempotent appends that were duplicates.
    duplicates: u64,
    /// What else is counted; null unless the stream was told to (`XCFGSET`, `IDMP-STATS`).
    counted: Option<Counted>,
}

/// What happened to appends that did not go as they should, of all producers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Counted {
    /// They had other fields or values than the first of their ID.
    conflicts: u64,
    /// Another had taken over their producer.
    fenced: u64,
    /// Their number was lower than the last one.
    stale: u64,
    /// Their number was not the next one.
    gaps: u64,
    /// IDs that were dropped before their time because the window was full.
    dropped: u64,
}

pub(crate) async fn list(asked: Asked<'_>) -> Result<Answer, Fault> {
    let Asked { caller, query, .. } = asked;
    let rights = caller.rights().await?;
    let survey = caller.served.surveys.latest().await;
    let page = tokio::task::spawn_blocking(move || {
        let database = query.bytes("db").map(|_| query.number("db", 0));
        let fits = |row: &&Row| {
            database.is_none_or(|database| u64::from(row.database) == database)
                && query.fits("match", &row.key)
                && rights.sees_stream(&row.key)
        };
        let order = Order::of(query.word("sort"));
        let mut rows: Vec<&Row> = survey.in_order(order).filter(fits).collect();
        if query.flag("reverse") {
            rows.reverse();
        }
        let begin = query.word("cursor").unwrap_or("0").parse::<usize>();
        let begin = begin.map_err(|_| Fault::bad("cursor is none that was given out"))?;
        let end = begin.saturating_add(count(&query) as usize).min(rows.len());
        let page = rows.get(begin..end).unwrap_or_default();
        Ok::<Streams, Fault>(Streams {
            streams: page.iter().map(|row| StreamRow::of(row)).collect(),
            total: rows.len() as u64,
            cursor: (end < rows.len()).then(|| end.to_string()),
            age_seconds: survey.age().as_secs_f64(),
        })
    });
    let page = page
        .await
        .map_err(|_| Fault::internal("the list cannot be made"))?;
    answer(&page?)
}

impl StreamRow {
    fn of(row: &Row) -> StreamRow {
        StreamRow {
            db: row.database,
            name: (&*row.key).into(),
            length: row.length,
            added: row.added,
            bytes: row.bytes,
            last_ms: row.last_ms,
            groups: row.groups,
            lag: row.lag,
            pending: row.pending,
            producers: row.producers,
            iids: row.iids,
            duplicates: row.duplicates,
        }
    }
}

pub(crate) async fn one(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let name = asked.captured(0);
    let client = asked.client().await?;
    let told = client.ask(&[b"XINFO", b"STREAM", &name]).await?;
    let view = view::of_stream(&asked, &name);
    let stream = view.as_ref().map(|(stream, _)| stream);
    let counted = stream.and_then(|stream| stream.idempotence().counted());
    answer(&Stream {
        name: name.as_slice().into(),
        length: number_of(&told, "length"),
        added: number_of(&told, "entries-added"),
        first_id: text_of(&told, "recorded-first-entry-id"),
        last_id: text_of(&told, "last-generated-id"),
        max_deleted_id: text_of(&told, "max-deleted-entry-id"),
        groups: number_of(&told, "groups"),
        delayed: stream.map_or(0, view::delayed),
        idempotence: Idempotence {
            duration_seconds: number_of(&told, "idmp-duration"),
            maxsize: number_of(&told, "idmp-maxsize"),
            producers: number_of(&told, "pids-tracked"),
            iids: number_of(&told, "iids-tracked"),
            added: number_of(&told, "iids-added"),
            duplicates: number_of(&told, "iids-duplicates"),
            counted: counted.map(Counted::of),
        },
    })
}

impl Counted {
    fn of(tally: &Tally) -> Counted {
        Counted {
            conflicts: tally.get(Count::Conflict),
            fenced: tally.get(Count::Fenced),
            stale: tally.get(Count::Stale),
            gaps: tally.get(Count::Gap),
            dropped: tally.get(Count::Dropped),
        }
    }
}
