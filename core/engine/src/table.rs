//! What a command is: one row of data ([`Spec`]), a pure parse and a decision.
//!
//! The row drives lookup, arity, ACL categories, `COMMAND INFO`, `COMMAND DOCS`, `COMMAND GETKEYS`,
//! transactions and, with the Markdown file beside the command's own, the generated reference page;
//! nothing about a command is written elsewhere.
//! A command is added by implementing [`Command`] in a file of its own and naming it once in
//! [`crate::commands::COMMANDS`].

mod flags;
mod grammar;
mod keys;

use crate::args::Args;
use crate::ctx::Ctx;
use crate::error::CmdError;

pub use flags::{Categories, Flags, Group};
pub use grammar::{Arg, ArgKind};
pub use keys::{BeginSearch, FindKeys, KeyFlags, KeySpec};

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
    /// Whether all that it can write frees memory, so that it is accepted where the disk is full. What it
    /// takes away is not in its reply, and doing it again and again does not go on and on writing.
    pub frees: bool,
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
            frees: false,
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
