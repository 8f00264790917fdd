//! How a name finds its row of the command table.

use hashbrown::HashTable;
use resp::Argv;

use crate::fold::{folded, is_told};
use crate::table::rename::RenameFault;
use crate::table::{Categories, Named, Spec};

/// A command or subcommand, and its number for counters.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is.
    pub spec: &'static Spec,
    /// Its own part of the name by which clients call it: that of its [`Spec`], unless the
    /// command was renamed.
    pub name: &'static str,
    /// The name of the command that it is a subcommand of; empty if it is not one.
    pub container: &'static str,
    /// Index of its counters in [`crate::server::Server::command_stats`].
    pub number: u16,
    /// The number of subcommands; their rows come after its own.
    subcommands: u16,
    /// It only holds subcommands, and does nothing of its own.
    is_container: bool,
    /// What [`folded`] makes of its own part of the name.
    folded: u64,
    /// That distinguishes the name from all others of its length.
    is_told: bool,
    /// What its requests name that not every user may use.
    pub(crate) named: Named,
}

impl Row {
    /// The row of a command that does something.
    pub(crate) const fn new(
        spec: &'static Spec,
        container: &'static str,
        number: usize,
        subcommands: usize,
    ) -> Row {
        let name = spec.name.as_bytes();
        Row {
            spec,
            name: spec.name,
            container,
            number: number as u16,
            subcommands: subcommands as u16,
            is_container: false,
            folded: folded(name),
            is_told: is_told(name),
            named: Named::by(spec),
        }
    }

    /// The same command by another name.
    fn renamed(&self, name: &'static str) -> Row {
        Row {
            name,
            folded: folded(name.as_bytes()),
            is_told: is_told(name.as_bytes()),
            ..*self
        }
    }

    /// The same for one that only holds subcommands.
    pub(crate) const fn holding_subcommands(mut self) -> Row {
        self.is_container = true;
        self
    }

    /// Returns whether the command only holds subcommands.
    #[inline]
    pub fn is_container(&self) -> bool {
        self.is_container
    }

    /// The number of subcommands.
    #[inline]
    pub fn subcommand_count(&self) -> usize {
        usize::from(self.subcommands)
    }

    /// The ACL categories.
    pub fn acl_categories(&self) -> Categories {
        self.spec.acl_categories(self.is_container)
    }

    /// Returns whether this is a command that is called by that name, in any case of letters, and
    /// not a subcommand.
    #[inline]
    pub fn is_called(&self, name: &[u8]) -> bool {
        self.container.is_empty() && self.has_name(name)
    }

    /// `xgroup|create` for a subcommand, `get` for a command, whatever was renamed.
    pub fn full_name(&self) -> String {
        match self.container {
            "" => self.spec.name.to_owned(),
            container => format!("{container}|{}", self.spec.name),
        }
    }

    /// Returns whether its own part of the name is this one, in any case of letters.
    #[inline]
    fn has_name(&self, name: &[u8]) -> bool {
        let own = self.name.as_bytes();
        own.len() == name.len()
            && self.folded == folded(name)
            && (self.is_told || own.eq_ignore_ascii_case(name))
    }
}

/// Every command with its subcommands after it, in the order of their numbers.
#[derive(Debug, Clone, Copy)]
pub struct Rows(&'static [Row]);

impl Rows {
    /// The subcommands of a command.
    #[inline]
    pub fn subcommands(self, command: &Row) -> &'static [Row] {
        let first = usize::from(command.number) + 1;
        &self.0[first..first + command.subcommand_count()]
    }
}

/// Finds commands by name, in any case of letters.
///
/// Commands can be renamed or disabled, which changes what clients call and nothing else: rules of
/// users and the journal have the names of the table.
#[derive(Debug)]
pub struct CommandIndex {
    rows: Rows,
    /// By the names that clients use.
    called: HashTable<&'static Row>,
    /// By the names of the table.
    own: HashTable<&'static Row>,
    /// The numbers of the commands that cannot be called.
    disabled: Vec<u16>,
}

impl CommandIndex {
    /// An index of commands with their subcommands after each, in the order of their numbers.
    pub fn new(rows: &'static [Row]) -> CommandIndex {
        let mut own = HashTable::new();
        for row in rows.iter().filter(|row| row.container.is_empty()) {
            own.insert_unique(hash(row.folded), row, |row| hash(row.folded));
        }
        CommandIndex {
            rows: Rows(rows),
            called: own.clone(),
            own,
            disabled: Vec::new(),
        }
    }

