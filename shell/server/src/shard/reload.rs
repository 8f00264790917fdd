//! `DEBUG RELOAD` and `DEBUG LOADAOF`: the databases loaded from disk while the server runs.
//!
//! All of it happens under the lock, so that no client sees anything in between. A load that fails
//! changes nothing: the databases stay as they were.

use std::path::Path;
use std::thread;
use std::time::Duration;

use engine::error::CmdError;
use engine::server::{Reload, ReloadInto, ReloadSource};
use engine::{Engine, Expired};
use persistence::{FileJournal, Load, snapshot};

use super::{Shard, State, snapshot_path};

/// The pause between two looks at how far the journal has come.
const PAUSE: Duration = Duration::from_millis(1);

impl Shard {
    /// Loads the snapshot file.
    pub(super) fn reload(&self, state: &mut State, reload: Reload) -> Result<(), CmdError> {
        let now = self.clock.now();
        let path = &snapshot_path(state);
        if self.journal.is_beginning() && reload.source == ReloadSource::File {
            // It would begin with what was there before.
            return Err(CmdError::NotNow);
        }
        if reload.source == ReloadSource::NewSnapshot {
            self.write_snapshot(state)?;
        }
        exchange(&mut state.engine, |engine| {
            if reload.before == ReloadInto::Emptied {
                engine.clear_contents();
            }
            let conflicts = reload.conflicts;
            let loaded = snapshot::load_file(
                engine,
                path,
                Expired::LeftOut,
                conflicts,
                &Load::default(),
                now,
            );
            if !loaded.map_err(|error| error.to_string())? {
                return Err(format!("{} is missing", path.display()));
            }
            match self.journal.whole() {
                // The effects that follow apply to what was loaded, which no effect describes.
                Some(journal) if reload.source == ReloadSource::File => {
                    persistence::rewrite(&journal, engine, now)
                }
                _ => Ok(()),
            }
        })?;
        state.engine.contents_exchanged(now);
        Ok(())
    }

    /// Loads the journal.
    pub(super) fn reload_journal(&self, state: &mut State) -> Result<(), CmdError> {
        let journal = self.journal.whole().ok_or(CmdError::NoJournal)?;
        let now = self.clock.now();
        wait_for(&journal, journal::Lsn::new(state.engine.log().last().0))
            .map_err(CmdError::LoadFailed)?;
        let settings = &state.engine.node.settings;
        let folder = Path::new(settings.text("dir")).join(settings.text("appenddirname"));
        let stem = settings.text("appendfilename").to_owned();
        exchange(&mut state.engine, |engine| {
            engine.clear_contents();
            persistence::reload(engine, &folder, &stem, now).map_err(|error| error.to_string())
        })?;
        state.engine.contents_exchanged(now);
        Ok(())
    }
}

/// Runs what replaces the contents, and undoes it if it fails.
fn exchange(
    engine: &mut Engine,
    change: impl FnOnce(&mut Engine) -> Result<(), String>,
) -> Result<(), CmdError> {
    let before = engine.contents();
    change(engine).map_err(|reason| {
        engine.set_contents(before);
        tracing::error!(reason, "nothing was loaded");
        CmdError::LoadFailed(reason)
    })
}

/// Waits until the journal has everything up to `last` as durable as its policy asks for.
fn wait_for(journal: &FileJournal, last: journal::Lsn) -> Result<(), String> {
    while journal.released() < last {
        if !journal.accepts_writes() {
            return Err("the journal cannot be written".to_owned());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
