//! The tree below ordered collections: runs of elements, found by position or by bound.
//!
//! A B+ tree whose leaves are runs of elements and whose inner nodes know how many elements each
//! of their children has, so that the way to the nth element, or from an element to its position,
//! takes a look at one node a level. What a run is, and what bounds it, is up to the collection.
//! Nodes are reference-counted: a clone is one pointer, and a later write copies the run that it
//! touches and the nodes above it.

use smallvec::SmallVec;
use triomphe::Arc;

/// Elements side by side; at least one, once it is in a tree. A clone shares them.
pub(crate) trait Run: Clone {
    /// What says where a run begins, for collections that are searched.
    type Bound: Clone;

    /// What [`Run::fill`] is at most.
    const FILL_MAX: usize;

    /// How many elements it has.
    fn len(&self) -> usize;

    /// A bound at or below its first element, and above all before it.
    fn bound(&self) -> Self::Bound;

    /// How full it is. One that is to stay by itself is full.
    fn fill(&self) -> usize;

    /// Puts the elements of the run to the right behind its own; there is room for them.
    fn append(&mut self, right: &Self);

    /// Memory on the heap, in bytes.
    fn heap_bytes(&self) -> usize;
}

/// Runs to the right of one that an edit has split.
pub(crate) type Siblings<R> = SmallVec<[R; 2]>;

/// How an edit finds its run.
pub(crate) trait Way<R: Run> {
    /// Which child to go to. Called on each level from the root on.
    fn child(&mut self, inner: &Inner<R>) -> usize;
}

/// To the element of this rank. What is left of it is the position in the run.
pub(crate) struct ToElement(pub(crate) usize);

/// To where an element of this rank is to be put in. What is left of it is the position in the
/// run.
pub(crate) struct ToGap(pub(crate) usize);

/// To the last run whose bound is not too high.
pub(crate) struct ToBound<F>(pub(crate) F);

/// The same, and the bound of the run behind it.
pub(crate) struct ToBoundBelow<F, B> {
    is_not_too_high: F,
    /// What has come by on the way; `None` if the run is the last one.
    pub(crate) next: Option<B>,
}

impl<F, B> ToBoundBelow<F, B> {
    pub(crate) fn new(is_not_too_high: F) -> Self {
        ToBoundBelow {
            is_not_too_high,
            next: None,
        }
    }
}

/// Whether a run is the first or last of its tree.
#[derive(Clone, Copy)]
pub(crate) struct Edges {
    pub(crate) is_first: bool,
    pub(crate) is_last: bool,
}

/// Runs in their order.
#[derive(Clone)]
pub(crate) struct Tree<R: Run> {
    root: Option<Node<R>>,
    len: usize,
}

#[derive(Clone)]
enum Node<R: Run> {
    Run(R),
    Inner(Arc<Inner<R>>),
}

/// Children in their order; there is at least one.
#[derive(Clone)]
pub(crate) struct Inner<R: Run> {
    /// The first one may be too high: what is below it belongs to the first child all the same.
    bounds: Vec<R::Bound>,
    /// How many elements each child has.
    counts: Vec<usize>,
    children: Vec<Node<R>>,
}

/// Children of an inner node.
const CHILDREN_MAX: usize = 64;

/// For how many more an inner node makes room.
const CHILDREN_GROWTH: usize = 8;

type Nodes<R> = SmallVec<[(<R as Run>::Bound, Node<R>); 2]>;

impl<R: Run> Way<R> for ToElement {
    #[inline]
    fn child(&mut self, inner: &Inner<R>) -> usize {
        inner.child_at(&mut self.0, |rank, count| rank < count)
    }
}

impl<R: Run> Way<R> for ToGap {
    #[inline]
    fn child(&mut self, inner: &Inner<R>) -> usize {
        inner.child_at(&mut self.0, |rank, count| rank <= count)
    }
}

impl<R: Run, F: Fn(&R::Bound) -> bool> Way<R> for ToBound<F> {
    #[inline]
    fn child(&mut self, inner: &Inner<R>) -> usize {
        inner.child_to(&self.0)
    }
}

impl<R: Run, F: Fn(&R::Bound) -> bool> Way<R> for ToBoundBelow<F, R::Bound> {
    #[inline]
    fn child(&mut self, inner: &Inner<R>) -> usize {
        let index = inner.child_to(&self.is_not_too_high);
        if let Some(next) = inner.bounds.get(index + 1) {
            self.next = Some(next.clone());
        }
        index
    }
}

