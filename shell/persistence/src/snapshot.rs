//! Snapshots: the keyspace in one file of Redis' RDB format, written beside the running engine.
//!
//! A snapshot is written to a temporary file, synced, and renamed; so the file under the proper
//! name is whole at any time.

mod of_group;
pub(crate) mod pieces;
mod progress;
mod watched;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use engine::server::Conflicts;
use engine::store::keyspace::{Frozen, Record};
use engine::{Engine, Expired, LeftOut, Now, Refused, Unknown};
use journal::open_regular;
use rdb::{Compression, SnapshotReader, SnapshotWriter};
use thiserror::Error;
use values::Value;

pub use self::of_group::{
    CheckError, Contents, KeepError, check, keep_file, load_at, position_of, write_at,
};
use self::pieces::Pieces;
pub use self::progress::{Progress, Written};
pub(crate) use self::watched::Watched;
use crate::load::Load;

/// Why a snapshot cannot be loaded.
#[derive(Debug, Error)]
#[error("the snapshot {name} cannot be loaded: {reason}; {advice}")]
pub struct LoadError {
    name: String,
    reason: String,
    advice: &'static str,
}

impl LoadError {
    /// The snapshot in this file cannot be read.
    pub(crate) fn new(path: &Path, reason: &dyn std::fmt::Display, advice: &'static str) -> Self {
        LoadError {
            name: path.display().to_string(),
            reason: reason.to_string(),
            advice,
        }
    }
}

/// What to do about a snapshot that cannot be read.
pub(crate) const RESTORE: &str = "restore it from a copy";

/// What to do about a file with things that weir does not have.
pub(crate) const LEAVE_OUT: &str = "`weir import` takes the rest into a new folder and lists what it leaves out, and \
     `load-unknown skip` lets it be left out here";

/// Loads a snapshot file, if there is one. Returns whether there was.
///
/// # Errors
/// [`LoadError`] if it cannot be read to its end.
pub(crate) fn load_file(
    engine: &mut Engine,
    path: &Path,
    expired: Expired,
    conflicts: Conflicts,
    watch: &Load,
    now: Now,
) -> Result<bool, LoadError> {
    let name = path.display().to_string();
    let mut unknown = Unknown::new(engine.server.config.on_unknown);
    match open_regular(File::options().read(true), path) {
        Ok(file) => {
            let progress = journal::Progress {
                bytes_read: 0,
                bytes_total: file.metadata().map_or(0, |file| file.len()),
            };
            let file = Watched::new(file, progress, |progress| watch.note(progress));
            load(engine, &name, file, expired, conflicts, now, &mut unknown)?;
            say_left_out(&unknown.finish(engine.keyspace()));
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LoadError {
            name,
            reason: error.to_string(),
            advice: RESTORE,
        }),
    }
}

/// Loads a snapshot. Returns where it ended, as commands may follow it. `unknown` notes what weir
/// does not have.
///
/// # Errors
/// [`LoadError`] if it cannot be read to its end, or has something that may not be left out.
pub fn load(
    engine: &mut Engine,
    name: &str,
    reader: impl Read + Send,
    expired: Expired,
    conflicts: Conflicts,
    now: Now,
    unknown: &mut Unknown,
) -> Result<u64, LoadError> {
    let broken = |reason: &dyn std::fmt::Display| LoadError {
        name: name.to_owned(),
        reason: reason.to_string(),
        advice: RESTORE,
    };
    let refused = |what: Refused| LoadError {
        name: name.to_owned(),
        reason: what.to_string(),
        advice: LEAVE_OUT,
    };
    let context = engine.begin_snapshot(now);
    let load_all = |pieces: Pieces| -> Result<u64, LoadError> {
        let mut reader = SnapshotReader::new(pieces, context).map_err(|e| broken(&e))?;
        let mut database = 0;
        while let Some(item) = reader.next().map_err(|e| broken(&e))? {
            match item {
                rdb::Item::Database(index) => {
                    database = u16::try_from(index)
                        .ok()
                        .filter(|index| *index < engine.keyspace().database_count())
                        .ok_or_else(|| {
                            broken(&format!("it uses database {index}; raise --databases"))
                        })?;
                }
                rdb::Item::Record(record) => {
                    if conflicts == Conflicts::Refused
                        && engine.keyspace().exists(database, &record.key)
                    {
                        let key = String::from_utf8_lossy(&record.key);
                        return Err(broken(&format!("key {key:?} is there already")));
                    }
                    engine.load(database, record, expired, now);
                }
                rdb::Item::Unknown { key, type_name } => {
                    unknown
                        .key(database, &key, type_name.into())
                        .map_err(refused)?;
                }
                rdb::Item::Function(code) => {
                    let what = function(&code);
                    engine
                        .load_library(code)
                        .map_err(|error| broken(&format!("{what}: {error}")))?;
                }
                rdb::Item::ModuleData { module } => {
                    let what = format!("data of module {module}");
                    unknown.other(what).map_err(refused)?;
                }
                rdb::Item::Auxiliary { .. } | rdb::Item::Size { .. } => {}
            }
        }
        Ok(reader.offset())
    };
    pieces::ahead(reader, load_all).unwrap_or_else(|error| Err(broken(&error)))
}

