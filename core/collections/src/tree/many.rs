//! Many rows of a tree in ascending order: they are put in, changed or removed in one walk.
//!
//! A leaf of which much changes is written again as a whole, which takes less than to move its
//! bytes for each row.

use smallvec::SmallVec;
use triomphe::Arc;

use super::rows::Rows;
use super::{Edge, Edit, Node, Sibling, Tree, has_key, is_less, key_of};

/// A leaf with more changes than this is written again.
const CHANGES_MAX: usize = 64;

/// As many changes as most leaves get at once.
const CHANGES_FEW: usize = 8;

impl<const N: usize, const K: usize> Tree<N, K> {
    /// Inserts ascending rows whose keys are not there yet, in one walk.
    pub fn insert_ascending(&mut self, rows: &[[u64; N]]) {
        let Some(first) = rows.first() else {
            return;
        };
        let is_behind = |last: [u64; N]| is_less::<K>(&key_of(&last), &key_of(first));
        if self.last().is_none_or(is_behind) {
            return self.append(rows.iter().copied());
        }
        let mut left = rows;
        while !left.is_empty()
            && let Some(root) = &mut self.root
        {
            let before = left.len();
            let sibling = root.insert_some(&mut left, None, Edge::Last);
            self.len += before - left.len();
            self.add_level(sibling);
        }
    }
}

impl<const N: usize, const K: usize> Node<N, K> {
    /// Puts the first of these rows into the leaf where they belong, as many as belong and fit
    /// there once it has split; returns the right half if the node has.
    fn insert_some(
        &mut self,
        rows: &mut &[[u64; N]],
        bound: Option<&[u64; K]>,
        edge: Edge,
    ) -> Option<Sibling<N, K>> {
        match self {
            Node::Leaf(leaf) => {
                let is_here = |row: &[u64; N]| bound.is_none_or(|it| is_less(&key_of(row), it));
                let most = rows.len().min(Rows::<N>::LEN_MAX);
                let here = rows[..most].partition_point(is_here);
                if here > CHANGES_MAX {
                    return insert_rows(leaf, rows.split_off(..here)?);
                }
                let room = Rows::<N>::LEN_MAX.saturating_sub(leaf.len());
                // A full leaf splits first, so that the others find their half.
                let few = rows.split_off(..here.min(room).max(1))?;
                few.iter().filter_map(|row| self.insert(row, edge)).last()
            }
            Node::Inner(inner) => {
                let inner = Arc::make_mut(inner);
                let index = inner.child_of(&key_of(rows.first()?));
                let is_last = index + 1 == inner.children.len();
                let edge = if is_last { edge } else { Edge::Within };
                let next_bound = inner.bounds.get(index + 1).copied();
                let bound = next_bound.as_ref().or(bound);
                let (bound, child) = inner.children[index].insert_some(rows, bound, edge)?;
                inner.place(index + 1, bound, child)
            }
        }
    }
}

/// Puts up to [`Rows::LEN_MAX`] ascending rows into a leaf; returns its right half if it has split.
fn insert_rows<const N: usize, const K: usize>(
    leaf: &mut Arc<Rows<N>>,
    new: &[[u64; N]],
) -> Option<Sibling<N, K>> {
    let mut all = Vec::with_capacity(leaf.len() + new.len());
    let mut old = leaf.iter_from(0).peekable();
    for row in new {
        let key: [u64; K] = key_of(row);
        while let Some(before) = old.next_if(|old| is_less::<K>(&key_of(old), &key)) {
            all.push(before);
        }
        all.push(*row);
    }
    all.extend(old);
    if all.len() <= Rows::<N>::LEN_MAX {
        rewrite(leaf, &all);
        return None;
    }
    // Where as many come as a leaf holds, more of them follow in the same place.
    let middle = match new.len() {
        Rows::<N>::LEN_MAX => Rows::<N>::LEN_MAX,
        _ => all.len() / 2,
    };
    let (left, right) = all.split_at(middle);
    rewrite(leaf, left);
    let mut behind = Rows::new();
    behind.append(right.iter().copied());
    let bound = key_of(right.first()?);
    Some((bound, Node::Leaf(Arc::new(behind))))
}

/// Makes these the rows of a leaf.
fn rewrite<const N: usize>(leaf: &mut Arc<Rows<N>>, rows: &[[u64; N]]) {
    let mut written = leaf.to_next();
    if !rows.is_empty() {
        written.append(rows.iter().copied());
    }
    *leaf = Arc::new(written);
}

