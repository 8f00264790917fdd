//! Sets of a row: what a command does to the server, its ACL categories, its family.

macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident : $int:ty { $($(#[$item_doc:meta])* $item:ident = $bit:literal $(, $text:literal)?;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name($int);

        impl $name {
            /// The empty set.
            pub const NONE: $name = $name(0);
            $($(#[$item_doc])* pub const $item: $name = $name(1 << $bit);)*

            /// Both sets together.
            #[must_use]
            pub const fn and(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }

            /// The set without the other.
            #[must_use]
            pub const fn without(self, other: $name) -> $name {
                $name(self.0 & !other.0)
            }

            /// Returns whether all of `other` is in the set.
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// Names of the members as Redis prints them, in a fixed order. Those that Redis does
            /// not have are not named.
            pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
                $name::NAMES.iter().filter(move |(bit, _)| self.has(*bit)).map(|(_, text)| *text)
            }

            /// The member of this name, in any case of letters.
            pub fn named(name: &str) -> Option<$name> {
                let found = $name::NAMES.iter().find(|(_, text)| text.eq_ignore_ascii_case(name));
                found.map(|(bit, _)| *bit)
            }

            const NAMES: &[($name, &'static str)] = &[$($(($name::$item, $text),)?)*];
        }
    };
}

pub(super) use bit_set;
pub(crate) use bit_set as flag_set;

bit_set! {
    /// What a command does to the server (`COMMAND INFO`, third element).
    Flags: u32 {
        /// May change the keyspace.
        WRITE = 0, "write";
        /// Only reads the keyspace.
        READONLY = 1, "readonly";
        /// Refused when memory is short.
        DENY_OOM = 2, "denyoom";
        /// For administrators.
        ADMIN = 3, "admin";
        /// Publish and subscribe.
        PUBSUB = 4, "pubsub";
        /// Not from scripts.
        NO_SCRIPT = 5, "noscript";
        /// May block the client.
        BLOCKING = 6, "blocking";
        /// Allowed while data is loaded.
        LOADING = 7, "loading";
        /// Allowed on a stale replica.
        STALE = 8, "stale";
        /// Not shown by `MONITOR`.
        SKIP_MONITOR = 9, "skip_monitor";
        /// Not in the slow log.
        SKIP_SLOWLOG = 10, "skip_slowlog";
        /// Constant or logarithmic cost.
        FAST = 11, "fast";
        /// Allowed before authentication.
        NO_AUTH = 12, "no_auth";
        /// Keys cannot be found by position alone.
        MOVABLE_KEYS = 13, "movablekeys";
        /// Not while data is loaded in the background.
        NO_ASYNC_LOADING = 14, "no_async_loading";
        /// Allowed while a script runs too long.
        ALLOW_BUSY = 15, "allow_busy";
        /// Not within a transaction.
        NO_MULTI = 16, "no_multi";
        /// Keys are optional.
        NO_MANDATORY_KEYS = 17, "no_mandatory_keys";
        /// Takes well below a microsecond unless it handles many bytes; Redis does not flag it as
        /// fast, since it may free a large value.
        LIGHT = 18;
        /// Runs at once within a transaction: it ends the transaction or is about it.
        CONTROLS_MULTI = 19;
        /// Runs what the transaction queued, and counts as all of that.
        RUNS_QUEUE = 20;
        /// Says in which database the commands that follow run, and does nothing else.
        SELECTS_DATABASE = 21;
        /// May be sent in RESP2 by a client that listens to channels.
        WHILE_SUBSCRIBED = 22;
        /// Runs a script, which may write although this is not flagged so.
        RUNS_SCRIPT = 23;
        /// Its subcommands are about clients: what was said of caching is for the command behind.
        KEEPS_CACHING = 24;
        /// For the target of a slot that moves.
        ASKING = 25, "asking";
        /// Waits for another server, so neither a transaction nor a script runs it; Redis, where
        /// everybody waits meanwhile, lets them.
        ALONE = 26;
    }
}

bit_set! {
    /// ACL categories (`COMMAND INFO`, seventh element).
    Categories: u32 {
        /// Reads or writes keys regardless of type.
        KEYSPACE = 0, "@keyspace";
        /// Reads values.
        READ = 1, "@read";
        /// Writes values.
        WRITE = 2, "@write";
        /// Sets.
        SET = 3, "@set";
        /// Sorted sets.
        SORTED_SET = 4, "@sortedset";
        /// Lists.
        LIST = 5, "@list";
        /// Hashes.
        HASH = 6, "@hash";
        /// Strings.
        STRING = 7, "@string";
        /// Bitmaps.
        BITMAP = 8, "@bitmap";
        /// HyperLogLogs.
        HYPERLOGLOG = 19, "@hyperloglog";
        /// Places on a sphere.
        GEO = 20, "@geo";
        /// Streams.
        STREAM = 9, "@stream";
        /// Publish and subscribe.
        PUBSUB = 10, "@pubsub";
        /// Administration.
        ADMIN = 11, "@admin";
        /// Fast commands.
        FAST = 12, "@fast";
        /// All other commands.
        SLOW = 13, "@slow";
        /// May block.
        BLOCKING = 14, "@blocking";
        /// To be used with care.
        DANGEROUS = 15, "@dangerous";
        /// Connection state.
        CONNECTION = 16, "@connection";
        /// Transactions.
        TRANSACTION = 17, "@transaction";
        /// Scripts.
        SCRIPTING = 18, "@scripting";
    }
}

impl Categories {
    /// The names of all categories, without their sign.
    pub fn all_names() -> impl Iterator<Item = &'static str> + Clone {
        Categories(u32::MAX).names().map(|name| &name[1..])
    }
}

/// The family of a command in the documentation (`COMMAND DOCS`, `group`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Bitmaps, kept in strings.
    Bitmap,
    /// HyperLogLogs, kept in strings.
    HyperLogLog,
    /// Places on a sphere, kept in sorted sets.
    Geo,
    /// Streams.
    Stream,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Hashes.
    Hash,
    /// Sorted sets.
    SortedSet,
    /// Connection state.
    Connection,
    /// The server itself.
    Server,
    /// Transactions.
    Transactions,
    /// Scripts.
    Scripting,
    /// Channels.
    PubSub,
    /// Clusters.
    Cluster,
}

impl Group {
    /// The name in `COMMAND DOCS`.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::Bitmap => "bitmap",
            Group::HyperLogLog => "hyperloglog",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::List => "list",
            Group::Set => "set",
            Group::Hash => "hash",
            Group::SortedSet => "sorted-set",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Transactions => "transactions",
            Group::Scripting => "scripting",
            Group::PubSub => "pubsub",
            Group::Cluster => "cluster",
        }
    }

    /// The ACL category that comes with the family. `server` and `cluster` have none, and that of
    /// `pubsub` comes with a flag.
    pub(super) const fn category(self) -> Categories {
        match self {
            Group::Generic => Categories::KEYSPACE,
            Group::String => Categories::STRING,
            Group::Bitmap => Categories::BITMAP,
            Group::HyperLogLog => Categories::HYPERLOGLOG,
            Group::Geo => Categories::GEO,
            Group::Stream => Categories::STREAM,
            Group::List => Categories::LIST,
            Group::Set => Categories::SET,
            Group::Hash => Categories::HASH,
            Group::SortedSet => Categories::SORTED_SET,
            Group::Connection => Categories::CONNECTION,
            Group::Transactions => Categories::TRANSACTION,
            Group::Scripting => Categories::SCRIPTING,
            Group::Server | Group::PubSub | Group::Cluster => Categories::NONE,
        }
    }
}
