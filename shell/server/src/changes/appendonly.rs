//! `CONFIG SET appendonly`: the steps of [`persistence::Persistence`] that need the shard's lock,
//! and those between them that take long.

use std::sync::Arc;

use engine::config::DataConfig;
use persistence::{BEING_LOADED, Config};

use super::is_loading;
use crate::shard::Shard;

/// What a client is told if the journal cannot be turned on.
const FAILED: &str = "Unable to turn on AOF. Check server logs.";

/// Turns the journal on or off. What goes wrong is in the log, too.
pub(super) fn turn(shard: &Arc<Shard>, wanted: &DataConfig) -> Result<(), String> {
    if is_loading(shard) {
        return Err(BEING_LOADED.to_owned());
    }
    let config = Config::of(wanted);
    if config.journalling {
        on(shard, config).map_err(|error| {
            tracing::error!(error, "the journal stays off");
            FAILED.to_owned()
        })
    } else {
        off(shard, config)
    }
}

fn on(shard: &Shard, config: Config) -> Result<(), String> {
    let prepared = persistence::prepare(config)?;
    let now = shard.clock.now();
    let mut guard = shard.lock();
    let state = &mut *guard;
    if state.stopping {
        return Err("the server stops".to_owned());
    }
    let persistence = &mut state.persistence;
    let background = Arc::clone(persistence.background());
    let beginning = persistence.begin_journal(&mut state.engine, prepared, now)?;
    drop(guard);
    let begun = beginning.write(&background);
    let mut guard = shard.lock();
    let state = &mut *guard;
    let now = shard.clock.now();
    let persistence = &mut state.persistence;
    let result = persistence.journal_begun(&mut state.engine, &begun, now);
    drop(guard);
    begun.settle(&result);
    result
}

fn off(shard: &Shard, config: Config) -> Result<(), String> {
    let mut guard = shard.lock();
    let state = &mut *guard;
    let now = shard.clock.now();
    let ending = state
        .persistence
        .end_journal(&mut state.engine, config, now)?;
    drop(guard);
    let Some(ending) = ending else {
        return Ok(());
    };
    ending.settle();
    let mut guard = shard.lock();
    let state = &mut *guard;
    let now = shard.clock.now();
    state.persistence.journal_ended(&mut state.engine, now);
    Ok(())
}
