//! Nodes: the runs of entries that approximate trimming removes whole.
//!
//! Redis stores a stream in nodes of at most 100 entries or 4096 bytes, and `MAXLEN ~` removes
//! whole ones, so applications have come to know the steps. Chunks here are larger; a node is only
//! a mark at its first entry. Bytes are counted roughly as Redis would store them.

use crate::StreamId;
use crate::chunk::Form;

/// When a node is full. 0 means no bound.
///
/// Redis' settings `stream-node-max-entries` and `stream-node-max-bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Entries in a node, deleted ones too.
    pub entries_max: u32,
    /// Bytes of a node as Redis would store it, roughly.
    pub bytes_max: u32,
}

impl NodeLimits {
    /// What Redis has unless told otherwise: 100 entries or 4096 bytes.
    pub const DEFAULT: NodeLimits = NodeLimits {
        entries_max: 100,
        bytes_max: 4096,
    };

    /// Returns how many entries approximate trimming removes at most unless told otherwise: those
    /// of a hundred nodes, but not more than a million.
    pub const fn trim_limit_default(self) -> u64 {
        match self.entries_max {
            0 => 10_000,
            entries_max @ 1..=10_000 => 100 * entries_max as u64,
            _ => 1_000_000,
        }
    }
}

/// Whether an entry begins a node or is in the one of the entry before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Begins,
    Continues,
}

/// The node that takes the next entry, unless it is full.
#[derive(Clone, Debug)]
pub(crate) struct OpenNode {
    first: StreamId,
    live: u64,
    entries: u32,
    bytes: u32,
}

impl OpenNode {
    /// There is none: the next entry begins one.
    pub(crate) const NONE: OpenNode = OpenNode {
        first: StreamId::MAX,
        live: 0,
        entries: 0,
        bytes: 0,
    };

    /// Counts an entry, into a new node if the open one is full.
    #[inline]
    pub(crate) fn append(&mut self, id: StreamId, form: Form, limits: NodeLimits) -> Node {
        let text_bytes = u32::try_from(form.body_bytes + form.shared_name_bytes);
        let text_bytes = text_bytes.unwrap_or(u32::MAX);
        let is_reached = |max: u32, value: u32| max != 0 && value >= max;
        self.live += 1;
        if self.live == 1
            || is_reached(limits.entries_max, self.entries)
            || is_reached(limits.bytes_max, self.bytes.saturating_add(text_bytes))
        {
            // The names stand at the start of the node.
            let bytes = text_bytes
                .saturating_add(NODE_BYTES)
                .saturating_add(entry_bytes(form));
            *self = OpenNode {
                first: id,
                live: 1,
                entries: 1,
                bytes,
            };
            return Node::Begins;
        }
        self.entries = self.entries.saturating_add(1);
        let body_bytes = u32::try_from(form.body_bytes).unwrap_or(u32::MAX);
        self.bytes = self
            .bytes
            .saturating_add(body_bytes)
            .saturating_add(entry_bytes(form));
        Node::Continues
    }

    /// An entry was deleted. A node without entries is none.
    #[inline]
    pub(crate) fn delete(&mut self, id: StreamId) {
        self.live -= u64::from(id >= self.first && self.live > 0);
    }

    /// The entries up to this ID were removed, and this many are left in the stream.
    #[inline]
    pub(crate) fn remove_through(&mut self, id: StreamId, left: u64) {
        if id >= self.first {
            self.live = left;
        }
    }
}

/// What Redis has at the start of a node, the names apart.
const NODE_BYTES: u32 = 15;

/// What an entry takes in Redis over what its texts take here: its ID, and a byte for each text.
#[inline]
fn entry_bytes(form: Form) -> u32 {
    u32::try_from(form.field_count)
        .unwrap_or(u32::MAX)
        .saturating_add(9)
}
