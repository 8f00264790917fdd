//! Values by name, in the byte order of their names, cheap to clone.
//!
//! Names are any bytes. A map is a list of small reference-counted blocks: a clone copies a pointer
//! for each block, and a later write copies one block.

use triomphe::Arc;

/// A name: any bytes, shared by whoever refers to it.
pub type Name = Arc<[u8]>;

type Block<T> = Arc<Vec<(Name, T)>>;

/// Names of a block; a block with one more splits.
const BLOCK_LEN_MAX: usize = 16;

/// Values by name.
#[derive(Clone, Debug)]
pub struct NameMap<T> {
    /// None of them is empty.
    blocks: Vec<Block<T>>,
    len: usize,
}

impl<T> Default for NameMap<T> {
    fn default() -> Self {
        NameMap {
            blocks: Vec::new(),
            len: 0,
        }
    }
}

impl<T: Clone> NameMap<T> {
    /// Gives the name this value. Returns the value that it had before.
    pub fn insert(&mut self, name: Name, value: T) -> Option<T> {
        let Some((index, found)) = self.locate(&name) else {
            self.blocks.push(Arc::new(vec![(name, value)]));
            self.len = 1;
            return None;
        };
        let block = Arc::make_mut(&mut self.blocks[index]);
        match found {
            Ok(at) => return Some(std::mem::replace(&mut block[at].1, value)),
            Err(at) => block.insert(at, (name, value)),
        }
        if block.len() > BLOCK_LEN_MAX {
            let right = block.split_off(BLOCK_LEN_MAX / 2);
            self.blocks.insert(index + 1, Arc::new(right));
        }
        self.len += 1;
        None
    }

    /// Takes out a name and its value.
    pub fn remove(&mut self, name: &[u8]) -> Option<T> {
        let (index, found) = self.locate(name)?;
        let at = found.ok()?;
        let block = Arc::make_mut(&mut self.blocks[index]);
        let (_, value) = block.remove(at);
        let block_len = block.len();
        self.len -= 1;
        if block_len == 0 {
            self.blocks.remove(index);
        } else if block_len < BLOCK_LEN_MAX / 4 {
            self.join(index);
        }
        Some(value)
    }

    /// The value of a name, to be changed.
    pub fn find_mut(&mut self, name: &[u8]) -> Option<&mut T> {
        let (index, found) = self.locate(name)?;
        let block = Arc::make_mut(self.blocks.get_mut(index)?);
        block.get_mut(found.ok()?).map(|(_, value)| value)
    }

    /// All values in the order of their names, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let blocks = self.blocks.iter_mut().map(Arc::make_mut);
        blocks.flat_map(|block| block.iter_mut().map(|(_, value)| value))
    }

    /// The value of a name.
    pub fn find(&self, name: &[u8]) -> Option<&T> {
        let (index, found) = self.locate(name)?;
        self.blocks
            .get(index)?
            .get(found.ok()?)
            .map(|(_, value)| value)
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Names and values in the byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &T)> + Clone {
        let pairs = self.blocks.iter().flat_map(|block| block.iter());
        pairs.map(|(name, value)| (name, value))
    }

    /// Bytes on the heap of the blocks and names, without what the values have there.
    pub fn heap_bytes(&self) -> usize {
        let counts_bytes = 2 * size_of::<usize>();
        let names: usize = self.iter().map(|(name, _)| name.len() + counts_bytes).sum();
        let pairs: usize = self.blocks.iter().map(|block| block.capacity()).sum();
        names + pairs * size_of::<(Name, T)>() + self.blocks.capacity() * size_of::<Block<T>>()
    }

    /// The block where a name is or would be, and where in it; `None` if there is no block.
    fn locate(&self, name: &[u8]) -> Option<(usize, Result<usize, usize>)> {
        let starts_up_to =
            |block: &Block<T>| block.first().is_some_and(|(first, _)| **first <= *name);
        let index = self.blocks.partition_point(starts_up_to).saturating_sub(1);
        let block = self.blocks.get(index)?;
        Some((
            index,
            block.binary_search_by(|(other, _)| (**other).cmp(name)),
        ))
    }

    /// Joins a small block to a neighbour that has room.
    fn join(&mut self, index: usize) {
        let has_room = |left: usize| {
            let lens = self.blocks.get(left).zip(self.blocks.get(left + 1));
            lens.is_some_and(|(left, right)| left.len() + right.len() <= BLOCK_LEN_MAX / 4 * 3)
        };
        let left = match index.checked_sub(1) {
            _ if has_room(index) => index,
            Some(before) if has_room(before) => before,
            _ => return,
        };
        let right = self.blocks.remove(left + 1);
        Arc::make_mut(&mut self.blocks[left]).extend(right.iter().cloned());
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn names_behave_like_a_sorted_map(
            steps in prop::collection::vec((any::<bool>(), prop::collection::vec(0_u8..6, 0..4)), 0..400)
        ) {
            let (mut map, mut model) = (NameMap::default(), BTreeMap::new());
            let mut frozen = Vec::new();
            for (number, (adds, key)) in (0_u32..).zip(steps) {
                if number % 50 == 0 {
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
            prop_assert_eq!(pairs(&map), model.into_iter().collect::<Vec<_>>());
            for (map, before) in frozen {
                prop_assert_eq!(pairs(&map), before);
            }
        }
    }
}
