//! What a stream keeps of its producers beside their windows, and only where it was told to or
//! somebody asked for it: Redis has none of this. It is in one place, so an append to a stream that
//! has none of it looks once.

use super::counts::Counts;
use super::epochs::Epochs;
use super::messages::Messages;
use super::numbers::Numbers;

/// What is kept beside the windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// What the messages of iids were, if that is kept.
    pub(super) messages: Option<Messages>,
    /// The epochs of producers.
    pub(super) epochs: Epochs,
    /// What happened to the appends of producers, if that is counted.
    pub(super) counts: Option<Counts>,
    /// What producers have reached, if their iids are numbers.
    pub(super) numbers: Option<Numbers>,
}

impl Own {
    /// Returns whether nothing is kept, nor is to be kept.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_none()
            && self.epochs.is_empty()
            && self.counts.is_none()
            && self.numbers.is_none()
    }

    /// About how many bytes of memory it takes, if this many iids are remembered.
    pub(super) fn allocated_bytes(&self, iids: usize) -> usize {
        let messages = self.messages.as_ref();
        let counts = self.counts.as_ref();
        let numbers = self.numbers.as_ref();
        messages.map_or(0, |messages| messages.allocated_bytes(iids))
            + self.epochs.allocated_bytes()
            + counts.map_or(0, Counts::allocated_bytes)
            + numbers.map_or(0, Numbers::allocated_bytes)
    }
}
