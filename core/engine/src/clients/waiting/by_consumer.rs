//! As which consumers clients wait (`XREADGROUP … BLOCK`).

use std::collections::BTreeMap;

use collections::hash::NameHasher;

use super::{Blocking, Wait};

/// How many clients wait as each consumer, whichever streams they wait for. Consumers go by hashes:
/// should two have the same one, one of them counts as waiting that does not.
#[derive(Debug, Default)]
pub(super) struct WaitingConsumers(BTreeMap<u64, usize>);

impl WaitingConsumers {
    pub(super) fn add(&mut self, wait: &Wait) {
        if let Some(hash) = hash_of_wait(wait) {
            *self.0.entry(hash).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, wait: &Wait) {
        if let Some(hash) = hash_of_wait(wait)
            && let Some(clients) = self.0.get_mut(&hash)
        {
            *clients -= 1;
            if *clients == 0 {
                self.0.remove(&hash);
            }
        }
    }
}

impl Blocking {
    /// Returns whether a client waits as this consumer of groups of this name, for any stream of
    /// the database.
    pub(crate) fn is_waiting_as(&self, database: u16, group: &[u8], consumer: &[u8]) -> bool {
        let consumers = &self.consumers.0;
        !consumers.is_empty() && consumers.contains_key(&hash(database, group, consumer))
    }
}

fn hash_of_wait(wait: &Wait) -> Option<u64> {
    let (group, consumer) = wait.interest.consumer()?;
    Some(hash(wait.database, group, consumer))
}

fn hash(database: u16, group: &[u8], consumer: &[u8]) -> u64 {
    let group = NameHasher::new([u64::from(database), 0]).hash(group);
    NameHasher::new([group, 0]).hash(consumer)
}
