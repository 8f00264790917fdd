//! What a command is: one row of data ([`Spec`]), a pure parse and a decision.
//!
//! The row drives lookup, arity, ACL categories, `COMMAND INFO`, `COMMAND DOCS`, `COMMAND GETKEYS`,
//! transactions and the generated reference page; nothing about a command is written elsewhere.
//! A command is added by implementing [`Command`] in a file of its own and naming it once in
//! [`crate::commands::COMMANDS`].

use crate::args::Args;
use crate::ctx::Ctx;
use crate::error::CmdError;

/// A command: its row, how its arguments are read, and what it does.
pub trait Command {
    /// The row of data.
    const SPEC: Spec;
    /// The typed arguments.
    type Parsed<'a>;
    /// Reads the arguments. Pure: knows neither keyspace nor clock.
    ///
    /// # Errors
    /// The exact error that a client sees.
    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError>;
    /// Decides, applies effects through `ctx.tx`, and writes the reply.
    ///
    /// # Errors
    /// The exact error that a client sees; the reply written so far is rolled back.
    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError>;
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The reply is complete.
    Done,
    /// Nothing to reply yet: the session waits as `ctx.wait` says.
    Block,
    /// The reply is complete and the connection closes after it.
    Close,
    /// `EXEC`: the engine runs the session's queue, and its replies are the reply.
    RunQueue,
}

type Run = fn(&mut Args<'_>, &mut Ctx<'_>) -> Result<Flow, CmdError>;

/// One row of the command table.
pub struct Entry {
    /// The data.
    pub spec: Spec,
    run: Option<Run>,
    /// The subcommands of a container command such as `XGROUP`, sorted by name; empty otherwise.
    pub subcommands: &'static [Entry],
}

impl Entry {
    /// Parses the arguments and executes the command.
    ///
    /// # Errors
    /// What the command answers instead of a reply.
    pub(crate) fn run(&self, args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match self.run {
            Some(run) => run(args, ctx),
            None => Err(CmdError::Syntax),
        }
    }

    /// The ACL categories: what flags and family imply, and what the row adds. A command that only
    /// holds subcommands belongs to no family; WAIT is documented with keys, but is about the connection.
    pub fn acl_categories(&self) -> Categories {
        let spec = &self.spec;
        let mut all = spec.categories;
        if !self.is_container() && !all.has(Categories::CONNECTION) {
            all = all.and(spec.group.category());
        }
        if spec.flags.has(Flags::WRITE) {
            all = all.and(Categories::WRITE);
        }
        if spec.flags.has(Flags::READONLY) && spec.group != Group::Scripting {
            all = all.and(Categories::READ);
        }
        if spec.flags.has(Flags::ADMIN) {
            all = all.and(Categories::ADMIN).and(Categories::DANGEROUS);
        }
        if spec.flags.has(Flags::PUBSUB) {
            all = all.and(Categories::PUBSUB);
        }
        if spec.flags.has(Flags::BLOCKING) {
            all = all.and(Categories::BLOCKING);
        }
        all.and(if spec.flags.has(Flags::FAST) {
            Categories::FAST
        } else {
            Categories::SLOW
        })
    }

    /// Whether the command only holds subcommands.
    pub fn is_container(&self) -> bool {
        self.run.is_none()
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.spec.name)
            .finish_non_exhaustive()
    }
}

/// The row of a command.
pub const fn entry<C: Command>() -> Entry {
    Entry {
        spec: C::SPEC,
        run: Some(run::<C>),
        subcommands: &[],
    }
}

/// The row of a command that only holds subcommands.
pub const fn container(spec: Spec, subcommands: &'static [Entry]) -> Entry {
    Entry {
        spec,
        run: None,
        subcommands,
    }
}

/// The row of a command that does something of its own and has subcommands too (`COMMAND`).
pub const fn entry_with_subcommands<C: Command>(subcommands: &'static [Entry]) -> Entry {
    Entry {
        spec: C::SPEC,
        run: Some(run::<C>),
        subcommands,
    }
}

fn run<C: Command>(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let cmd = C::parse(args)?;
    args.finish()?;
    C::execute(cmd, ctx)
}

