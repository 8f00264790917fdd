//! The hash value: fields and their values.
//!
//! A [`Map`] with one thing more: a hash that Redis would keep as a listpack says so, whatever it
//! is kept in here. Once it has had too many fields or too long ones for that ([`Thresholds`]), it
//! never does again.

use collections::hash::NameHasher;
use collections::map::{Copied, Entry, Iter, Longs};
use collections::{Element, Map};

use crate::thresholds::Thresholds;
use crate::typed::{SizeKind, Typed};
use crate::value::Value;

/// Fields and their values.
#[derive(Clone, Debug, Default)]
pub struct Hash(Map<2>);

impl Hash {
    /// No fields.
    pub const fn new() -> Hash {
        Hash(Map::new())
    }

    /// A command sets this many fields, some perhaps twice: Redis decides by their number before it
    /// sets them.
    pub fn expect(&mut self, fields: usize, hasher: NameHasher, thresholds: &Thresholds) {
        if fields > thresholds.hash_max_listpack_entries {
            self.0.spread(hasher);
        }
    }

    /// Gives a field this value; returns whether the field is new. `hasher` as for [`Map::insert`].
    pub fn set(
        &mut self,
        field: &[u8],
        value: &[u8],
        hasher: NameHasher,
        thresholds: &Thresholds,
    ) -> bool {
        self.set_with(field, value, hasher, thresholds, &mut Copied)
    }

    /// The same with long names and values from elsewhere, and for those that go.
    pub fn set_with(
        &mut self,
        field: &[u8],
        value: &[u8],
        hasher: NameHasher,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) -> bool {
        let is_new = self.0.insert_with([field, value], hasher, longs);
        let is_long = field.len().max(value.len()) > thresholds.hash_max_listpack_value;
        if is_long || self.0.len() > thresholds.hash_max_listpack_entries {
            self.0.spread(hasher);
        }
        is_new
    }

    /// Takes a field out; returns whether it was there.
    pub fn remove(&mut self, field: &[u8], longs: &mut impl Longs) -> bool {
        self.0.remove_with(field, longs)
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        self.0.find(field).map(|entry: Entry<'_, 2>| entry.value())
    }

    /// The number of fields.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All fields: in the order in which they came as long as the hash is small.
    pub fn iter(&self) -> Iter<'_, 2> {
        self.0.iter()
    }

    /// Returns whether Redis would keep it as a listpack.
    #[inline]
    pub fn is_listpack(&self) -> bool {
        !self.0.is_spread()
    }
}

impl Typed for Hash {
    const NAME: &'static str = "hash";
    const SIZE_KIND: Option<SizeKind> = Some(SizeKind::Hashes);

    #[inline]
    fn of(value: &Value) -> Option<&Hash> {
        if let Value::Hash(hash) = value {
            Some(hash)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Hash> {
        if let Value::Hash(hash) = value {
            Some(hash)
        } else {
            None
        }
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    fn encoding(&self, _: usize) -> &'static str {
        if self.is_listpack() {
            "listpack"
        } else {
            "hashtable"
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        self.0.heap_bytes(samples)
    }

    #[inline]
    fn weight(&self) -> usize {
        self.0.weight()
    }

    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    #[inline]
    fn prefetch(&self) {
        std::hint::black_box(self.len());
    }
}

impl From<Hash> for Value {
    #[inline]
    fn from(hash: Hash) -> Value {
        Value::Hash(hash)
    }
}
