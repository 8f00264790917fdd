//! The list of commands, one line each, and how a name finds its row.

mod bitmap;
mod connection;
mod help;
mod key;
mod patience;
mod server;
mod stream;
mod string;
mod transaction;

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::table::Entry;

/// Every command, family by family; names are unique.
pub static COMMANDS: &[&[Entry]] = &[
    bitmap::COMMANDS,
    connection::COMMANDS,
    key::COMMANDS,
    server::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
];

/// Every command, in no particular order.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    COMMANDS.iter().flat_map(|family| family.iter())
}

/// A command or subcommand, and its number for counters.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The row.
    pub entry: &'static Entry,
    /// The name of the command that it is a subcommand of; empty if it is none.
    pub container: &'static str,
    /// Index of its counters in [`crate::node::Node::command_stats`].
    pub number: u16,
}

impl Found {
    /// Whether this is a command, and none's subcommand, of that name in any case of letters.
    #[inline]
    pub fn is_called(self, name: &[u8]) -> bool {
        self.container.is_empty() && self.entry.spec.name.as_bytes().eq_ignore_ascii_case(name)
    }

    /// `xgroup|create` for a subcommand, `get` for a command.
    pub fn full_name(self) -> String {
        match self.container {
            "" => self.entry.spec.name.to_owned(),
            container => format!("{container}|{}", self.entry.spec.name),
        }
    }
}

/// Finds commands by name, in any case of letters.
#[derive(Debug)]
pub struct CommandIndex {
    table: HashTable<Found>,
    count: usize,
}

impl CommandIndex {
    /// An index of all commands.
    pub fn new() -> CommandIndex {
        let mut table = HashTable::new();
        let mut number = 0;
        for entry in all() {
            let hash = hash(entry.spec.name.as_bytes());
            let found = Found {
                entry,
                container: "",
                number,
            };
            table.insert_unique(hash, found, hash_of);
            number += 1 + entry.subcommands.len() as u16;
        }
        CommandIndex {
            table,
            count: usize::from(number),
        }
    }

    /// How many counters there are: one for each command and subcommand.
    pub fn counters(&self) -> usize {
        self.count
    }

    /// The command of that name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<Found> {
        let hash = hash(name);
        self.table
            .find(hash, |found| {
                found.entry.spec.name.as_bytes().eq_ignore_ascii_case(name)
            })
            .copied()
    }

    /// The command or subcommand of a full name, `get` or `xgroup|create`.
    pub fn find_full(&self, name: &[u8]) -> Option<Found> {
        match name.iter().position(|byte| *byte == b'|') {
            None => self.find(name),
            Some(bar) => self.subcommand(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    /// Every command with its subcommands after it, in the order of their counters.
    pub fn iter(&self) -> impl Iterator<Item = Found> {
        let mut number = 0;
        all().flat_map(move |entry| {
            let first = number;
            number += 1 + entry.subcommands.len() as u16;
            let command = Found {
                entry,
                container: "",
                number: first,
            };
            let subcommands = entry.subcommands.iter().enumerate();
            std::iter::once(command).chain(subcommands.map(move |(index, sub)| Found {
                entry: sub,
                container: entry.spec.name,
                number: first + 1 + index as u16,
            }))
        })
    }

    /// The subcommand of a command.
    pub fn subcommand(&self, command: Found, name: &[u8]) -> Option<Found> {
        let position = command
            .entry
            .subcommands
            .iter()
            .position(|entry| entry.spec.name.as_bytes().eq_ignore_ascii_case(name))?;
        Some(Found {
            entry: &command.entry.subcommands[position],
            container: command.entry.spec.name,
            number: command.number + 1 + position as u16,
        })
    }
}

impl Default for CommandIndex {
    fn default() -> CommandIndex {
        CommandIndex::new()
    }
}

fn hash_of(found: &Found) -> u64 {
    hash(found.entry.spec.name.as_bytes())
}

/// A hash that is the same for upper and lower case. Names are short; setting bit 5 of every byte folds
/// letters, and merges no two names that exist.
#[inline]
fn hash(name: &[u8]) -> u64 {
    let mut folded = [0u8; 24];
    for (to, from) in folded.iter_mut().zip(name) {
        *to = from | 0x20;
    }
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(&folded[..name.len().min(24)]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn names_are_lower_case_sorted_within_a_family_and_unique() {
        let mut names: Vec<&str> = all().map(|entry| entry.spec.name).collect();
        for family in super::COMMANDS {
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
