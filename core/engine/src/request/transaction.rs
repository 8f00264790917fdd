//! `EXEC`: the queued commands as one atomic batch.

use resp::Reply;

use crate::Engine;
use crate::clients::session::{Queue, Session};
use crate::command::Mode;
use crate::lsn::Lsn;
use crate::time::Now;

impl Engine {
    /// Runs queued commands, their replies as one array. They see one time, nothing blocks, and a
    /// command that fails does not undo or stop the others.
    pub(crate) fn run_queue(
        &mut self,
        session: &mut Session,
        queue: &Queue,
        now: Now,
        reply: &mut Reply,
        mode: Mode,
    ) -> Lsn {
        let mode = match mode {
            Mode::Replay => Mode::Replay,
            Mode::Alone | Mode::Transaction | Mode::Resumed => Mode::Transaction,
        };
        let mut depends_on = Lsn::NONE;
        reply.array(queue.requests.len());
        for request in &queue.requests {
            // All of them run, but replies that are too much for the client are not kept.
            reply.is_full();
            let argv = request.as_argv();
            match self.admit(session, argv, mode) {
                Ok(Some((found, first_arg))) => {
                    let (_, depends) =
                        self.execute(session, found, argv, first_arg, now, reply, mode);
                    depends_on = depends_on.max(depends);
                    if mode != Mode::Replay {
                        self.show_to_monitors(session, found.spec, argv, now);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    self.note_refusal(mode, argv, &error);
                    self.refuse(error, reply);
                }
            }
        }
        depends_on
    }
}
