//! The path from a hash to its table: nodes, and branches of 256 slots.

use triomphe::Arc;

use super::limits::{BRANCH_BITS, BRANCH_SLOTS, MERGED_LEN_MAX, SPARSE_LEN, SPARSE_STEP};
use super::table::Table;

/// A table, or a branch towards several.
#[derive(Debug)]
pub(crate) enum Node<T> {
    Table(Arc<Table<T>>),
    Branch(Arc<Branch<T>>),
}

/// Distinguishes the hashes of one prefix by their next [`BRANCH_BITS`] bits.
///
/// A child stands for an aligned run of slots whose length is a power of two; the slots name it by
/// its index, so that each child is held by one pointer, and a second one means a frozen view.
#[derive(Debug)]
pub(crate) struct Branch<T> {
    slots: [u8; BRANCH_SLOTS],
    /// How far the bits that choose a slot lie above the hash's end.
    shift: u32,
    children: Vec<Node<T>>,
}

// Derived `Clone` would ask for `T: Clone`, although only pointers are copied.
impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Node::Table(table) => Node::Table(Arc::clone(table)),
            Node::Branch(branch) => Node::Branch(Arc::clone(branch)),
        }
    }
}

impl<T> Clone for Branch<T> {
    fn clone(&self) -> Self {
        Branch {
            slots: self.slots,
            shift: self.shift,
            children: self.children.clone(),
        }
    }
}

impl<T> Node<T> {
    /// The table that holds `hash`.
    #[inline]
    pub(crate) fn table(&self, hash: u64) -> &Table<T> {
        let mut node = self;
        loop {
            match node {
                Node::Table(table) => return table,
                Node::Branch(branch) => node = branch.child(hash),
            }
        }
    }

    /// Returns whether a frozen view holds it as well.
    fn is_shared(&self) -> bool {
        match self {
            Node::Table(table) => !table.is_unique(),
            Node::Branch(branch) => !branch.is_unique(),
        }
    }
}

impl<T: Clone> Node<T> {
    /// The table that holds `hash`, copied if a frozen view has it too.
    #[inline]
    pub(crate) fn table_mut(&mut self, hash: u64) -> &mut Table<T> {
        let mut node = self;
        loop {
            match node {
                Node::Table(table) => return Arc::make_mut(table),
                Node::Branch(branch) => node = Arc::make_mut(branch).child_mut(hash),
            }
        }
    }

    /// Finds a value to change it. Nothing is copied if there is none.
    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, eq: impl Fn(&T) -> bool) -> Option<&mut T> {
        let mut node = self;
        loop {
            if node.is_shared() && node.table(hash).find(hash, &eq).is_none() {
                return None;
            }
            match node {
                Node::Table(table) => return Arc::make_mut(table).find_mut(hash, eq),
                Node::Branch(branch) => node = Arc::make_mut(branch).child_mut(hash),
            }
        }
    }

    /// Splits the table that holds `hash` once. The caller repeats it while the table is full, as
    /// all values may have gone to one side.
    #[cold]
    pub(crate) fn split(&mut self, hash: u64, hash_of: &impl Fn(&T) -> u64) {
        let mut node = self;
        loop {
            if let Node::Table(table) = node {
                // A table that has used up its branch's bits, or the root, gets a branch of its
                // own.
                *node = Node::Branch(Arc::new(Branch::around(Arc::clone(table))));
            }
            let Node::Branch(branch) = node else { return };
            let branch = Arc::make_mut(branch);
            match branch.child(hash) {
                Node::Table(table) if table.depth() < branch.depth() + BRANCH_BITS => {
                    branch.split_child(hash, hash_of);
                    return;
                }
                Node::Table(_) | Node::Branch(_) => node = branch.child_mut(hash),
            }
        }
    }

    /// Removes a value, and merges upwards whatever has become sparse.
    pub(crate) fn remove(
        &mut self,
        hash: u64,
        eq: &impl Fn(&T) -> bool,
        hash_of: &impl Fn(&T) -> u64,
        stamp: u64,
    ) -> Option<T> {
        if self.is_shared() {
            self.table(hash).find(hash, eq)?;
        }
        match self {
            Node::Table(table) => Arc::make_mut(table).remove(hash, eq, hash_of, stamp),
            Node::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let value = branch.child_mut(hash).remove(hash, eq, hash_of, stamp)?;
                while branch.merge_child(hash, hash_of) {}
                if let [only] = branch.children.as_slice() {
                    *self = only.clone();
                }
                Some(value)
            }
        }
    }
}

