//! What a request needs to be allowed, as far as that follows from its command alone.

use crate::table::{BeginSearch, FindKeys, KeyFlags, Spec};

/// What may be done with the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Nothing but to see whether it is there.
    pub const NONE: Rights = Rights(0);
    /// It is read.
    pub const READ: Rights = Rights(1);
    /// It is written.
    pub const WRITE: Rights = Rights(2);
    /// Both.
    pub const ALL: Rights = Rights(3);

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// Returns whether all of `other` is among them.
    pub const fn has(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// What a command needs that does this to a key.
    pub(crate) const fn needed(flags: KeyFlags) -> Rights {
        let mut needed = Rights::NONE;
        if flags.has(KeyFlags::ACCESS) {
            needed = needed.and(Rights::READ);
        }
        if flags.has(KeyFlags::INSERT) || flags.has(KeyFlags::DELETE) || flags.has(KeyFlags::UPDATE)
        {
            needed = needed.and(Rights::WRITE);
        }
        needed
    }
}

/// What requests of a command name that not every user may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// Neither keys nor channels.
    Nothing,
    /// One key, always at the same place, and nothing else. These rights on it are enough.
    Key(u8, Rights),
    /// What is only known of the single request.
    More,
}

impl Named {
    /// What requests of a command name.
    pub(crate) const fn by(spec: &Spec) -> Named {
        if !spec.channels.is_empty() {
            return Named::More;
        }
        let keys = match spec.keys {
            [] => return Named::Nothing,
            [keys] => keys,
            [_, _, ..] => return Named::More,
        };
        let (BeginSearch::Index(place), FindKeys::Range { last: 0, .. }) = (keys.begin, keys.find)
        else {
            return Named::More;
        };
        if keys.flags.has(KeyFlags::VARIABLE_FLAGS) {
            return Named::Key(place, Rights::ALL);
        }
        Named::Key(place, Rights::needed(keys.flags))
    }
}
