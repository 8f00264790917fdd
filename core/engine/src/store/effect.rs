//! What can happen to the keyspace, and to the libraries of functions.
//!
//! A command decides, then applies effects; [`crate::store::apply::Store::apply`] is the only way
//! in which the keyspace changes. An effect says where something happens and what. It is
//! self-contained: final IDs, absolute times, no "now", no defaults. Beside it goes an [`Event`],
//! which says what that means to others: the same change is `set` after one command and `incrby`
//! after another.
//!
//! Each family of changes is a file of its own: its variants, its events, what applying does, and
//! how it is encoded. The canonical encoding (`effect/encode.rs`) is a Redis command, so that Redis
//! can read the journal and recovery runs it through the command table under replay rules.
//!
//! Fields mean the same in all of them:
//!
//! | field | meaning |
//! |---|---|
//! | `key` | the key, of the database in which the effect happens |
//! | `to`, `to_db` | the other key and its database |
//! | `group`, `consumer` | names; the group exists |
//! | `id`, `ids` | of entries, in ascending order |
//! | `at` | an absolute time |
//! | `producer`, `iid` | who added an entry, and under which idempotent ID |

mod database;
mod delayed;
pub(crate) mod encode;
pub mod event;
mod group;
pub mod hash;
pub mod hyperloglog;
mod key;
mod library;
pub mod list;
mod longs;
mod server;
pub mod set;
pub mod sorted_set;
mod stream;
mod string;

pub use self::database::DatabaseChange;
pub use self::delayed::DelayChange;
pub use self::event::{Class, Event, Touch};
pub use self::group::{Claim, GroupChange, OfGroup};
pub use self::key::KeyChange;
pub use self::library::LibraryChange;
pub use self::server::ServerChange;
pub use self::stream::{Idempotent, IidOrigin, StreamChange};
pub use self::string::{Expiry, StringChange};

use self::encode::Out;
use crate::store::apply::Store;

/// One change, and where it happens. Borrowed from the request; lives only until it was applied.
#[derive(Debug, Clone)]
pub enum Effect<'a> {
    /// To a key of the database in which it happens.
    Key {
        #[expect(missing_docs, reason = "the table above says it")]
        key: &'a [u8],
        /// What happens to it.
        change: Change<'a>,
    },
    /// To the whole database in which it happens.
    Database(DatabaseChange),
    /// To several databases.
    Server(ServerChange),
    /// To the libraries of functions.
    Library(LibraryChange<'a>),
}

/// Which keys a change is about. Most are about one.
trait Family {
    /// The other key that is changed, with its database.
    fn other<'k>(&'k self, _key: &'k [u8], _database: u16) -> Option<(u16, &'k [u8])> {
        None
    }

    /// Returns whether the key itself is changed.
    fn changes_key(&self) -> bool {
        true
    }

    /// What it brings to those who read streams by a pattern.
    fn brings<'k>(&'k self, _key: &'k [u8], _database: u16) -> Brings<'k> {
        Brings::Nothing
    }
}

/// What a change brings to those who read many streams by a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brings<'k> {
    /// Nothing.
    Nothing,
    /// Entries for any group, of this key in this database.
    Entries(u16, &'k [u8]),
    /// Something for this group of the key.
    ToGroup(&'k [u8]),
    /// The same, if the event is one that clients hear of who wait for the key.
    ToWaiters(&'k [u8]),
    /// Entries of this group may be taken over from now on, after some time.
    ToTakeOver(&'k [u8]),
}

/// Makes the enum of the families of changes to a key, and asks the family that one is of.
macro_rules! families {
    (
        $(#[$doc:meta])*
        pub enum $change:ident<'a> { $($(#[$variant_doc:meta])* $variant:ident($family:ty),)* }
    ) => {
        $(#[$doc])*
        pub enum $change<'a> { $($(#[$variant_doc])* $variant($family),)* }

        impl $change<'_> {
            #[inline(always)]
            fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
                match self { $($change::$variant(change) => change.apply(key, store),)* }
            }

            #[inline]
            fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
                match self { $($change::$variant(change) => change.encode(key, out),)* }
            }

            /// The other key that is changed, with its database.
            pub(crate) fn other<'k>(&'k self, key: &'k [u8], database: u16) -> Option<(u16, &'k [u8])> {
                match self {
                    $($change::$variant(change) => Family::other(change, key, database),)*
                }
            }

            /// Returns whether the key itself is changed.
            pub(crate) fn changes_key(&self) -> bool {
                match self { $($change::$variant(change) => Family::changes_key(change),)* }
            }

            /// What it brings to those who read streams by a pattern.
            pub(crate) fn brings<'k>(&'k self, key: &'k [u8], database: u16) -> Brings<'k> {
                match self {
                    $($change::$variant(change) => Family::brings(change, key, database),)*
                }
            }
        }

        $(impl<'a> From<$family> for $change<'a> {
            #[inline]
            fn from(change: $family) -> $change<'a> {
                $change::$variant(change)
            }
        })*
    };
}

