//! What several sets have together: their intersection, union, difference.

use std::ops::ControlFlow;

use collections::hash::NameHasher;
use collections::map::Longs;
use collections::{Element, Map};

use super::{Growth, Set, SetForm};
use crate::thresholds::Thresholds;

/// How sets are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combination {
    /// What all of them have.
    Intersection,
    /// What any of them has.
    Union,
    /// What the first has and none of the others.
    Difference,
}

impl Combination {
    /// Shows each member of the result once, until `f` has enough. Takes time in proportion to the
    /// sizes of the sets together, if none is there twice.
    pub fn for_each<'s>(
        self,
        sets: &'s [Set],
        hasher: NameHasher,
        mut f: impl FnMut(Element<'s>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Combination::Intersection => {
                let mut by_size: Vec<&Set> = sets.iter().collect();
                by_size.sort_by_key(|set| set.len());
                let Some((smallest, others)) = by_size.split_first() else {
                    return ControlFlow::Continue(());
                };
                if let Some(map) = smallest.map()
                    && let Some(maps) = others
                        .iter()
                        .map(|set| set.map())
                        .collect::<Option<Vec<_>>>()
                {
                    return map.try_for_each_in(&maps, |entry| f(entry.name()));
                }
                let mut members = smallest.iter();
                members.try_for_each(|member| match others.iter().all(|set| set.has(member)) {
                    true => f(member),
                    false => ControlFlow::Continue(()),
                })
            }
            Combination::Union => {
                let mut by_size: Vec<&Set> = sets.iter().collect();
                by_size.sort_by_key(|set| std::cmp::Reverse(set.len()));
                let Some((largest, others)) = by_size.split_first() else {
                    return ControlFlow::Continue(());
                };
                largest.iter().try_for_each(&mut f)?;
                // What others than the largest have, once there are several of them.
                let mut seen = Map::<1>::new();
                for set in others {
                    for member in set.iter().filter(|member| !largest.has(*member)) {
                        if others.len() == 1 || insert(&mut seen, member, hasher) {
                            f(member)?;
                        }
                    }
                }
                ControlFlow::Continue(())
            }
            Combination::Difference => {
                let Some((first, others)) = sets.split_first() else {
                    return ControlFlow::Continue(());
                };
                let looks = first.len().saturating_mul(others.len());
                if looks <= members_of(others) {
                    return first.iter().try_for_each(|member| {
                        match others.iter().any(|set| set.has(member)) {
                            true => ControlFlow::Continue(()),
                            false => f(member),
                        }
                    });
                }
                let mut taken = Map::<1>::new();
                for member in others.iter().flat_map(Set::iter) {
                    if first.has(member) {
                        insert(&mut taken, member, hasher);
                    }
                }
                let is_left =
                    |member: &Element<'_>| member.with_bytes(|it| taken.find(it).is_none());
                first.iter().filter(is_left).try_for_each(f)
            }
        }
    }

    /// The result as a set of its own, in the form that one has which gets these members one by
    /// one, and for some differences those that go again. It shares what it can with the sets.
    pub fn result(self, sets: &[Set], growth: Growth<'_>) -> Set {
        let is_shared = |set: &&Set| is_large(set, growth.thresholds);
        match self {
            Combination::Union => {
                let largest = sets.iter().enumerate();
                let largest = largest.max_by_key(|(_, set)| set.len());
                if let Some((at, largest)) = largest.filter(|(_, set)| is_shared(set)) {
                    let mut result = largest.clone();
                    for (_, set) in sets.iter().enumerate().filter(|(index, _)| *index != at) {
                        set.iter().for_each(|member| {
                            result.add_element(member, growth);
                        });
                    }
                    return result;
                }
            }
            Combination::Difference => {
                if let Some((first, others)) = sets.split_first()
                    && (is_taken_from(first, others)
                        || is_shared(&first) && members_of(others) < first.len())
                {
                    let mut result = match is_shared(&first) {
                        true => first.clone(),
                        false => Combination::Union.result(&sets[..1], growth),
                    };
                    for member in others.iter().flat_map(Set::iter) {
                        member.with_bytes(|it| result.remove(it, &mut collections::map::Copied));
                    }
                    if is_taken_from(first, others) || is_shared(&&result) {
                        return result;
                    }
                }
            }
            Combination::Intersection => {}
        }
        let mut result = Set::new();
        let _ = self.for_each(sets, growth.hasher, |member| {
            result.add_element(member, growth);
            ControlFlow::Continue(())
        });
        result
    }
}

/// Returns whether a set is a hash table that no set of as many members would not be.
fn is_large(set: &Set, thresholds: &Thresholds) -> bool {
    let least = thresholds
        .set_max_intset_entries
        .max(thresholds.set_max_listpack_entries);
    set.form() == SetForm::Hashtable && set.len() > least
}

/// Returns whether Redis takes the members of the others out of a copy of the first set, which
/// keeps the form of the whole one.
fn is_taken_from(first: &Set, others: &[Set]) -> bool {
    let there = 1 + others.iter().filter(|set| !set.is_empty()).count();
    first.len().saturating_mul(there) / 2 > first.len() + members_of(others)
}

fn members_of(sets: &[Set]) -> usize {
    sets.iter().map(Set::len).sum()
}

fn insert(map: &mut Map<1>, member: Element<'_>, hasher: NameHasher) -> bool {
    member.with_bytes(|it| map.insert_with([it], hasher, &mut SharedBy(member)))
}

/// The long member that comes is this one, and is shared.
struct SharedBy<'a>(Element<'a>);

impl Longs for SharedBy<'_> {
    fn come(&mut self, bytes: &[u8]) -> collections::element::Shared {
        match self.0 {
            Element::Shared(shared) => shared.clone(),
            Element::Text(_) | Element::Integer(_) => collections::map::Copied.come(bytes),
        }
    }

    fn gone(&mut self, _: collections::element::Shared) {}
}

impl Set {
    /// As [`Set::begin`], of a member that a long one is shared with.
    pub fn begin_with(first: Element<'_>, count: usize, growth: Growth<'_>) -> Set {
        first.with_bytes(|it| Set::begin(it, count, growth, &mut SharedBy(first)))
    }

    /// Adds a member of another set, with which a long one is shared.
    pub fn add_element(&mut self, member: Element<'_>, growth: Growth<'_>) -> bool {
        member.with_bytes(|it| self.add_with(it, growth, &mut SharedBy(member)))
    }
}