/// What is known of a command without running it. Source: `commands.json`, compared by a test.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Lower-case name; of a subcommand its own part only (`create`, not `xgroup|create`).
    pub name: &'static str,
    /// One sentence for `COMMAND DOCS` and the reference page.
    pub summary: &'static str,
    /// The Redis version that introduced it.
    pub since: &'static str,
    /// The family in the documentation.
    pub group: Group,
    /// Cost in the number of elements.
    pub complexity: &'static str,
    /// How many arguments it takes, its name included.
    pub arity: Arity,
    /// What it does to the server, as flags.
    pub flags: Flags,
    /// ACL categories beside those that [`Spec::flags`] and [`Spec::group`] imply.
    pub categories: Categories,
    /// Where its keys stand.
    pub keys: &'static [KeySpec],
    /// Hints for clients and proxies.
    pub tips: &'static [&'static str],
    /// Changes by version.
    pub history: &'static [(&'static str, &'static str)],
    /// Set where Redis calls the command deprecated.
    pub deprecated: Option<Deprecated>,
    /// The argument grammar.
    pub args: &'static [Arg],
    /// Whether weir answers as Redis does.
    pub compat: Compat,
}

impl Spec {
    /// Whether it takes well below a microsecond unless it is about many bytes: what Redis flags as fast, and
    /// of the string commands also those that Redis does not flag as they may free a large value of another type.
    #[inline]
    pub fn is_light(&self) -> bool {
        self.flags.has(Flags::FAST) || self.group == Group::String && self.complexity == "O(1)"
    }

    /// A row with the given name and everything optional empty; completed with struct update syntax.
    pub const fn named(name: &'static str) -> Spec {
        Spec {
            name,
            summary: "",
            since: "1.0.0",
            group: Group::Generic,
            complexity: "O(1)",
            arity: Arity::AtLeast(1),
            flags: Flags::NONE,
            categories: Categories::NONE,
            keys: &[],
            tips: &[],
            history: &[],
            deprecated: None,
            args: &[],
            compat: Compat::Same,
        }
    }
}

/// How a command compares with Redis 8.6.3; the compatibility page is made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compat {
    /// The same replies and errors.
    Same,
    /// Differs on purpose, as the sentence says.
    Differs(&'static str),
}

/// Why and since when a command is deprecated.
#[derive(Debug, Clone, Copy)]
pub struct Deprecated {
    /// The Redis version.
    pub since: &'static str,
    /// What to use instead.
    pub replaced_by: &'static str,
}

/// The number of arguments, the command's name included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Just so many.
    Exactly(u8),
    /// So many or more.
    AtLeast(u8),
}

impl Arity {
    /// Whether a request of `n` arguments fits.
    pub const fn accepts(self, n: usize) -> bool {
        match self {
            Arity::Exactly(want) => n == want as usize,
            Arity::AtLeast(want) => n >= want as usize,
        }
    }

    /// The number in `COMMAND INFO`: negative means "at least".
    pub const fn signed(self) -> i64 {
        match self {
            Arity::Exactly(n) => n as i64,
            Arity::AtLeast(n) => -(n as i64),
        }
    }
}

macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident : $int:ty { $($(#[$item_doc:meta])* $item:ident = $bit:literal, $text:literal;)* }) => {
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

            /// Whether all of `other` is in the set.
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// Names of the members as Redis prints them, in a fixed order.
            pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
                [$(($name::$item, $text)),*].into_iter().filter(move |(bit, _)| self.has(*bit)).map(|(_, text)| text)
            }
        }
    };
}

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

/// The family of a command in the documentation (`COMMAND DOCS`, `group`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Bitmaps, kept in strings.
    Bitmap,
    /// Streams.
    Stream,
    /// Connection state.
    Connection,
    /// The server itself.
    Server,
    /// Transactions.
    Transactions,
    /// Scripts.
    Scripting,
}

impl Group {
    /// The name in `COMMAND DOCS`.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::Bitmap => "bitmap",
            Group::Stream => "stream",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Transactions => "transactions",
            Group::Scripting => "scripting",
        }
    }

    /// The ACL category that comes with the family. `server` has none.
    const fn category(self) -> Categories {
        match self {
            Group::Generic => Categories::KEYSPACE,
            Group::String => Categories::STRING,
            Group::Bitmap => Categories::BITMAP,
            Group::Stream => Categories::STREAM,
            Group::Connection => Categories::CONNECTION,
            Group::Transactions => Categories::TRANSACTION,
            Group::Scripting => Categories::SCRIPTING,
            Group::Server => Categories::NONE,
        }
    }
}

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

