//! A trie of small copy-on-write tables: what a directory and a map are made of.
//!
//! The leading bits of a hash lead through a few branches of 256 slots to a table. A table that is
//! full splits in two, and two sparse neighbours merge, so neither growth nor shrinking ever
//! pauses. What a table holds is up to the collection ([`Bucket`]). Reading all of it is in `scan`.

mod scan;

use triomphe::Arc;

use crate::page::allocated;

pub(crate) use scan::{Tables, mix};

/// How many leading bits of a hash may tell tables apart. A cursor is such a prefix, so it is
/// below `2^PREFIX_BITS`. Values whose hashes agree in all of them share one table, however large.
pub const PREFIX_BITS: u32 = 48;

/// How many bits of the hash one branch tells apart.
const BRANCH_BITS: u32 = 8;

/// How many slots a branch has.
const BRANCH_SLOTS: usize = 1 << BRANCH_BITS;

/// For how many more children a branch makes room.
const CHILDREN_GROWTH: usize = 16;

// A prefix is a whole number of branches, so that the deepest table ends with a branch.
const _: () = assert!(PREFIX_BITS.is_multiple_of(BRANCH_BITS));

/// A small table: what has hashes of one prefix.
pub(crate) trait Bucket {
    /// What a hash is made of.
    type Hashed: ?Sized;

    /// How many values it holds.
    fn len(&self) -> usize;

    /// How many leading bits the hashes of its values share.
    fn depth(&self) -> u32;

    /// Returns whether it is to look for a neighbour that it can merge with.
    fn is_sparse(&self) -> bool;

    /// Returns whether the two can be one.
    fn can_merge(&self, neighbour: &Self) -> bool;

    /// Moves the values whose next bit is set into a new table, the right neighbour.
    fn split(&mut self, hash_of: impl Fn(&Self::Hashed) -> u64) -> Self;

    /// Takes in the neighbour of the same depth; the table then stands for both.
    fn merge(&mut self, neighbour: Self, hash_of: impl Fn(&Self::Hashed) -> u64);
}

/// A table, or a branch towards several.
#[derive(Debug)]
pub(crate) enum Node<B> {
    Table(Arc<B>),
    Branch(Arc<Branch<B>>),
}

/// Distinguishes the hashes of one prefix by their next [`BRANCH_BITS`] bits.
///
/// A child stands for an aligned run of slots whose length is a power of two; the slots name it by
/// its index, so that each child is held by one pointer, and a second one means a frozen view.
#[derive(Debug)]
pub(crate) struct Branch<B> {
    slots: [u8; BRANCH_SLOTS],
    /// How far the bits that choose a slot lie above the hash's end.
    shift: u32,
    children: Vec<Node<B>>,
}

// Derived `Clone` would ask for `B: Clone`, although only pointers are copied.
impl<B> Clone for Node<B> {
    fn clone(&self) -> Self {
        match self {
            Node::Table(table) => Node::Table(Arc::clone(table)),
            Node::Branch(branch) => Node::Branch(Arc::clone(branch)),
        }
    }
}

impl<B> Clone for Branch<B> {
    fn clone(&self) -> Self {
        Branch {
            slots: self.slots,
            shift: self.shift,
            children: self.children.clone(),
        }
    }
}

impl<B> Node<B> {
    /// The table that holds `hash`.
    #[inline]
    pub(crate) fn table(&self, hash: u64) -> &B {
        let mut node = self;
        loop {
            match node {
                Node::Table(table) => return table,
                Node::Branch(branch) => node = branch.child(hash),
            }
        }
    }

    /// Memory of the branches, in bytes. Where a branch leads to others, one of them stands for all
    /// unless `all` are to be looked at.
    pub(crate) fn branches_bytes(&self, all: bool) -> usize {
        let Node::Branch(branch) = self else { return 0 };
        let own = branch.heap_bytes();
        let is_branch = |child: &&Node<B>| matches!(child, Node::Branch(_));
        let mut below = branch.children.iter().filter(is_branch);
        own + match all {
            true => below.map(|child| child.branches_bytes(all)).sum(),
            false => below
                .next()
                .map_or(0, |first| first.branches_bytes(all) * (1 + below.count())),
        }
    }

    /// What the table of a hash takes of the branch above it, in bytes.
    pub(crate) fn place_bytes(&self, hash: u64) -> usize {
        let (mut node, mut bytes) = (self, 0);
        while let Node::Branch(branch) = node {
            bytes = branch.heap_bytes() / branch.children.len().max(1);
            node = branch.child(hash);
        }
        bytes
    }

    /// Returns whether a frozen view holds it as well.
    fn is_shared(&self) -> bool {
        match self {
            Node::Table(table) => !table.is_unique(),
            Node::Branch(branch) => !branch.is_unique(),
        }
    }
}

