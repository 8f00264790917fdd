//! The hash value: fields and their values.
//!
//! A [`Map`] with one thing more: a hash that Redis would keep as a listpack says so, whatever it
//! is kept in here. Once it has had too many fields or too long ones for that ([`Thresholds`]), it
//! never does again.
//!
//! A field may have a deadline, from which on it does not exist: [`Hash::as_of`] shows what does.
//! Deadlines are in memory of their own, so that a hash without them pays nothing.

mod expiring;
mod fields;
mod many;

use collections::hash::NameHasher;
use collections::map::{Copied, Entry, Iter, Longs};
use collections::{Element, Map};
use triomphe::Arc;

use crate::ahead::{Ahead, LEN_MIN, Sought};
use crate::label::Label;
use crate::thresholds::Thresholds;
use crate::typed::{SizeKind, Typed};
use crate::value::Value;

use expiring::Expiring;

pub use expiring::FIELD_DEADLINE_MS_MAX;
pub use fields::{Fields, Live};

/// Fields and their values.
#[derive(Clone)]
pub struct Hash(Repr);

#[derive(Clone)]
enum Repr {
    /// No field has ever had a deadline.
    Plain(Map<2>),
    Expiring(Arc<Expiring>),
}

// A value of a key has no more room.
const _: () = assert!(size_of::<Hash>() == 16);

/// What becomes of a field's deadline when it gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// It has none any more.
    Never,
    /// It is this one, in milliseconds since the epoch, at most [`FIELD_DEADLINE_MS_MAX`].
    At(u64),
    /// It stays as it is.
    Kept,
}

impl Default for Hash {
    fn default() -> Hash {
        Hash::new()
    }
}

impl Hash {
    /// No fields.
    pub const fn new() -> Hash {
        Hash(Repr::Plain(Map::new()))
    }

    /// A command sets this many fields, some perhaps twice: Redis decides by their number before it
    /// sets them.
    pub fn expect(&mut self, fields: usize, hasher: NameHasher, thresholds: &Thresholds) {
        if fields > thresholds.hash_max_listpack_entries {
            self.map_mut().spread(hasher);
        }
    }

    /// Gives a field this value and no deadline; returns whether the field is new. `hasher` as for
    /// [`Map::insert`].
    pub fn set(
        &mut self,
        field: &[u8],
        value: &[u8],
        hasher: NameHasher,
        thresholds: &Thresholds,
    ) -> bool {
        let deadline = Deadline::Never;
        self.set_with(field, value, deadline, hasher, thresholds, &mut Copied)
    }

    /// Gives a field this value and deadline, with long names and values from elsewhere, and for
    /// those that go.
    pub fn set_with(
        &mut self,
        field: &[u8],
        value: &[u8],
        deadline: Deadline,
        hasher: NameHasher,
        thresholds: &Thresholds,
        longs: &mut impl Longs,
    ) -> bool {
        let (is_new, before, after) = self.put(field, value, deadline, hasher, longs);
        if before != after {
            self.expiring_mut().note(field, before, after);
        }
        let is_long = field.len().max(value.len()) > thresholds.hash_max_listpack_value;
        if is_long || self.map().len() > thresholds.hash_max_listpack_entries {
            self.map_mut().spread(hasher);
        }
        is_new
    }

