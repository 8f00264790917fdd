//! Values by name, in the byte order of their names, cheap to clone.
//!
//! Names are any bytes. Pairs are in small blocks of a tree: a clone is one pointer, and a later
//! write copies one block and the nodes above it, however many names there are.

use smallvec::{SmallVec, smallvec};
use triomphe::Arc;

use crate::counted::{Run, Siblings, ToBound, Tree, Walk};

/// A name: any bytes, shared by whoever refers to it.
pub type Name = Arc<[u8]>;

/// Names of a block; a block with one more splits.
const BLOCK_LEN_MAX: usize = 16;

/// Values by name.
#[derive(Clone)]
pub struct NameMap<T: Clone> {
    blocks: Tree<Block<T>>,
}

/// Names side by side, each with its value.
struct Block<T>(Arc<Vec<(Name, T)>>);

impl<T> Clone for Block<T> {
    fn clone(&self) -> Self {
        Block(Arc::clone(&self.0))
    }
}

impl<T: Clone> Default for NameMap<T> {
    fn default() -> Self {
        NameMap {
            blocks: Tree::new(),
        }
    }
}

impl<T: Clone> NameMap<T> {
    /// Gives the name this value. Returns the value that it had before.
    pub fn insert(&mut self, name: Name, value: T) -> Option<T> {
        if self.is_empty() {
            self.blocks.begin(Block(Arc::new(vec![(name, value)])));
            return None;
        }
        let place = Arc::clone(&name);
        let mut way = ToBound(|bound: &Name| **bound <= *place);
        let before = self.blocks.edit(&mut way, |block, _, edges| {
            let at = match block.search(&name) {
                Ok(at) => {
                    let value = std::mem::replace(&mut Arc::make_mut(&mut block.0)[at].1, value);
                    return (Some(value), SmallVec::new());
                }
                Err(at) => at,
            };
            let pairs = Arc::make_mut(&mut block.0);
            pairs.insert(at, (name, value));
            if pairs.len() <= BLOCK_LEN_MAX {
                return (None, SmallVec::new());
            }
            // Names in ascending order leave full blocks.
            let is_appended = edges.is_last && at == BLOCK_LEN_MAX;
            let middle = if is_appended { at } else { BLOCK_LEN_MAX / 2 };
            let right = Block(Arc::new(pairs.split_off(middle)));
            let siblings: Siblings<Block<T>> = smallvec![right];
            (None, siblings)
        });
        before.flatten()
    }

    /// Takes out a name and its value.
    pub fn remove(&mut self, name: &[u8]) -> Option<T> {
        self.find(name)?;
        let mut way = ToBound(|bound: &Name| **bound <= *name);
        let removed = self.blocks.edit(&mut way, |block, _, _| {
            let at = block.search(name).ok();
            let value = at.map(|at| Arc::make_mut(&mut block.0).remove(at).1);
            (value, SmallVec::new())
        });
        removed.flatten()
    }

    /// The value of a name, to be changed.
    pub fn find_mut(&mut self, name: &[u8]) -> Option<&mut T> {
        let mut way = ToBound(|bound: &Name| **bound <= *name);
        let block = self.blocks.run_mut(&mut way)?;
        let at = block.search(name).ok()?;
        let pair = Arc::make_mut(&mut block.0).get_mut(at);
        pair.map(|(_, value)| value)
    }

    /// Changes all values in the order of their names.
    pub fn for_each_mut(&mut self, mut change: impl FnMut(&mut T)) {
        self.blocks.for_each_mut(&mut |block| {
            let pairs = Arc::make_mut(&mut block.0).iter_mut();
            pairs.for_each(|(_, value)| change(value));
        });
    }

    /// The value of a name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&T> {
        let (block, _) = self.blocks.run_to(|bound| **bound <= *name)?;
        let at = block.search(name).ok()?;
        block.0.get(at).map(|(_, value)| value)
    }

    /// The number of names.
    #[inline]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Returns whether there is no name.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names and values in the byte order of the names.
    pub fn iter(&self) -> Iter<'_, T> {
        self.iter_from(0)
    }

    /// The same without the first so many.
    pub fn iter_from(&self, rank: usize) -> Iter<'_, T> {
        Iter(Walk::new(&self.blocks, rank, self.len()))
    }

    /// Bytes on the heap of the blocks and names, without what the values have there.
    pub fn heap_bytes(&self) -> usize {
        let counts_bytes = 2 * size_of::<usize>();
        let names: usize = self.iter().map(|(name, _)| name.len() + counts_bytes).sum();
        names + self.blocks.heap_bytes()
    }
}

