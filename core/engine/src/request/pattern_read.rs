//! Reads of many streams by a pattern: may a client do that, and who waits for it is served.

use resp::Argv;

use crate::Engine;
use crate::clients::pattern_reads::PatternReadId;
use crate::command::{Ctx, Mode};
use crate::error::CmdError;
use crate::request::admission::denied;
use crate::table::KeyFlags;
use crate::time::Now;
use crate::users::NotAllowed;

impl Ctx<'_> {
    /// Checks that the client may do this to each key that a pattern in its request matches: one
    /// pattern of its user must cover all of them, so that what it is given does not depend on
    /// which keys there are.
    ///
    /// # Errors
    /// `NOPERM` otherwise; the log of denials has it then.
    pub fn check_keys_like(
        &mut self,
        request: Argv<'_>,
        pattern: &[u8],
        flags: KeyFlags,
    ) -> Result<(), CmdError> {
        if self.session.is_unrestricted() {
            return Ok(());
        }
        let Some(row) = self.server.commands.find_for(request) else {
            return Err(CmdError::Syntax);
        };
        let user = self.session.user();
        if user.may_use_keys_like(row, request, pattern, flags) {
            return Ok(());
        }
        // In a transaction, nothing was checked when the request was queued.
        let mode = match self.mode {
            Mode::Called => Mode::Called,
            Mode::Alone | Mode::Transaction | Mode::Resumed | Mode::Replay => Mode::Alone,
        };
        let error = denied(user, row, NotAllowed::Key(0, pattern), mode);
        let client = (&*self.session, &*self.store.watches());
        self.server.note_denied(client, &error, self.now);
        Err(error)
    }
}

impl Engine {
    /// Runs the requests of clients that wait for a read, who has waited longest first, as long as
    /// it is the turn of any stream.
    pub(crate) fn serve_pattern_read(&mut self, id: PatternReadId, now: Now) {
        let mut last = None;
        while let Some((ticket, session)) = self.data.blocking.next_for_pattern(id, last) {
            self.data.pattern_reads.next_reader(id);
            if !self.data.pattern_reads.has_turn(id) {
                return;
            }
            last = Some(ticket);
            self.data.stats.waiters_looked_at += 1;
            self.resume(session, now);
        }
    }
}