    /// Puts a field and its value in. Returns whether it is new, and which deadline it had and has,
    /// which is not in the order of these yet.
    #[inline]
    fn put(
        &mut self,
        field: &[u8],
        value: &[u8],
        deadline: Deadline,
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> (bool, Option<u64>, Option<u64>) {
        let parts = [field, value];
        if let (Repr::Plain(map), Deadline::Never | Deadline::Kept) = (&mut self.0, deadline) {
            return (map.insert_with(parts, hasher, longs), None, None);
        }
        let fields = &mut self.expiring_mut().fields;
        let before = fields.find(field).and_then(|it| it.date());
        let after = match deadline {
            Deadline::Never => None,
            Deadline::At(at) => Some(at.min(FIELD_DEADLINE_MS_MAX)),
            Deadline::Kept => before,
        };
        let is_new = fields.insert_dated(parts, after, hasher, longs);
        (is_new, before, after)
    }

    /// Gives a field this deadline, at most [`FIELD_DEADLINE_MS_MAX`], or none; returns whether the
    /// field is there.
    pub fn set_deadline(&mut self, field: &[u8], at: Option<u64>, hasher: NameHasher) -> bool {
        let at = at.map(|at| at.min(FIELD_DEADLINE_MS_MAX));
        let before = self.set_date(field, at, hasher);
        if let Some(before) = before
            && before != at
        {
            self.expiring_mut().note(field, before, at);
        }
        before.is_some()
    }

    /// Gives the entry of a field this date, or none; returns which it had, if the field is there.
    fn set_date(
        &mut self,
        field: &[u8],
        at: Option<u64>,
        hasher: NameHasher,
    ) -> Option<Option<u64>> {
        match &mut self.0 {
            // A frozen view is copied only for what changes.
            Repr::Expiring(expiring) if expiring.is_unique() => {
                Arc::make_mut(expiring).fields.set_date(field, at, hasher)
            }
            Repr::Plain(_) | Repr::Expiring(_) => {
                let before = self.map().find(field)?.date();
                if before != at {
                    self.expiring_mut().fields.set_date(field, at, hasher);
                }
                Some(before)
            }
        }
    }

    /// Is from now on, while it is small, what Redis keeps as a `listpackex`, whether a field has a
    /// deadline or not.
    pub fn mark_expiring(&mut self) {
        self.expiring_mut();
    }

    /// Takes a field out; returns whether it was there.
    pub fn remove(&mut self, field: &[u8], longs: &mut impl Longs) -> bool {
        let taken = self.take(field, longs);
        if let Some(before @ Some(_)) = taken {
            self.expiring_mut().note(field, before, None);
        }
        taken.is_some()
    }

    /// Takes a field out; returns its deadline, which is still in the order of these, if the field
    /// was there.
    fn take(&mut self, field: &[u8], longs: &mut impl Longs) -> Option<Option<u64>> {
        match &mut self.0 {
            Repr::Plain(map) => map.remove_with(field, longs).then_some(None),
            Repr::Expiring(expiring) => {
                if !expiring.is_unique() && expiring.fields.find(field).is_none() {
                    return None;
                }
                let mut before = None;
                let show = |entry: Entry<'_, 2>| before = entry.date();
                let fields = &mut Arc::make_mut(expiring).fields;
                let is_removed = fields.remove_shown(field, longs, show);
                is_removed.then_some(before)
            }
        }
    }

    /// The value of a field, whether its time is over or not.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        self.map()
            .find(field)
            .map(|entry: Entry<'_, 2>| entry.value())
    }

    /// The deadline of a field, if it has one.
    #[inline]
    pub fn deadline(&self, field: &[u8]) -> Option<u64> {
        let fields = &self.expiring()?.fields;
        fields.find(field).and_then(|entry| entry.date())
    }

    /// The number of fields, with those whose time is over.
    #[inline]
    pub fn len(&self) -> usize {
        self.map().len()
    }

    /// Returns whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.map().is_empty()
    }