impl<R: Run> Default for Tree<R> {
    fn default() -> Self {
        Tree::new()
    }
}

impl<R: Run> Tree<R> {
    /// No runs.
    pub(crate) const fn new() -> Self {
        Tree { root: None, len: 0 }
    }

    /// Edits the run to which the way leads, and puts those that `edit` returns behind it. A run
    /// that has become empty goes. `None` if there is no run.
    pub(crate) fn edit<W: Way<R>, T>(
        &mut self,
        way: &mut W,
        edit: impl FnOnce(&mut R, &W, Edges) -> (T, Siblings<R>),
    ) -> Option<T> {
        let root = self.root.as_mut()?;
        let edges = Edges {
            is_first: true,
            is_last: true,
        };
        let (result, siblings, grown) = root.edit(way, edges, edit);
        self.len = self.len.wrapping_add_signed(grown);
        if !siblings.is_empty() {
            let mut inner = Inner {
                bounds: vec![root.bound()],
                counts: vec![root.len()],
                children: vec![root.clone()],
            };
            for (bound, node) in siblings {
                inner.counts.push(node.len());
                inner.bounds.push(bound);
                inner.children.push(node);
            }
            *root = Node::Inner(Arc::new(inner));
            self.len = root.len();
        }
        self.drop_levels();
        Some(result)
    }

    /// The run to which the way leads, to change elements but not how many they are.
    pub(crate) fn run_mut<W: Way<R>>(&mut self, way: &mut W) -> Option<&mut R> {
        let mut node = self.root.as_mut()?;
        loop {
            match node {
                Node::Run(run) => return Some(run),
                Node::Inner(inner) => {
                    let index = way.child(inner);
                    node = &mut Arc::make_mut(inner).children[index];
                }
            }
        }
    }

    /// Shows every run in order, to change elements but not how many they are.
    pub(crate) fn for_each_mut(&mut self, f: &mut impl FnMut(&mut R)) {
        if let Some(root) = &mut self.root {
            root.for_each_mut(f);
        }
    }

    /// Puts in the first run of all.
    pub(crate) fn begin(&mut self, run: R) {
        debug_assert!(self.root.is_none(), "there are none yet");
        self.len = run.len();
        self.root = Some(Node::Run(run));
    }

    /// Takes out the first run.
    pub(crate) fn take_first(&mut self) -> Option<R> {
        let root = self.root.as_mut()?;
        let run = root.take_first();
        self.len -= run.len();
        if let Node::Run(_) = root {
            self.root = None;
        }
        self.drop_levels();
        Some(run)
    }

    /// The number of elements.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The run that has all elements, if it is one.
    #[inline]
    pub(crate) fn only(&self) -> Option<&R> {
        match &self.root {
            Some(Node::Run(run)) => Some(run),
            Some(Node::Inner(_)) | None => None,
        }
    }

    /// The run with the element of this rank, and where in it that is.
    #[inline]
    pub(crate) fn run_at(&self, rank: usize) -> Option<(&R, usize)> {
        if rank >= self.len {
            return None;
        }
        let mut way = ToElement(rank);
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Run(run) => return Some((run, way.0)),
                Node::Inner(inner) => node = &inner.children[way.child(inner)],
            }
        }
    }

    /// The last run whose bound is not too high, and the rank of its first element.
    #[inline]
    pub(crate) fn run_to(
        &self,
        is_not_too_high: impl Fn(&R::Bound) -> bool,
    ) -> Option<(&R, usize)> {
        let mut node = self.root.as_ref()?;
        let mut rank = 0;
        loop {
            match node {
                Node::Run(run) => return Some((run, rank)),
                Node::Inner(inner) => {
                    let index = inner.child_to(&is_not_too_high);
                    rank += inner.counts[..index].iter().sum::<usize>();
                    node = &inner.children[index];
                }
            }
        }
    }

    /// Memory of nodes and runs on the heap, in bytes; shared memory counts in full.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.root.as_ref().map_or(0, Node::heap_bytes)
    }

    /// Removes what has no elements, and levels that have one child.
    fn drop_levels(&mut self) {
        if self.len == 0 {
            self.root = None;
        }
        while let Some(Node::Inner(inner)) = &self.root
            && let [only] = inner.children.as_slice()
        {
            self.root = Some(only.clone());
        }
    }
}

