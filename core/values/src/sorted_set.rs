//! The sorted set value: members with a score each, in the order of scores, then of members.
//!
//! One order that counts gives the member of a rank and the rank of a member. As long as it has few
//! members it is all that there is, and a member is looked for by a walk. A large one has a map
//! from members to scores beside it. What Redis would call a listpack says so, whatever it is kept
//! in here. Once it has had too many members or too long ones for that, it never is one again.

mod many;
mod order;

use std::cell::Cell;

use collections::element::{SHARED_BYTES_MIN, Shared};
use collections::hash::NameHasher;
use collections::map::{Copied, Entry, Longs};
use collections::sorted::Text;
use collections::{Element, Map, Sorted, in_steps, map, sorted};
use triomphe::Arc;

pub use self::order::Member;
use self::order::{ByScore, Packed, member_of, pack, pack_long, score_of};
use crate::ahead::{Ahead, LEN_MIN, Sought};
use crate::label::Label;
use crate::thresholds::Thresholds;
use crate::typed::{SizeKind, Typed};
use crate::value::Value;

/// Up to how many members a sorted set has no map.
const SMALL_LEN_MAX: usize = 128;

/// Members and their scores.
#[derive(Clone)]
pub struct SortedSet(Repr);

#[derive(Clone)]
enum Repr {
    /// Few members.
    Small(Sorted<ByScore>),
    Large(Arc<Large>),
}

#[derive(Clone)]
struct Large {
    order: Sorted<ByScore>,
    /// The scores, as they are in the order.
    scores: Map<2>,
    /// Redis would keep it as a listpack.
    is_listpack: bool,
}

/// What became of a member that was given a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is new.
    Added,
    /// It had another score.
    Moved,
    /// It had that score.
    Kept,
}

/// What it takes to put members in: when Redis would no longer keep them as a listpack, and the
/// hash of a large set. Its key should be secret, and must be the same for all calls on a set.
#[derive(Clone, Copy, Debug)]
pub struct Placing<'t> {
    /// When Redis keeps a value in a compact form.
    pub thresholds: &'t Thresholds,
    /// By which members are found.
    pub hasher: NameHasher,
}

impl Placing<'_> {
    fn fits_listpack(&self, len: usize, member_bytes: usize) -> bool {
        len <= self.thresholds.zset_max_listpack_entries
            && member_bytes <= self.thresholds.zset_max_listpack_value
    }
}

/// A score as a listpack of Redis keeps it: whole numbers as integers, of which none is -0.
fn of_listpack(score: f64) -> f64 {
    if score == 0.0 { 0.0 } else { score }
}

/// A sorted set that is made as a whole, by a load or of others. Once it is finished, Redis decides
/// what to keep it as.
#[derive(Clone, Debug)]
pub struct Builder<'t> {
    set: SortedSet,
    longest: usize,
    placing: Placing<'t>,
}

impl<'t> Builder<'t> {
    /// No members yet.
    pub fn new(placing: Placing<'t>) -> Builder<'t> {
        Builder {
            set: SortedSet::new(),
            longest: 0,
            placing,
        }
    }

    /// Gives a member this score.
    pub fn place(&mut self, member: &[u8], score: f64) -> Placed {
        let before = self.set.score(member);
        self.longest = self.longest.max(member.len());
        let hasher = self.placing.hasher;
        self.set.put(member, before, score, hasher, &mut Copied)
    }

    /// The set so far.
    pub fn set(&self) -> &SortedSet {
        &self.set
    }

    /// The set.
    pub fn finish(self) -> SortedSet {
        let Builder {
            mut set,
            longest,
            placing,
        } = self;
        if !placing.fits_listpack(set.len(), longest) {
            set.grown(placing.hasher).is_listpack = false;
            return set;
        }
        let is_negative_zero = |it: &Member<'_>| it.score == 0.0 && it.score.is_sign_negative();
        let zeros: Vec<Vec<u8>> = set
            .iter()
            .filter(is_negative_zero)
            .map(|it| it.member.to_vec())
            .collect();
        for member in zeros {
            set.remove(&member, &mut Copied);
            set.put(&member, None, 0.0, placing.hasher, &mut Copied);
        }
        set
    }
}

impl Default for SortedSet {
    fn default() -> SortedSet {
        SortedSet::new()
    }
}

impl SortedSet {
    /// No members.
    pub const fn new() -> SortedSet {
        SortedSet(Repr::Small(Sorted::new()))
    }