impl<B: Bucket + Clone> Node<B> {
    /// The table that holds `hash`, copied if a frozen view has it too.
    #[inline]
    pub(crate) fn table_mut(&mut self, hash: u64) -> &mut B {
        let mut node = self;
        loop {
            match node {
                Node::Table(table) => return Arc::make_mut(table),
                Node::Branch(branch) => node = Arc::make_mut(branch).child_mut(hash),
            }
        }
    }

    /// The table that holds `hash`, to be changed if `is_there`. Nothing is copied if it is not.
    #[inline]
    pub(crate) fn table_mut_if(
        &mut self,
        hash: u64,
        is_there: impl Fn(&B) -> bool,
    ) -> Option<&mut B> {
        let mut node = self;
        loop {
            if node.is_shared() && !is_there(node.table(hash)) {
                return None;
            }
            match node {
                Node::Table(table) => return Some(Arc::make_mut(table)),
                Node::Branch(branch) => node = Arc::make_mut(branch).child_mut(hash),
            }
        }
    }

    /// Splits the table that holds `hash` once. The caller repeats it while the table is full, as
    /// all values may have gone to one side.
    #[cold]
    pub(crate) fn split(&mut self, hash: u64, hash_of: &impl Fn(&B::Hashed) -> u64) {
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

    /// Takes something out of the table that holds `hash`, if `is_there`, and merges upwards
    /// whatever has become sparse.
    pub(crate) fn remove<R>(
        &mut self,
        hash: u64,
        is_there: &impl Fn(&B) -> bool,
        take: impl FnOnce(&mut B) -> Option<R>,
        hash_of: &impl Fn(&B::Hashed) -> u64,
    ) -> Option<R> {
        if self.is_shared() && !is_there(self.table(hash)) {
            return None;
        }
        match self {
            Node::Table(table) => take(Arc::make_mut(table)),
            Node::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let taken = branch
                    .child_mut(hash)
                    .remove(hash, is_there, take, hash_of)?;
                while branch.merge_child(hash, hash_of) {}
                if let [only] = branch.children.as_slice() {
                    *self = only.clone();
                }
                Some(taken)
            }
        }
    }
}

impl<B> Branch<B> {
    /// A branch that has nothing to tell apart yet.
    fn around(table: Arc<B>) -> Self
    where
        B: Bucket,
    {
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

    /// Its memory, without that of what it leads to, in bytes.
    fn heap_bytes(&self) -> usize {
        let own = allocated(size_of::<usize>() + size_of::<Self>());
        own + allocated(self.children.capacity() * size_of::<Node<B>>())
    }

    #[inline]
    fn child(&self, hash: u64) -> &Node<B> {
        &self.children[usize::from(self.slots[self.slot(hash)])]
    }

    #[inline]
    fn child_mut(&mut self, hash: u64) -> &mut Node<B> {
        let index = usize::from(self.slots[self.slot(hash)]);
        &mut self.children[index]
    }

    /// Returns how many slots stand for a table of that depth.
    fn run_len(&self, table_depth: u32) -> usize {
        BRANCH_SLOTS >> table_depth.saturating_sub(self.depth()).min(BRANCH_BITS)
    }

    /// A child drawn by its share of the slots. An empty table is replaced by the next child that
    /// has values. (A branch always has some: it merges away before it runs empty.)
    fn draw_child(&self, random: u64) -> &Node<B>
    where
        B: Bucket,
    {
        let is_empty = |node: &Node<B>| matches!(node, Node::Table(table) if table.len() == 0);
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

impl<B: Bucket + Clone> Branch<B> {
    /// Splits the child that holds `hash`, a table whose run has more than one slot.
    fn split_child(&mut self, hash: u64, hash_of: &impl Fn(&B::Hashed) -> u64) {
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
        if self.children.len() == self.children.capacity() {
            // Not twice as much, as there is a bound.
            self.children.reserve_exact(CHILDREN_GROWTH);
        }
        self.children.push(Node::Table(Arc::new(right)));
    }

    /// Merges the table that holds `hash` with its neighbour if both are sparse tables; says
    /// whether it did.
    fn merge_child(&mut self, hash: u64, hash_of: &impl Fn(&B::Hashed) -> u64) -> bool {
        let slot = self.slot(hash);
        let index = usize::from(self.slots[slot]);
        let Node::Table(table) = &self.children[index] else {
            return false;
        };
        let run_len = self.run_len(table.depth());
        if !table.is_sparse() || run_len == BRANCH_SLOTS {
            return false;
        }
        let neighbour_index = self.slots[(slot & !(run_len - 1)) ^ run_len];
        match &self.children[usize::from(neighbour_index)] {
            Node::Table(neighbour)
                if neighbour.depth() == table.depth() && table.can_merge(neighbour) => {}
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
