//! Fields that have deadlines, and the order in which these come.

use collections::Map;
use collections::map::DATE_MAX;
use collections::sorted::{ByBytes, Sorted};
use smallvec::SmallVec;

/// The latest deadline of a field, in milliseconds since the epoch: as in Redis.
pub const FIELD_DEADLINE_MS_MAX: u64 = (1 << 46) - 1;

const _: () = assert!(FIELD_DEADLINE_MS_MAX <= DATE_MAX);

/// Bytes of a deadline in front of a field's name.
const DEADLINE_BYTES: usize = 6;

/// A deadline and a name of usual length.
const PLACE_BYTES: usize = 64;

/// The content of a hash of which some fields have, or once had, a deadline: the date of the entry.
#[derive(Clone, Default)]
pub(super) struct Expiring {
    pub(super) fields: Map<2>,
    /// The deadline of each field that has one, the highest byte first, and then its name.
    deadlines: Sorted<ByBytes>,
}

impl Expiring {
    pub(super) fn new(fields: Map<2>) -> Expiring {
        Expiring {
            fields,
            deadlines: Sorted::new(),
        }
    }

    /// The deadline of a field has changed.
    pub(super) fn note(&mut self, field: &[u8], before: Option<u64>, after: Option<u64>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.deadlines.remove(&place(before, field));
        }
        if let Some(after) = after {
            self.deadlines.insert(&place(after, field));
        }
    }

    /// How many fields have a deadline.
    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// How many fields have one up to this time.
    pub(super) fn over(&self, over_ms: u64) -> usize {
        self.deadlines.rank_by(|text| deadline_of(text) <= over_ms)
    }

    /// The first deadline.
    #[inline]
    pub(super) fn first_ms(&self) -> Option<u64> {
        self.deadlines.get(0).map(deadline_of)
    }

    /// Fields and their deadlines, the first first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let parts = |text| (name_of(text), deadline_of(text));
        self.deadlines.iter().map(parts)
    }

    /// Memory of the deadlines, in bytes.
    pub(super) fn deadline_bytes(&self) -> usize {
        self.deadlines.heap_bytes()
    }

    /// About what of that is freed.
    pub(super) fn deadline_weight(&self) -> usize {
        self.deadlines.weight()
    }
}

fn place(deadline: u64, field: &[u8]) -> SmallVec<[u8; PLACE_BYTES]> {
    let bytes = deadline.to_be_bytes();
    let mut place = SmallVec::from_slice(&bytes[bytes.len() - DEADLINE_BYTES..]);
    place.extend_from_slice(field);
    place
}

fn deadline_of(text: &[u8]) -> u64 {
    let bytes = text.iter().take(DEADLINE_BYTES);
    bytes.fold(0, |deadline, byte| deadline << 8 | u64::from(*byte))
}

fn name_of(text: &[u8]) -> &[u8] {
    text.get(DEADLINE_BYTES..).unwrap_or_default()
}
