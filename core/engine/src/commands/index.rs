//! How a name finds its row of the command table.

use hashbrown::HashTable;

use super::COMMANDS;
use crate::table::Entry;

/// A command or subcommand, and its number for counters.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is.
    pub entry: &'static Entry,
    /// The name of the command that it is a subcommand of; empty if it is none.
    pub container: &'static str,
    /// Index of its counters in [`crate::node::Node::command_stats`].
    pub number: u16,
    /// What [`folded`] makes of its own part of the name.
    folded: u64,
    /// Whether that tells the name from all others of its length.
    is_told: bool,
}

impl Row {
    /// Whether this is a command, and none's subcommand, of that name in any case of letters.
    #[inline]
    pub fn is_called(&self, name: &[u8]) -> bool {
        self.container.is_empty() && self.has_name(name)
    }

    /// `xgroup|create` for a subcommand, `get` for a command.
    pub fn full_name(&self) -> String {
        match self.container {
            "" => self.entry.spec.name.to_owned(),
            container => format!("{container}|{}", self.entry.spec.name),
        }
    }

    /// Whether its own part of the name is this one, in any case of letters.
    #[inline]
    fn has_name(&self, name: &[u8]) -> bool {
        let own = self.entry.spec.name.as_bytes();
        own.len() == name.len()
            && self.folded == folded(name)
            && (self.is_told || own.eq_ignore_ascii_case(name))
    }
}

/// Every command with its subcommands after it, in the order of their numbers.
static ROWS: [Row; ROW_COUNT] = make_rows();

const ROW_COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < COMMANDS.len() {
        let mut index = 0;
        while index < COMMANDS[family].len() {
            count += 1 + COMMANDS[family][index].subcommands.len();
            index += 1;
        }
        family += 1;
    }
    count
};

const fn make_rows() -> [Row; ROW_COUNT] {
    let mut rows = [row(&COMMANDS[0][0], "", 0); ROW_COUNT];
    let (mut next, mut family) = (0, 0);
    while family < COMMANDS.len() {
        let mut index = 0;
        while index < COMMANDS[family].len() {
            let entry = &COMMANDS[family][index];
            rows[next] = row(entry, "", next);
            next += 1;
            let mut sub = 0;
            while sub < entry.subcommands.len() {
                rows[next] = row(&entry.subcommands[sub], entry.spec.name, next);
                next += 1;
                sub += 1;
            }
            index += 1;
        }
        family += 1;
    }
    rows
}

const fn row(entry: &'static Entry, container: &'static str, number: usize) -> Row {
    let name = entry.spec.name.as_bytes();
    Row {
        entry,
        container,
        number: number as u16,
        folded: folded(name),
        is_told: name.len() <= FOLDED_WHOLE_BYTES_MAX && has_letters_only(name),
    }
}

const fn has_letters_only(name: &[u8]) -> bool {
    match name {
        [] => true,
        [first, rest @ ..] => first.is_ascii_alphabetic() && has_letters_only(rest),
    }
}

/// Finds commands by name, in any case of letters.
#[derive(Debug)]
pub struct CommandIndex {
    table: HashTable<&'static Row>,
}

impl CommandIndex {
    /// An index of all commands.
    pub fn new() -> CommandIndex {
        let mut table = HashTable::new();
        for row in ROWS.iter().filter(|row| row.container.is_empty()) {
            table.insert_unique(hash(row.folded), row, |row| hash(row.folded));
        }
        CommandIndex { table }
    }

    /// How many counters there are: one for each command and subcommand.
    pub fn counters(&self) -> usize {
        ROW_COUNT
    }

    /// The command of that name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&'static Row> {
        let hash = hash(folded(name));
        self.table.find(hash, |row| row.has_name(name)).copied()
    }

    /// Every command with its subcommands after it, in the order of their counters.
    pub fn iter(&self) -> impl Iterator<Item = &'static Row> {
        ROWS.iter()
    }

    /// The command or subcommand of a full name, `get` or `xgroup|create`.
    pub fn find_full(&self, name: &[u8]) -> Option<&'static Row> {
        match name.iter().position(|byte| *byte == b'|') {
            None => self.find(name),
            Some(bar) => self.subcommand(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    /// The subcommand of a command.
    pub fn subcommand(&self, command: &'static Row, name: &[u8]) -> Option<&'static Row> {
        let first = usize::from(command.number) + 1;
        let rows = &ROWS[first..first + command.entry.subcommands.len()];
        rows.iter().find(|row| row.has_name(name))
    }
}

impl Default for CommandIndex {
    fn default() -> CommandIndex {
        CommandIndex::new()
    }
}

/// Longest name that [`folded`] keeps whole.
const FOLDED_WHOLE_BYTES_MAX: usize = 8;

/// The first and last bytes of a name in a number that is the same for upper and lower case. Setting bit 5 of every
/// byte folds letters, and makes a letter of nothing else: so of two names of one length, up to
/// [`FOLDED_WHOLE_BYTES_MAX`], of which one has letters only, the numbers are equal only if the names are.
#[inline]
const fn folded(name: &[u8]) -> u64 {
    const FOLD: u64 = 0x2020_2020_2020_2020;
    let whole = match *name {
        [] => 0,
        [a] => u64::from_le_bytes([a, 0, 0, 0, 0, 0, 0, 0]),
        [a, b] => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
        [a, b, c] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
        [a, b, c, d, ..] => {
            let [.., w, x, y, z] = *name else {
                return 0;
            };
            u64::from_le_bytes([a, b, c, d, w, x, y, z])
        }
    };
    whole | FOLD
}

#[inline]
fn hash(folded: u64) -> u64 {
    // An odd number whose high bits, which the table looks at, depend on all of the name.
    let spread = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    spread ^ (spread >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_row_in_any_case_of_letters() {
        let index = CommandIndex::new();
        for (number, row) in ROWS.iter().enumerate() {
            assert_eq!(usize::from(row.number), number);
            let full_name = row.full_name();
            for name in [full_name.clone(), full_name.to_ascii_uppercase()] {
                let found = index.find_full(name.as_bytes()).unwrap();
                assert_eq!(found.number, row.number, "{name}");
            }
            let wrong = full_name.replace(|letter: char| letter.is_ascii_alphabetic(), "\u{1}");
            assert!(index.find_full(wrong.as_bytes()).is_none(), "{full_name}");
        }
    }

    #[test]
    fn a_letter_is_told_from_every_other_byte() {
        let index = CommandIndex::new();
        for name in ["get", "XADD", "no-evict", "xreadgroup"] {
            for at in 0..name.len() {
                for byte in 0..=u8::MAX {
                    let mut changed = name.as_bytes().to_vec();
                    changed[at] = byte;
                    let same = changed.eq_ignore_ascii_case(name.as_bytes());
                    let container = index.find(b"client");
                    let found = match name {
                        "no-evict" => index.subcommand(container.unwrap(), &changed),
                        _ => index.find(&changed),
                    };
                    let found =
                        found.is_some_and(|row| row.entry.spec.name.eq_ignore_ascii_case(name));
                    assert_eq!(found, same, "{}", changed.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn names_are_lower_case_sorted_within_a_family_and_unique() {
        let mut names: Vec<String> = ROWS.iter().map(Row::full_name).collect();
        for family in COMMANDS {
            assert!(family.is_sorted_by(|a, b| a.spec.name < b.spec.name));
            for entry in *family {
                assert!(
                    entry
                        .subcommands
                        .is_sorted_by(|a, b| a.spec.name < b.spec.name)
                );
            }
        }
        assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