/// Keys that go through the tree in one walk.
pub(super) struct Keys<'a, const K: usize> {
    keys: &'a [[u64; K]],
    next: usize,
    /// The first key of this walk.
    start: usize,
}

impl<'a, const K: usize> Keys<'a, K> {
    pub(super) fn new(keys: &'a [[u64; K]]) -> Keys<'a, K> {
        Keys {
            keys,
            next: 0,
            start: 0,
        }
    }

    /// Begins a walk with the next key; returns whether there is one.
    pub(super) fn begin_walk(&mut self) -> bool {
        self.start = self.next;
        self.next < self.keys.len()
    }

    /// The next key if it is below the bound and above the last one, so that the walk goes on.
    #[inline]
    pub(super) fn peek(&self, bound: Option<&[u64; K]>) -> Option<&[u64; K]> {
        let next = self.keys.get(self.next)?;
        let is_below = bound.is_none_or(|bound| is_less(next, bound));
        let is_above = self.next == self.start
            || self
                .keys
                .get(self.next - 1)
                .is_some_and(|last| is_less(last, next));
        (is_below && is_above).then_some(next)
    }
}

/// Edits the rows of one leaf; rows side by side are removed together.
pub(super) fn edit_rows<const N: usize, const K: usize>(
    rows: &mut Arc<Rows<N>>,
    keys: &mut Keys<'_, K>,
    bound: Option<&[u64; K]>,
    edit: &mut impl FnMut(&mut [u64; N]) -> Edit,
) -> usize {
    let mut at = 0;
    let mut changes = Changes::new();
    // The run of rows to remove that still grows. In a list, each row would have to wait there for
    // what the one before it has written.
    let (mut start, mut end) = (0, 0);
    while let Some(key) = keys.keys.get(keys.next) {
        // Rows side by side are often changed together, so the next one is looked at first.
        let here = (at < rows.len()).then(|| rows.row(at));
        let before = match here.filter(|row| has_key(row, key)) {
            Some(row) => row,
            None if keys.peek(bound).is_none() => break,
            None => match rows.search(at, key) {
                Ok(index) => {
                    at = index;
                    rows.row(at)
                }
                Err(index) => {
                    at = index;
                    keys.next += 1;
                    continue;
                }
            },
        };
        let mut row = before;
        match edit(&mut row) {
            Edit::Keep if row == before => {}
            Edit::Keep => changes.replaced.push((at, row)),
            Edit::Remove => {
                if end != at {
                    changes.remove(start, end);
                    start = at;
                }
                end = at + 1;
            }
        }
        at += 1;
        keys.next += 1;
    }
    changes.remove(start, end);
    changes.make(rows)
}

/// What becomes of the rows of a leaf, by their places there, ascending.
struct Changes<const N: usize> {
    replaced: SmallVec<[(usize, [u64; N]); CHANGES_FEW]>,
    /// Runs of rows to remove, from the first up to the one behind the last.
    removed: SmallVec<[(usize, usize); CHANGES_FEW]>,
}

impl<const N: usize> Changes<N> {
    #[inline]
    fn new() -> Changes<N> {
        Changes {
            replaced: SmallVec::new(),
            removed: SmallVec::new(),
        }
    }

    fn remove(&mut self, start: usize, end: usize) {
        if start < end {
            self.removed.push((start, end));
        }
    }

    /// Makes them; returns how many rows were removed.
    fn make(&self, rows: &mut Arc<Rows<N>>) -> usize {
        let changes = self.replaced.len() + self.removed.len();
        let before = rows.len();
        if changes > CHANGES_MAX {
            self.rewrite(rows);
        } else if changes > 0 {
            let rows = Arc::make_mut(rows);
            for (at, row) in &self.replaced {
                rows.set(*at, row);
            }
            for &(start, end) in self.removed.iter().rev() {
                rows.remove(start, end);
            }
        }
        before - rows.len()
    }

    #[cold]
    fn rewrite(&self, rows: &mut Arc<Rows<N>>) {
        let mut all: Vec<[u64; N]> = rows.iter_from(0).collect();
        for (at, row) in &self.replaced {
            all[*at] = *row;
        }
        let mut removed = self.removed.iter().peekable();
        let mut at = 0;
        all.retain(|_| {
            removed.next_if(|(_, end)| *end <= at);
            let is_removed = removed.peek().is_some_and(|(start, _)| *start <= at);
            at += 1;
            !is_removed
        });
        rewrite(rows, &all);
    }
}
