//! What the engine has ordered of the shell, carried out under the lock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::clients::session::SessionId;
use engine::error::{CmdError, UserError};
use engine::scripting::LogLevel;
use engine::server::Order;
use persistence::background::{self, Ended};

use super::{Shard, State};
use crate::config_file;
use crate::preparer::Wanted;

impl Shard {
    pub(super) fn carry_out(&self, state: &mut State, order: &Order) {
        let is_loading = state.engine.server.loading.is_some();
        match order {
            Order::ClientEvicted { client, bytes } => tracing::warn!(
                client,
                bytes,
                "a client is disconnected: all clients take more than maxmemory-clients allows"
            ),
            Order::TellBusy { client } => tracing::warn!(
                client,
                "a command takes longer than busy-reply-threshold: others are answered BUSY until \
                 it ends, or SCRIPT KILL ends it"
            ),
            Order::LogOfScript(level, text) => log_of_script(*level, text),
            Order::SettingsChanged => self.settings_changed(state),
            Order::ChangeSettings { waiting, pairs } => self.change(state, *waiting, pairs),
            Order::Shutdown { save: false, .. } => self.ask_to_stop(state),
            // Data that is not loaded yet must not replace what is on the disk.
            Order::Shutdown { .. } if is_loading => self.ask_to_stop(state),
            Order::Reload { waiting, .. } | Order::ReloadJournal { waiting } if is_loading => {
                state.engine.end_wait(*waiting, Err(CmdError::Loading));
            }
            Order::Shutdown {
                save: true,
                waiting,
            } => match state.persistence.save(&mut state.engine, self.clock.now()) {
                Ok(()) => self.ask_to_stop(state),
                Err(error) => state.engine.end_wait(*waiting, Err(error)),
            },
            Order::GiveBackMemory => self.dropper.give_back(),
            Order::PrepareMemory { waiting, bytes } => {
                self.preparer.order(*waiting, Wanted::Memory(*bytes));
            }
            Order::PreparePayload { waiting, place } => {
                self.preparer
                    .order(*waiting, Wanted::Payload(place.clone()));
            }
            Order::Migrate(transfer) => self.migrator.order(Arc::clone(transfer)),
            Order::HandOver { to } => self.hand_over_to(state, *to),
            Order::RewriteJournal => {
                let now = self.clock.now();
                state.persistence.begin_rewrite(&mut state.engine, now);
            }
            Order::RewriteConfiguration { waiting } => {
                self.rewrite_configuration(state, *waiting);
            }
            Order::SaveUsers { waiting } => self.save_users(state, *waiting),
            Order::LoadUsers { waiting } => load_users(state, *waiting),
            Order::Reload { reload, waiting } => {
                let now = self.clock.now();
                let result = state.persistence.reload(&mut state.engine, *reload, now);
                state.engine.end_wait(*waiting, result);
            }
            Order::ReloadJournal { waiting } => {
                let now = self.clock.now();
                let result = state.persistence.reload_journal(&mut state.engine, now);
                state.engine.end_wait(*waiting, result);
            }
            Order::Snapshot { waiting } => {
                let now = self.clock.now();
                state
                    .persistence
                    .begin_snapshot(&mut state.engine, *waiting, now);
            }
        }
    }

    fn save_users(&self, state: &State, waiting: SessionId) {
        let server = &state.engine.server;
        let path = PathBuf::from(&server.config.users_file);
        let text = server.users.file_text();
        let background = state.persistence.background();
        let ended = Arc::clone(background);
        let write = move || {
            let written = config_file::write_users(&path, text);
            let written = written.map_err(|error| format!("{}: {error}", path.display()));
            ended.note(users_written(waiting, written));
        };
        if let Err(error) = background::spawn("weir-users", write) {
            background.note(users_written(waiting, Err(error.to_string())));
        }
    }

    fn rewrite_configuration(&self, state: &State, waiting: SessionId) {
        let path = PathBuf::from(&state.engine.server.shell.config_file);
        let server = &state.engine.server;
        let settings = server.settings.clone();
        let users = match server.config.users_file.is_empty() {
            true => server.users.config_lines(&server.commands, &server.config),
            false => Vec::new(),
        };
        let background = state.persistence.background();
        let ended = Arc::clone(background);
        let write = move || {
            let written = config_file::rewrite(&path, &settings, &users);
            let written = written.map_err(|error| format!("{}: {error}", path.display()));
            ended.note(configuration_written(waiting, written));
        };
        if let Err(error) = background::spawn("weir-config", write) {
            background.note(configuration_written(waiting, Err(error.to_string())));
        }
    }
}

/// Replaces all users by those of their file, which is short.
fn load_users(state: &mut State, waiting: SessionId) {
    let path = state.engine.server.config.users_file.clone();
    let result = match config_file::read_users(Path::new(&path)) {
        Err(error) => Err(CmdError::User(UserError::UserFileNotRead {
            path,
            error: error.to_string(),
        })),
        Ok(text) => {
            let loaded = state.engine.load_users(&path, &text);
            loaded.map_err(|it| CmdError::User(UserError::UserFileFaults(it)))
        }
    };
    match &result {
        Ok(()) => tracing::info!("the users were loaded again"),
        Err(error) => tracing::error!(%error, "the users stay as they are"),
    }
    state.engine.end_wait(waiting, result);
}

/// Says in the log, and to the client that waits, what became of the file of users.
fn users_written(waiting: SessionId, written: Result<(), String>) -> Ended {
    match &written {
        Ok(()) => tracing::info!("the users were saved"),
        Err(error) => tracing::error!(error, "the users were not saved"),
    }
    let result = written.map_err(|_| CmdError::User(UserError::UserFileNotWritten));
    Ended::Answer { waiting, result }
}

/// Says in the log, and to the client that waits, what became of the configuration file.
fn configuration_written(waiting: SessionId, written: Result<(), String>) -> Ended {
    match &written {
        Ok(()) => tracing::info!("configuration file rewritten"),
        Err(error) => tracing::error!(error, "the configuration file was not rewritten"),
    }
    let result = written.map_err(CmdError::ConfigFileNotWritten);
    Ended::Answer { waiting, result }
}

/// Writes a line of a script to the log.
fn log_of_script(level: LogLevel, text: &str) {
    match level {
        LogLevel::Debug | LogLevel::Verbose => tracing::debug!(text, "a script says"),
        LogLevel::Notice => tracing::info!(text, "a script says"),
        LogLevel::Warning => tracing::warn!(text, "a script says"),
    }
}
