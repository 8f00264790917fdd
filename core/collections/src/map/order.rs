//! In which order a large map is gone through for many names.
//!
//! Names whose hashes share a prefix are in one table. In the order of their hashes, each table is
//! read from memory once, and once the names of one are done, nothing comes back to it.

use super::{Map, Repr};
use crate::element::SHARED_BYTES_MIN;
use crate::steps::{STEP, touch};

/// Numbers of names by the hashes of these; of equal names, in the order in which they came.
#[derive(Debug)]
pub struct HashOrder {
    places: Vec<Place>,
}

/// Where a name is among others: the upper half is that of its hash, the lower one its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64);

/// How many names are worth it to be put into an order.
const NAMES_MIN: usize = 512;

/// A map with more entries for each name has mostly one of the names in a table.
const ENTRIES_PER_NAME_MAX: usize = 16;

const NUMBER_MASK: u64 = u32::MAX as u64;

impl Place {
    /// How many bits of the hash are known.
    pub(super) const PREFIX_BITS: u32 = u32::BITS;

    fn new(hash: u64, number: usize) -> Place {
        Place(hash & !NUMBER_MASK | number as u64)
    }

    /// The upper bits of the hash; zeros below.
    #[inline]
    pub(super) fn prefix(self) -> u64 {
        self.0 & !NUMBER_MASK
    }

    /// Returns whether both hashes have the same `depth` leading bits, as far as they are known.
    #[inline]
    pub(super) fn shares(self, other: Place, depth: u32) -> bool {
        let differs = self.prefix() ^ other.prefix();
        differs.leading_zeros() >= depth
    }

    #[inline]
    pub(super) fn number(self) -> usize {
        (self.0 & NUMBER_MASK) as usize
    }
}

impl<const PARTS: usize> Map<PARTS> {
    /// The order in which to look for these names here, or to change their entries; `None` where
    /// any other is as good. Never for a map that is not [spread](Map::spread): what comes there
    /// may have to stay in the order in which it came.
    pub fn order_of<'n>(
        &self,
        names: impl ExactSizeIterator<Item = &'n [u8]>,
    ) -> Option<HashOrder> {
        let count = names.len();
        let is_worth_it = count >= NAMES_MIN && self.len() / ENTRIES_PER_NAME_MAX <= count;
        let hasher = match &self.0 {
            Repr::Large(large) if large.is_spread && is_worth_it => large.hasher,
            Repr::Large(_) | Repr::Small(_) | Repr::Empty => return None,
        };
        u32::try_from(count).ok()?;
        let place = |(number, name): (usize, &[u8])| {
            // To hash a long name takes longer than to find its table by itself.
            let hash = match name.len() < SHARED_BYTES_MIN {
                true => hasher.hash(name),
                false => 0,
            };
            Place::new(hash, number)
        };
        let mut places: Vec<Place> = names.enumerate().map(place).collect();
        places.sort_unstable();
        Some(HashOrder { places })
    }
}

impl HashOrder {
    /// Calls `each` with each number. The names, which `name_of` gives by number, are read from
    /// memory a few at a time.
    #[inline]
    pub fn for_each<'n>(&self, name_of: impl Fn(usize) -> &'n [u8], mut each: impl FnMut(usize)) {
        self.for_each_beside(name_of, |number, _| each(number));
    }

    /// The same, and with each whether its name may be that of the number before it.
    #[inline]
    pub fn for_each_beside<'n>(
        &self,
        name_of: impl Fn(usize) -> &'n [u8],
        mut each: impl FnMut(usize, bool),
    ) {
        let mut before = None;
        for step in self.places.chunks(STEP) {
            touch(step.iter().map(|place| name_of(place.number())));
            for place in step {
                let is_alike = before.replace(place.prefix()) == Some(place.prefix());
                each(place.number(), is_alike);
            }
        }
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }
}
