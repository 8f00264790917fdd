//! What a command can use while it executes.

use resp::{Argv, Reply};

use crate::clients::pause::{Unfinished, Work};
use crate::clients::session::Session;
use crate::clients::waiting::{TimeoutReply, Wait};
use crate::command::{CommandTable, Flow};
use crate::limits::{PAYLOAD_APART_BYTES_MIN, PREPARED_BYTES_MIN, STRING_BYTES_MAX};
use crate::server::{Order, Place, Server};
use crate::store::apply::Store;
use crate::time::Now;

/// Everything a command may use: the keyspace through `store`, its session, the reply, the time.
#[derive(Debug)]
pub struct Ctx<'e> {
    /// The keyspace: reads, and effects.
    pub store: Store<'e>,
    /// All that is neither keyspace nor session: settings, other clients, counters.
    pub server: &'e mut Server,
    /// Who asks.
    pub session: &'e mut Session,
    /// Where the reply goes.
    pub reply: &'e mut Reply,
    /// The time of the command or transaction.
    pub now: Now,
    /// How the command runs.
    pub mode: Mode,
    /// What it waits for; set before [`crate::command::Flow::Block`] is returned.
    pub wait: Option<Wait>,
    /// What runs the commands that it calls.
    pub(crate) commands: &'static CommandTable,
    /// How many commands called one another to get here.
    pub(crate) depth: u8,
}

impl Ctx<'_> {
    /// Longest string that a command may make, in bytes (`proto-max-bulk-len`). What is in a
    /// journal was allowed when it was written.
    pub fn string_bytes_max(&self) -> usize {
        match self.mode {
            Mode::Replay => STRING_BYTES_MAX,
            Mode::Alone | Mode::Transaction | Mode::Called | Mode::Resumed => {
                self.server.config.bulk_bytes_max
            }
        }
    }

    /// Gives the engine back before the command is finished: its client waits, and others see what
    /// [`Unfinished`] says. The command must end with what this returns.
    pub fn leave_unfinished(&mut self, request: Argv<'_>, work: Work) -> Flow {
        let since = self.now.mono;
        let busy_ms = self.server.config.busy_reply_ms;
        self.server.pause.begin_unfinished(Unfinished {
            client: self.session.id,
            work,
            busy_at: (busy_ms > 0).then(|| since.plus(busy_ms)),
        });
        self.wait = Some(Wait {
            request: request.to_owned(),
            on_timeout: TimeoutReply::Slept { since },
            ..Wait::for_shell(self.store.database, "")
        });
        Flow::Block
    }

    /// Returns whether the command must end with [`Flow::Block`](crate::command::Flow::Block),
    /// before it has done anything, because it is going to fill so many bytes of new memory that
    /// others would wait for the system to find them. It runs again once they are there
    /// ([`crate::Engine::memory_prepared`]). Where nothing may block, it runs without.
    pub fn waits_for_memory(&mut self, bytes: usize) -> bool {
        let waits = bytes >= PREPARED_BYTES_MIN && self.may_wait_for_shell();
        if waits {
            let waiting = self.session.id;
            self.wait_for_shell(Order::PrepareMemory { waiting, bytes });
        }
        waits
    }

    /// The same for a command that answers the value of a key as a payload, if that value has so
    /// many bytes that others would wait until it is written. It runs again once the payload is
    /// there ([`crate::Engine::payload_prepared`], [`Store::prepared_payload`]).
    pub fn waits_for_payload(&mut self, key: &[u8], bytes: usize) -> bool {
        let waits = bytes >= PAYLOAD_APART_BYTES_MIN && self.may_wait_for_shell();
        if waits {
            let waiting = self.session.id;
            let place = Place {
                database: self.store.database,
                key: self.store.key(key),
            };
            self.wait_for_shell(Order::PreparePayload { waiting, place });
        }
        waits
    }

    fn may_wait_for_shell(&self) -> bool {
        self.mode == Mode::Alone && self.server.shell.prepares
    }

    fn wait_for_shell(&mut self, order: Order) {
        self.server.orders.push(order);
        self.wait = Some(Wait::for_preparation(self.store.database));
    }
}

/// How a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By itself: it may block.
    Alone,
    /// Within a transaction: nothing blocks.
    Transaction,
    /// For another command ([`Ctx::call`]): nothing blocks.
    Called,
    /// Run again for a client that waits; its deadline stays as it is.
    Resumed,
    /// From a journal: no limits, no waiting, the file decides.
    Replay,
}
