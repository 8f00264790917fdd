//! Where the keys of a command are, and what happens to them (`COMMAND INFO`, key specifications).

use resp::Argv;

use super::flags::bit_set;

bit_set! {
    /// What happens to a key (`COMMAND INFO`, key specifications).
    KeyFlags: u16 {
        /// Read and written.
        RW = 0, "RW";
        /// Only read.
        RO = 1, "RO";
        /// Overwritten without looking.
        OW = 2, "OW";
        /// Removed.
        RM = 3, "RM";
        /// Its value is returned or copied.
        ACCESS = 4, "access";
        /// Its value is changed depending on the old one.
        UPDATE = 5, "update";
        /// Data is added.
        INSERT = 6, "insert";
        /// Data is removed.
        DELETE = 7, "delete";
        /// Not a key, but routed as one.
        NOT_KEY = 8, "not_key";
        /// The specification does not find all keys.
        INCOMPLETE = 9, "incomplete";
        /// Flags depend on the arguments.
        VARIABLE_FLAGS = 10, "variable_flags";
    }
}

/// Where keys are among the arguments.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    /// What happens to them.
    pub flags: KeyFlags,
    /// Where to begin.
    pub begin: BeginSearch,
    /// How to continue.
    pub find: FindKeys,
    /// A remark in `COMMAND INFO`; empty if none.
    pub notes: &'static str,
}

/// Where the search for keys begins.
#[derive(Debug, Clone, Copy)]
pub enum BeginSearch {
    /// At an argument's position.
    Index(u8),
    /// At an argument's position, as clients are told. Options may put another in its place; a
    /// function finds what counts.
    IndexOr(u8, fn(Argv<'_>) -> Option<usize>),
    /// After a keyword, looked for from a position on.
    Keyword(&'static str, i8),
    /// After a keyword, for which clients look from a position on. It may be there several times,
    /// or another take its place; a function finds what counts.
    Last(&'static str, i8, fn(Argv<'_>) -> Option<usize>),
    /// Where a function finds the only key, if there is one; clients are told that it is unknown.
    Unknown(fn(Argv<'_>) -> Option<usize>),
}

/// How keys follow from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindKeys {
    /// Up to `last` (relative to the beginning; negative: from the end), every `step`-th argument.
    /// With `limit` above 1 only that part of the arguments holds keys.
    Range {
        /// Last key.
        last: i8,
        /// Distance between keys.
        step: u8,
        /// Divisor of the remaining arguments; 0 and 1 mean all.
        limit: u8,
    },
    /// As many as an argument says.
    KeyNum {
        /// Position of the count, relative to the beginning.
        count: u8,
        /// Position of the first key, relative to the beginning.
        first: u8,
        /// Distance between keys.
        step: u8,
    },
}

/// Where names of channels stand among the arguments.
#[derive(Debug, Clone, Copy)]
pub struct ChannelSpec {
    /// What happens to them.
    pub used: ChannelUse,
    /// Patterns of names instead of names.
    pub are_patterns: bool,
    /// Where to begin.
    pub begin: BeginSearch,
    /// How to go on.
    pub find: FindKeys,
}

/// What a command does to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelUse {
    /// It sends a message there.
    Publish,
    /// It listens there.
    Subscribe,
    /// It no longer listens there.
    Unsubscribe,
}

impl KeySpec {
    /// One key at a position.
    pub const fn at(index: u8, flags: KeyFlags) -> KeySpec {
        KeySpec::range(index, flags, 0, 1, 0)
    }

    /// Keys from a position up to `last`, every `step`-th.
    pub const fn range(index: u8, flags: KeyFlags, last: i8, step: u8, limit: u8) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Index(index),
            find: FindKeys::Range { last, step, limit },
            notes: "",
        }
    }

    /// At most one key, where `find` says.
    pub const fn unknown(flags: KeyFlags, find: fn(Argv<'_>) -> Option<usize>) -> KeySpec {
        KeySpec {
            begin: BeginSearch::Unknown(find),
            ..KeySpec::at(0, flags)
        }
    }

    /// The same, with a remark.
    #[must_use]
    pub const fn noted(mut self, notes: &'static str) -> KeySpec {
        self.notes = notes;
        self
    }
}