    /// Notes that so many members are to be put in by one command. Redis gives up a listpack if
    /// they are too many, even if some of them are there.
    pub fn expect(&mut self, count: usize, placing: Placing<'_>) {
        if count > placing.thresholds.zset_max_listpack_entries {
            self.grown(placing.hasher).is_listpack = false;
        }
    }

    /// Gives a member this score.
    pub fn place(&mut self, member: &[u8], score: f64, placing: Placing<'_>) -> Placed {
        self.place_with(member, score, placing, &mut Copied)
    }

    /// The same with a long member from elsewhere.
    pub fn place_with(
        &mut self,
        member: &[u8],
        score: f64,
        placing: Placing<'_>,
        longs: &mut impl Longs,
    ) -> Placed {
        if member.len() >= SHARED_BYTES_MIN {
            // Looked for once: after that, it is the same bytes at the same place.
            let shared = self.find_long(member);
            let shared = shared.unwrap_or_else(|| longs.come(member));
            return self.place_any(&shared, score, placing, &mut Known(&shared));
        }
        if let Repr::Large(large) = &mut self.0
            && !large.is_listpack
            && large.is_unique()
        {
            return Arc::make_mut(large).place(member, score, placing.hasher);
        }
        self.place_any(member, score, placing, longs)
    }

    /// A long member, if it is there.
    fn find_long(&self, member: &[u8]) -> Option<Shared> {
        let Repr::Large(large) = &self.0 else {
            return None;
        };
        match large.scores.find(member)?.name() {
            Element::Shared(shared) => Some(shared.clone()),
            Element::Text(_) | Element::Integer(_) => None,
        }
    }

    fn place_any(
        &mut self,
        member: &[u8],
        score: f64,
        placing: Placing<'_>,
        longs: &mut impl Longs,
    ) -> Placed {
        let before = self.score(member);
        if before.is_none() && !placing.fits_listpack(self.len() + 1, member.len()) {
            self.grown(placing.hasher).is_listpack = false;
        }
        let score = if self.is_listpack() {
            of_listpack(score)
        } else {
            score
        };
        self.put(member, before, score, placing.hasher, longs)
    }

