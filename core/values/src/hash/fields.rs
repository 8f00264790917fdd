//! A hash as it is at a moment: without the fields whose time is over, though they are still there.

use std::ops::ControlFlow;

use collections::map::{Entry, Iter, SMALL_LEN_MAX};
use collections::{Element, Map, in_steps, try_in_steps};

use super::Hash;
use crate::ahead::LEN_MIN;

/// The fields that a hash has at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    map: &'a Map<2>,
    /// Fields with a deadline up to this are over. 0: there are none of these.
    over_ms: u64,
    /// How many are over.
    over: usize,
}

impl Hash {
    /// The fields that the hash has at this time; at 0, all that are there.
    #[inline]
    pub fn as_of(&self, now_ms: u64) -> Fields<'_> {
        let map = self.map();
        let over = self.over(now_ms);
        let over_ms = if over > 0 { now_ms } else { 0 };
        Fields { map, over_ms, over }
    }
}

/// No fields at all.
static NONE: Map<2> = Map::new();

impl<'a> Fields<'a> {
    /// Those of a hash that is missing.
    pub const NONE: Fields<'static> = Fields {
        map: &NONE,
        over_ms: 0,
        over: 0,
    };

    /// How many fields are there, with those whose time is over.
    #[inline]
    pub fn stored_len(&self) -> usize {
        self.map.len()
    }

    /// All fields that are there, with those whose time is over.
    pub fn stored(&self) -> Iter<'a, 2> {
        self.map.iter()
    }

    /// A field with its value and deadline.
    #[inline]
    pub fn find(&self, field: &[u8]) -> Option<Entry<'a, 2>> {
        let found = self.map.find(field)?;
        self.has(&found).then_some(found)
    }

    /// A field with its value and deadline, whether its time is over or not.
    #[inline]
    pub fn find_stored(&self, field: &[u8]) -> Option<Entry<'a, 2>> {
        self.map.find(field)
    }

    /// Finds each of these fields, a few at a time if there are many fields here, and gives `f`
    /// what is found.
    #[inline]
    pub fn find_each<'n>(
        &self,
        fields: impl Iterator<Item = &'n [u8]>,
        mut f: impl FnMut(&'n [u8], Option<Entry<'a, 2>>),
    ) {
        in_steps(
            &mut { *self },
            fields,
            |field| field,
            |all, fields| look_ahead(all.map, fields),
            |all, field| f(field, all.find(field)),
        );
    }

    /// Finds `count` fields, which `field_of` gives by number, in an order that suits the hash, and
    /// gives `f` what is found. One that comes several times comes in the order of its numbers.
    pub fn find_each_by_number<'n>(
        &self,
        count: usize,
        field_of: impl Fn(usize) -> &'n [u8],
        mut f: impl FnMut(usize, Option<Entry<'a, 2>>),
    ) {
        let all = &mut { *self };
        let mut find = |all: &mut Fields<'a>, number| f(number, all.find(field_of(number)));
        let look = |all: &Fields<'a>, fields: &[&'n [u8]]| look_ahead(all.map, fields);
        match self.map.order_of((0..count).map(&field_of)) {
            Some(order) => order.for_each(&field_of, |number| find(all, number)),
            None => in_steps(all, 0..count, &field_of, look, find),
        }
    }

    /// Returns whether each of these fields is what `is_met` wants: looked up a few at a time, up
    /// to the first one that is not.
    pub fn all<'n>(
        &self,
        fields: impl Iterator<Item = &'n [u8]>,
        is_met: impl Fn(Option<Entry<'a, 2>>) -> bool,
    ) -> bool {
        let seen = try_in_steps(
            &mut { *self },
            fields,
            |field| field,
            |all, fields| look_ahead(all.map, fields),
            |all, field| match is_met(all.find(field)) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            },
        );
        seen.is_continue()
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Element<'a>> {
        self.find(field).map(|entry| entry.value())
    }

    /// The number of fields.
    #[inline]
    pub fn len(&self) -> usize {
        self.map.len() - self.over
    }

    /// Returns whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All fields.
    pub fn iter(&self) -> Live<'a> {
        Live {
            all: self.map.iter(),
            over_ms: self.over_ms,
        }
    }

    /// One step of a scan, as [`Map::scan`]. A hash that Redis would keep as a listpack is shown at
    /// once, unless it is large by a setting.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(Entry<'_, 2>)) -> u64 {
        if !self.map.is_spread() && self.map.len() <= SMALL_LEN_MAX {
            self.iter().for_each(f);
            return 0;
        }
        self.map.scan(cursor, count, |entry| {
            if self.has(&entry) {
                f(entry);
            }
        })
    }

    /// A field chosen by a random number, each with the same chance. It may take as many looks as
    /// there are fields for each that is not over.
    pub fn random(&self, random: u64) -> Option<Entry<'a, 2>> {
        if self.over == 0 {
            return self.map.random(random);
        }
        let at = random as usize % self.len().max(1);
        self.iter().nth(at)
    }

    #[inline]
    fn has(&self, entry: &Entry<'_, 2>) -> bool {
        self.over_ms == 0 || !is_over(entry, self.over_ms)
    }
}

/// Reads what searches for these fields will read, where that pays.
#[inline]
pub(super) fn look_ahead(map: &Map<2>, fields: &[&[u8]]) {
    if map.len() >= LEN_MIN {
        map.look_ahead(fields);
    }
}

#[inline]
fn is_over(entry: &Entry<'_, 2>, over_ms: u64) -> bool {
    entry.date().is_some_and(|deadline| deadline <= over_ms)
}

/// The fields of a hash at a moment.
#[derive(Clone, Debug)]
pub struct Live<'a> {
    all: Iter<'a, 2>,
    over_ms: u64,
}

impl<'a> Iterator for Live<'a> {
    type Item = Entry<'a, 2>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.over_ms == 0 {
            return self.all.next();
        }
        let over_ms = self.over_ms;
        self.all.find(|entry| !is_over(entry, over_ms))
    }
}
