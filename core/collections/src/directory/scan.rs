//! Reading a directory as a whole: iteration, cursors, random draws.

use std::ops::RangeInclusive;

use super::Directory;
use super::table::Table;
use crate::trie::Tables;

/// Hashes from one table to the next: all values in prefix order.
#[derive(Debug)]
pub struct Iter<'a, T> {
    tables: Tables<'a, Table<T>>,
    table: Option<std::slice::Iter<'a, T>>,
    remaining: usize,
}

impl<'a, T> Iter<'a, T> {
    pub(crate) fn new(directory: &'a Directory<T>) -> Self {
        Iter {
            tables: Tables::new(directory.root.as_ref()),
            table: None,
            remaining: directory.len(),
        }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(value) = self.table.as_mut().and_then(Iterator::next) {
                self.remaining -= 1;
                return Some(value);
            }
            self.table = Some(self.tables.next()?.iter());
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T> Directory<T> {
    /// All values whose hashes are in that range. The tables that have them may have others too,
    /// whose hashes are next to it, and these are shown as well.
    pub fn values_about(&self, hashes: RangeInclusive<u64>) -> impl Iterator<Item = &T> {
        let mut tables = Tables::within(self.root.as_ref(), hashes);
        std::iter::from_fn(move || tables.next()).flat_map(Table::iter)
    }

    /// One step of a scan: shows whole tables from `cursor` on until about `count` values were
    /// shown, and returns the cursor for the next step, 0 at the end. A scan starts at 0; any
    /// number is a valid cursor (above `2^48` its low 48 bits count).
    ///
    /// A value that is there from the start of a scan to its end is shown, however the directory
    /// grows or shrinks meanwhile; one that came or went may be shown or not; and one may be shown
    /// twice. A step looks at `count` tables at most, and at one at least.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(&T)) -> u64 {
        let show = |table: &Table<T>| table.iter().for_each(&mut f);
        let root = self.root.as_ref();
        root.map_or(0, |root| root.scan(cursor, count, show))
    }

    /// Some value, chosen by a random number; `None` only if there is none. The choice is about
    /// fair if the hashes are spread evenly, since a table is chosen by its share of the hashes.
    pub fn random(&self, random: u64) -> Option<&T> {
        let (table, random) = self.root.as_ref()?.draw(random);
        table.random(random)
    }
}
