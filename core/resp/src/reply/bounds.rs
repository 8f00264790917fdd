//! How much a reply may hold.
//!
//! A command whose reply has become too large for its client need not finish it: the client will be disconnected. So
//! that no command is burdened with that, nothing is checked where bytes are written. Whoever writes much in a loop
//! asks [`Reply::is_full`] now and then; what ran over is dropped and not sent, whoever asks or not.

use super::{Mark, Reply};
use crate::limits::REPLY_COPIED_BYTES_MAX;

/// What the present part of a reply may hold, and whether that was too little.
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
    /// Begins a part with a bound of its own: what one client is sent for the requests that it sent together, or
    /// for one of them. How it was before.
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

    /// Whether [`Reply::is_full`] was true in the present part.
    #[inline]
    pub fn is_overrun(&self) -> bool {
        self.bounds.is_overrun
    }

    /// How many bytes the present part has of its own. What belongs to something else is not among them, but the
    /// references to it are.
    #[inline]
    pub fn copied(&self) -> usize {
        self.out.len().saturating_sub(self.bounds.start.bytes) + self.bounds.owned
    }

    /// Whether the present part has, or had, more than it may: more than [`Reply::begin_part`] said, or more than
    /// [`REPLY_COPIED_BYTES_MAX`] of its own. It is dropped then, and never becomes right again: its client can only
    /// be disconnected.
    pub fn is_full(&mut self) -> bool {
        let start = self.bounds.start;
        if self.copied() > REPLY_COPIED_BYTES_MAX || self.len_since(start) > self.bounds.bytes_max {
            self.bounds.is_overrun = true;
            self.rollback(start);
        }
        self.bounds.is_overrun
    }
}