    /// Lets a command be called by another name instead, or by none if that is empty. This is for
    /// the start of a server: the new name is kept for as long as the process runs.
    ///
    /// # Errors
    /// No command is called `name`, or another one is called `new`.
    pub fn rename(&mut self, name: &str, new: &str) -> Result<(), RenameFault> {
        let row = self.find(name.as_bytes()).ok_or(RenameFault::Unknown)?;
        let taken = self.find(new.as_bytes());
        if taken.is_some_and(|taken| taken.number != row.number) {
            return Err(RenameFault::Taken);
        }
        let place = |other: &&'static Row| other.number == row.number;
        if let Ok(found) = self.called.find_entry(hash(row.folded), place) {
            found.remove();
        }
        if new.is_empty() {
            self.disabled.push(row.number);
        } else {
            // Rows outlive the requests that they are found for; these are few.
            let name = Box::leak(Box::<str>::from(new));
            let row: &'static Row = Box::leak(Box::new(row.renamed(name)));
            let called = &mut self.called;
            called.insert_unique(hash(row.folded), row, |row| hash(row.folded));
        }
        Ok(())
    }

    /// The command that clients call by that name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&'static Row> {
        let hash = hash(folded(name));
        self.called.find(hash, |row| row.has_name(name)).copied()
    }

    /// The command that has that name in the table.
    fn find_own(&self, name: &[u8]) -> Option<&'static Row> {
        let hash = hash(folded(name));
        self.own.find(hash, |row| row.has_name(name)).copied()
    }

    /// Every command with its subcommands after it, in the order of their counters.
    pub fn iter(&self) -> impl Iterator<Item = &'static Row> + use<> {
        self.rows.0.iter()
    }

    /// All rows.
    pub fn rows(&self) -> Rows {
        self.rows
    }

    /// Every command that can be called and is not a subcommand.
    pub fn commands(&self) -> impl Iterator<Item = &'static Row> {
        self.iter()
            .filter(|row| row.container.is_empty() && !self.disabled.contains(&row.number))
    }

    /// The command or subcommand that clients call by a full name, `get` or `xgroup|create`.
    pub fn find_full(&self, name: &[u8]) -> Option<&'static Row> {
        match split_full(name) {
            (command, None) => self.find(command),
            (command, Some(sub)) => self.subcommand(self.find(command)?, sub),
        }
    }

    /// The command or subcommand that has a full name in the table, whatever was renamed.
    pub fn find_own_full(&self, name: &[u8]) -> Option<&'static Row> {
        match split_full(name) {
            (command, None) => self.find_own(command),
            (command, Some(sub)) => self.subcommand(self.find_own(command)?, sub),
        }
    }

    /// The command or subcommand that a request names, and the position of its first argument.
    pub fn find_request(&self, argv: Argv<'_>) -> Option<(&'static Row, usize)> {
        let command = self.find(argv.get(0)?)?;
        match argv.get(1) {
            Some(sub) if command.subcommand_count() > 0 => {
                Some((self.subcommand(command, sub)?, 2))
            }
            Some(_) | None => Some((command, 1)),
        }
    }

    /// The subcommands of a command.
    #[inline]
    pub fn subcommands(&self, command: &Row) -> &'static [Row] {
        self.rows.subcommands(command)
    }

    /// The subcommand of a command.
    pub fn subcommand(&self, command: &Row, name: &[u8]) -> Option<&'static Row> {
        let mut subcommands = self.subcommands(command).iter();
        subcommands.find(|row| row.has_name(name))
    }

    /// The command that a request names, or its subcommand. None if there is no such subcommand.
    pub fn find_for(&self, argv: Argv<'_>) -> Option<&'static Row> {
        let command = self.find(argv.get(0)?)?;
        match argv.get(1) {
            Some(name) if command.subcommand_count() > 0 => self.subcommand(command, name),
            Some(_) | None => Some(command),
        }
    }
}

/// The name of a command, and that of its subcommand behind a bar.
fn split_full(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().position(|byte| *byte == b'|') {
        None => (name, None),
        Some(bar) => (&name[..bar], Some(&name[bar + 1..])),
    }
}

#[inline]
fn hash(folded: u64) -> u64 {
    // An odd number whose high bits, which the table looks at, depend on all of the name.
    let spread = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    spread ^ (spread >> 32)
}
