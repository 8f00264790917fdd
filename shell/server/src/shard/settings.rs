//! What follows from settings that have changed, and who changes those that wait for the system.

use std::sync::mpsc;

use engine::clients::session::SessionId;
use engine::config::ShellConfig;
use engine::error::CmdError;
use persistence::Config;

use super::{ACCEPTING_THREAD, Shard, State};
use crate::changes::Change;
use crate::mailbox::Message;

impl Shard {
    /// Applies settings that the engine uses already.
    pub(crate) fn settings_changed(&self, state: &mut State) {
        state.engine.settings_changed();
        let config = ShellConfig::resolve(&state.engine.server.settings);
        if let Some(hook) = &self.settings_hook {
            hook(&config);
        }
        state.persistence.settings_changed(Config::of(&config.data));
        if let Some(mailbox) = state.mailboxes.get(ACCEPTING_THREAD) {
            mailbox.post(Message::Keepalive(config.keepalive));
        }
    }

    /// Changes that wait for the system go to this thread.
    pub(crate) fn changes_go_to(&self, thread: mpsc::Sender<Change>) {
        self.changes.get_or_init(|| thread);
    }

    /// Ends that thread. It completes what it has begun first; a journal that is not whole yet is
    /// given up.
    pub(crate) fn end_changes(&self) {
        if self.journal.is_beginning() {
            self.journal.close();
        }
        if let Some(changes) = self.changes.get() {
            changes.send(Change::Stop).ok();
        }
    }

    /// Hands over settings that wait for the system.
    pub(super) fn change(&self, state: &mut State, waiting: SessionId, pairs: &[(String, String)]) {
        let pairs = pairs.to_vec();
        let change = Change::Settings { waiting, pairs };
        let sent = self.changes.get().map(|changes| changes.send(change));
        if !matches!(sent, Some(Ok(()))) {
            state.engine.end_wait(waiting, Err(CmdError::NotNow));
        }
    }
}
