//! What a change means to others: its name, its class, and who must hear of it.
//!
//! Events are static and cost nothing where nobody listens. They are given to
//! [`crate::store::apply::Store::apply`] beside the effect and are not encoded: a replay changes
//! the keyspace and tells nobody. Names and classes are those of Redis' keyspace notifications;
//! `tests/events` has what Redis published for each command.

pub use super::database::events::*;
pub use super::delayed::events::*;
pub use super::group::events::*;
pub use super::key::events::*;
pub use super::library::events::*;
pub use super::server::events::*;
pub use super::stream::events::*;
pub use super::string::events::*;

/// What happened, as others hear of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// What is published, in this order. Nothing, if the event has no name.
    pub names: &'static [Name],
    /// Who else must hear of it.
    pub touch: Touch,
    /// What is published if a value took the place of another.
    pub overwriting: Overwriting,
}

/// A name under which something is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: &'static str,
    /// Its class.
    pub class: Class,
    /// The key that it is published for.
    pub of: Subject,
}

/// One of the keys that an effect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The key that the effect names first.
    Key,
    /// The other one, for effects that have two.
    Other,
}

/// The classes of keyspace notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Keys whatever they hold: deleted, renamed, given an expiry.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Hashes.
    Hash,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
    /// A key expired.
    Expired,
    /// A key was evicted.
    Evicted,
    /// A key was created.
    New,
    /// A value took the place of another.
    Overwritten,
    /// A value took the place of one of another type.
    TypeChanged,
    /// A key was looked for and is missing.
    Missed,
}

impl Class {
    /// All of them.
    pub(crate) const ALL: [Class; 13] = [
        Class::Generic,
        Class::String,
        Class::List,
        Class::Set,
        Class::Hash,
        Class::SortedSet,
        Class::Stream,
        Class::Expired,
        Class::Evicted,
        Class::New,
        Class::Overwritten,
        Class::TypeChanged,
        Class::Missed,
    ];

    /// Its letter in the setting `notify-keyspace-events`.
    pub const fn letter(self) -> char {
        match self {
            Class::Generic => 'g',
            Class::String => '$',
            Class::List => 'l',
            Class::Set => 's',
            Class::Hash => 'h',
            Class::SortedSet => 'z',
            Class::Stream => 't',
            Class::Expired => 'x',
            Class::Evicted => 'e',
            Class::New => 'n',
            Class::Overwritten => 'o',
            Class::TypeChanged => 'c',
            Class::Missed => 'm',
        }
    }
}

/// Who must hear of an event, apart from those who subscribed to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch(u8);

impl Touch {
    /// Nobody.
    pub const NOBODY: Touch = Touch(0);
    /// Those who have read the key and rely on its value: `WATCH`, and caches of clients.
    pub const READERS: Touch = Touch(1);
    /// Those who wait for the key: each blocked client may go on.
    pub const WAITERS: Touch = Touch(2);
    /// Those who wait for something to be added to the key: blocked clients may go on, as many as
    /// there is something for.
    pub const WAITERS_FOR_MORE: Touch = Touch(4);
    /// Those who wait for the key, but later: when it is touched next, all of them have to look,
    /// whether there is something for them or not.
    pub const WAITERS_LATER: Touch = Touch(8);
    /// Both.
    pub const ALL: Touch = Touch::READERS.and(Touch::WAITERS);

    /// These and those.
    pub const fn and(self, other: Touch) -> Touch {
        Touch(self.0 | other.0)
    }

    /// Returns whether all of `other` are among them.
    #[inline]
    pub const fn has(self, other: Touch) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What is published if a value took the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwriting {
    /// Nothing: the new value was made of the old one.
    Untold,
    /// `overwritten`, and `type_changed` if it was of another type, before the event itself.
    Before,
    /// The same behind it, and the key counts as new: Redis deletes what was there first.
    After,
}

/// Nobody hears of it.
pub const UNHEARD: &Event = &Event::named(&[], Touch::NOBODY);
/// It has no name of its own, but those who rely on the key or wait for it hear of it.
pub const UNNAMED: &Event = &Event::named(&[], Touch::ALL);

impl Event {
    /// An event with these names.
    pub const fn named(names: &'static [Name], touch: Touch) -> Event {
        Event {
            names,
            touch,
            overwriting: Overwriting::Untold,
        }
    }

    /// The same of a change that puts one value in the place of another.
    pub const fn overwriting(self, overwriting: Overwriting) -> Event {
        Event {
            overwriting,
            ..self
        }
    }
}

impl Name {
    /// Published for the key that the effect names first.
    pub const fn new(text: &'static str, class: Class) -> Name {
        let of = Subject::Key;
        Name { text, class, of }
    }

    /// Published for the other key.
    pub const fn of_other(text: &'static str, class: Class) -> Name {
        let of = Subject::Other;
        Name { text, class, of }
    }
}
