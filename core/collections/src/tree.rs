//! An ordered set of rows in small blocks, cheap to clone.
//!
//! A B+ tree: [`Rows`] are its leaves, and inner nodes hold up to 64 children with a lower bound of
//! the keys of each. Every node is reference-counted: a clone is one pointer, and a write after it
//! copies the leaf that it touches and the nodes above it, a few KiB. Rows in ascending order have
//! paths of their own: those after the last one are appended in runs, others are put in, changed or
//! removed in one walk (`many`). Reading in order is in `range`.

mod many;
mod range;
mod rows;

use triomphe::Arc;

use many::{Keys, edit_rows};
use rows::Rows;

pub use range::{Finder, Range};

/// Rows of `N` numbers in the order of their leading `K`, which are different for each.
#[derive(Clone, Debug)]
pub struct Tree<const N: usize, const K: usize> {
    root: Option<Node<N, K>>,
    len: usize,
}

/// What becomes of a row that [`Tree::edit`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The row stays, with what was changed in it behind its key.
    Keep,
    /// The row goes.
    Remove,
}

#[derive(Clone, Debug)]
enum Node<const N: usize, const K: usize> {
    /// Empty only where it is the root.
    Leaf(Arc<Rows<N>>),
    Inner(Arc<Inner<N, K>>),
}

/// Children in the order of their keys; there is at least one.
#[derive(Clone, Debug)]
struct Inner<const N: usize, const K: usize> {
    /// A lower bound of each child's keys, above all keys of the child before it. The first one may
    /// be wrong: keys below it belong to the first child all the same.
    bounds: Vec<[u64; K]>,
    children: Vec<Node<N, K>>,
}

/// A node that has to be placed after its left neighbour, and its bound.
type Sibling<const N: usize, const K: usize> = ([u64; K], Node<N, K>);

/// Children of an inner node.
const CHILDREN_MAX: usize = 64;

impl<const N: usize, const K: usize> Default for Tree<N, K> {
    fn default() -> Self {
        Tree::new()
    }
}

impl<const N: usize, const K: usize> Tree<N, K> {
    /// No rows.
    pub const fn new() -> Self {
        Tree { root: None, len: 0 }
    }

    /// Inserts a row whose key is not there yet.
    pub fn insert(&mut self, row: &[u64; N]) {
        match &mut self.root {
            Some(root) => {
                let sibling = root.insert(row, Edge::Last);
                self.add_level(sibling);
            }
            None => self.root = Some(Node::leaf([*row].into_iter())),
        }
        self.len += 1;
    }

    /// Inserts ascending rows whose keys are all above the last one.
    pub fn append(&mut self, mut rows: impl ExactSizeIterator<Item = [u64; N]> + Clone) {
        let count = rows.len();
        if let Some(root) = &mut self.root {
            let added = root.append(rows.clone());
            rows.by_ref().take(added).for_each(drop);
        }
        while rows.len() > 0 {
            // Most iterators skip elements one by one, so none is skipped twice.
            let run = rows.clone().take(Rows::<N>::LEN_MAX);
            let added = run.len();
            let mut leaf = self.last_leaf().map_or_else(Rows::new, Rows::to_next);
            leaf.append(run);
            rows.by_ref().take(added).for_each(drop);
            let bound = key_of(&leaf.row(0));
            let leaf = Node::Leaf(Arc::new(leaf));
            match &mut self.root {
                Some(root) => {
                    let sibling = root.push(bound, leaf);
                    self.add_level(sibling);
                }
                None => self.root = Some(leaf),
            }
        }
        self.len += count;
    }

