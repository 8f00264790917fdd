//! How a shard stops: who asks for it, and what happens first.

use signal_hook::iterator::Handle as Signals;

use super::{Shard, State};
use crate::mailbox::Message;

impl Shard {
    /// Sets what `SHUTDOWN` closes so that the server stops. Only the first call counts.
    pub(crate) fn stops_by(&self, signals: Signals) {
        self.signals.get_or_init(|| signals);
    }

    /// Tells the threads that serve clients to end.
    pub(crate) fn stop(&self) {
        for mailbox in &self.lock().mailboxes {
            mailbox.post(Message::Stop);
        }
    }

    /// Does what `SHUTDOWN` asks for.
    pub(super) fn ask_to_stop(&self, state: &mut State) {
        tracing::info!("SHUTDOWN received, stopping");
        state.stopping = true;
        self.end();
    }

    /// Makes the main thread end the server.
    pub(crate) fn end(&self) {
        if let Some(signals) = self.signals.get() {
            signals.close();
        }
    }

    /// Writes a snapshot before the server stops, if there are save points. No client is served
    /// meanwhile. Returns whether the server may stop.
    pub(crate) fn save_before_stop(&self) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        if !state.persistence.saves_before_stop(&state.engine) {
            return true;
        }
        match state.persistence.save(&mut state.engine, self.clock.now()) {
            Ok(()) => {
                state.stopping = true;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the server goes on");
                false
            }
        }
    }
}
