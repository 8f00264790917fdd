//! The set value: members in no order.
//!
//! Integers, if they are not many, are packed in ascending order; all else is a [`Map`] of names.
//! Very few integers are a map too, in their order. A set says in which of its forms Redis would
//! keep it, which depends on what it once had: from an intset to a listpack to a hash table there
//! is no way back.

mod combine;
mod sample;

use collections::hash::NameHasher;
use collections::integers;
use collections::map::{self, Copied, Longs};
use collections::{Element, Integers, Map, in_steps, parse_integer};
use triomphe::Arc;

use crate::ahead::{Ahead, LEN_MIN, Sought};
use crate::label::Label;
use crate::thresholds::Thresholds;
use crate::typed::{SizeKind, Typed};
use crate::value::Value;

pub use combine::Combination;
pub use sample::Member;

/// Up to how many integers are an ordered map, which has no head as [`Integers`] do.
const FEW_INTEGERS_MAX: usize = 12;

/// How many integers are packed at most, whatever the settings are: a write moves half of them.
const PACKED_LEN_MAX: usize = 512;

/// Members, each of them once.
#[derive(Clone, Debug)]
pub struct Set(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// An intset that is neither small nor large.
    Integers(Integers),
    /// An intset by the settings, with more integers than are packed.
    ManyIntegers(Arc<Map<1>>),
    /// A listpack, or once it is spread a hash table; an intset as long as it is ordered.
    Members(Map<1>),
}

// A value of a key has no more room.
const _: () = assert!(size_of::<Set>() == 16);

/// In which form Redis would keep a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetForm {
    /// Integers in ascending order.
    Intset,
    /// Few short members in the order in which they came.
    Listpack,
    /// Anything.
    Hashtable,
}

/// What a set needs to know to grow.
#[derive(Clone, Copy, Debug)]
pub struct Growth<'a> {
    /// As for [`Map::insert`].
    pub hasher: NameHasher,
    /// The settings.
    pub thresholds: &'a Thresholds,
}

impl Default for Set {
    fn default() -> Set {
        Set::new()
    }
}

impl Set {
    /// No members.
    pub const fn new() -> Set {
        Set(Repr::Members(Map::new()))
    }

    /// The first of this many members that are to be added, whether they are different or not.
    pub fn begin(first: &[u8], count: usize, growth: Growth<'_>, longs: &mut impl Longs) -> Set {
        let Thresholds {
            set_max_intset_entries,
            set_max_listpack_entries,
            ..
        } = *growth.thresholds;
        if count <= set_max_intset_entries
            && let Some(integer) = parse_integer(first)
        {
            return Set(Repr::Members(Map::of_integer(integer)));
        }
        let mut map = Map::new();
        map.insert_with([first], growth.hasher, longs);
        let mut set = Set(Repr::Members(map));
        if count > set_max_listpack_entries {
            set.spread(growth.hasher);
        }
        set.outgrow(first.len(), growth);
        set
    }