    /// Calls `edit` with the rows that have these keys, in the order of the keys, and does what it
    /// returns. Keys that are not there are skipped. Ascending keys cost one walk.
    pub fn edit(&mut self, keys: &[[u64; K]], mut edit: impl FnMut(&mut [u64; N]) -> Edit) {
        let mut keys = Keys::new(keys);
        while keys.begin_walk()
            && let Some(root) = &mut self.root
        {
            self.len -= root.edit(&mut keys, None, &mut edit);
            self.drop_levels();
        }
    }

    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no row.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Finds rows one after the other; neighbours without a search from the root.
    pub fn finder(&self) -> Finder<'_, N, K> {
        Finder::new(self)
    }

    /// The row with this key.
    pub fn find(&self, key: &[u64; K]) -> Option<[u64; N]> {
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Inner(inner) => node = inner.children.get(inner.child_of(key))?,
                Node::Leaf(rows) => return rows.search(0, key).ok().map(|index| rows.row(index)),
            }
        }
    }

    /// The row with the least key.
    pub fn first(&self) -> Option<[u64; N]> {
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Inner(inner) => node = inner.children.first()?,
                Node::Leaf(rows) => return (rows.len() > 0).then(|| rows.row(0)),
            }
        }
    }

    /// The row with the greatest key.
    pub fn last(&self) -> Option<[u64; N]> {
        let rows = self.last_leaf()?;
        rows.len().checked_sub(1).map(|last| rows.row(last))
    }

    /// The row with the greatest key that is not above this one.
    pub fn last_up_to(&self, key: &[u64; K]) -> Option<[u64; N]> {
        self.root.as_ref()?.last_up_to(key)
    }

    /// The rows from this key on, in order.
    pub fn range(&self, from: &[u64; K]) -> Range<'_, N, K> {
        Range::new(self.root.as_ref(), from)
    }

    /// Bytes of all nodes on the heap, shared ones included.
    pub fn heap_bytes(&self) -> usize {
        self.root.as_ref().map_or(0, Node::heap_bytes)
    }

    fn last_leaf(&self) -> Option<&Rows<N>> {
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Inner(inner) => node = inner.children.last()?,
                Node::Leaf(rows) => return Some(rows),
            }
        }
    }

    /// Sets a new root above the old one if that has split.
    fn add_level(&mut self, sibling: Option<Sibling<N, K>>) {
        if let Some((bound, right)) = sibling
            && let Some(left) = self.root.take()
        {
            self.root = Some(Node::Inner(Arc::new(Inner {
                bounds: vec![[0; K], bound],
                children: vec![left, right],
            })));
        }
    }

    /// Removes roots that have a single child, or none.
    fn drop_levels(&mut self) {
        while let Some(Node::Inner(inner)) = &self.root
            && inner.children.len() < 2
        {
            self.root = inner.children.first().cloned();
        }
    }
}

/// Whether a node is at the right edge of the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Last,
    Within,
}

/// Why there is a last child.
const HAS_CHILDREN: &str = "an inner node without children is removed";

impl<const N: usize, const K: usize> Node<N, K> {
    fn leaf(rows: impl ExactSizeIterator<Item = [u64; N]> + Clone) -> Self {
        let mut leaf = Rows::new();
        leaf.append(rows);
        Node::Leaf(Arc::new(leaf))
    }

    /// Puts in a row; returns the right half if the node has split.
    fn insert(&mut self, row: &[u64; N], edge: Edge) -> Option<Sibling<N, K>> {
        let key = key_of::<N, K>(row);
        match self {
            Node::Leaf(rows) => {
                let rows = Arc::make_mut(rows);
                let index = rows.search(0, &key).unwrap_or_else(|index| index);
                if rows.len() < Rows::<N>::LEN_MAX {
                    rows.insert(index, row);
                    return None;
                }
                if index == rows.len() && edge == Edge::Last {
                    rows.seal();
                    return Some((key, Node::leaf([*row].into_iter())));
                }
                let middle = rows.len() / 2;
                let mut right = rows.split_off(middle);
                let bound = key_of(&right.row(0));
                if index <= middle {
                    rows.insert(index, row);
                } else {
                    right.insert(index - middle, row);
                }
                Some((bound, Node::Leaf(Arc::new(right))))
            }
            Node::Inner(inner) => {
                let inner = Arc::make_mut(inner);
                let index = inner.child_of(&key);
                let is_last = index + 1 == inner.children.len();
                let edge = if is_last { edge } else { Edge::Within };
                let (bound, child) = inner.children[index].insert(row, edge)?;
                inner.place(index + 1, bound, child)
            }
        }
    }

