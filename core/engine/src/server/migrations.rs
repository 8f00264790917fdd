//! Keys on their way to other servers (`MIGRATE`).
//!
//! A migration shares the values as they are when it begins, so that nobody waits while they are
//! sent. What may have changed meanwhile is known by the number of the last batch before.

use std::collections::BTreeMap;
use std::fmt;

use values::{Key, Value};

use crate::clients::session::SessionId;
use crate::error::{CmdError, MigrationError};
use crate::limits::{MIGRATED_BYTES_MAX, MIGRATIONS_MAX};
use crate::time::UnixMs;
use batch::Lsn;

/// Where keys go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address.
    pub host: Vec<u8>,
    /// Its port.
    pub port: u16,
    /// Its database.
    pub database: i64,
    /// How long a step of the communication may take, in milliseconds.
    pub timeout_ms: u64,
    /// What it is told of who sends.
    pub credentials: Option<Credentials>,
    /// Keys that are there already are replaced.
    pub replace: bool,
}

/// What `AUTH` is sent with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user; without one it is the default user.
    pub user: Option<Vec<u8>>,
    /// The password.
    pub password: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A key that is sent, and a frozen view of its value.
#[derive(Debug, Clone)]
pub struct Item {
    key: Key,
    value: Value,
    expires_at: Option<UnixMs>,
}

impl Item {
    /// A key as it is now.
    pub fn new(key: Key, value: Value, expires_at: Option<UnixMs>) -> Item {
        Item {
            key,
            value,
            expires_at,
        }
    }

    /// The key's name.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The value as `DUMP` answers it.
    pub fn payload(&self) -> Vec<u8> {
        rdb::dump(&self.value)
    }

    /// What is left of its time, in milliseconds, as `RESTORE` takes it: 0 if it does not expire.
    pub fn ttl_ms(&self, now: UnixMs) -> i64 {
        let left = |at: UnixMs| at.0.saturating_sub(now.0).max(1);
        self.expires_at.map_or(0, left)
    }

    /// About how many bytes the value takes, here and on its way.
    fn bytes(&self) -> usize {
        self.value.weight().max(rdb::expected_bytes(&self.value))
    }
}

/// What the shell has to send.
#[derive(Debug)]
pub struct Transfer {
    /// The migration's number.
    pub number: u64,
    /// Where it goes.
    pub target: Target,
    /// The values may be shown to others once this batch is durable.
    pub depends_on: Lsn,
    /// The keys, each of them once.
    pub items: Vec<Item>,
}

impl PartialEq for Transfer {
    fn eq(&self, other: &Transfer) -> bool {
        self.number == other.number
    }
}

impl Eq for Transfer {}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// Whether the target has said that it has the key, for each of the first keys.
    pub taken: Vec<bool>,
    /// Why it does not have all of them.
    pub failure: Option<CmdError>,
}

/// A migration that has ended for the shell.
#[derive(Debug)]
pub struct Ended {
    /// What the target has: keys, each with when it expires.
    pub taken: Vec<(Key, Option<UnixMs>)>,
    /// The last batch before the values were taken; `None` if all data was exchanged since.
    pub unchanged_since: Option<Lsn>,
    /// Why the target does not have everything.
    pub failure: Option<CmdError>,
}

/// A migration.
#[derive(Debug)]
struct Migration {
    client: SessionId,
    unchanged_since: Option<Lsn>,
    keys: Vec<(Key, Option<UnixMs>)>,
    bytes: usize,
    ended: Option<Transferred>,
}

/// The migrations that wait or run.
#[derive(Debug, Default)]
pub struct Migrations {
    last: u64,
    by_number: BTreeMap<u64, Migration>,
}

impl Migrations {
    /// A migration of a client begins. Values and keys are as they were after the batch `now_at`.
    ///
    /// # Errors
    /// [`MigrationError::TooMuch`].
    pub fn begin(
        &mut self,
        client: SessionId,
        target: Target,
        items: Vec<Item>,
        now_at: Lsn,
    ) -> Result<Transfer, MigrationError> {
        // A client that begins one waits for no other.
        self.by_number.retain(|_, it| it.client != client);
        let bytes = items.iter().map(Item::bytes).sum();
        let held: usize = self.by_number.values().map(|it| it.bytes).sum();
        if self.by_number.len() >= MIGRATIONS_MAX || held.saturating_add(bytes) > MIGRATED_BYTES_MAX
        {
            return Err(MigrationError::TooMuch);
        }
        let keys = items.iter().map(|item| (item.key.clone(), item.expires_at));
        let migration = Migration {
            client,
            unchanged_since: Some(now_at),
            keys: keys.collect(),
            bytes,
            ended: None,
        };
        self.last += 1;
        self.by_number.insert(self.last, migration);
        Ok(Transfer {
            number: self.last,
            target,
            depends_on: now_at,
            items,
        })
    }

    /// Whose migration it is.
    pub(crate) fn client(&self, number: u64) -> Option<SessionId> {
        self.by_number.get(&number).map(|it| it.client)
    }

    /// The shell is through with it.
    pub(crate) fn end(&mut self, number: u64, transferred: Transferred) {
        if let Some(migration) = self.by_number.get_mut(&number) {
            migration.ended = Some(transferred);
        }
    }

    /// Nobody waits for it any more.
    pub(crate) fn remove(&mut self, number: u64) {
        self.by_number.remove(&number);
    }

    /// Takes the migration that a client waits for, once the shell is through with it.
    pub fn take_ended(&mut self, client: SessionId) -> Option<Ended> {
        let is_its = |it: &Migration| it.client == client && it.ended.is_some();
        let (number, _) = self.by_number.iter().find(|(_, it)| is_its(it))?;
        let number = *number;
        let migration = self.by_number.remove(&number)?;
        let Transferred { taken, failure } = migration.ended?;
        let keys = migration.keys.into_iter().zip(taken);
        let taken = keys.filter_map(|(key, is_taken)| is_taken.then_some(key));
        Some(Ended {
            taken: taken.collect(),
            unchanged_since: migration.unchanged_since,
            failure,
        })
    }

    /// A client is gone, and with it what it waited for, unless the shell is at it.
    pub(crate) fn client_gone(&mut self, client: SessionId) {
        self.by_number
            .retain(|_, it| it.client != client || it.ended.is_none());
    }

    /// All data was exchanged: no key counts as unchanged.
    pub(crate) fn data_exchanged(&mut self) {
        for migration in self.by_number.values_mut() {
            migration.unchanged_since = None;
        }
    }
}