    /// Gives a member this score instead of the one that it had before.
    fn put(
        &mut self,
        member: &[u8],
        before: Option<f64>,
        score: f64,
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> Placed {
        if before == Some(score) {
            return Placed::Kept;
        }
        let is_long = member.len() >= SHARED_BYTES_MIN;
        if before.is_none() && (is_long || self.len() >= SMALL_LEN_MAX) {
            self.grown(hasher);
        }
        let (order, scores) = match &mut self.0 {
            Repr::Small(order) => (order, None),
            Repr::Large(large) => {
                let large = Arc::make_mut(large);
                if is_long {
                    return large.place_long(member, before, score, hasher, longs);
                }
                (&mut large.order, Some(&mut large.scores))
            }
        };
        match before {
            Some(before) => order.replace(&pack(before, member), &pack(score, member)),
            None => {
                order.insert(&pack(score, member));
            }
        }
        if let Some(scores) = scores {
            scores.insert([member, Packed::of(score).as_bytes()], hasher);
        }
        match before {
            Some(_) => Placed::Moved,
            None => Placed::Added,
        }
    }

    /// Takes a member out; returns whether it was there.
    pub fn remove(&mut self, member: &[u8], longs: &mut impl Longs) -> bool {
        if let Repr::Large(large) = &mut self.0
            && large.is_unique()
        {
            return Arc::make_mut(large).remove(member, longs);
        }
        let Some(score) = self.score(member) else {
            return false;
        };
        match &mut self.0 {
            Repr::Small(order) => order.remove_at(Member { member, score }),
            Repr::Large(large) => Arc::make_mut(large).remove(member, longs),
        }
    }

    /// The members of the ranks from `from` on, before `to`, as a set that shares with this one
    /// what it can, and has its form. It takes time by how many others there are.
    pub fn part(&self, from: usize, to: usize) -> SortedSet {
        let mut part = self.clone();
        part.remove_ranks(to, part.len(), &mut Copied);
        part.remove_ranks(0, from, &mut Copied);
        part
    }

    /// Takes out the members of the ranks from `from` on, before `to`.
    pub fn remove_ranks(&mut self, from: usize, to: usize, longs: &mut impl Longs) {
        match &mut self.0 {
            Repr::Small(order) => order.remove_ranks(from, to),
            Repr::Large(large) => {
                let large = Arc::make_mut(large);
                let texts = large.order.range(from, to);
                in_steps(
                    &mut large.scores,
                    texts.map(|text| member_of(text).member),
                    |member| member,
                    look_ahead,
                    |scores, member| {
                        scores.remove_with(member, longs);
                    },
                );
                large.order.remove_ranks(from, to);
            }
        }
    }

    /// Reads what will be read when these members are given scores, removed or looked for, at most
    /// [`collections::STEP`] of them, if there are so many members here that it pays.
    #[inline]
    pub fn look_ahead(&self, members: &[&[u8]]) {
        if let Repr::Large(large) = &self.0 {
            look_ahead(&large.scores, members);
        }
    }

    /// The score of a member.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.0 {
            Repr::Small(_) => self.position(member).map(|(_, score)| score),
            Repr::Large(large) => {
                let entry: Entry<'_, 2> = large.scores.find(member)?;
                Some(entry.value().with_bytes(score_of))
            }
        }
    }

    /// The rank of a member, from the lowest score on, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match &self.0 {
            Repr::Small(_) => self.position(member),
            Repr::Large(large) => {
                let score = self.score(member)?;
                let rank = large.order.rank_at(Member { member, score }).ok()?;
                Some((rank, score))
            }
        }
    }

    /// How many members, from the lowest on, are before a point in the order: `is_before` says so
    /// of each, and of none after one of which it does not.
    pub fn rank_by(&self, is_before: impl Fn(Member<'_>) -> bool) -> usize {
        self.order().rank_by(|text| is_before(member_of(text)))
    }

    /// The member of a rank.
    #[inline]
    pub fn get(&self, rank: usize) -> Option<Member<'_>> {
        self.order().get(rank).map(member_of)
    }

    /// The members of the ranks from `from` on, before `to`, in both directions.
    pub fn range(&self, from: usize, to: usize) -> Range<'_> {
        Range(self.order().range(from, to))
    }

    /// All members in both directions.
    pub fn iter(&self) -> Range<'_> {
        Range(self.order().iter())
    }

    /// One step of a scan: shows about `count` members from `cursor` on and returns the cursor for
    /// the next step, 0 at the end. A member that is there from the first step to the last is
    /// shown. A set of few members is shown at once.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(Member<'_>)) -> u64 {
        match &self.0 {
            Repr::Small(_) => {
                self.iter().for_each(f);
                0
            }
            Repr::Large(large) => large.scores.scan(cursor, count, |entry| {
                let score = entry.value().with_bytes(score_of);
                entry
                    .name()
                    .with_bytes(|member| f(Member { member, score }));
            }),
        }
    }

    /// The number of members.
    #[inline]
    pub fn len(&self) -> usize {
        self.order().len()
    }

    /// Returns whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether Redis would keep it as a listpack.
    #[inline]
    pub fn is_listpack(&self) -> bool {
        match &self.0 {
            Repr::Small(_) => true,
            Repr::Large(large) => large.is_listpack,
        }
    }

    /// The score of a member, where it is known to be if it is there.
    pub(crate) fn score_ahead(&self, scores: &map::Ahead<'_, 2>, member: &[u8]) -> Option<f64> {
        let entry = scores.find(member)?;
        Some(entry.value().with_bytes(score_of))
    }

    /// Where a member of this score is in the order, or would be.
    pub(crate) fn order_ahead(&self, member: &[u8], score: f64) -> Option<sorted::Ahead<'_>> {
        self.order().ahead(Member { member, score })
    }

    #[inline]
    fn order(&self) -> &Sorted<ByScore> {
        match &self.0 {
            Repr::Small(order) => order,
            Repr::Large(large) => &large.order,
        }
    }

    /// Where a member is, found by a walk, and its score.
    fn position(&self, member: &[u8]) -> Option<(usize, f64)> {
        let mut texts = self.order().iter().enumerate();
        texts.find_map(|(rank, text)| {
            let found = member_of(text);
            (found.member == member).then_some((rank, found.score))
        })
    }

    /// The set as a large one.
    fn grown(&mut self, hasher: NameHasher) -> &mut Large {
        if let Repr::Small(order) = &mut self.0 {
            let order = std::mem::take(order);
            let mut scores = Map::new();
            for text in order.iter() {
                let Member { member, score } = member_of(text);
                scores.insert([member, Packed::of(score).as_bytes()], hasher);
            }
            let is_listpack = true;
            self.0 = Repr::Large(Arc::new(Large {
                order,
                scores,
                is_listpack,
            }));
        }
        match &mut self.0 {
            Repr::Large(large) => Arc::make_mut(large),
            Repr::Small(_) => unreachable!("made large just above"),
        }
    }
}

