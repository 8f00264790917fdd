//! What an episode is about: how often commands of each family are drawn, on keys of which type.

use super::Generator;

/// What an episode is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Focus {
    /// Everything, streams most.
    All,
    /// Lists most, and what can happen to any key.
    Lists,
    /// Sets most, likewise.
    Sets,
    /// Sorted sets most, likewise.
    #[value(name = "sorted-sets")]
    SortedSets,
    /// Hashes most, likewise.
    Hashes,
    /// HyperLogLogs most, likewise.
    #[value(name = "hyperloglogs")]
    HyperLogLogs,
    /// Places on the earth most, likewise.
    Places,
    /// SORT of lists, sets and sorted sets most, likewise.
    Sort,
    /// Scripts that call commands on all of them.
    Scripts,
}

pub(super) type Family = fn(&mut Generator);

impl Focus {
    /// Families of commands, with their weights.
    pub(super) fn families(self) -> &'static [(u32, Family)] {
        match self {
            Focus::All => &[
                (66, Generator::stream_command),
                (14, Generator::string_command),
                (7, Generator::keyspace_command),
                (7, Generator::transaction_command),
                (2, Generator::outlive),
                (6, Generator::list_command),
                (6, Generator::set_command),
                (4, Generator::sorted_set_command),
                (8, Generator::hash_command),
                (2, Generator::outlive_fields),
                (2, Generator::hyperloglog_command),
                (3, Generator::place_command),
                (2, Generator::sort_command),
                (3, Generator::script_command),
            ],
            Focus::Lists => &[
                (86, Generator::list_command),
                (2, Generator::string_command),
                (6, Generator::keyspace_command),
                (4, Generator::transaction_command),
                (2, Generator::outlive),
            ],
            Focus::Sets => &[
                (86, Generator::set_command),
                (2, Generator::string_command),
                (6, Generator::keyspace_command),
                (4, Generator::transaction_command),
                (2, Generator::outlive),
            ],
            Focus::SortedSets => &[
                (86, Generator::sorted_set_command),
                (2, Generator::string_command),
                (6, Generator::keyspace_command),
                (4, Generator::transaction_command),
                (2, Generator::outlive),
            ],
            Focus::Hashes => &[
                (70, Generator::hash_command),
                (14, Generator::outlive_fields),
                (4, Generator::string_command),
                (8, Generator::keyspace_command),
                (6, Generator::transaction_command),
                (2, Generator::outlive),
            ],
            Focus::HyperLogLogs => &[
                (80, Generator::hyperloglog_command),
                (4, Generator::string_command),
                (8, Generator::keyspace_command),
                (6, Generator::transaction_command),
                (2, Generator::outlive),
            ],
            Focus::Places => &[
                (86, Generator::place_command),
                (4, Generator::sorted_set_command),
                (5, Generator::keyspace_command),
                (3, Generator::transaction_command),
                (2, Generator::outlive),
            ],
            Focus::Sort => &[
                (88, Generator::sort_command),
                (8, Generator::sorted_set_command),
                (2, Generator::keyspace_command),
                (2, Generator::transaction_command),
            ],
            Focus::Scripts => &[
                (60, Generator::script_command),
                (10, Generator::stream_command),
                (6, Generator::string_command),
                (6, Generator::keyspace_command),
                (6, Generator::transaction_command),
                (2, Generator::outlive),
            ],
        }
    }

    /// Those that may meet a key whose time is over.
    pub(super) fn families_of_overdue(self) -> &'static [(u32, Family)] {
        match self {
            Focus::All => &[
                (3, Generator::string_command),
                (1, Generator::keyspace_command),
                (1, Generator::list_command),
                (1, Generator::set_command),
                (1, Generator::sorted_set_command),
                (1, Generator::hash_command),
                (1, Generator::stream_command),
                (1, Generator::hyperloglog_command),
                (1, Generator::place_command),
            ],
            Focus::Lists => &[
                (1, Generator::keyspace_command),
                (4, Generator::list_command),
            ],
            Focus::Sets => &[
                (1, Generator::keyspace_command),
                (4, Generator::set_command),
            ],
            Focus::SortedSets => &[
                (1, Generator::keyspace_command),
                (4, Generator::sorted_set_command),
            ],
            Focus::Hashes => &[
                (1, Generator::keyspace_command),
                (4, Generator::hash_command),
            ],
            Focus::HyperLogLogs => &[
                (1, Generator::keyspace_command),
                (4, Generator::hyperloglog_command),
            ],
            Focus::Places => &[
                (1, Generator::keyspace_command),
                (4, Generator::place_command),
            ],
            Focus::Sort => &[
                (1, Generator::keyspace_command),
                (4, Generator::sorted_set_command),
            ],
            Focus::Scripts => &[(1, Generator::script_command)],
        }
    }

    /// How often a key that may be any has each of the [types](super::KEYS).
    pub(super) fn weights_of_keys(self) -> [u32; super::KEYS.len()] {
        match self {
            Focus::All => [6, 3, 1, 1, 1, 1, 1, 1],
            Focus::Lists => [1, 1, 12, 1, 1, 1, 1, 1],
            Focus::Sets => [1, 1, 1, 12, 1, 1, 1, 1],
            Focus::SortedSets | Focus::Sort => [1, 1, 1, 1, 12, 1, 1, 1],
            Focus::Hashes => [1, 1, 1, 1, 1, 12, 1, 1],
            Focus::HyperLogLogs => [1, 1, 1, 1, 1, 1, 12, 1],
            Focus::Places => [1, 1, 1, 1, 1, 1, 1, 12],
            Focus::Scripts => [3, 3, 2, 2, 2, 2, 0, 0],
        }
    }

    /// How often, of 100, a client that may wait waits for something else than an entry.
    pub(super) fn waits_for_elements(self) -> u64 {
        match self {
            Focus::All => 40,
            Focus::Lists | Focus::SortedSets => 90,
            Focus::Sets
            | Focus::Hashes
            | Focus::HyperLogLogs
            | Focus::Places
            | Focus::Sort
            | Focus::Scripts => 0,
        }
    }
}