impl<T> Block<T> {
    /// Where a name is, or where it would be.
    #[inline]
    fn search(&self, name: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

impl<T: Clone> Run for Block<T> {
    type Bound = Name;

    const FILL_MAX: usize = BLOCK_LEN_MAX;

    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    fn bound(&self) -> Name {
        Arc::clone(&self.0.first().expect("runs have elements").0)
    }

    fn fill(&self) -> usize {
        self.0.len()
    }

    fn append(&mut self, right: &Self) {
        Arc::make_mut(&mut self.0).extend(right.0.iter().cloned());
    }

    fn heap_bytes(&self) -> usize {
        let own = size_of::<usize>() + size_of::<Vec<(Name, T)>>();
        own + self.0.capacity() * size_of::<(Name, T)>()
    }
}

/// The names and values of a [`NameMap`] in order.
pub struct Iter<'a, T: Clone>(Walk<'a, Block<T>>);

impl<T: Clone> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter(self.0.clone())
    }
}

impl<'a, T: Clone> Iterator for Iter<'a, T> {
    type Item = (&'a Name, &'a T);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (block, at) = self.0.next()?;
        block.0.get(at).map(|(name, value)| (name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T: Clone + std::fmt::Debug> std::fmt::Debug for NameMap<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn name(bytes: &[u8]) -> Name {
        bytes.iter().copied().collect()
    }

    fn pairs(map: &NameMap<u32>) -> Vec<(Vec<u8>, u32)> {
        map.iter()
            .map(|(name, &value)| (name.to_vec(), value))
            .collect()
    }

    fn check(map: &NameMap<u32>) -> usize {
        let check_block = |block: &Block<u32>| assert!(block.len() <= BLOCK_LEN_MAX);
        let is_between = |left: &Block<u32>, bound: &Name, right: &Block<u32>| {
            let last = &left.0[left.len() - 1].0;
            last < bound && *bound <= right.0[0].0
        };
        map.blocks.check(&check_block, &is_between)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn names_behave_like_a_sorted_map(
            steps in prop::collection::vec((any::<bool>(), prop::collection::vec(0_u8..16, 0..4)), 0..3000)
        ) {
            let (mut map, mut model) = (NameMap::default(), BTreeMap::new());
            let mut frozen = Vec::new();
            for (number, (adds, key)) in (0_u32..).zip(steps) {
                if number % 500 == 0 {
                    frozen.push((map.clone(), pairs(&map)));
                }
                if adds {
                    prop_assert_eq!(map.insert(name(&key), number), model.insert(key, number));
                } else {
                    prop_assert_eq!(map.remove(&key), model.remove(&key));
                }
                prop_assert_eq!(map.len(), model.len());
            }
            for (key, value) in &model {
                prop_assert_eq!(map.find(key), Some(value));
                prop_assert_eq!(map.find_mut(key).map(|value| *value), Some(*value));
            }
            check(&map);
            map.for_each_mut(|value| *value += 1);
            model.values_mut().for_each(|value| *value += 1);
            prop_assert_eq!(pairs(&map), model.into_iter().collect::<Vec<_>>());
            for (map, before) in frozen {
                prop_assert_eq!(pairs(&map), before);
            }
        }
    }

    #[test]
    fn names_are_found_after_most_of_thousands_have_gone() {
        let all: Vec<Name> = (0..20_000_u32).map(|n| name(&n.to_be_bytes())).collect();
        let mut before = NameMap::default();
        for (number, name) in (0_u32..).zip(&all) {
            before.insert(name.clone(), number);
        }
        assert_eq!(check(&before), 2);
        for from in (100..all.len() - 100).step_by(70) {
            let mut map = before.clone();
            // Blocks go and come again before those to their right, then most of what is around.
            let (gone, back) = (&all[from..from + 80], &all[from + 40..from + 60]);
            gone.iter().for_each(|name| {
                map.remove(name);
            });
            back.iter().for_each(|name| {
                map.insert(name.clone(), 1);
            });
            let left = from.saturating_sub(3000)..from;
            let right = from + 80..(from + 3000).min(all.len());
            all[left].iter().chain(&all[right]).for_each(|name| {
                map.remove(name);
            });
            check(&map);
            for name in back {
                assert_eq!(map.find(name), Some(&1), "from {from}");
            }
        }
    }
}