/// Why there is a first child.
const HAS_CHILDREN: &str = "an inner node without children is removed";

impl<R: Run> Node<R> {
    #[inline]
    fn len(&self) -> usize {
        match self {
            Node::Run(run) => run.len(),
            Node::Inner(inner) => inner.counts.iter().sum(),
        }
    }

    fn bound(&self) -> R::Bound {
        match self {
            Node::Run(run) => run.bound(),
            Node::Inner(inner) => inner.bounds.first().expect(HAS_CHILDREN).clone(),
        }
    }

    /// Edits a run; returns what `edit` does, the nodes that then have to follow this one, and how
    /// many elements more this one has.
    fn edit<W: Way<R>, T>(
        &mut self,
        way: &mut W,
        edges: Edges,
        edit: impl FnOnce(&mut R, &W, Edges) -> (T, Siblings<R>),
    ) -> (T, Nodes<R>, isize) {
        let inner = match self {
            Node::Run(run) => {
                let before = run.len();
                let (result, siblings) = edit(run, way, edges);
                let grown = run.len() as isize - before as isize;
                let nodes = siblings.into_iter();
                let nodes = nodes.map(|run| (run.bound(), Node::Run(run))).collect();
                return (result, nodes, grown);
            }
            Node::Inner(inner) => Arc::make_mut(inner),
        };
        let index = way.child(inner);
        let within = Edges {
            is_first: edges.is_first && index == 0,
            is_last: edges.is_last && index + 1 == inner.children.len(),
        };
        let (result, siblings, grown) = inner.children[index].edit(way, within, edit);
        inner.counts[index] = inner.counts[index].wrapping_add_signed(grown);
        if siblings.is_empty() {
            if grown < 0 {
                inner.settle(index);
            }
            return (result, Nodes::<R>::new(), grown);
        }
        let len_of = |nodes: &Nodes<R>| nodes.iter().map(|(_, node)| node.len()).sum::<usize>();
        let come = len_of(&siblings);
        let right = inner.place(index + 1, siblings, within);
        let grown = grown + come as isize - len_of(&right) as isize;
        (result, right, grown)
    }

    fn take_first(&mut self) -> R {
        match self {
            Node::Run(run) => run.clone(),
            Node::Inner(inner) => {
                let inner = Arc::make_mut(inner);
                let first = inner.children.first_mut().expect(HAS_CHILDREN);
                let run = first.take_first();
                inner.counts[0] -= run.len();
                if inner.counts[0] == 0 {
                    inner.remove(0);
                }
                run
            }
        }
    }

    fn for_each_mut(&mut self, f: &mut impl FnMut(&mut R)) {
        match self {
            Node::Run(run) => f(run),
            Node::Inner(inner) => {
                let children = &mut Arc::make_mut(inner).children;
                children.iter_mut().for_each(|child| child.for_each_mut(f));
            }
        }
    }

    /// How full it is, and how full it can be.
    fn fill(&self) -> (usize, usize) {
        match self {
            Node::Run(run) => (run.fill(), R::FILL_MAX),
            Node::Inner(inner) => (inner.children.len(), CHILDREN_MAX),
        }
    }

    /// Takes in the neighbour to the right, which is on the same level, and whose bound this is.
    fn merge(&mut self, bound: R::Bound, right: &Self) {
        match (self, right) {
            (Node::Run(run), Node::Run(right)) => run.append(right),
            (Node::Inner(inner), Node::Inner(right)) => {
                let inner = Arc::make_mut(inner);
                // The first bound of an inner node may be too high; the one above it is not.
                inner.bounds.push(bound);
                inner.bounds.extend(right.bounds.iter().skip(1).cloned());
                inner.counts.extend(&right.counts);
                inner.children.extend(right.children.iter().cloned());
            }
            (Node::Run(_), Node::Inner(_)) | (Node::Inner(_), Node::Run(_)) => {
                unreachable!("neighbours are on one level")
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Node::Run(run) => run.heap_bytes(),
            Node::Inner(inner) => {
                let bounds = inner.bounds.capacity() * size_of::<R::Bound>();
                let counts = inner.counts.capacity() * size_of::<usize>();
                let children = inner.children.capacity() * size_of::<Self>();
                let own = size_of::<usize>() + size_of::<Inner<R>>();
                let below: usize = inner.children.iter().map(Node::heap_bytes).sum();
                own + bounds + counts + children + below
            }
        }
    }
}

impl<R: Run> Inner<R> {
    /// The child to which `is_in` sends a rank; takes from the rank what is before that child.
    #[inline]
    fn child_at(&self, rank: &mut usize, is_in: impl Fn(usize, usize) -> bool) -> usize {
        let last = self.counts.len() - 1;
        if !is_in(*rank, self.counts[0]) {
            // Many ask for what is at the end. A sum is faster than a search.
            let before: usize = self.counts[..last].iter().sum();
            if let Some(rank_in_last) = rank.checked_sub(before)
                && !is_in(*rank, before)
            {
                *rank = rank_in_last;
                return last;
            }
        }
        for (index, &count) in self.counts.iter().enumerate() {
            if index == last || is_in(*rank, count) {
                return index;
            }
            *rank -= count;
        }
        last
    }

