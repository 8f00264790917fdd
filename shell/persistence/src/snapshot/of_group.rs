//! The snapshot of a group of nodes: the same format, and in auxiliary fields where it is in the
//! log that they share.
//!
//! Clocks of nodes differ, and what an engine remembers of appends has the time of the leader. So
//! such a snapshot says up to which time it goes, and is loaded as of then at the earliest.
//!
//! It counts only once it was read back and found to hold what it was made of: the log is trimmed
//! behind it, so nothing else may have that any more.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use engine::server::Conflicts;
use engine::store::keyspace::Frozen;
use engine::{Engine, Expired, Now, Unknown};
use journal::open_regular;
use rdb::{Digest, SnapshotReader};
use replication::{Position, PositionFields};
use stream::{Retention, Stream};
use thiserror::Error;
use values::Thresholds;

use super::pieces::{self, Pieces};
use super::{LoadError, Progress, RESTORE, load, put_in_place, write_durably, write_with};

/// What a snapshot must have in common with what it was made of: the digest of all keys that have
/// not expired, and the texts of libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    keys: Digest,
    libraries: Vec<Vec<u8>>,
}

/// A snapshot is not what it was made of.
#[derive(Debug, Error)]
pub enum CheckError {
    /// It cannot be read back.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is of another position of the log.
    #[error("the snapshot {name} was made at record {} and says {}", made_at.seq, found.seq)]
    Elsewhere {
        /// Of the snapshot.
        name: String,
        /// What it was made of.
        made_at: Box<Position>,
        /// What it says.
        found: Box<Position>,
    },
    /// It holds something else.
    #[error("the snapshot {name} does not hold what it was made of")]
    Differs {
        /// Of the snapshot.
        name: String,
    },
}

