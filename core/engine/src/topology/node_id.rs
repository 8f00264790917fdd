//! The name of a node to clients.

use std::fmt;

/// How many digits a name has.
pub const NODE_ID_BYTES: usize = 40;

/// 40 hexadecimal digits, as clients of a cluster and of Sentinels expect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; NODE_ID_BYTES]);

impl NodeId {
    /// The name of the node that has this number in the group of this name. Each node works out
    /// the same, at each start.
    pub fn new(group: &str, number: u64) -> NodeId {
        NodeId::of("node", group, number)
    }

    pub(super) fn of(kind: &str, group: &str, number: u64) -> NodeId {
        let mut hash = sha1_smol::Sha1::new();
        hash.update(kind.as_bytes());
        hash.update(&number.to_le_bytes());
        hash.update(group.as_bytes());
        let mut digits = [0; NODE_ID_BYTES];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.digest().bytes()) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        NodeId(digits)
    }

    /// Reads a name.
    pub fn parse(text: &[u8]) -> Option<NodeId> {
        let digits: [u8; NODE_ID_BYTES] = text.try_into().ok()?;
        let is_name = digits.iter().all(u8::is_ascii_hexdigit);
        is_name.then_some(NodeId(digits))
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn hex_digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'a' + (value - 10),
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| {
            use fmt::Write;
            f.write_char(char::from(*digit))
        })
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
