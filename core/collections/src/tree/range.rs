//! Rows of a tree in order from some key on, and rows that are sought one after the other.

use smallvec::SmallVec;

use super::rows::Rows;
use super::{Inner, Node, Tree, has_key, is_less, key_of};

/// The rows of a [`Tree`](super::Tree) from a key on.
#[derive(Clone, Debug)]
pub struct Range<'a, const N: usize, const K: usize> {
    /// The inner nodes above the leaf, and which child comes next in each.
    path: SmallVec<[(&'a Inner<N, K>, usize); 4]>,
    leaf: Option<&'a Rows<N>>,
    at: usize,
    ceiling: Option<(usize, u64)>,
}

impl<'a, const N: usize, const K: usize> Range<'a, N, K> {
    /// Starts at the first row whose key is not below `from`.
    pub(super) fn new(root: Option<&'a Node<N, K>>, from: &[u64; K]) -> Self {
        let mut range = Range {
            path: SmallVec::new(),
            leaf: None,
            at: 0,
            ceiling: None,
        };
        let mut next = root;
        while let Some(node) = next {
            match node {
                Node::Inner(inner) => {
                    let index = inner.child_of(from);
                    range.path.push((inner, index + 1));
                    next = inner.child(index);
                }
                Node::Leaf(rows) => {
                    range.at = rows.search(0, from).unwrap_or_else(|index| index);
                    range.leaf = Some(rows);
                    next = None;
                }
            }
        }
        range
    }

    /// Skips leaves in which all rows are known to have more than `most` in `column`. Other rows
    /// with more may still come.
    pub fn skip_above(mut self, column: usize, most: u64) -> Self {
        self.ceiling = Some((column, most));
        self
    }

    /// The leaf after this one.
    fn next_leaf(&mut self) -> Option<&'a Rows<N>> {
        let mut node = loop {
            let (inner, next) = self.path.last_mut()?;
            match inner.child(*next) {
                Some(child) => {
                    *next += 1;
                    break child;
                }
                None => {
                    self.path.pop();
                }
            }
        };
        loop {
            match node {
                Node::Inner(inner) => {
                    self.path.push((inner, 1));
                    node = inner.child(0)?;
                }
                Node::Leaf(rows) => return Some(rows),
            }
        }
    }
}

impl<const N: usize, const K: usize> Iterator for Range<'_, N, K> {
    type Item = [u64; N];

    fn next(&mut self) -> Option<[u64; N]> {
        loop {
            let leaf = self.leaf?;
            let is_above = self
                .ceiling
                .is_some_and(|(column, most)| leaf.at_least(column) > most);
            if self.at < leaf.len() && !is_above {
                self.at += 1;
                return Some(leaf.row(self.at - 1));
            }
            self.leaf = self.next_leaf();
            self.at = 0;
        }
    }
}

/// Finds rows of a tree one after the other; remembers where it was.
#[derive(Clone, Debug)]
pub struct Finder<'a, const N: usize, const K: usize> {
    root: Option<&'a Node<N, K>>,
    /// Where the last row was that was sought.
    leaf: Option<&'a Rows<N>>,
    /// The place behind it.
    at: usize,
}

impl<'a, const N: usize, const K: usize> Finder<'a, N, K> {
    pub(super) fn new(tree: &'a Tree<N, K>) -> Finder<'a, N, K> {
        Finder {
            root: tree.root.as_ref(),
            leaf: None,
            at: 0,
        }
    }

    /// The row with this key.
    #[inline]
    pub fn find(&mut self, key: &[u64; K]) -> Option<[u64; N]> {
        if let Some(leaf) = self.leaf
            && self.at < leaf.len()
        {
            let next = leaf.row(self.at);
            if has_key(&next, key) {
                self.at += 1;
                return Some(next);
            }
        }
        self.seek(key)
    }

    fn seek(&mut self, key: &[u64; K]) -> Option<[u64; N]> {
        let is_within = |leaf: &&Rows<N>| {
            let Some(last) = leaf.len().checked_sub(1) else {
                return false;
            };
            let (first, last) = (key_of(&leaf.row(0)), key_of(&leaf.row(last)));
            !is_less(key, &first) && !is_less(&last, key)
        };
        let leaf = match self.leaf.filter(is_within) {
            Some(leaf) => leaf,
            None => {
                let mut node = self.root?;
                loop {
                    match node {
                        Node::Inner(inner) => node = inner.child(inner.child_of(key))?,
                        Node::Leaf(rows) => break rows,
                    }
                }
            }
        };
        self.leaf = Some(leaf);
        let found = leaf.search(0, key);
        self.at = found.map_or_else(|index| index, |index| index + 1);
        found.ok().map(|index| leaf.row(index))
    }
}