/// A function library in words.
fn function(source: &[u8]) -> String {
    let first = source
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let first = first.escape_ascii().to_string();
    let name = first.split(' ').find_map(|word| word.strip_prefix("name="));
    format!("function library {}", name.unwrap_or_default())
}

/// Says in the log what a load has left out.
pub(crate) fn say_left_out(left_out: &LeftOut) {
    for (type_name, (keys, first)) in left_out.types() {
        let first = first.escape_ascii().to_string();
        tracing::warn!(
            type_name,
            keys,
            first,
            "keys were left out: weir does not have their type"
        );
    }
    for (what, times) in left_out.others() {
        tracing::warn!(what, times, "left out: weir does not have it");
    }
}

/// Writes a frozen view as a snapshot and reports the progress. Returns its size in bytes.
///
/// # Errors
/// What the outlet says.
pub fn write(frozen: &Frozen, out: impl Write, now: Now, progress: &Progress) -> io::Result<u64> {
    write_with(frozen, out, now, progress, &[], |_, _| None)
}

/// The same, where `instead` may give another value for a key of a database.
///
/// # Errors
/// What the outlet says.
pub(crate) fn write_instead(
    frozen: &Frozen,
    out: impl Write,
    now: Now,
    progress: &Progress,
    instead: impl FnMut(usize, &Record) -> Option<Value>,
) -> io::Result<u64> {
    write_with(frozen, out, now, progress, &[], instead)
}

/// The same, with `fields` beside those that every snapshot has.
fn write_with(
    frozen: &Frozen,
    out: impl Write,
    now: Now,
    progress: &Progress,
    fields: &[(&str, String)],
    mut instead: impl FnMut(usize, &Record) -> Option<Value>,
) -> io::Result<u64> {
    progress.begin(
        frozen
            .databases
            .iter()
            .map(|records| records.len() as u64)
            .sum(),
    );
    let mut keys = 0;
    let outlet = Outlet {
        out,
        bytes: 0,
        progress,
    };
    let mut writer = SnapshotWriter::new(outlet, Compression::Off)?;
    writer.auxiliary(b"redis-ver", engine::REDIS_VERSION.as_bytes())?;
    writer.auxiliary(b"redis-bits", b"64")?;
    writer.auxiliary(b"ctime", (now.unix().0 / 1000).to_string().as_bytes())?;
    for (name, value) in fields {
        writer.auxiliary(name.as_bytes(), value.as_bytes())?;
    }
    for (_, code) in frozen.libraries.iter() {
        writer.function(code)?;
    }
    for (index, records) in frozen.databases.iter().enumerate() {
        if records.is_empty() {
            continue;
        }
        let expiring = records
            .iter()
            .filter(|record| record.expires_at().is_some())
            .count();
        writer.database(index as u64, records.len() as u64, expiring as u64)?;
        for record in records.iter() {
            let expires_at = record.expires_at().map(|at| at.0);
            let usage = frozen.usage_of(record, now);
            let other = instead(index, record);
            let value = other.as_ref().unwrap_or_else(|| record.value());
            writer.record(record.key(), value, expires_at, usage)?;
            keys += 1;
            progress.keys(keys);
        }
    }
    let bytes = writer.written_bytes();
    writer.finish()?.out.flush()?;
    Ok(bytes)
}