    /// The last child whose bound is not too high, or the first one.
    #[inline]
    fn child_to(&self, is_not_too_high: &impl Fn(&R::Bound) -> bool) -> usize {
        let beyond = self.bounds.partition_point(is_not_too_high);
        beyond.saturating_sub(1)
    }

    fn remove(&mut self, index: usize) -> (R::Bound, Node<R>) {
        self.counts.remove(index);
        (self.bounds.remove(index), self.children.remove(index))
    }

    /// Places children from `index` on; returns the right part if those were too many. `within`
    /// says where the child was that has split.
    fn place(&mut self, index: usize, nodes: Nodes<R>, within: Edges) -> Nodes<R> {
        if self.children.len() == self.children.capacity() {
            // Not twice as much, as there is a bound.
            self.bounds.reserve_exact(CHILDREN_GROWTH);
            self.counts.reserve_exact(CHILDREN_GROWTH);
            self.children.reserve_exact(CHILDREN_GROWTH);
        }
        for (at, (bound, node)) in (index..).zip(nodes) {
            self.counts.insert(at, node.len());
            self.bounds.insert(at, bound);
            self.children.insert(at, node);
        }
        if self.children.len() <= CHILDREN_MAX {
            return Nodes::<R>::new();
        }
        // Growth at an end leaves full nodes.
        let middle = if within.is_last {
            CHILDREN_MAX
        } else if within.is_first {
            self.children.len() - CHILDREN_MAX
        } else {
            self.children.len() / 2
        };
        let right = Inner {
            bounds: self.bounds.split_off(middle),
            counts: self.counts.split_off(middle),
            children: self.children.split_off(middle),
        };
        let bound = right.bounds.first().expect(HAS_CHILDREN).clone();
        SmallVec::from_iter([(bound, Node::Inner(Arc::new(right)))])
    }

    /// Drops the child at `index` if it is empty, joins it to a neighbour if both are small.
    fn settle(&mut self, index: usize) {
        if self.counts[index] == 0 {
            self.remove(index);
            return;
        }
        let (fill, fill_max) = self.children[index].fill();
        if fill >= fill_max / 4 {
            return;
        }
        let joins = |neighbour: usize| {
            let neighbour = self.children.get(neighbour).map(Node::fill);
            neighbour.is_some_and(|(other, _)| fill + other <= fill_max / 4 * 3)
        };
        let left = match index.checked_sub(1) {
            _ if joins(index + 1) => index,
            Some(before) if joins(before) => before,
            Some(_) | None => return,
        };
        self.counts[left] += self.counts[left + 1];
        let (bound, right) = self.remove(left + 1);
        self.children[left].merge(bound, &right);
    }
}

/// The elements of one run that a walk goes through: from either end.
pub(crate) struct Walk<'a, R: Run> {
    tree: &'a Tree<R>,
    /// The ranks that are left.
    from: usize,
    to: usize,
    /// The run of `from` and how far the rank is beyond the position in it.
    front: Option<(&'a R, usize)>,
    /// The same of the rank before `to`.
    back: Option<(&'a R, usize)>,
}

impl<R: Run> Clone for Walk<'_, R> {
    fn clone(&self) -> Self {
        Walk { ..*self }
    }
}

impl<'a, R: Run> Walk<'a, R> {
    /// Through the elements of these ranks; those beyond the end are none.
    pub(crate) fn new(tree: &'a Tree<R>, from: usize, to: usize) -> Self {
        let to = to.min(tree.len());
        Walk {
            tree,
            from: from.min(to),
            to,
            front: None,
            back: None,
        }
    }

