//! Settings that wait for the system while the server runs: `CONFIG SET` of a port, certificates, a
//! folder, the journal.
//!
//! A thread of its own changes them, in the order in which clients asked, so that nobody else waits
//! for a disk or a name server. A command changes all of its settings or none: where one fails,
//! those before it are undone.

mod appendonly;
mod folder;
mod identity;
mod listeners;

use std::sync::{Arc, mpsc};

use engine::clients::session::SessionId;
use engine::config::{APPENDONLY, DIR, ShellConfig};
use engine::error::CmdError;

use crate::shard::{Caller, Shard, Submitted};

/// Something for the thread.
#[derive(Debug)]
pub(crate) enum Change {
    /// What a client asks for.
    Settings {
        /// Who waits.
        waiting: SessionId,
        /// Names and values.
        pairs: Vec<(String, String)>,
    },
    /// The server stops.
    Stop,
}

/// Changes what is asked for, until the server stops.
pub(crate) fn run(shard: &Arc<Shard>, asked: &mpsc::Receiver<Change>) {
    while let Ok(Change::Settings { waiting, pairs }) = asked.recv() {
        let result = change(shard, pairs);
        let now = shard.clock.now();
        let mut state = shard.lock();
        state.engine.end_wait(waiting, result);
        let submitted = shard.finish(&mut state, now, Caller::Other, &mut Vec::new());
        drop(state);
        if submitted == Submitted::Batches {
            shard.journal.kick();
        }
    }
}

/// A setting that is refused, and why.
fn refused(name: &str, reason: impl Into<String>) -> CmdError {
    CmdError::SettingRefused {
        name: name.to_owned(),
        reason: reason.into(),
    }
}

fn change(shard: &Arc<Shard>, mut pairs: Vec<(String, String)>) -> Result<(), CmdError> {
    let before = shard.lock().engine.server.settings.clone();
    let mut wanted = before.clone();
    for (name, value) in &pairs {
        wanted
            .set(name, value)
            .map_err(|error| refused(name, error.to_string()))?;
    }
    let (before, mut wanted) = (ShellConfig::resolve(&before), ShellConfig::resolve(&wanted));
    if before.data.dir != wanted.data.dir {
        let folder = folder::checked(&before.data, &wanted.data)?;
        for (_, value) in pairs.iter_mut().filter(|(name, _)| is_dir(name)) {
            value.clone_from(&folder);
        }
        wanted.data.dir = folder.into();
    }
    // Before the listeners: who connects to a new one is shown the new certificate.
    let previous = identity::change(shard, &pairs, &wanted)?;
    let mut listening = None;
    let ports = |config: &ShellConfig| (config.port, config.tls.port);
    if (&before.bind, ports(&before)) != (&wanted.bind, ports(&wanted)) {
        match listeners::listen(shard, &before, &wanted) {
            Ok(places) => listening = Some(places),
            Err(error) => {
                previous.restore(shard);
                return Err(error);
            }
        }
    }
    if before.data.journalling != wanted.data.journalling
        && let Err(error) = appendonly::turn(shard, &wanted.data)
    {
        if listening.is_some()
            && let Err(error) = listeners::listen(shard, &wanted, &before)
        {
            tracing::error!(%error, "the previous addresses cannot be listened on again");
        }
        previous.restore(shard);
        return Err(refused(APPENDONLY, error));
    }
    let mut state = shard.lock();
    state.engine.say_settings(&pairs)?;
    if let Some(places) = listening {
        listeners::tell(&mut state.engine.server, &wanted, &places);
    }
    shard.settings_changed(&mut state);
    Ok(())
}

fn is_dir(name: &str) -> bool {
    name.eq_ignore_ascii_case(DIR)
}

/// What the system said of a failure, without its number.
fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Returns whether a client may be answered at all: the data is there.
fn is_loading(shard: &Shard) -> bool {
    shard.lock().engine.server.loading.is_some()
}