impl Large {
    /// Gives a short member this score, with one search for the one that it had.
    fn place(&mut self, member: &[u8], score: f64, hasher: NameHasher) -> Placed {
        match self.set_score(member, score, hasher) {
            Some(before) if before == score => Placed::Kept,
            Some(before) => {
                let order = &mut self.order;
                order.replace(&pack(before, member), &pack(score, member));
                Placed::Moved
            }
            None => {
                self.order.insert(&pack(score, member));
                Placed::Added
            }
        }
    }

    /// Notes the score of a short member beside the order; returns the one that it had.
    #[inline]
    fn set_score(&mut self, member: &[u8], score: f64, hasher: NameHasher) -> Option<f64> {
        let before = Cell::new(None);
        let text = Packed::of(score);
        self.scores.update(member, hasher, |found| {
            before.set(found.map(|found| found.with_bytes(score_of)));
            (before.get() != Some(score)).then_some(text.as_bytes())
        });
        before.get()
    }

    /// Gives a member this score, whatever its length.
    fn place_any(
        &mut self,
        member: &[u8],
        score: f64,
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> Placed {
        if member.len() < SHARED_BYTES_MIN {
            return self.place(member, score, hasher);
        }
        let found = self.scores.find(member);
        match found.map(|entry| entry.value().with_bytes(score_of)) {
            Some(before) if before == score => Placed::Kept,
            before => self.place_long(member, before, score, hasher, longs),
        }
    }

    /// Gives a long member this score instead of the one that it had before. The order and the
    /// map share its bytes.
    fn place_long(
        &mut self,
        member: &[u8],
        before: Option<f64>,
        score: f64,
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> Placed {
        let found = self.scores.find(member).map(|entry| entry.name());
        let shared = match found {
            Some(Element::Shared(shared)) => shared.clone(),
            Some(Element::Text(_) | Element::Integer(_)) | None => longs.come(member),
        };
        if let Some(score) = before {
            let member = shared.as_slice();
            self.order.remove_at(Member { member, score });
        }
        self.order.insert_long(pack_long(score, shared.clone()));
        let (score, known) = (Packed::of(score), &mut Known(&shared));
        self.scores
            .insert_with([&shared, score.as_bytes()], hasher, known);
        match before {
            Some(_) => Placed::Moved,
            None => Placed::Added,
        }
    }

    /// Takes a member out; returns whether it was there.
    fn remove(&mut self, member: &[u8], longs: &mut impl Longs) -> bool {
        if member.len() >= SHARED_BYTES_MIN {
            return self.remove_long(member, longs);
        }
        let mut score = None;
        self.scores.remove_shown(member, &mut Copied, |entry| {
            score = Some(entry.value().with_bytes(score_of));
        });
        score.is_some_and(|score| self.order.remove_at(Member { member, score }))
    }

    fn remove_long(&mut self, member: &[u8], longs: &mut impl Longs) -> bool {
        let found = self.scores.find(member);
        let found = found.map(|entry| (entry.name(), entry.value().with_bytes(score_of)));
        let Some((Element::Shared(shared), score)) = found else {
            return false;
        };
        let shared = shared.clone();
        let member = shared.as_slice();
        self.order.remove_at(Member { member, score });
        self.scores.remove_with(member, longs)
    }
}

/// The bytes of a long member that are known to be these.
struct Known<'a>(&'a Shared);

impl Longs for Known<'_> {
    fn come(&mut self, _: &[u8]) -> Shared {
        self.0.clone()
    }