/// A snapshot is not kept.
#[derive(Debug, Error)]
pub enum KeepError {
    /// It cannot be written or read.
    #[error("the snapshot cannot be written: {0}")]
    Io(#[from] io::Error),
    /// It is not what it was made of.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl Contents {
    /// What a view holds at a moment.
    pub fn of(frozen: &Frozen, now: Now) -> Contents {
        let now = at_least(now, time_of(frozen));
        let mut keys = Digest::default();
        for (database, records) in (0..).zip(&frozen.databases) {
            let unexpired = records.iter().filter(|it| !it.is_expired(now.unix()));
            for record in unexpired {
                let expires_at_ms = record.expires_at().map(|at| at.0);
                let value = Digest::of_value(record.value(), expires_at_ms, now.stream_ms());
                keys = keys.and(value.under(database, record.key()));
            }
        }
        let libraries = frozen.libraries.iter().map(|(_, code)| code.to_vec());
        let mut libraries: Vec<_> = libraries.collect();
        libraries.sort();
        Contents { keys, libraries }
    }
}

/// Writes a view that a follower had at a position. Returns its size in bytes.
///
/// # Errors
/// What the outlet says.
pub fn write_at(
    frozen: &Frozen,
    at: &Position,
    out: impl Write,
    now: Now,
    progress: &Progress,
) -> io::Result<u64> {
    let time = (TIME, time_of(frozen).to_string());
    let fields: Vec<_> = at.fields().into_iter().chain([time]).collect();
    write_with(frozen, out, now, progress, &fields, |_, _| None)
}

/// Writes a view that a follower had at a position into the file `part`, reads it back from there,
/// and gives it the name `path` if it is what it was made of. Whatever happens, a file of that name
/// is whole and holds what it should. Returns its size in bytes.
///
/// # Errors
/// What the system says, or [`CheckError`]; then there is no such file, and no `part`.
pub fn keep_file(
    frozen: &Frozen,
    at: &Position,
    (part, path): (&Path, &Path),
    empty: Engine,
    now: Now,
    progress: &Progress,
) -> Result<u64, KeepError> {
    let kept = write_durably(part, |out| write_at(frozen, at, out, now, progress))
        .map_err(KeepError::from)
        .and_then(|bytes| {
            let written = open_regular(File::options().read(true), part)?;
            let name = part.display().to_string();
            check(empty, &name, written, at, &Contents::of(frozen, now), now)?;
            put_in_place(part, path)?;
            Ok(bytes)
        });
    if kept.is_err() {
        // What a failed attempt leaves is useless, and it does not matter if it cannot be removed.
        std::fs::remove_file(part).ok();
    }
    kept
}

/// Loads such a snapshot into an empty engine, which is to follow the log from there
/// ([`Engine::begin_replay_after`]). Returns where that is.
///
/// # Errors
/// [`LoadError`] if it cannot be read to its end, or does not say where it is. What the engine has
/// then is of no use.
pub fn load_at(
    engine: &mut Engine,
    name: &str,
    mut reader: impl Read + Seek + Send,
    now: Now,
) -> Result<Position, LoadError> {
    let (fields, time_ms) = header(engine.snapshot_context(now), name, &mut reader)?;
    let at = fields.finish().map_err(|error| broken(name, &error))?;
    reader.rewind().map_err(|error| broken(name, &error))?;
    let mut unknown = Unknown::new(engine.server.config.on_unknown);
    let (expired, conflicts) = (Expired::Kept, Conflicts::Refused);
    let now = at_least(now, time_ms);
    load(engine, name, reader, expired, conflicts, now, &mut unknown)?;
    Ok(at)
}

/// Where such a snapshot is, as the fields at its front say. The rest is not read.
///
/// # Errors
/// [`LoadError`] if its front cannot be read, or does not say where it is.
pub fn position_of(name: &str, reader: impl Read + Send) -> Result<Position, LoadError> {
    // What a value needs to be read does not matter: none is.
    let context = rdb::Context {
        now_ms: 0,
        hash_seed: 0,
        retention: Retention::DEFAULT,
        thresholds: Thresholds::DEFAULT,
        packing: rdb::Packing::Later,
    };
    let (fields, _) = header(context, name, reader)?;
    fields.finish().map_err(|error| broken(name, &error))
}

/// What the fields at the front of a snapshot say: where it is, and up to which time it goes.
fn header(
    context: rdb::Context,
    name: &str,
    reader: impl Read + Send,
) -> Result<(PositionFields, u64), LoadError> {
    let read = |pieces: Pieces| {
        let mut reader = SnapshotReader::new(pieces, context)?;
        let mut fields = PositionFields::default();
        let mut time_ms = 0;
        while let Some(rdb::Item::Auxiliary { name, value }) = reader.next()? {
            fields.note(&name, &value);
            if name == TIME.as_bytes() {
                let text = std::str::from_utf8(&value).ok();
                time_ms = text.and_then(|text| text.parse().ok()).unwrap_or(0);
            }
        }
        Ok::<_, rdb::ReadError<io::Error>>((fields, time_ms))
    };
    let read = pieces::ahead(reader, read).map_err(|error| broken(name, &error))?;
    read.map_err(|error| broken(name, &error))
}

fn broken(name: &str, reason: &dyn std::fmt::Display) -> LoadError {
    LoadError {
        name: name.to_owned(),
        reason: reason.to_string(),
        advice: RESTORE,
    }
}

/// The name of the field that says up to which time a snapshot goes, in milliseconds since 1970.
const TIME: &str = "weir-log-time";

/// The latest time at which anything was appended that is remembered, in milliseconds since 1970.
fn time_of(frozen: &Frozen) -> u64 {
    let records = frozen.databases.iter().flat_map(|records| records.iter());
    let streams = records.filter_map(|record| record.value().get::<Stream>());
    let latest = streams.map(|stream| {
        let mut latest = 0;
        for producer in stream.idempotence().producers(0) {
            producer.for_each(|record| latest = latest.max(record.added_at_ms));
        }
        latest
    });
    latest.max().unwrap_or(0)
}

fn at_least(now: Now, time_ms: u64) -> Now {
    let us = i64::try_from(time_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
    Now {
        unix_us: now.unix_us.max(us),
        ..now
    }
}

/// Reads a snapshot back into an empty engine, and compares it with what it was made of.
///
/// # Errors
/// [`CheckError`]: it must not be kept.
pub fn check(
    mut empty: Engine,
    name: &str,
    reader: impl Read + Seek + Send,
    made_at: &Position,
    contents: &Contents,
    now: Now,
) -> Result<(), CheckError> {
    let found = load_at(&mut empty, name, reader, now)?;
    let name = name.to_owned();
    if found != *made_at {
        return Err(CheckError::Elsewhere {
            name,
            made_at: Box::new(*made_at),
            found: Box::new(found),
        });
    }
    match Contents::of(&empty.freeze(), now) == *contents {
        true => Ok(()),
        false => Err(CheckError::Differs { name }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use engine::Mono;
    use engine::config::Settings;
    use replication::{Chain, Seq};
    use resp::{ArgvBuf, Protocol, Reply};

    use super::*;

    const NOW: Now = Now {
        unix_us: 1_000_000,
        mono: Mono(0),
    };

    fn engine_with(requests: &[&str]) -> Engine {
        let mut engine = Engine::new(Settings::default(), 1, NOW, &commands::TABLE);
        let session = engine.connect(String::new(), String::new(), NOW);
        for request in requests {
            let argv: ArgvBuf = request.split(' ').collect();
            let mut reply = Reply::new(Protocol::Resp2);
            let _ = engine.request(session, argv.as_argv(), NOW, &mut reply);
            assert!(!reply.into_bytes().starts_with(b"-"), "{request}");
        }
        engine
    }

    fn position() -> Position {
        Position {
            seq: Seq(7),
            valid: Seq(6),
            chain: Chain::after(b"record"),
            ..Position::default()
        }
    }

    fn snapshot_of(requests: &[&str]) -> (Vec<u8>, Contents) {
        let frozen = engine_with(requests).freeze();
        let mut bytes = Vec::new();
        write_at(&frozen, &position(), &mut bytes, NOW, &Progress::default()).unwrap();
        (bytes, Contents::of(&frozen, NOW))
    }

    const REQUESTS: [&str; 4] = [
        "XADD s IDMP p i * f v",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g c STREAMS s >",
        "SET volatile v PX 500",
    ];

    #[test]
    fn a_snapshot_is_loaded_with_its_place_in_the_log() {
        let (bytes, contents) = snapshot_of(&REQUESTS);
        let mut engine = engine_with(&[]);
        let at = load_at(&mut engine, "a", Cursor::new(&bytes), NOW).unwrap();
        assert_eq!(at, position());
        assert_eq!(position_of("a", Cursor::new(&bytes)).unwrap(), at);
        assert_eq!(Contents::of(&engine.freeze(), NOW), contents);
        let checked = check(
            engine_with(&[]),
            "a",
            Cursor::new(&bytes),
            &position(),
            &contents,
            NOW,
        );
        assert!(checked.is_ok());
    }

    #[test]
    fn a_snapshot_that_is_not_what_it_was_made_of_does_not_count() {
        let (bytes, contents) = snapshot_of(&REQUESTS);
        let checked = |bytes: &[u8], at: &Position, contents: &Contents| {
            check(engine_with(&[]), "a", Cursor::new(bytes), at, contents, NOW)
        };
        let elsewhere = Position {
            seq: Seq(8),
            ..position()
        };
        assert!(matches!(
            checked(&bytes, &elsewhere, &contents),
            Err(CheckError::Elsewhere { .. })
        ));
        // One entry is acknowledged, and nothing else differs.
        let (_, others) = snapshot_of(&[&REQUESTS[..], &["XACK s g 1000-0"]].concat());
        assert!(matches!(
            checked(&bytes, &position(), &others),
            Err(CheckError::Differs { .. })
        ));
        for len in (0..bytes.len()).step_by(5) {
            let cut = checked(&bytes[..len], &position(), &contents);
            assert!(matches!(cut, Err(CheckError::Load(_))), "{len}");
        }
        for at in (0..bytes.len()).step_by(5) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(checked(&flipped, &position(), &contents).is_err(), "{at}");
        }
    }

    #[test]
    fn what_a_leader_remembers_of_later_than_now_stays_as_late() {
        let (bytes, contents) = snapshot_of(&REQUESTS);
        let earlier = Now {
            unix_us: NOW.unix_us - 500_000,
            ..NOW
        };
        let mut engine = engine_with(&[]);
        load_at(&mut engine, "a", Cursor::new(&bytes), earlier).unwrap();
        assert_eq!(Contents::of(&engine.freeze(), earlier), contents);
    }

    #[test]
    fn a_snapshot_of_no_group_does_not_say_where_it_is() {
        let mut bytes = Vec::new();
        let frozen = engine_with(&REQUESTS).freeze();
        super::super::write(&frozen, &mut bytes, NOW, &Progress::default()).unwrap();
        let refused = load_at(&mut engine_with(&[]), "a", Cursor::new(&bytes), NOW);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("no snapshot of a group"), "{error}");
    }
}
