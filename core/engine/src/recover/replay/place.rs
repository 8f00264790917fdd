//! Where in its log a replay is: which batch comes next, and whether the reader knows what that
//! batch relies on.
//!
//! Whoever begins in the midst of a log begins with a group, which is what a log keeps together.
//! weir's groups can be read by themselves: they name database and time before their first command.
//! Batches of the group that are part of the state already are passed over.

use batch::Lsn;

use crate::recover::replay::Author;
use crate::table::Flags;

/// Where in its log a replay is.
#[derive(Debug)]
pub(super) struct Place {
    /// The last batch that was read.
    last: Lsn,
    /// The state has everything up to this batch.
    has: Lsn,
    database: Told,
    time: Told,
}

/// Whether a reader knows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    NotYet,
}

impl Place {
    /// At the begin of a log, where database and time are known.
    pub(super) const BEGIN: Place = Place {
        last: Lsn::ZERO,
        has: Lsn::ZERO,
        database: Told::Yes,
        time: Told::Yes,
    };

    /// Behind a batch that the state has.
    pub(super) const fn after(has: Lsn) -> Place {
        Place {
            last: Lsn::ZERO,
            has,
            database: Told::NotYet,
            time: Told::NotYet,
        }
    }

    /// The last batch that was read.
    pub(super) fn last(&self) -> Lsn {
        self.last
    }

    /// A batch of this number is read next.
    pub(super) fn comes_to(&mut self, first: Lsn) {
        self.last = Lsn::new(first.since(Lsn::new(1)));
    }

    /// A batch was read. Its number.
    pub(super) fn pass(&mut self) -> Lsn {
        self.last = self.last.next();
        self.last
    }

    /// All batches up to this one were read.
    pub(super) fn pass_to(&mut self, last: Lsn) {
        self.last = last;
    }

    /// Returns whether the state has the next batch already.
    #[inline]
    pub(super) fn has_next(&self) -> bool {
        self.last < self.has
    }

    /// Returns whether nothing of what comes may be missing or too much.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.database == Told::Yes && self.time == Told::Yes && !self.has_next()
    }

    /// The time was named.
    pub(super) fn hears_time(&mut self) {
        self.time = Told::Yes;
    }

    /// A command comes. Returns whether it may: it relies on nothing that is not known.
    pub(super) fn hears(&mut self, flags: Flags, author: Author) -> bool {
        if flags.has(Flags::SELECTS_DATABASE) {
            self.database = Told::Yes;
        }
        let relies_on_time = match author {
            Author::Weir => true,
            // Redis names times seldom, if at all; the time of the load stands for them.
            Author::Other => false,
        };
        flags.has(Flags::SELECTS_DATABASE)
            || flags.has(Flags::CONTROLS_MULTI)
            || self.has_next()
            || self.database == Told::Yes && (self.time == Told::Yes || !relies_on_time)
    }
}