    /// Fills the last leaf with the first of these rows; returns how many it took.
    fn append(&mut self, rows: impl ExactSizeIterator<Item = [u64; N]> + Clone) -> usize {
        match self {
            Node::Leaf(leaf) => {
                let room = Rows::<N>::LEN_MAX.saturating_sub(leaf.len());
                let is_filled = rows.len() > room;
                let run = rows.take(room);
                let added = run.len();
                if added > 0 || is_filled {
                    let leaf = Arc::make_mut(leaf);
                    leaf.append(run);
                    if is_filled {
                        leaf.seal();
                    }
                }
                added
            }
            Node::Inner(inner) => {
                let last = Arc::make_mut(inner).children.last_mut();
                last.expect(HAS_CHILDREN).append(rows)
            }
        }
    }

    /// Places a leaf behind the last one; returns the new right neighbour if the node was full.
    fn push(&mut self, bound: [u64; K], leaf: Self) -> Option<Sibling<N, K>> {
        match self {
            Node::Leaf(_) => Some((bound, leaf)),
            Node::Inner(inner) => {
                let inner = Arc::make_mut(inner);
                let last = inner.children.last_mut().expect(HAS_CHILDREN);
                let (bound, child) = last.push(bound, leaf)?;
                inner.place(inner.children.len(), bound, child)
            }
        }
    }

    /// Edits the rows with these keys that belong here; returns how many were removed.
    fn edit(
        &mut self,
        keys: &mut Keys<'_, K>,
        bound: Option<&[u64; K]>,
        edit: &mut impl FnMut(&mut [u64; N]) -> Edit,
    ) -> usize {
        match self {
            Node::Leaf(rows) => edit_rows(rows, keys, bound, edit),
            Node::Inner(inner) => {
                let inner = Arc::make_mut(inner);
                let mut removed = 0;
                while let Some(key) = keys.peek(bound) {
                    let index = inner.child_of(key);
                    let next_bound = inner.bounds.get(index + 1).copied();
                    let bound = next_bound.as_ref().or(bound);
                    removed += inner.children[index].edit(keys, bound, edit);
                    inner.settle(index);
                }
                removed
            }
        }
    }

