//! Nodes: the runs of entries that approximate trimming removes whole.
//!
//! Redis stores a stream in nodes of at most 100 entries or 4096 bytes, and `MAXLEN ~` removes
//! whole ones, so applications have come to know the steps. Chunks here are larger; a node is only
//! a mark at its first entry. Bytes are counted roughly as Redis would store them.

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
}

/// Whether an entry begins a node or is in the one of the entry before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Begins,
    Continues,
}

/// How full the node is that takes the next entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenNode {
    entries: u32,
    bytes: u32,
}

impl OpenNode {
    /// Nothing was appended yet.
    pub(crate) const EMPTY: OpenNode = OpenNode {
        entries: 0,
        bytes: 0,
    };

    /// Counts an entry, into a new node if the open one is full.
    #[inline]
    pub(crate) fn count(&mut self, form: Form, limits: NodeLimits) -> Node {
        let text_bytes = u32::try_from(form.body_bytes + form.shared_name_bytes);
        let text_bytes = text_bytes.unwrap_or(u32::MAX);
        let is_reached = |max: u32, value: u32| max != 0 && value >= max;
        if self.entries == 0
            || is_reached(limits.entries_max, self.entries)
            || is_reached(limits.bytes_max, self.bytes.saturating_add(text_bytes))
        {
            // The names stand at the head of the node.
            self.entries = 1;
            self.bytes = text_bytes.saturating_add(NODE_BYTES + entry_bytes(form));
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
}

/// What Redis has at the head of a node, the names apart.
const NODE_BYTES: u32 = 15;

/// What an entry takes in Redis over what its texts take here: its ID, and a byte for each text.
#[inline]
fn entry_bytes(form: Form) -> u32 {
    u32::try_from(form.field_count)
        .unwrap_or(u32::MAX)
        .saturating_add(8)
}
