//! Rewriting the log of a shard: it then begins with a state of the engine.

use std::io;
use std::sync::Arc;

use engine::store::keyspace::Frozen;
use engine::{Engine, Now};
use journal::{Rewrite, SnapshotFormat, contained};

use crate::background::{self, Background, Ended};
use crate::shard_log::{ShardJournal, ShardLog};
use crate::snapshot::{self, Progress};

/// Rewrites the log while the caller waits: it then begins with the engine's current state.
///
/// # Errors
/// What went wrong, in words; the log is as it was then.
pub(crate) fn rewrite(journal: &ShardJournal, engine: &mut Engine, now: Now) -> Result<(), String> {
    let at = engine.log().last();
    let begun = journal.begin_rewrite(at).map_err(|e| e.to_string())?;
    let rewrite = begun.wait().map_err(|e| e.to_string())?;
    write_base(&engine.freeze(), rewrite, now, &Progress::default()).map_err(|e| e.to_string())?;
    Ok(())
}

/// Begins a rewrite: the log will begin with the engine's current state, which a separate thread
/// writes while the engine goes on. Must be called under the shard's lock.
///
/// # Errors
/// What went wrong, in words; the log is as it was then.
pub(crate) fn begin_rewrite(
    journal: &ShardJournal,
    engine: &mut Engine,
    background: &Arc<Background>,
    now: Now,
) -> Result<(), String> {
    let at = engine.log().last();
    let pending = journal
        .begin_rewrite(at)
        .map_err(|error| error.to_string())?;
    let frozen = engine.freeze();
    let ended = Arc::clone(background);
    let write = move || {
        let written = contained(|| {
            let rewrite = pending.wait().map_err(io::Error::other)?;
            write_base(&frozen, rewrite, now, &ended.rewrite)
        });
        ended.note(Ended::Rewrite(written.map_err(|error| error.to_string())));
    };
    background::spawn("weir-rewrite", write).map_err(|error| error.to_string())
}

/// Writes the state of a moment as the base of the log. Returns its size in bytes.
///
/// # Errors
/// What the disk says; the log is as it was then.
pub(crate) fn write_base(
    frozen: &Frozen,
    mut rewrite: Rewrite<ShardLog>,
    now: Now,
    progress: &Progress,
) -> io::Result<u64> {
    let bytes = snapshot::write(frozen, &mut rewrite, now, progress)?;
    rewrite
        .finish(SnapshotFormat::Rdb)
        .map_err(io::Error::other)?;
    Ok(bytes)
}
