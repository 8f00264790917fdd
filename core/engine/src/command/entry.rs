//! Entries of families' lists, and the table that is made of them when the program is compiled.

use crate::args::Args;
use crate::command::{Command, Ctx, Flow};
use crate::error::CmdError;
use crate::table::{Categories, Row, Spec};

/// Parses the arguments of a command and executes it.
pub(crate) type Run = fn(&mut Args<'_>, &mut Ctx<'_>) -> Result<Flow, CmdError>;

/// One command in the list of its family.
pub struct Entry {
    /// What is known of it.
    pub spec: Spec,
    run: Option<Run>,
    /// The subcommands of a container command such as `XGROUP`, sorted by name; empty otherwise.
    pub subcommands: &'static [Entry],
}

impl Entry {
    /// Returns whether the command only holds subcommands.
    pub fn is_container(&self) -> bool {
        self.run.is_none()
    }

    /// The ACL categories.
    pub fn acl_categories(&self) -> Categories {
        self.spec.acl_categories(self.is_container())
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

/// Nothing is admitted that only holds subcommands.
fn holds_subcommands(_: &mut Args<'_>, _: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    Err(CmdError::Syntax)
}

fn run<C: Command>(args: &mut Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let cmd = C::parse(args)?;
    args.finish()?;
    C::execute(cmd, ctx)
}

/// All commands that an engine knows: their rows, and what runs them, by number.
#[derive(Debug, Clone, Copy)]
pub struct CommandTable {
    rows: &'static [Row],
    runs: &'static [Run],
}

impl CommandTable {
    /// No command at all: for engines that only apply effects.
    pub const EMPTY: CommandTable = CommandTable {
        rows: &[],
        runs: &[],
    };

    /// The table of entries that were numbered.
    pub const fn of<const N: usize>(numbered: &'static Numbered<N>) -> CommandTable {
        CommandTable {
            rows: &numbered.rows,
            runs: &numbered.runs,
        }
    }

    /// Every command with its subcommands after it, in the order of their numbers.
    pub fn rows(&self) -> &'static [Row] {
        self.rows
    }

    /// What runs a command.
    #[inline]
    pub(crate) fn run_of(&self, row: &Row) -> Run {
        self.runs[usize::from(row.number)]
    }
}

/// The entries of families, each command with its subcommands after it.
#[derive(Debug)]
pub struct Numbered<const N: usize> {
    rows: [Row; N],
    runs: [Run; N],
}

/// Returns how many commands and subcommands families have: the length of [`Numbered`].
pub const fn count(families: &[&[Entry]]) -> usize {
    let (mut count, mut family) = (0, 0);
    while family < families.len() {
        let mut index = 0;
        while index < families[family].len() {
            count += 1 + families[family][index].subcommands.len();
            index += 1;
        }
        family += 1;
    }
    count
}

impl<const N: usize> Numbered<N> {
    /// Numbers the entries of families, of which there are [`count`].
    pub const fn new(families: &'static [&'static [Entry]]) -> Numbered<N> {
        let mut numbered = Numbered {
            rows: [Row::new(&families[0][0].spec, "", 0, 0); N],
            runs: [holds_subcommands; N],
        };
        let (mut next, mut family) = (0, 0);
        while family < families.len() {
            let mut index = 0;
            while index < families[family].len() {
                let entry = &families[family][index];
                numbered.put(next, entry, "");
                next += 1;
                let mut sub = 0;
                while sub < entry.subcommands.len() {
                    numbered.put(next, &entry.subcommands[sub], entry.spec.name);
                    next += 1;
                    sub += 1;
                }
                index += 1;
            }
            family += 1;
        }
        numbered
    }

    const fn put(&mut self, at: usize, entry: &'static Entry, container: &'static str) {
        let row = Row::new(&entry.spec, container, at, entry.subcommands.len());
        match entry.run {
            Some(run) => {
                self.rows[at] = row;
                self.runs[at] = run;
            }
            None => self.rows[at] = row.holding_subcommands(),
        }
    }
}
