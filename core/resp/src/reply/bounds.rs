//! How much a reply may hold.
//!
//! A command whose reply has become too large for its client need not finish it: the client will be
//! disconnected. Writing bytes checks nothing, so that commands need not handle an error at each
//! write. Code that writes much in a loop asks [`Reply::is_full`] now and then. A reply that is too
//! large is dropped and not sent, even if nobody asked.

use super::{Mark, Reply};
use crate::limits::REPLY_COPIED_BYTES_MAX;

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
    };
}

impl Bounds {
    /// Notes what a piece takes.
    pub(super) fn note_owned(&mut self, bytes: usize) {
        self.owned += bytes;
    }
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds::NONE
    }
}

impl Reply {
    /// Begins a part with a bound of its own: what one client is sent for the requests that it sent
    /// together, or for one of them. How it was before.
    #[inline]
    pub fn begin_part(&mut self, bytes_max: usize) -> Part {
        let bounds = Bounds {
            start: self.mark(),
            bytes_max,
            owned: 0,
            is_overrun: false,
        };
        Part(std::mem::replace(&mut self.bounds, bounds))
    }

    /// Goes back to the bounds that were there before [`Reply::begin_part`].
    pub fn resume_part(&mut self, part: Part) {
        self.bounds = part.0;
    }

    /// Returns whether [`Reply::is_full`] was true in the present part.
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

    /// Returns whether the current part exceeds its bounds, or has exceeded them before: that of
    /// [`Reply::begin_part`], or [`REPLY_COPIED_BYTES_MAX`] for the bytes that it holds itself. It
    /// has then been dropped for good; all that is left to do is to disconnect the client.
    pub fn is_full(&mut self) -> bool {
        let start = self.bounds.start;
        if self.copied() > REPLY_COPIED_BYTES_MAX || self.len_since(start) > self.bounds.bytes_max {
            self.bounds.is_overrun = true;
            self.rollback(start);
        }
        self.bounds.is_overrun
    }
}
