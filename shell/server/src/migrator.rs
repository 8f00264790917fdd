//! Sends keys to other servers (`MIGRATE`), one migration after the other, on a thread that serves
//! nobody.
//!
//! The lock is held to hand a migration in, not while it is sent. A value is serialised when it is
//! its turn, so no more than a few payloads are in memory, whatever is moved. When the server
//! stops, nobody waits for the thread: what the target has taken and nobody has deleted here is
//! then in both.

mod peer;

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use engine::error::{CmdError, MigrationError};
use engine::server::migrations::{Transfer, Transferred};
use journal::{Gate, contained};
use parking_lot::{Condvar, Mutex};

use self::peer::Peer;
use crate::limits::{MIGRATION_BATCH_BYTES, MIGRATION_BATCH_KEYS_MAX};
use crate::memory::Meter;
use crate::shard::Shard;

/// How often the thread looks whether anybody still waits for what it is at.
const LOOK: Duration = Duration::from_secs(1);

/// Migrations that wait, no more of them than the engine lets begin.
#[derive(Debug, Default)]
pub(crate) struct Migrator {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Transfer>>,
    stopped: bool,
}

impl Migrator {
    /// Keys are to be sent.
    pub(crate) fn order(&self, transfer: Arc<Transfer>) {
        self.state.lock().waiting.push_back(transfer);
        self.changed.notify_one();
    }

    /// Ends the thread, after the step that it is at.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_one();
    }

    /// Whose turn it is; `None` once the thread is to end.
    fn next(&self) -> Option<Arc<Transfer>> {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| {
            state.waiting.is_empty() && !state.stopped
        });
        match state.stopped {
            true => None,
            false => state.waiting.pop_front(),
        }
    }

    fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }
}

/// Sends what is ordered, until the server stops.
pub(crate) fn run(shard: &Arc<Shard>, mut meter: Meter) {
    let this = thread::current();
    let gate = Gate::new(move || this.unpark());
    let is_loading = shard.lock().engine.server.loading.is_some();
    shard.journal.add(&gate, is_loading);
    while let Some(transfer) = shard.migrator.next() {
        let migration = Migration {
            shard,
            gate: &gate,
            transfer: &transfer,
        };
        let mut taken = Vec::new();
        let sent = contained(|| Ok(migration.send(&mut taken)));
        let failure = match sent {
            Ok(result) => result.err(),
            Err(error) => {
                tracing::error!(%error, "keys were not migrated");
                Some(CmdError::Internal("keys were not migrated"))
            }
        };
        let number = transfer.number;
        // The values are freed with their keys then, where nobody waits for it.
        drop(transfer);
        let transferred = Transferred { taken, failure };
        let ended = shard.go_on(&mut meter, |engine, now| {
            engine.migration_ended(number, transferred, now);
        });
        if ended.is_none() {
            break;
        }
        meter.leave(&shard.untold);
    }
}

/// A migration that is being sent.
struct Migration<'m> {
    shard: &'m Shard,
    gate: &'m Gate,
    transfer: &'m Transfer,
}

impl Migration<'_> {
    /// Sends the keys, and notes for each whether the target has it.
    fn send(&self, taken: &mut Vec<bool>) -> Result<(), CmdError> {
        self.wait_until_durable()?;
        let target = &self.transfer.target;
        let goes_on = || self.goes_on();
        let mut peer = Peer::connect(target, &goes_on)?;
        if let Some(credentials) = &target.credentials {
            let user = credentials.user.as_deref();
            let words = [Some(b"AUTH".as_slice()), user, Some(&credentials.password)];
            peer.ask(&words.into_iter().flatten().collect::<Vec<_>>())?;
        }
        if target.database != 0 {
            peer.ask(&[b"SELECT", target.database.to_string().as_bytes()])?;
        }
        let mut refused = None;
        let mut items = self.transfer.items.iter().peekable();
        while items.peek().is_some() {
            let (mut sent, mut bytes) = (0, 0);
            while sent < MIGRATION_BATCH_KEYS_MAX
                && bytes < MIGRATION_BATCH_BYTES
                && let Some(item) = items.next()
            {
                let payload = item.payload();
                let ttl_ms = item.ttl_ms(self.shard.clock.now().unix()).to_string();
                let words: [&[u8]; 4] = [b"RESTORE", item.key(), ttl_ms.as_bytes(), &payload];
                let replace: &[&[u8]] = match target.replace {
                    true => &[b"REPLACE"],
                    false => &[],
                };
                peer.send(&[&words, replace].concat())?;
                sent += 1;
                bytes += item.key().len() + payload.len();
            }
            for _ in 0..sent {
                match peer.reply() {
                    Ok(()) => taken.push(true),
                    Err(MigrationError::Refused(error)) => {
                        taken.push(false);
                        refused.get_or_insert(MigrationError::Refused(error));
                    }
                    Err(error) => return Err(refused.unwrap_or(error).into()),
                }
            }
        }
        refused.map_or(Ok(()), |refused| Err(refused.into()))
    }

    /// The target is shown nothing that a crash could take back.
    fn wait_until_durable(&self) -> Result<(), CmdError> {
        let batch = self.transfer.depends_on;
        while self.goes_on() {
            if let Some(answer) = self.gate.answer(batch) {
                let why = || self.shard.journal.why_not_durable().to_owned();
                return answer.map_err(|_| CmdError::NotDurable(why()));
            }
            if self.gate.may_sleep(batch) {
                thread::park_timeout(LOOK);
                self.gate.awake();
            }
        }
        Err(CmdError::NotNow)
    }

    /// Returns whether anybody waits for it.
    fn goes_on(&self) -> bool {
        !self.shard.migrator.is_stopped()
            && self
                .shard
                .lock()
                .engine
                .awaits_migration(self.transfer.number)
    }
}