families! {
    /// What happens to a key, by what it holds.
    #[derive(Debug, Clone)]
    pub enum Change<'a> {
        /// Whatever it holds.
        Key(KeyChange<'a>),
        /// It holds a string afterwards.
        String(StringChange<'a>),
        /// It holds a HyperLogLog, which is a string, afterwards.
        HyperLogLog(hyperloglog::HyperLogLogChange<'a>),
        /// It holds a list afterwards, or nothing.
        List(list::ListChange<'a>),
        /// It holds a set afterwards.
        Set(set::SetChange<'a>),
        /// It holds a sorted set afterwards.
        SortedSet(sorted_set::SortedSetChange<'a>),
        /// It holds a stream afterwards.
        Stream(StreamChange<'a>),
        /// The same, and what waits to be appended to it changes.
        Delayed(DelayChange<'a>),
        /// It holds a hash afterwards.
        Hash(hash::HashChange<'a>),
        /// The same, and a group of the stream changes.
        Group(OfGroup<'a>),
    }
}

impl<'a> Effect<'a> {
    /// Something happens to a key.
    #[inline]
    pub fn on(key: &'a [u8], change: impl Into<Change<'a>>) -> Effect<'a> {
        let change = change.into();
        Effect::Key { key, change }
    }

    /// Something happens to a group of a key's stream.
    #[inline]
    pub fn on_group(key: &'a [u8], group: &'a [u8], change: GroupChange<'a>) -> Effect<'a> {
        Effect::on(key, OfGroup { group, change })
    }

    /// Makes it happen. Only [`Store::apply`] calls this. Inlined, as whoever applies an effect
    /// knows which it is: nothing is left of the matches.
    #[inline(always)]
    pub(crate) fn change(&self, store: &mut Store<'_>) -> Changed {
        match self {
            Effect::Key { key, change } => change.apply(key, store),
            Effect::Database(change) => change.apply(store),
            Effect::Server(change) => change.apply(store),
            Effect::Library(change) => change.apply(store),
        }
    }

    /// Writes the canonical encoding, and returns how many commands that took.
    #[inline]
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> u32 {
        match self {
            Effect::Key { key, change } => change.encode(key, out),
            Effect::Database(change) => change.encode(out),
            Effect::Server(change) => change.encode(out),
            Effect::Library(change) => change.encode(out),
        }
    }

    /// Returns whether it means the same whichever database is selected.
    #[inline]
    pub(crate) fn names_its_databases(&self) -> bool {
        match self {
            Effect::Key { .. } | Effect::Database(_) => false,
            Effect::Server(change) => change.names_its_databases(),
            Effect::Library(_) => true,
        }
    }
}

/// What applying an effect did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Changed {
    /// How much was changed, in the units of the effect. If it is 0, nothing is logged or told.
    pub(crate) amount: u64,
    /// Who hears of it.
    pub(crate) audience: Audience,
}

/// Who hears of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Those whom the event names.
    AsSaid,
    /// All who may care about the key: it was missing before.
    All,
    /// Nobody: what the event is about did not happen, but something that comes with it.
    Nobody,
}

impl Changed {
    pub(crate) const NOTHING: Changed = Changed::by_event(0);

    /// This much was changed, as the event says.
    #[inline]
    pub(crate) const fn by_event(amount: u64) -> Changed {
        Changed {
            amount,
            audience: Audience::AsSaid,
        }
    }
}

#[cfg(test)]
mod tests;