    /// How many elements are left.
    pub(crate) fn len(&self) -> usize {
        self.to - self.from
    }

    /// The next element: its run and its position there.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<(&'a R, usize)> {
        if self.from == self.to {
            return None;
        }
        let rank = self.from;
        self.from += 1;
        find(self.tree, rank, &mut self.front)
    }

    /// The run of the next elements, and from where to where they are in it.
    pub(crate) fn next_run(&mut self) -> Option<(&'a R, usize, usize)> {
        if self.from == self.to {
            return None;
        }
        let (run, at) = self.tree.run_at(self.from)?;
        let end = run.len().min(at + self.len());
        self.from += end - at;
        Some((run, at, end))
    }

    /// The same of the last elements that are left.
    pub(crate) fn next_run_back(&mut self) -> Option<(&'a R, usize, usize)> {
        if self.from == self.to {
            return None;
        }
        let (run, last) = self.tree.run_at(self.to - 1)?;
        let at = (last + 1).saturating_sub(self.len());
        self.to -= last + 1 - at;
        Some((run, at, last + 1))
    }

    /// The last element that is left.
    #[inline]
    pub(crate) fn next_back(&mut self) -> Option<(&'a R, usize)> {
        if self.from == self.to {
            return None;
        }
        self.to -= 1;
        find(self.tree, self.to, &mut self.back)
    }
}

/// The element of a rank, mostly in the run that was looked at last.
#[inline]
fn find<'a, R: Run>(
    tree: &'a Tree<R>,
    rank: usize,
    last: &mut Option<(&'a R, usize)>,
) -> Option<(&'a R, usize)> {
    if let Some((run, start)) = *last
        && let Some(at) = rank.checked_sub(start)
        && at < run.len()
    {
        return Some((run, at));
    }
    let (run, at) = tree.run_at(rank)?;
    *last = Some((run, rank - at));
    Some((run, at))
}

#[cfg(test)]
impl<R: Run> Node<R> {
    fn first_run(&self) -> &R {
        match self {
            Node::Run(run) => run,
            Node::Inner(inner) => inner.children[0].first_run(),
        }
    }

    fn last_run(&self) -> &R {
        match self {
            Node::Run(run) => run,
            Node::Inner(inner) => inner.children[inner.children.len() - 1].last_run(),
        }
    }

    /// Checks what holds at all times; returns how many levels are below.
    fn check(
        &self,
        check_run: &impl Fn(&R),
        is_between: &impl Fn(&R, &R::Bound, &R) -> bool,
    ) -> usize {
        assert!(self.len() > 0, "nothing empty stays");
        let inner = match self {
            Node::Run(run) => {
                check_run(run);
                return 0;
            }
            Node::Inner(inner) => inner,
        };
        let len = inner.children.len();
        assert!((1..=CHILDREN_MAX).contains(&len));
        assert_eq!((inner.bounds.len(), inner.counts.len()), (len, len));
        let counts = inner.children.iter().map(Node::len);
        assert!(counts.eq(inner.counts.iter().copied()), "counts are exact");
        for (sides, bound) in inner.children.windows(2).zip(&inner.bounds[1..]) {
            let (left, right) = (sides[0].last_run(), sides[1].first_run());
            assert!(
                is_between(left, bound, right),
                "bounds lead to what is there"
            );
        }
        let depths = inner.children.iter();
        let depths: Vec<usize> = depths
            .map(|child| child.check(check_run, is_between))
            .collect();
        assert!(depths.iter().all(|depth| *depth == depths[0]));
        depths[0] + 1
    }
}

#[cfg(test)]
impl<R: Run> Tree<R> {
    /// Checks what holds at all times. `is_between` says whether a bound is above all elements of
    /// the run to its left, and not above the first one of the run to its right. Returns how many
    /// levels of inner nodes there are.
    pub(crate) fn check(
        &self,
        check_run: &impl Fn(&R),
        is_between: &impl Fn(&R, &R::Bound, &R) -> bool,
    ) -> usize {
        assert_eq!(self.root.as_ref().map_or(0, Node::len), self.len);
        let root = self.root.as_ref();
        root.map_or(0, |root| root.check(check_run, is_between))
    }
}