/// Where keys stand among the arguments.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    /// What happens to them.
    pub flags: KeyFlags,
    /// Where to begin.
    pub begin: BeginSearch,
    /// How to go on.
    pub find: FindKeys,
    /// A remark in `COMMAND INFO`; empty if none.
    pub notes: &'static str,
}

/// Where the search for keys begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginSearch {
    /// At an argument's position.
    Index(u8),
    /// After a keyword, looked for from a position on.
    Keyword(&'static str, i8),
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

    /// The same with a remark.
    #[must_use]
    pub const fn noted(mut self, notes: &'static str) -> KeySpec {
        self.notes = notes;
        self
    }
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// Any bytes.
    String,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Double,
    /// A key; the number is the index of its key specification.
    Key(u8),
    /// A glob-style pattern.
    Pattern,
    /// A point in time.
    UnixTime,
    /// A bare keyword.
    PureToken,
    /// One of several.
    OneOf(&'static [Arg]),
    /// Several in a row.
    Block(&'static [Arg]),
}

/// One argument of the grammar in `COMMAND DOCS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Its name as shown; the same as `name` unless set.
    pub display: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// The keyword before it; empty if none.
    pub token: &'static str,
    /// The version that brought it; empty if as old as the command.
    pub since: &'static str,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Its keyword is repeated with it.
    pub multiple_token: bool,
    /// The version that deprecated it; empty if none.
    pub deprecated_since: &'static str,
}

impl Arg {
    /// An argument of the given kind.
    pub const fn new(name: &'static str, kind: ArgKind) -> Arg {
        Arg {
            name,
            display: name,
            kind,
            token: "",
            since: "",
            optional: false,
            multiple: false,
            multiple_token: false,
            deprecated_since: "",
        }
    }

    /// Any bytes.
    pub const fn string(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::String)
    }

    /// A whole number.
    pub const fn integer(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Integer)
    }

    /// A floating-point number.
    pub const fn double(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Double)
    }

    /// A key, found by the key specification of the given index.
    pub const fn key(name: &'static str, key_spec: u8) -> Arg {
        Arg::new(name, ArgKind::Key(key_spec))
    }

    /// A glob-style pattern.
    pub const fn pattern(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Pattern)
    }

    /// A point in time.
    pub const fn unix_time(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::UnixTime)
    }

    /// A bare keyword.
    pub const fn word(name: &'static str, token: &'static str) -> Arg {
        Arg::new(name, ArgKind::PureToken).token(token)
    }

    /// One of several.
    pub const fn one_of(name: &'static str, choices: &'static [Arg]) -> Arg {
        Arg::new(name, ArgKind::OneOf(choices))
    }

    /// Several in a row.
    pub const fn block(name: &'static str, parts: &'static [Arg]) -> Arg {
        Arg::new(name, ArgKind::Block(parts))
    }

    /// The same after a keyword.
    #[must_use]
    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = token;
        self
    }

    /// The same under another name when shown.
    #[must_use]
    pub const fn display(mut self, display: &'static str) -> Arg {
        self.display = display;
        self
    }

    /// The same, known since a later version than the command.
    #[must_use]
    pub const fn since(mut self, version: &'static str) -> Arg {
        self.since = version;
        self
    }

    /// The same, deprecated since a version.
    #[must_use]
    pub const fn deprecated_since(mut self, version: &'static str) -> Arg {
        self.deprecated_since = version;
        self
    }

    /// The same, optional.
    #[must_use]
    pub const fn optional(mut self) -> Arg {
        self.optional = true;
        self
    }

    /// The same, once or more.
    #[must_use]
    pub const fn multiple(mut self) -> Arg {
        self.multiple = true;
        self
    }

    /// The same, once or more, each time with its keyword.
    #[must_use]
    pub const fn multiple_token(mut self) -> Arg {
        self.multiple = true;
        self.multiple_token = true;
        self
    }
}
