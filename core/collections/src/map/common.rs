//! What several maps have in common.

use std::ops::ControlFlow;

use super::table::Table;
use super::{Entry, Map, Repr};
use crate::element::Element;
use crate::hash::NameHasher;
use crate::page::{Finder, Item};
use crate::trie::{Bucket, Tables};

/// A table in which all the names of another one are looked up.
struct Beside<'a, const PARTS: usize> {
    table: &'a Table<PARTS>,
    finder: Option<Finder<'a, PARTS>>,
}

/// For fewer names it does not pay to make a [`Finder`].
const FOUND_LEN_MIN: usize = 4;

impl<'a, const PARTS: usize> Beside<'a, PARTS> {
    fn new(table: &'a Table<PARTS>, sought: usize) -> Self {
        let finder = (sought >= FOUND_LEN_MIN).then(|| table.finder()).flatten();
        Beside { table, finder }
    }

    /// Returns whether it has the name of an entry of another map.
    #[inline]
    fn has(&self, entry: &Entry<'_, PARTS>) -> bool {
        match (&self.finder, entry.name()) {
            (Some(finder), Element::Text(name)) => finder.has(&Item::Text(name).pack()),
            (Some(finder), Element::Integer(name)) => finder.has(&Item::Integer(name).pack()),
            (Some(_), Element::Shared(_)) | (None, _) => self.table.has(entry),
        }
    }
}

impl<const PARTS: usize> Map<PARTS> {
    /// Shows the entries whose names all other maps have too, until `f` has enough.
    ///
    /// Names that are in one table here are mostly in one there as well, if the maps are spread by
    /// the same hash: then that is looked up once for all of them.
    pub fn try_for_each_in<'s>(
        &'s self,
        others: &[&Map<PARTS>],
        mut f: impl FnMut(Entry<'s, PARTS>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Repr::Large(large) = &self.0 else {
            let in_all = |entry: &Entry<'s, PARTS>| others.iter().all(|other| other.has(entry));
            return self.iter().filter(in_all).try_for_each(f);
        };
        let mut tables = Tables::new(Some(&large.root));
        let mut beside: Vec<Option<Beside<'_, PARTS>>> = Vec::with_capacity(others.len());
        while let Some((prefix, table)) = tables.next_with_prefix() {
            beside.clear();
            beside.extend(others.iter().map(|other| {
                let around = other.table_around(prefix, table.depth(), large.hasher)?;
                Some(Beside::new(around, table.len()))
            }));
            for index in 0..table.len() {
                let entry = table.entry(index);
                let is_in =
                    |(beside, other): (&Option<Beside<'_, PARTS>>, &&Map<PARTS>)| match beside {
                        Some(beside) => beside.has(&entry),
                        None => other.has(&entry),
                    };
                if beside.iter().zip(others).all(is_in) {
                    f(entry)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The table that has all hashes of this prefix and depth by this hasher.
    fn table_around(&self, prefix: u64, depth: u32, hasher: NameHasher) -> Option<&Table<PARTS>> {
        match &self.0 {
            Repr::Large(large) if large.hasher == hasher => {
                Some(large.root.table(prefix)).filter(|table| table.depth() <= depth)
            }
            Repr::Large(_) | Repr::Small(_) | Repr::Empty => None,
        }
    }

    /// Returns whether the name of an entry of another map is there.
    fn has(&self, entry: &Entry<'_, PARTS>) -> bool {
        match (&self.0, entry.name()) {
            (Repr::Empty, _) => false,
            (Repr::Small(page), Element::Text(name)) => {
                page.position::<PARTS>(&Item::Text(name).pack()).is_some()
            }
            (Repr::Small(page), Element::Integer(name)) => page
                .position::<PARTS>(&Item::Integer(name).pack())
                .is_some(),
            (Repr::Small(_) | Repr::Large(_), name) => {
                name.with_bytes(|name| self.find(name).is_some())
            }
        }
    }
}
