//! How much a reply may hold.
//!
//! A command whose reply has become too large for its client need not finish it: the client will be
//! disconnected. Writing bytes checks nothing, so that commands need not handle an error at each
//! write. [`Reply`] says which commands ask, and how. A reply that is too large is dropped and not
//! sent, even if nobody asked.

use std::collections::BTreeSet;

use super::{Mark, Reply};
use crate::limits::LEFT_BEHIND_STEP_BYTES;
use crate::rope::{Kept, Parts, What};

/// What the current part of a reply may hold, and whether that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Where the part begins.
    start: Mark,
    /// How many bytes it may have, pieces included.
    bytes_max: usize,
    /// What its pieces take beside what they refer to, in bytes.
    owned: usize,
    is_overrun: bool,
    /// Bytes that were written and dropped.
    dropped: usize,
}

/// The bounds of a part that was interrupted by another, see [`Reply::begin_part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Part(Bounds);

impl Bounds {
    pub(super) const NONE: Bounds = Bounds {
        start: Mark {
            bytes: 0,
            pieces: 0,
            in_pieces: 0,
        },
        bytes_max: usize::MAX,
        owned: 0,
        is_overrun: false,
        dropped: 0,
    };
}

impl Bounds {
    /// Notes what a piece takes.
    pub(super) fn note_owned(&mut self, bytes: usize) {
        self.owned += bytes;
    }
}

/// What the current part of a reply refers to, as far as it was not checked yet.
#[derive(Debug)]
pub(super) struct Referred {
    /// Where that is. What was rolled back may still be here.
    addresses: BTreeSet<usize>,
    /// How many bytes were added since the last check.
    new_bytes: usize,
}

impl Referred {
    pub(super) const NOTHING: Referred = Referred {
        addresses: BTreeSet::new(),
        new_bytes: 0,
    };

    /// Notes a reference.
    pub(super) fn note(&mut self, kept: Kept) {
        if self.addresses.insert(kept.address) {
            self.new_bytes += kept.bytes;
        }
    }
}

impl Default for Referred {
    fn default() -> Referred {
        Referred::NOTHING
    }
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds::NONE
    }
}

impl Reply {
    /// Begins a part with a bound of its own: what one client is sent for the requests that it sent
    /// together, or for one of them. Returns the bounds of the part that this interrupts.
    #[inline]
    pub fn begin_part(&mut self, bytes_max: usize) -> Part {
        self.forget_referred();
        let bounds = Bounds {
            start: self.mark(),
            bytes_max,
            owned: 0,
            is_overrun: false,
            dropped: 0,
        };
        Part(std::mem::replace(&mut self.bounds, bounds))
    }

    #[inline]
    pub(super) fn forget_referred(&mut self) {
        if !self.referred.addresses.is_empty() {
            self.referred = Referred::NOTHING;
        }
    }

    /// Goes back to the bounds that were there before [`Reply::begin_part`].
    pub fn resume_part(&mut self, part: Part) {
        self.bounds = part.0;
    }

    /// Returns whether [`Reply::is_full`] was true in the current part.
    #[inline]
    pub fn is_overrun(&self) -> bool {
        self.bounds.is_overrun
    }

    /// The bytes that the current part holds itself: without what pieces refer to, but with the
    /// references.
    #[inline]
    pub fn copied(&self) -> usize {
        self.out.len().saturating_sub(self.bounds.start.bytes) + self.bounds.owned
    }

    /// Returns how many bytes are in memory only because the present part refers to them: values as
    /// they were before they were changed or removed.
    pub fn left_behind(&self) -> usize {
        let mut kept: Vec<Kept> = Vec::new();
        let mut wholes: Vec<(Kept, &dyn Parts)> = Vec::new();
        for piece in self.pieces.iter().skip(self.bounds.start.pieces) {
            match &piece.what {
                What::Shared { of, .. } => kept.push(of.kept()),
                What::Run { of, .. } => of.refers_to(&mut |of, parts| match parts {
                    Some(parts) => wholes.push((of, parts)),
                    None => kept.push(of),
                }),
            }
        }
        // A whole that others have too is in memory because of them, with all its parts.
        wholes.sort_unstable_by_key(|(kept, _)| *kept);
        for of_one in wholes.chunk_by(|(one, _), (next, _)| one.address == next.address) {
            if let [(_, parts), ..] = of_one
                && of_one.iter().all(|(one, _)| one.holders <= of_one.len())
            {
                parts.parts(&mut |part| kept.push(part));
            }
        }
        kept.sort_unstable();
        let of_one = kept.chunk_by(|one, next| one.address == next.address);
        let only_here = of_one.filter(|all| all.iter().all(|one| one.holders <= all.len()));
        only_here
            .filter_map(|all| all.first())
            .map(|one| one.bytes)
            .sum()
    }

    /// Returns whether what only the current part refers to is too much. That is not checked again
    /// before there is much more.
    #[cold]
    fn is_too_much_left_behind(&mut self) -> bool {
        self.referred.new_bytes = 0;
        self.copied().saturating_add(self.left_behind()) > self.copied_bytes_max
    }

    /// Returns how many bytes of its own the current part has written and dropped because it
    /// exceeds its bounds. Of these, a command that asks in time wrote only a few.
    pub fn dropped(&self) -> usize {
        self.bounds.dropped
    }

    /// Returns whether the current part exceeds its bounds, or has exceeded them before: that of
    /// [`Reply::begin_part`], or `REPLY_COPIED_BYTES_MAX` for the bytes that it holds itself or
    /// alone still refers to. It has then been dropped for good; all that is left to do is to
    /// disconnect the client.
    #[inline]
    pub fn is_full(&mut self) -> bool {
        let Bounds {
            start, bytes_max, ..
        } = self.bounds;
        let is_full = self.bounds.is_overrun
            || self.copied() > self.copied_bytes_max
            || self.len_since(start) > bytes_max
            || (self.referred.new_bytes >= LEFT_BEHIND_STEP_BYTES
                && self.is_too_much_left_behind());
        if is_full {
            self.drop_part();
        }
        is_full
    }

    /// From how many bytes of its own on the reply may be full, if no piece is added: 0 if that has
    /// to be looked at now.
    pub(super) fn full_at(&self) -> usize {
        let Bounds {
            start,
            bytes_max,
            owned,
            is_overrun,
            dropped: _,
        } = self.bounds;
        if is_overrun || self.referred.new_bytes >= LEFT_BEHIND_STEP_BYTES {
            return 0;
        }
        let in_pieces = self.in_pieces.saturating_sub(start.in_pieces);
        let copied_max = self.copied_bytes_max.saturating_sub(owned);
        let own_max = bytes_max.saturating_sub(in_pieces).min(copied_max);
        own_max.saturating_add(start.bytes).saturating_add(1)
    }

    #[cold]
    fn drop_part(&mut self) {
        let start = self.bounds.start;
        self.bounds.is_overrun = true;
        self.bounds.dropped += self.copied();
        self.bounds.owned = 0;
        self.rollback(start);
    }

    /// Writes elements of an aggregate, each with `write`, until there are none left or the reply
    /// is full. Returns how many were written.
    #[inline]
    pub fn each<I: IntoIterator>(
        &mut self,
        items: I,
        mut write: impl FnMut(&mut Reply, I::Item),
    ) -> usize {
        let mut count = 0;
        for item in items {
            if self.is_full() {
                break;
            }
            write(self, item);
            count += 1;
        }
        count
    }
}