    /// Gets ready for `count` members to be added, which `member` gives by their number. A form
    /// that does not hold as many is left at once if one of them is new, even if most are not.
    pub fn expect<'m>(
        &mut self,
        count: usize,
        member: impl Fn(usize) -> Option<&'m [u8]>,
        growth: Growth<'_>,
    ) {
        let is_new = |it: usize| member(it).is_some_and(|member| !self.contains(member));
        if self.is_beyond(count, growth.thresholds) && (0..count).any(is_new) {
            self.spread(growth.hasher);
        }
    }

    /// Leaves the form that a file has it in, if that does not hold as many by the settings.
    pub fn fit(&mut self, growth: Growth<'_>) {
        if self.is_beyond(self.len(), growth.thresholds) {
            self.spread(growth.hasher);
        }
    }

    /// Returns whether its form does not hold this many.
    fn is_beyond(&self, count: usize, thresholds: &Thresholds) -> bool {
        match self.form() {
            SetForm::Intset => count > thresholds.set_max_intset_entries,
            SetForm::Listpack => count > thresholds.set_max_listpack_entries,
            SetForm::Hashtable => false,
        }
    }

    /// Adds a member; returns whether it is new.
    pub fn add(&mut self, member: &[u8], growth: Growth<'_>) -> bool {
        self.add_with(member, growth, &mut Copied)
    }

    /// The same with long members from elsewhere.
    #[inline]
    pub fn add_with(&mut self, member: &[u8], growth: Growth<'_>, longs: &mut impl Longs) -> bool {
        match &mut self.0 {
            Repr::Members(map) if map.is_empty() && !map.is_spread() => {
                *self = Set::begin(member, 1, growth, longs);
                true
            }
            Repr::Members(map) if !map.is_ordered() => {
                let is_new = map.insert_with([member], growth.hasher, longs);
                if is_new && !map.is_spread() {
                    self.outgrow(member.len(), growth);
                }
                is_new
            }
            Repr::Members(_) | Repr::Integers(_) | Repr::ManyIntegers(_) => {
                match parse_integer(member) {
                    Some(integer) => self.add_integer(integer, growth),
                    None => self.add_text(member, growth, longs),
                }
            }
        }
    }

    /// Adds `count` members, which `member_of` gives by number; returns how many are new.
    pub fn add_each<'m>(
        &mut self,
        count: usize,
        member_of: impl Fn(usize) -> &'m [u8],
        growth: Growth<'_>,
        longs: &mut impl Longs,
    ) -> usize {
        if let Repr::Members(map) = &mut self.0
            && let Some(order) = map.order_of((0..count).map(&member_of))
        {
            return map.insert_each(&order, |number| [member_of(number)], longs);
        }
        let mut added = 0;
        let add = |set: &mut Set, number| {
            added += usize::from(set.add_with(member_of(number), growth, longs));
        };
        in_steps(self, 0..count, &member_of, Set::look_ahead, add);
        added
    }

    /// Takes `count` members out, which `member_of` gives by number; returns how many there were.
    pub fn remove_each<'m>(
        &mut self,
        count: usize,
        member_of: impl Fn(usize) -> &'m [u8],
        longs: &mut impl Longs,
    ) -> usize {
        let order = match &self.0 {
            Repr::Members(map) => map.order_of((0..count).map(&member_of)),
            Repr::Integers(_) | Repr::ManyIntegers(_) => None,
        };
        let mut removed = 0;
        let mut remove = |set: &mut Set, number| {
            removed += usize::from(set.remove(member_of(number), longs));
        };
        match order {
            Some(order) => order.for_each(&member_of, |number| remove(self, number)),
            None => in_steps(self, 0..count, &member_of, Set::look_ahead, remove),
        }
        removed
    }

    /// Reads what will be read when these members are added, removed or looked for, at most
    /// [`collections::STEP`] of them, if there are so many members here that it pays.
    #[inline]
    pub fn look_ahead(&self, members: &[&[u8]]) {
        if let Repr::Members(map) = &self.0
            && map.len() >= LEN_MIN
        {
            map.look_ahead(members);
        }
    }

    /// Adds a member to what is a listpack in a file; returns whether it is new.
    pub fn add_to_listpack(&mut self, member: &[u8], hasher: NameHasher) -> bool {
        self.members_mut(hasher)
            .insert_with([member], hasher, &mut Copied)
    }

    /// Takes a member out; returns whether it was there.
    #[inline]
    pub fn remove(&mut self, member: &[u8], longs: &mut impl Longs) -> bool {
        match &mut self.0 {
            Repr::Members(map) => map.remove_with(member, longs),
            Repr::Integers(integers) => parse_integer(member).is_some_and(|it| integers.remove(it)),
            Repr::ManyIntegers(map) => {
                map.find(member).is_some() && Arc::make_mut(map).remove_with(member, longs)
            }
        }
    }

    /// Returns whether there is such a member.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.0 {
            Repr::Members(map) => map.find(member).is_some(),
            Repr::Integers(integers) => {
                parse_integer(member).is_some_and(|it| integers.contains(it))
            }
            Repr::ManyIntegers(map) => map.find(member).is_some(),
        }
    }

    /// The same of a member of another set.
    #[inline]
    pub fn has(&self, member: Element<'_>) -> bool {
        match &self.0 {
            Repr::Members(map) => member.with_bytes(|it| map.find(it).is_some()),
            Repr::Integers(integers) => member.as_integer().is_some_and(|it| integers.contains(it)),
            Repr::ManyIntegers(map) => member.with_bytes(|it| map.find(it).is_some()),
        }
    }

    /// Shows about `count` members from `cursor` on, and returns the cursor for the next step, 0 at
    /// the end. What is there from the first step to the last is shown, whatever else happens to
    /// the set in between. One that is small is shown at once.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(Element<'_>)) -> u64 {
        match &self.0 {
            Repr::Members(map) => map.scan(cursor, count, |entry| f(entry.name())),
            Repr::Integers(integers) => {
                integers.iter().for_each(|it| f(Element::Integer(it)));
                0
            }
            Repr::ManyIntegers(map) => map.scan(cursor, count, |entry| f(entry.name())),
        }
    }

    /// The number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Members(map) => map.len(),
            Repr::Integers(integers) => integers.len(),
            Repr::ManyIntegers(map) => map.len(),
        }
    }

    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All members.
    #[inline]
    pub fn iter(&self) -> SetIter<'_> {
        SetIter(match &self.0 {
            Repr::Members(map) => Members::Map(map.iter()),
            Repr::Integers(integers) => Members::Integers(integers.iter()),
            Repr::ManyIntegers(map) => Members::Map(map.iter()),
        })
    }

    /// In which form Redis would keep it.
    #[inline]
    pub fn form(&self) -> SetForm {
        match &self.0 {
            Repr::Integers(_) | Repr::ManyIntegers(_) => SetForm::Intset,
            Repr::Members(map) if map.is_ordered() => SetForm::Intset,
            Repr::Members(map) if !map.is_spread() => SetForm::Listpack,
            Repr::Members(_) => SetForm::Hashtable,
        }
    }

    /// The members as a map, if they are one.
    fn map(&self) -> Option<&Map<1>> {
        match &self.0 {
            Repr::Members(map) => Some(map),
            Repr::ManyIntegers(map) => Some(map),
            Repr::Integers(_) => None,
        }
    }

    /// Adds an integer to an intset.
    fn add_integer(&mut self, integer: i64, growth: Growth<'_>) -> bool {
        let mut digits = itoa::Buffer::new();
        let text = digits.format(integer).as_bytes();
        let is_new = match &mut self.0 {
            Repr::Integers(integers) => integers.insert(integer),
            Repr::ManyIntegers(map) => {
                map.find(text).is_none() && Arc::make_mut(map).insert([text], growth.hasher)
            }
            Repr::Members(map) => map.insert_in_order(integer),
        };
        self.fit(growth);
        if let Repr::Members(map) = &self.0
            && map.is_ordered()
            && map.len() > FEW_INTEGERS_MAX
        {
            self.pack();
        }
        if let Repr::Integers(integers) = &self.0
            && integers.len() > PACKED_LEN_MAX
        {
            let map = std::mem::take(self.members_mut(growth.hasher));
            self.0 = Repr::ManyIntegers(Arc::new(map));
        }
        is_new
    }

    /// Is no longer a map, but packed.
    #[cold]
    fn pack(&mut self) {
        let mut integers = self.iter().filter_map(|it| it.as_integer());
        if let Some(first) = integers.next() {
            let mut packed = Integers::of(first);
            integers.for_each(|it| {
                packed.insert(it);
            });
            self.0 = Repr::Integers(packed);
        }
    }

    /// Adds what is no integer to an intset.
    fn add_text(&mut self, member: &[u8], growth: Growth<'_>, longs: &mut impl Longs) -> bool {
        let longest = self.iter().map(|it| it.len()).max().unwrap_or(0);
        let map = self.members_mut(growth.hasher);
        let is_new = map.insert_with([member], growth.hasher, longs);
        self.outgrow(longest.max(member.len()), growth);
        is_new
    }

    /// Leaves the form of a listpack if it does not hold what was just added.
    fn outgrow(&mut self, member_len: usize, growth: Growth<'_>) {
        let Thresholds {
            set_max_listpack_entries,
            set_max_listpack_value,
            ..
        } = *growth.thresholds;
        if member_len > set_max_listpack_value || self.len() > set_max_listpack_entries {
            self.spread(growth.hasher);
        }
    }

    fn spread(&mut self, hasher: NameHasher) {
        self.members_mut(hasher).spread(hasher);
    }

    /// The members as a map, which it is from now on.
    fn members_mut(&mut self, hasher: NameHasher) -> &mut Map<1> {
        match &mut self.0 {
            Repr::Members(map) => map.give_up_order(),
            Repr::Integers(integers) => {
                let mut map = Map::new();
                let mut digits = itoa::Buffer::new();
                for integer in integers.iter() {
                    map.insert([digits.format(integer).as_bytes()], hasher);
                }
                self.0 = Repr::Members(map);
            }
            Repr::ManyIntegers(map) => {
                let map = std::mem::take(Arc::make_mut(map));
                self.0 = Repr::Members(map);
            }
        }
        match &mut self.0 {
            Repr::Members(map) => map,
            Repr::Integers(_) | Repr::ManyIntegers(_) => unreachable!("made a map just above"),
        }
    }
}

