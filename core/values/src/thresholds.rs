//! When Redis keeps a value in a compact form, by the settings of these names.
//!
//! Here they decide only what `OBJECT ENCODING` answers and as which type a value is written to
//! files: what a value is kept in follows its size alone.

/// Up to which size each type of values has a compact form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// How many fields a hash has at most that is a listpack.
    pub hash_max_listpack_entries: usize,
    /// How long their names and values are at most, in bytes.
    pub hash_max_listpack_value: usize,
    /// How many elements a list has at most that is a listpack; negative: from -1 to -5, for how
    /// many bytes from 4 KiB to 64 KiB they take at most.
    pub list_max_listpack_size: i32,
    /// How many nodes at each end of a list Redis does not compress; 0: it compresses none.
    pub list_compress_depth: u32,
    /// How many members a set of integers has at most that is an intset.
    pub set_max_intset_entries: usize,
    /// How many members a set has at most that is a listpack.
    pub set_max_listpack_entries: usize,
    /// How long they are at most, in bytes.
    pub set_max_listpack_value: usize,
    /// How many members a sorted set has at most that is a listpack.
    pub zset_max_listpack_entries: usize,
    /// How long they are at most, in bytes.
    pub zset_max_listpack_value: usize,
}

impl Thresholds {
    /// The defaults of Redis.
    pub const DEFAULT: Thresholds = Thresholds {
        hash_max_listpack_entries: 512,
        hash_max_listpack_value: 64,
        list_max_listpack_size: -2,
        list_compress_depth: 0,
        set_max_intset_entries: 512,
        set_max_listpack_entries: 128,
        set_max_listpack_value: 64,
        zset_max_listpack_entries: 128,
        zset_max_listpack_value: 64,
    };
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds::DEFAULT
    }
}
