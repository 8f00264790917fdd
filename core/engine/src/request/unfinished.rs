//! A command that is not finished: when others are told of it, and how it ends.
//!
//! A command that takes long gives the engine back before it is finished ([`Unfinished`]), so no
//! thread is ever kept from the engine for long, and each can answer its clients. Their requests
//! are held back as `CLIENT PAUSE` does it. After `busy-reply-threshold`, admission refuses them
//! with `BUSY`, except for the commands that may run meanwhile: those about a connection, and those
//! that end the command or the server.

use crate::Engine;
use crate::clients::pause::{Unfinished, Work};
use crate::clients::waiting::GiveUp;
use crate::scripting::Answer;
use crate::server::Order;
use crate::time::Now;

impl Engine {
    /// Looks whether the command that is not finished has to end now, or others are to be told of
    /// it.
    pub(crate) fn look_at_unfinished(&mut self, now: Now) {
        let pause = &mut self.server.pause;
        let Some(&Unfinished {
            client,
            work,
            busy_at,
        }) = pause.unfinished()
        else {
            return;
        };
        match work {
            Work::Sleep(until) if until <= now.mono => {
                return self.end_unfinished(GiveUp::Timeout, now);
            }
            Work::Sleep(_) => {}
            Work::Script(_) => self.go_on_with_script(Answer::GoOn, now),
        }
        let pause = &mut self.server.pause;
        if pause.unfinished().is_some()
            && !pause.is_busy()
            && busy_at.is_some_and(|at| at <= now.mono)
        {
            pause.begin_busy();
            let client = client.client;
            self.server.orders.push(Order::TellBusy { client });
            self.serve_held(now);
        }
    }

    /// Ends the script that is not finished, if there is one, although it may have written.
    pub(crate) fn end_unfinished_script(&mut self, now: Now) {
        let work = self.server.pause.unfinished().map(|it| it.work);
        if let Some(Work::Script(_)) = work {
            self.go_on_with_script(Answer::Kill, now);
        }
    }

    /// Ends the command that is not finished, if there is one, and serves what waited for it.
    pub(crate) fn end_unfinished(&mut self, how: GiveUp, now: Now) {
        let Some(&Unfinished { client, work, .. }) = self.server.pause.unfinished() else {
            return;
        };
        if let Work::Script(_) = work {
            return self.go_on_with_script(Answer::Kill, now);
        }
        self.server.pause.end_unfinished();
        self.note_sleep(client, now);
        self.give_up(client, how);
        self.end_pause(now);
    }
}