impl<T> Branch<T> {
    /// A branch that has nothing to tell apart yet.
    fn around(table: Arc<Table<T>>) -> Self {
        Branch {
            slots: [0; BRANCH_SLOTS],
            shift: u64::BITS - BRANCH_BITS - table.depth(),
            children: vec![Node::Table(table)],
        }
    }

    /// Returns how many bits of the hash were used up on the way here.
    fn depth(&self) -> u32 {
        u64::BITS - BRANCH_BITS - self.shift
    }

    #[inline]
    fn slot(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize % BRANCH_SLOTS
    }

    #[inline]
    fn child(&self, hash: u64) -> &Node<T> {
        &self.children[usize::from(self.slots[self.slot(hash)])]
    }

    #[inline]
    fn child_mut(&mut self, hash: u64) -> &mut Node<T> {
        let index = usize::from(self.slots[self.slot(hash)]);
        &mut self.children[index]
    }

    /// Returns how many slots stand for a table of that depth.
    fn run_len(&self, table_depth: u32) -> usize {
        BRANCH_SLOTS >> table_depth.saturating_sub(self.depth()).min(BRANCH_BITS)
    }

    /// A child drawn by its share of the slots. An empty table is replaced by the next child that
    /// has values. (A branch always has some: it merges away before it runs empty.)
    pub(crate) fn draw_child(&self, random: u64) -> &Node<T> {
        let is_empty = |node: &Node<T>| matches!(node, Node::Table(table) if table.len() == 0);
        let drawn = usize::from(self.slots[random as usize % BRANCH_SLOTS]);
        if !is_empty(&self.children[drawn]) {
            return &self.children[drawn];
        }
        // If many hashes share a prefix, most tables are empty, so start anywhere.
        let start = (random >> BRANCH_BITS) as usize % self.children.len();
        let (before, after) = self.children.split_at(start);
        let mut in_turn = after.iter().chain(before);
        in_turn
            .find(|node| !is_empty(node))
            .unwrap_or(&self.children[drawn])
    }
}

impl<T: Clone> Branch<T> {
    /// Splits the child that holds `hash`, a table whose run has more than one slot.
    fn split_child(&mut self, hash: u64, hash_of: &impl Fn(&T) -> u64) {
        let slot = self.slot(hash);
        // There are at most as many children as slots, so an index fits.
        let right_index = self.children.len() as u8;
        let Node::Table(table) = self.child_mut(hash) else {
            unreachable!("who asks has found a full table there");
        };
        let table = Arc::make_mut(table);
        let right = table.split(hash_of);
        let run_len = self.run_len(right.depth());
        let right_start = (slot & !(2 * run_len - 1)) + run_len;
        self.slots[right_start..right_start + run_len].fill(right_index);
        self.children.push(Node::Table(Arc::new(right)));
    }

    /// Merges the table that holds `hash` with its neighbour if both are sparse tables; says
    /// whether it did.
    fn merge_child(&mut self, hash: u64, hash_of: &impl Fn(&T) -> u64) -> bool {
        let slot = self.slot(hash);
        let index = usize::from(self.slots[slot]);
        let Node::Table(table) = &self.children[index] else {
            return false;
        };
        let (len, run_len) = (table.len(), self.run_len(table.depth()));
        // Not at every length, because a look at the neighbour costs as much as the removal.
        if len > SPARSE_LEN || !len.is_multiple_of(SPARSE_STEP) || run_len == BRANCH_SLOTS {
            return false;
        }
        let neighbour_index = self.slots[(slot & !(run_len - 1)) ^ run_len];
        match &self.children[usize::from(neighbour_index)] {
            Node::Table(neighbour)
                if neighbour.depth() == table.depth()
                    && len + neighbour.len() <= MERGED_LEN_MAX => {}
            Node::Table(_) | Node::Branch(_) => return false,
        }
        let last_index = (self.children.len() - 1) as u8;
        let neighbour = self.children.swap_remove(usize::from(neighbour_index));
        let survivor = if index as u8 == last_index {
            neighbour_index
        } else {
            index as u8
        };
        for slot in &mut self.slots {
            // First the run of the neighbour, then the child that took over its index.
            if *slot == neighbour_index {
                *slot = survivor;
            } else if *slot == last_index {
                *slot = neighbour_index;
            }
        }
        if let (Node::Table(table), Node::Table(neighbour)) =
            (&mut self.children[usize::from(survivor)], neighbour)
        {
            Arc::make_mut(table).merge(Arc::unwrap_or_clone(neighbour), hash_of);
        }
        true
    }
}