    fn gone(&mut self, _: Shared) {}
}

/// Reads what searches for these members will read, where that pays.
#[inline]
fn look_ahead(scores: &Map<2>, members: &[&[u8]]) {
    if scores.len() >= LEN_MIN {
        scores.look_ahead(members);
    }
}

/// Members of a sorted set in both directions.
#[derive(Clone, Debug)]
pub struct Range<'a>(sorted::Range<'a>);

impl<'a> Range<'a> {
    /// The members as elements, so that a long one can be referred to, with their scores.
    pub fn elements(self) -> impl DoubleEndedIterator<Item = (Element<'a>, f64)> {
        self.0.map(|text| {
            let Member { member, score } = member_of(text);
            match text {
                Text::Whole(_) => (Element::Text(member), score),
                Text::Long(text) => (Element::Shared(text.rest()), score),
            }
        })
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Member<'a>;

    #[inline]
    fn next(&mut self) -> Option<Member<'a>> {
        self.0.next().map(member_of)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(member_of)
    }
}

impl ExactSizeIterator for Range<'_> {}

impl std::fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Typed for SortedSet {
    const NAME: &'static str = "zset";
    const SIZE_KIND: Option<SizeKind> = Some(SizeKind::SortedSets);

    #[inline]
    fn of(value: &Value) -> Option<&SortedSet> {
        if let Value::SortedSet(_, set) = value {
            Some(set)
        } else {
            None
        }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut SortedSet> {
        if let Value::SortedSet(_, set) = value {
            Some(set)
        } else {
            None
        }
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    fn encoding(&self, _: usize) -> &'static str {
        if self.is_listpack() {
            "listpack"
        } else {
            "skiplist"
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        match &self.0 {
            Repr::Small(order) => order.heap_bytes(),
            Repr::Large(large) => {
                let own = size_of::<usize>() + size_of::<Large>();
                own + large.order.heap_bytes() + large.scores.heap_bytes(samples)
            }
        }
    }

    #[inline]
    fn weight(&self) -> usize {
        match &self.0 {
            Repr::Small(order) => order.weight(),
            Repr::Large(large) => large.order.weight() + large.scores.weight(),
        }
    }

    #[inline]
    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    #[inline]
    fn prefetch(&self) {
        std::hint::black_box(self.len());
    }

    #[inline]
    fn ahead<'v>(&'v self, sought: Sought<'v>) -> Option<Ahead<'v>> {
        let Repr::Large(large) = &self.0 else {
            return None;
        };
        if self.len() < LEN_MIN {
            return None;
        }
        Some(match sought {
            Sought::Element(member) => Ahead::field(large.scores.ahead(member)?),
            Sought::Ranked(rank) => Ahead::field(large.scores.ahead(self.get(rank)?.member)?),
            Sought::Placed(member, score) => {
                Ahead::scored(self, large.scores.ahead(member)?, member, score)
            }
        })
    }
}

impl From<SortedSet> for Value {
    #[inline]
    fn from(set: SortedSet) -> Value {
        Value::SortedSet(Label::default(), set)
    }
}

#[cfg(test)]
mod tests;
