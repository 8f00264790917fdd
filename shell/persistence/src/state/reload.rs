//! `DEBUG RELOAD` and `DEBUG LOADAOF`: the databases loaded from disk while the server runs.
//!
//! All of it happens under the lock, so that no client sees anything in between. A load that fails
//! changes nothing: the databases stay as they were.

use std::thread;
use std::time::Duration;

use engine::Lsn;
use engine::error::CmdError;
use engine::server::{Reload, ReloadInto, ReloadSource};
use engine::{Engine, Expired, Now};

use super::Persistence;
use crate::load::Load;
use crate::rewrite::rewrite;
use crate::shard_log::ShardJournal;
use crate::{open, snapshot};

/// Why nothing is loaded into the databases of one server of several.
const SHARED: &str = "several servers share the log, and must have the same data";

/// The pause between two looks at how far the journal has come.
const PAUSE: Duration = Duration::from_millis(1);

impl Persistence {
    /// Loads the snapshot file.
    ///
    /// # Errors
    /// Why it is not done; the databases are as they were.
    pub fn reload(
        &mut self,
        engine: &mut Engine,
        reload: Reload,
        now: Now,
    ) -> Result<(), CmdError> {
        if self.journal.shared().is_some() {
            return Err(CmdError::LoadFailed(SHARED.to_owned()));
        }
        let is_beginning = self.journal.is_beginning() && reload.source == ReloadSource::File;
        // A journal that begins would do so with what was there before.
        if is_beginning || engine.server.loading.is_some() {
            return Err(CmdError::NotNow);
        }
        if reload.source == ReloadSource::NewSnapshot {
            self.save(engine, now)?;
        }
        let path = &self.config.snapshot;
        exchange(engine, |engine| {
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
                    rewrite(&journal, engine, now)
                }
                _ => Ok(()),
            }
        })?;
        engine.contents_exchanged(now);
        Ok(())
    }

    /// Loads the journal.
    ///
    /// # Errors
    /// Why it is not done; the databases are as they were.
    pub fn reload_journal(&mut self, engine: &mut Engine, now: Now) -> Result<(), CmdError> {
        let journal = self.journal.whole().ok_or(CmdError::NoJournal)?;
        wait_for(&journal, engine.log().last()).map_err(CmdError::LoadFailed)?;
        exchange(engine, |engine| {
            engine.clear_contents();
            open::reload(engine, &self.config, now).map_err(|error| error.to_string())
        })?;
        engine.contents_exchanged(now);
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
fn wait_for(journal: &ShardJournal, last: Lsn) -> Result<(), String> {
    while journal.released() < last {
        if !journal.accepts_writes() {
            return Err("the journal cannot be written".to_owned());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
