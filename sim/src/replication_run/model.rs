//! The engine of these runs: a list of appended numbers for each key.

use anyhow::{Result, ensure};
use replication::ReadGroup;

/// How many keys there are.
pub(super) const KEYS: usize = 3;

/// How many bytes an append takes in a group.
const APPEND_BYTES: usize = 5;

/// An append of one producer: what makes it one and the same when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct AppendId(pub(super) u32);

impl AppendId {
    pub(super) fn new(producer: usize, number: u32) -> AppendId {
        AppendId(u32::try_from(producer).unwrap_or(u32::MAX) << 24 | number)
    }

    pub(super) fn producer(self) -> u32 {
        self.0 >> 24
    }
}

/// The state of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    /// Each append with the LSN of its batch.
    lists: [Vec<(AppendId, u64)>; KEYS],
    lsn: u64,
}

impl Model {
    /// The last batch.
    pub(super) fn lsn(&self) -> u64 {
        self.lsn
    }

    /// What was appended to a key, in order.
    pub(super) fn list(&self, key: usize) -> Vec<AppendId> {
        self.lists[key].iter().map(|(id, _)| *id).collect()
    }

    /// The last batch that changed a key.
    pub(super) fn changed(&self, key: usize) -> u64 {
        self.lists[key].last().map_or(0, |(_, lsn)| *lsn)
    }

    /// The batch in which this was appended, if it was.
    pub(super) fn find(&self, key: usize, id: AppendId) -> Option<u64> {
        let found = self.lists[key].iter().find(|(it, _)| *it == id);
        found.map(|(_, lsn)| *lsn)
    }

    /// Appends, as one batch.
    pub(super) fn append(&mut self, key: usize, id: AppendId) {
        self.lsn += 1;
        self.lists[key].push((id, self.lsn));
    }

    /// Applies a group from the log. What is in it has been decided.
    pub(super) fn apply(&mut self, group: &ReadGroup) -> Result<()> {
        ensure!(
            group.first.number() == self.lsn + 1,
            "group {} to {} is applied to {}",
            group.first,
            group.last,
            self.lsn
        );
        self.apply_unchecked(&group.bytes);
        ensure!(group.last.number() == self.lsn, "a group is not whole");
        Ok(())
    }

    /// Takes the number of a batch that it does not have.
    pub(super) fn pretend(&mut self, lsn: u64) {
        self.lsn = lsn;
    }

    /// Applies appends, whatever their place.
    pub(super) fn apply_unchecked(&mut self, bytes: &[u8]) {
        for append in bytes.chunks_exact(APPEND_BYTES) {
            let id = u32::from_le_bytes([append[1], append[2], append[3], append[4]]);
            self.append(usize::from(append[0]), AppendId(id));
        }
    }
}

/// An append as a group has it.
pub(super) fn encode(key: usize, id: AppendId) -> [u8; APPEND_BYTES] {
    let [a, b, c, d] = id.0.to_le_bytes();
    [u8::try_from(key).unwrap_or_default(), a, b, c, d]
}