/// Writes a frozen view to a file of that name, whole or not at all. Returns its size in bytes.
///
/// # Errors
/// What the system says.
pub(crate) fn write_file(
    frozen: &Frozen,
    path: &Path,
    now: Now,
    progress: &Progress,
) -> io::Result<u64> {
    let temporary = temporary_path(path);
    let written = write_durably(&temporary, |out| write(frozen, out, now, progress));
    let written = written.and_then(|bytes| {
        let old = open_regular(File::options().write(true), path);
        put_in_place(&temporary, path)?;
        if let Ok(old) = old {
            journal::free_in_steps(&old);
        }
        Ok(bytes)
    });
    if written.is_err() {
        // What a failed attempt leaves is useless, and it does not matter if it cannot be removed.
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// Writes a file, and makes it durable.
fn write_durably(
    path: &Path,
    write: impl FnOnce(&mut io::BufWriter<Durable>) -> io::Result<u64>,
) -> io::Result<u64> {
    let mut new = File::options();
    new.write(true).create(true).truncate(true);
    let file = open_regular(&mut new, path)?;
    let mut out = io::BufWriter::with_capacity(SYNC_BYTES, Durable::new(file));
    let bytes = write(&mut out)?;
    let durable = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    durable.file.sync_all()?;
    Ok(bytes)
}

/// Gives a durable file of a folder another name there, durably.
fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn temporary_path(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    path.with_file_name(format!("temp-{}-{name}", std::process::id()))
}

/// A file that is made durable as it grows, so that the syncs of the journal never stand in line
/// behind all of it.
struct Durable {
    file: File,
    unsynced_bytes: usize,
}

/// How much is written before it is made durable, in bytes.
const SYNC_BYTES: usize = 1 << 20;

impl Durable {
    fn new(file: File) -> Durable {
        Durable {
            file,
            unsynced_bytes: 0,
        }
    }
}

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced_bytes += written;
        if self.unsynced_bytes >= SYNC_BYTES {
            self.unsynced_bytes = 0;
            self.file.sync_data()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A writer as a sink of snapshots.
struct Outlet<'a, W> {
    out: W,
    bytes: u64,
    progress: &'a Progress,
}

impl<W: Write> rdb::Sink for Outlet<'_, W> {
    type Error = io::Error;

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.out.write_all(piece)?;
        self.bytes += piece.len() as u64;
        self.progress.bytes(self.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use engine::config::Settings;
    use engine::store::log::Journalling;
    use engine::{Author, Lsn, Mono};
    use resp::{ArgvBuf, Protocol, Reply};

    use super::*;

    fn at(ms: i64) -> Now {
        Now {
            unix_us: ms * 1000,
            mono: Mono(0),
        }
    }

    fn ask(engine: &mut Engine, request: &str, now: Now) -> Vec<u8> {
        let session = engine.connect(String::new(), String::new(), now);
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = engine.request(session, argv.as_argv(), now, &mut reply);
        reply.into_bytes()
    }

    #[test]
    fn who_watches_sees_keys_and_bytes_grow_up_to_the_total() {
        struct Watching<'a>(&'a Progress, Vec<progress::Written>);
        impl Write for Watching<'_> {
            fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
                self.1.push(self.0.written());
                Ok(piece.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut engine = Engine::new(Settings::default(), 1, at(1000), &commands::TABLE);
        let value = "v".repeat(100_000);
        for key in 0..20 {
            ask(&mut engine, &format!("SET {key} {value}"), at(1000));
        }
        let progress = Progress::default();
        let mut out = Watching(&progress, Vec::new());
        let bytes = write(&engine.freeze(), &mut out, at(1000), &progress).unwrap();

        let seen = out.1;
        assert!(seen.is_sorted_by_key(|written| (written.keys, written.bytes)));
        assert!(seen.iter().any(|written| (1..20).contains(&written.keys)));
        assert!(seen.iter().all(|written| written.keys_total == 20));
        let end = progress.written();
        assert_eq!(end.keys, 20);
        assert!(end.bytes >= bytes && bytes > 2_000_000);
        progress.end();
        assert_eq!(progress.written(), progress::Written::default());
    }

    #[test]
    fn a_key_that_got_more_time_after_the_snapshot_outlives_its_first_time() {
        let mut live = Engine::new(Settings::default(), 1, at(1000), &commands::TABLE);
        live.set_journalling(Journalling::On);
        ask(&mut live, "SET key value PX 500", at(1000));
        let mut base = Vec::new();
        write(&live.freeze(), &mut base, at(1100), &Progress::default()).unwrap();
        live.effects_taken();
        ask(&mut live, "PERSIST key", at(1200));

        let mut back = Engine::new(Settings::default(), 1, at(9000), &commands::TABLE);
        let mut replay = back.begin_replay(at(9000));
        load(
            &mut back,
            "base",
            base.as_slice(),
            Expired::Kept,
            Conflicts::Refused,
            at(9000),
            replay.unknown(),
        )
        .unwrap();
        back.replay(&mut replay, &live.effects().to_vec(), Author::Weir)
            .unwrap();
        back.end_replay(replay, Lsn::new(2), Journalling::On);
        assert_eq!(ask(&mut back, "GET key", at(9000)), b"$5\r\nvalue\r\n");
    }
}
