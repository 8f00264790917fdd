//! What is known of a command without running it: one row of data ([`Spec`]), and how a name finds
//! it.
//!
//! The row drives lookup, arity, ACL categories, `COMMAND INFO`, `COMMAND DOCS`, `COMMAND GETKEYS`,
//! transactions and, with the Markdown file beside the command's own, the generated reference page;
//! nothing about a command is written elsewhere. What a command does is not here
//! ([`crate::command`]), and neither is the list of all commands, which a crate above hands in.

mod find_keys;
mod flags;
mod grammar;
mod index;
mod keys;
mod redact;
mod rename;
mod rights;

use resp::Argv;

pub use find_keys::{FoundChannel, FoundKey, KeysNotFound, channels_of, keys_of, only_key};
pub(crate) use flags::flag_set;
pub use flags::{Categories, Flags, Group};
pub use grammar::{Arg, ArgKind, Secret};
pub use index::{CommandIndex, Row, Rows};
pub use keys::{BeginSearch, ChannelSpec, ChannelUse, FindKeys, KeyFlags, KeySpec};
pub use redact::redacted;
pub use rename::RenameFault;
pub(crate) use rights::Named;
pub use rights::Rights;

/// What is known about a command without running it. Source: `commands.json`, compared by a test.
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
    /// Everything that it can write frees memory, so it is accepted when the disk is full. What it
    /// removes must not be in its reply, and repeating it must not write again each time.
    pub frees: bool,
    /// ACL categories beside those that [`Spec::flags`] and [`Spec::group`] imply.
    pub categories: Categories,
    /// Where its keys are.
    pub keys: &'static [KeySpec],
    /// What a request does to its keys, where that depends on its options
    /// ([`KeyFlags::VARIABLE_FLAGS`]).
    pub key_flags: Option<fn(Argv<'_>) -> KeyFlags>,
    /// What it looks for in the value of its key.
    pub seeks: Seeks,
    /// Where names of channels stand.
    pub channels: &'static [ChannelSpec],
    /// Hints for clients and proxies.
    pub tips: &'static [&'static str],
    /// Changes by version.
    pub history: &'static [(&'static str, &'static str)],
    /// Set if Redis calls the command deprecated.
    pub deprecated: Option<Deprecated>,
    /// The argument grammar.
    pub args: &'static [Arg],
    /// How it compares with Redis.
    pub compat: Compat,
}

impl Spec {
    /// Returns whether it takes well below a microsecond unless it handles many bytes.
    #[inline]
    pub fn is_light(&self) -> bool {
        self.flags.has(Flags::FAST) || self.flags.has(Flags::LIGHT)
    }

    /// The ACL categories: what flags and family imply, and what the row adds. A command that only
    /// holds subcommands belongs to no family; WAIT is documented with keys, but is about the
    /// connection, and SORT about some types.
    pub fn acl_categories(&self, is_container: bool) -> Categories {
        let mut all = self.categories;
        let has_its_own = all.has(Categories::CONNECTION) || all.has(Categories::LIST);
        if !is_container && !has_its_own {
            all = all.and(self.group.category());
        }
        if self.flags.has(Flags::WRITE) {
            all = all.and(Categories::WRITE);
        }
        if self.flags.has(Flags::READONLY) && self.group != Group::Scripting {
            all = all.and(Categories::READ);
        }
        if self.flags.has(Flags::ADMIN) {
            all = all.and(Categories::ADMIN).and(Categories::DANGEROUS);
        }
        if self.flags.has(Flags::PUBSUB) {
            all = all.and(Categories::PUBSUB);
        }
        if self.flags.has(Flags::BLOCKING) {
            all = all.and(Categories::BLOCKING);
        }
        all.and(if self.flags.has(Flags::FAST) {
            Categories::FAST
        } else {
            Categories::SLOW
        })
    }

    /// A row with the given name and everything optional empty; completed with struct update
    /// syntax.
    pub const fn named(name: &'static str) -> Spec {
        Spec {
            name,
            summary: "",
            since: "1.0.0",
            group: Group::Generic,
            complexity: "O(1)",
            arity: Arity::AtLeast(1),
            flags: Flags::NONE,
            frees: false,
            categories: Categories::NONE,
            keys: &[],
            key_flags: None,
            seeks: Seeks::Nothing,
            channels: &[],
            tips: &[],
            history: &[],
            deprecated: None,
            args: &[],
            compat: Compat::Same,
        }
    }
}

/// What a command that begins with its key looks for in the value, or where else its keys are, so
/// that several requests can look for it together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeks {
    /// Nothing that can be known before.
    Nothing,
    /// The element that the argument behind the key names.
    Second,
    /// The element that the last argument names.
    Last,
    /// The same with its place in the order; if the argument behind the key is a number, also that
    /// of the element with this score.
    Placed,
    /// The element with the lowest score; each of several requests the next one.
    Lowest,
    /// Nothing in values: its keys come behind their number, as those of scripts do.
    CountedKeys,
}

/// How a command compares with Redis 8.6.3; the compatibility page is made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compat {
    /// The same replies and errors.
    Same,
    /// Differs on purpose, as the sentence says.
    Differs(&'static str),
    /// Redis has no such command.
    Own,
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
    /// Exactly this many.
    Exactly(u8),
    /// This many or more.
    AtLeast(u8),
}

impl Arity {
    /// Returns whether a request of `n` arguments fits.
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