/// The members of a [`Set`].
#[derive(Clone, Debug)]
pub struct SetIter<'a>(Members<'a>);

#[derive(Clone, Debug)]
enum Members<'a> {
    Map(map::Iter<'a, 1>),
    Integers(integers::Iter<'a>),
}

impl<'a> Iterator for SetIter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match &mut self.0 {
            Members::Map(entries) => entries.next().map(|entry| entry.name()),
            Members::Integers(integers) => integers.next().map(Element::Integer),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Members::Map(entries) => entries.size_hint(),
            Members::Integers(integers) => integers.size_hint(),
        }
    }
}

impl ExactSizeIterator for SetIter<'_> {}

impl Typed for Set {
    const NAME: &'static str = "set";
    const SIZE_KIND: Option<SizeKind> = Some(SizeKind::Sets);

    #[inline]
    fn of(value: &Value) -> Option<&Set> {
        if let Value::Set(_, set) = value {
            Some(set)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Set> {
        if let Value::Set(_, set) = value {
            Some(set)
        } else {
            None
        }
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    fn encoding(&self, _: usize) -> &'static str {
        match self.form() {
            SetForm::Intset => "intset",
            SetForm::Listpack => "listpack",
            SetForm::Hashtable => "hashtable",
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        match &self.0 {
            Repr::Members(map) => map.heap_bytes(samples),
            Repr::Integers(integers) => integers.heap_bytes(),
            Repr::ManyIntegers(map) => {
                size_of::<usize>() + size_of::<Map<1>>() + map.heap_bytes(samples)
            }
        }
    }

    #[inline]
    fn weight(&self) -> usize {
        match &self.0 {
            Repr::Members(map) => map.weight(),
            Repr::Integers(integers) => integers.heap_bytes(),
            Repr::ManyIntegers(map) => map.weight(),
        }
    }

    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    #[inline]
    fn prefetch(&self) {
        std::hint::black_box(self.len());
    }

    #[inline]
    fn ahead<'v>(&'v self, sought: Sought<'v>) -> Option<Ahead<'v>> {
        let (Repr::Members(members), Sought::Element(member)) = (&self.0, sought) else {
            return None;
        };
        // A member may be long, so it is not hashed for nothing.
        if members.len() < LEN_MIN {
            return None;
        }
        members.ahead(member).map(Ahead::member)
    }
}

impl From<Set> for Value {
    #[inline]
    fn from(set: Set) -> Value {
        Value::Set(Label::default(), set)
    }
}

#[cfg(test)]
mod tests;