    /// All fields, with those whose time is over: in the order in which they came as long as the
    /// hash is small.
    pub fn iter(&self) -> Iter<'_, 2> {
        self.map().iter()
    }

    /// Fields that have a deadline, with it, the first first.
    pub fn deadlines(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let expiring = self.expiring().into_iter();
        expiring.flat_map(Expiring::in_order)
    }

    /// Reads what will be read when these fields are set or removed, at most [`collections::STEP`]
    /// of them, if there are so many fields here that it pays.
    #[inline]
    pub fn look_ahead(&self, fields: &[&[u8]]) {
        fields::look_ahead(self.map(), fields);
    }

    /// Returns whether a field has a deadline.
    #[inline]
    pub fn has_deadlines(&self) -> bool {
        self.expiring().is_some_and(|expiring| expiring.len() > 0)
    }

    /// How many fields are over at this time and still there.
    #[inline]
    pub fn over(&self, now_ms: u64) -> usize {
        match self.expiring() {
            Some(expiring) if expiring.first_ms().is_some_and(|at| at <= now_ms) => {
                expiring.over(now_ms)
            }
            Some(_) | None => 0,
        }
    }

    /// Returns whether Redis would keep it as a listpack, of any kind.
    #[inline]
    pub fn is_listpack(&self) -> bool {
        !self.map().is_spread()
    }

    /// Returns whether a field has, or once had, a deadline.
    #[inline]
    pub fn was_expiring(&self) -> bool {
        self.expiring().is_some()
    }

    #[inline]
    fn map(&self) -> &Map<2> {
        match &self.0 {
            Repr::Plain(map) => map,
            Repr::Expiring(expiring) => &expiring.fields,
        }
    }

    fn map_mut(&mut self) -> &mut Map<2> {
        match &mut self.0 {
            Repr::Plain(map) => map,
            Repr::Expiring(expiring) => &mut Arc::make_mut(expiring).fields,
        }
    }

    #[inline]
    fn expiring(&self) -> Option<&Expiring> {
        match &self.0 {
            Repr::Plain(_) => None,
            Repr::Expiring(expiring) => Some(expiring),
        }
    }

    fn expiring_mut(&mut self) -> &mut Expiring {
        if let Repr::Plain(map) = &mut self.0 {
            self.0 = Repr::Expiring(Arc::new(Expiring::new(std::mem::take(map))));
        }
        match &mut self.0 {
            Repr::Expiring(expiring) => Arc::make_mut(expiring),
            Repr::Plain(_) => unreachable!("made expiring just above"),
        }
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts =
            |entry: Entry<'_, 2>| (entry.name().to_vec(), entry.value().to_vec(), entry.date());
        f.debug_list().entries(self.iter().map(parts)).finish()
    }
}

impl Typed for Hash {
    const NAME: &'static str = "hash";
    const SIZE_KIND: Option<SizeKind> = Some(SizeKind::Hashes);

    #[inline]
    fn of(value: &Value) -> Option<&Hash> {
        if let Value::Hash(_, hash) = value {
            Some(hash)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Hash> {
        if let Value::Hash(_, hash) = value {
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
        match (self.is_listpack(), self.was_expiring()) {
            (true, false) => "listpack",
            (true, true) => "listpackex",
            (false, _) => "hashtable",
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        let of_deadlines = self.expiring().map_or(0, |expiring| {
            size_of::<usize>() + size_of::<Expiring>() + expiring.deadline_bytes()
        });
        self.map().heap_bytes(samples) + of_deadlines
    }

    #[inline]
    fn weight(&self) -> usize {
        self.map().weight() + self.expiring().map_or(0, Expiring::deadline_weight)
    }

    /// The first of its fields' deadlines.
    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        self.expiring().and_then(Expiring::first_ms)
    }

    /// All fields have deadlines, and the last of these has come.
    #[inline]
    fn is_over(&self, now_ms: u64) -> bool {
        self.expiring().is_some_and(|expiring| {
            let dated = expiring.len();
            dated > 0 && dated == expiring.fields.len() && self.over(now_ms) == dated
        })
    }

    #[inline]
    fn has_expiring_parts(&self) -> bool {
        self.has_deadlines()
    }

    #[inline]
    fn prefetch(&self) {
        std::hint::black_box(self.len());
    }

    #[inline]
    fn ahead<'v>(&'v self, sought: Sought<'v>) -> Option<Ahead<'v>> {
        let Sought::Element(field) = sought else {
            return None;
        };
        // A name may be long, so it is not hashed for nothing.
        if self.len() < LEN_MIN {
            return None;
        }
        self.map().ahead(field).map(Ahead::field)
    }
}

impl From<Hash> for Value {
    #[inline]
    fn from(hash: Hash) -> Value {
        Value::Hash(Label::default(), hash)
    }
}

#[cfg(test)]
mod tests;
