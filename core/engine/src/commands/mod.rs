//! The list of commands, one line each, and how a name finds its row.

mod connection;
mod key;
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
    /// Index of its counters in [`crate::node::Node::command_stats`].
    pub number: u16,
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
            table.insert_unique(hash, Found { entry, number }, hash_of);
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

    /// The subcommand of a command.
    pub fn subcommand(&self, command: Found, name: &[u8]) -> Option<Found> {
        let position = command
            .entry
            .subcommands
            .iter()
            .position(|entry| entry.spec.name.as_bytes().eq_ignore_ascii_case(name))?;
        Some(Found {
            entry: &command.entry.subcommands[position],
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
