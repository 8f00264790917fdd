//! `CONFIG SET appendonly`.
//!
//! *On*: the state of this moment is written as the base of a new journal, which takes every batch
//! from this moment on. What the folder held stays until the base is whole and durable, so a crash
//! on the way leaves the one or the other. Replies wait for the journal as soon as it is whole, and
//! only then is the client answered. *Off*: what the journal was given is made durable and
//! released, and it is noted beside it that it ends here ([`persistence::turned_off`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use engine::config::Settings;
use engine::store::log::Journalling;
use journal::{FileDisk, Journal, Names, Recovery, TornTail, contained};
use persistence::{FileJournal, turned_off};

use super::is_loading;
use crate::shard::{Shard, State, sync_policy};

/// How long a pause is between two looks whether a rewrite has given up.
const PAUSE: Duration = Duration::from_millis(2);

/// Why the journal stays as it is, to a client.
const FAILED: &str = "Unable to turn on AOF. Check server logs.";

/// Turns the journal on or off. What goes wrong is in the log, too.
pub(super) fn turn(shard: &Arc<Shard>, wanted: &Settings) -> Result<(), String> {
    if is_loading(shard) {
        return Err("the data is being loaded".to_owned());
    }
    if wanted.flag("appendonly") {
        on(shard, wanted).map_err(|error| {
            tracing::error!(error, "the journal stays off");
            FAILED.to_owned()
        })
    } else {
        off(shard, wanted);
        Ok(())
    }
}

fn folder(settings: &Settings) -> PathBuf {
    Path::new(settings.text("dir")).join(settings.text("appenddirname"))
}

fn on(shard: &Arc<Shard>, wanted: &Settings) -> Result<(), String> {
    let (folder, stem) = (folder(wanted), wanted.text("appendfilename"));
    let in_folder = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let disk = Arc::new(FileDisk::open(&folder).map_err(|error| in_folder(&error))?);
    let recovery = Recovery::open(disk, Names::new(stem), TornTail::Refuse);
    let log = recovery
        .and_then(Recovery::supersede)
        .map_err(|error| in_folder(&error))?
        .with_reserve(wanted.number("aof-reserve-size"));
    let now = shard.clock.now();
    let mut guard = shard.lock();
    let state = &mut *guard;
    if state.stopping {
        return Err("the server stops".to_owned());
    }
    let at = journal::Lsn::new(state.engine.log().last().0);
    let log = log.at(at);
    let journal = Journal::start(log, sync_policy(wanted)).map_err(|error| in_folder(&error))?;
    let journal = Arc::new(journal);
    let pending = journal
        .begin_rewrite(at)
        .map_err(|error| in_folder(&error))?;
    state.engine.set_journalling(Journalling::On);
    let frozen = state.engine.freeze();
    shard.journal.begin(&journal);
    let persistence = &mut state.engine.node.shell.persistence;
    persistence.journal_begins = true;
    persistence.rewriting = true;
    persistence.rewrite_begun = Some(now.mono);
    drop(guard);
    tracing::info!(folder = %folder.display(), "the journal begins");
    let written = contained(|| {
        let rewrite = pending.wait().map_err(std::io::Error::other)?;
        let progress = &shard.background.rewrite;
        persistence::write_base(&frozen, rewrite, now, progress)
    });
    let written = written.map_err(|error| in_folder(&error));
    let is_stored = written.is_ok();
    let mut guard = shard.lock();
    let result = begun(shard, &mut guard, &journal, written);
    drop(guard);
    if result.is_err() {
        // It was not whole, or had not everything that came since.
        journal.close().ok();
        if is_stored && let Err(error) = turned_off::note(&folder, stem) {
            tracing::error!(%error, "it cannot be noted that the journal is not complete");
        }
    } else if let Err(error) = turned_off::forget(&folder, stem) {
        tracing::warn!(%error, "what was noted of the journal of before stays; it does no harm");
    }
    result
}

/// The base was written, or not.
fn begun(
    shard: &Shard,
    state: &mut State,
    journal: &Arc<FileJournal>,
    written: Result<u64, String>,
) -> Result<(), String> {
    let now = shard.clock.now();
    shard.background.rewrite.end();
    let engine = &mut state.engine;
    let persistence = &mut engine.node.shell.persistence;
    persistence.journal_begins = false;
    persistence.rewriting = false;
    persistence.rewrite_failed = written.is_err();
    let took = persistence.rewrite_begun.take();
    persistence.rewrite_took_s = took.map(|begun| now.mono.0.saturating_sub(begun.0) / 1000);
    let is_taking = shard.journal.is_beginning();
    let written = written.and_then(|bytes| {
        let given_up = "the disk is slower than the clients, or the server stops";
        is_taking
            .then_some(bytes)
            .ok_or_else(|| given_up.to_owned())
    });
    match written {
        Ok(bytes) => {
            persistence.rewrites += 1;
            persistence.rewrite_failures = 0;
            persistence.journalling = true;
            shard.journal.set_whole(journal);
            shard.look_at_journal(state, now);
            tracing::info!(bytes, "the journal is whole");
            Ok(())
        }
        Err(error) => {
            persistence.rewrite_failures += 1;
            engine.set_journalling(Journalling::Off);
            engine.effects_taken();
            shard.journal.set_none();
            Err(error)
        }
    }
}

fn off(shard: &Shard, wanted: &Settings) {
    let mut state = shard.lock();
    let journal = shard.journal.end();
    state.engine.set_journalling(Journalling::Off);
    let persistence = &mut state.engine.node.shell.persistence;
    persistence.journalling = false;
    drop(state);
    let Some(journal) = journal else {
        return;
    };
    let folder = folder(wanted);
    match journal.close() {
        Ok(()) => tracing::info!(folder = %folder.display(), "the journal was turned off"),
        Err(fault) => tracing::error!(%fault, "the journal was turned off, and is not complete"),
    }
    while journal.is_rewriting() {
        thread::sleep(PAUSE);
    }
    if let Err(error) = turned_off::note(&folder, wanted.text("appendfilename")) {
        tracing::error!(
            %error,
            "it cannot be noted that the journal was turned off: a start with appendonly yes would \
             load it without a word"
        );
    }
    let mut state = shard.lock();
    shard.journal.set_none();
    shard.look_at_journal(&mut state, shard.clock.now());
}