    fn last_up_to(&self, key: &[u64; K]) -> Option<[u64; N]> {
        match self {
            Node::Leaf(rows) => match rows.search(0, key) {
                Ok(index) => Some(rows.row(index)),
                Err(index) => index.checked_sub(1).map(|index| rows.row(index)),
            },
            // The bound of a child may be lower than all its keys; then the row is in the one
            // before.
            Node::Inner(inner) => {
                let children = inner.children.get(..=inner.child_of(key))?;
                children
                    .iter()
                    .rev()
                    .find_map(|child| child.last_up_to(key))
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Node::Leaf(rows) => rows.len() == 0,
            Node::Inner(inner) => inner.children.is_empty(),
        }
    }

    /// Rows of a leaf, or children; and how many there may be.
    fn fill(&self) -> (usize, usize) {
        match self {
            Node::Leaf(rows) => (rows.len(), Rows::<N>::LEN_MAX),
            Node::Inner(inner) => (inner.children.len(), CHILDREN_MAX),
        }
    }

    /// Takes in the right neighbour, whose bound is `bound`.
    fn merge(&mut self, bound: [u64; K], right: Self) {
        match (self, right) {
            (Node::Leaf(left), Node::Leaf(right)) => {
                Arc::make_mut(left).append(right.iter_from(0));
            }
            (Node::Inner(left), Node::Inner(mut right)) => {
                let (left, right) = (Arc::make_mut(left), Arc::make_mut(&mut right));
                // The first bound of an inner node may be wrong; the one above it is not.
                if let Some(first) = right.bounds.first_mut() {
                    *first = bound;
                }
                left.bounds.append(&mut right.bounds);
                left.children.append(&mut right.children);
            }
            (Node::Leaf(_), Node::Inner(_)) | (Node::Inner(_), Node::Leaf(_)) => {
                unreachable!("neighbours are on one level")
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        let count_bytes = size_of::<usize>();
        match self {
            Node::Leaf(rows) => count_bytes + size_of::<Rows<N>>() + rows.heap_bytes(),
            Node::Inner(inner) => {
                let bounds = inner.bounds.capacity() * size_of::<[u64; K]>();
                let children = inner.children.capacity() * size_of::<Self>();
                let below: usize = inner.children.iter().map(Node::heap_bytes).sum();
                count_bytes + size_of::<Inner<N, K>>() + bounds + children + below
            }
        }
    }
}

impl<const N: usize, const K: usize> Inner<N, K> {
    /// The child to which a key belongs.
    #[inline]
    fn child_of(&self, key: &[u64; K]) -> usize {
        self.bounds
            .partition_point(|bound| !is_less(key, bound))
            .saturating_sub(1)
    }

    /// The child at `index`.
    #[inline]
    fn child(&self, index: usize) -> Option<&Node<N, K>> {
        self.children.get(index)
    }

    /// Places a child at `index`; returns the right half if that was one too many.
    fn place(&mut self, index: usize, bound: [u64; K], child: Node<N, K>) -> Option<Sibling<N, K>> {
        self.bounds.insert(index, bound);
        self.children.insert(index, child);
        if self.children.len() <= CHILDREN_MAX {
            return None;
        }
        // Growth at the end leaves full nodes.
        let is_append = index == CHILDREN_MAX;
        let middle = if is_append {
            CHILDREN_MAX
        } else {
            CHILDREN_MAX / 2
        };
        let right = Inner {
            bounds: self.bounds.split_off(middle),
            children: self.children.split_off(middle),
        };
        Some((right.bounds[0], Node::Inner(Arc::new(right))))
    }

    /// Drops the child at `index` if it is empty, joins it to a neighbour if it is small.
    fn settle(&mut self, index: usize) {
        let Some(child) = self.children.get(index) else {
            return;
        };
        let (fill, fill_max) = child.fill();
        if child.is_empty() {
            self.bounds.remove(index);
            self.children.remove(index);
        } else if fill < fill_max / 4 {
            let joins = |neighbour: usize| {
                let neighbour = self.children.get(neighbour).map(Node::fill);
                neighbour.is_some_and(|(other, _)| fill + other <= fill_max / 4 * 3)
            };
            let left = if joins(index + 1) {
                index
            } else if index > 0 && joins(index - 1) {
                index - 1
            } else {
                return;
            };
            let bound = self.bounds.remove(left + 1);
            let right = self.children.remove(left + 1);
            self.children[left].merge(bound, right);
        }
    }
}

#[inline]
fn has_key<const N: usize, const K: usize>(row: &[u64; N], key: &[u64; K]) -> bool {
    row.iter().zip(key).all(|(number, part)| number == part)
}

/// The order of keys, for few numbers faster than that of slices.
#[inline]
fn is_less<const K: usize>(one: &[u64; K], other: &[u64; K]) -> bool {
    for (one, other) in one.iter().zip(other) {
        if one != other {
            return one < other;
        }
    }
    false
}

/// The key of a row: its leading numbers.
#[inline]
fn key_of<const N: usize, const K: usize>(row: &[u64; N]) -> [u64; K] {
    const { assert!(K <= N) };
    let mut key = [0; K];
    key.copy_from_slice(&row[..K]);
    key
}

#[cfg(test)]
mod tests;
