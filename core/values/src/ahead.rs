//! A look ahead: what requests that come next will look for in large values is read together.
//!
//! An element of a large hash, set or sorted set is mostly not in the processor's caches, and where
//! it lies is known only step by step. So each step is taken for all requests before the next one:
//! then what they wait for comes at the same time.

use collections::{map, sorted};

use crate::SortedSet;

/// From how many elements on a value is looked into ahead: what is smaller is in the nearer caches.
pub(crate) const LEN_MIN: usize = 50_000;

/// What a request looks for in the value of its key.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// A field or a member.
    Element(&'a [u8]),
    /// A member, its place in the order, and the one that it has with this score.
    Placed(&'a [u8], Option<f64>),
    /// The member of this rank.
    Ranked(usize),
}

/// Where a value has what a request looks for.
#[derive(Debug)]
pub struct Ahead<'a>(Place<'a>);

#[derive(Debug)]
enum Place<'a> {
    Field(map::Ahead<'a, 2>),
    Member(map::Ahead<'a, 1>),
    Scored {
        set: &'a SortedSet,
        scores: map::Ahead<'a, 2>,
        member: &'a [u8],
        /// The score that the request may give the member.
        score: Option<f64>,
        /// Where the member is in the order, and where it may come to be.
        ordered: [Option<sorted::Ahead<'a>>; 2],
    },
}

impl<'a> Ahead<'a> {
    pub(crate) fn field(fields: map::Ahead<'a, 2>) -> Ahead<'a> {
        Ahead(Place::Field(fields))
    }

    pub(crate) fn member(members: map::Ahead<'a, 1>) -> Ahead<'a> {
        Ahead(Place::Member(members))
    }

    pub(crate) fn scored(
        set: &'a SortedSet,
        scores: map::Ahead<'a, 2>,
        member: &'a [u8],
        score: Option<f64>,
    ) -> Ahead<'a> {
        let ordered = [None, None];
        Ahead(Place::Scored {
            set,
            scores,
            member,
            score,
            ordered,
        })
    }

    /// Reads all of these.
    pub fn read(places: &mut [Option<Ahead<'_>>]) {
        let each = |places: &mut [Option<Ahead<'_>>], step: fn(&mut Place<'_>)| {
            places.iter_mut().flatten().for_each(|it| step(&mut it.0));
        };
        each(places, |place| match place {
            Place::Field(fields) => fields.touch_head(),
            Place::Member(members) => members.touch_head(),
            Place::Scored { scores, .. } => scores.touch_head(),
        });
        each(places, |place| match place {
            Place::Field(fields) => fields.touch_all(),
            Place::Member(members) => members.touch_all(),
            Place::Scored { scores, .. } => scores.touch_all(),
        });
        each(places, |place| place.find_in_order());
        each(places, |place| {
            place.ordered().for_each(|texts| texts.touch_all());
        });
    }
}

impl<'a> Place<'a> {
    /// Finds the places of a member in the order of its set.
    fn find_in_order(&mut self) {
        let Place::Scored {
            set,
            scores,
            member,
            score,
            ordered,
        } = self
        else {
            return;
        };
        let scores = [set.score_ahead(scores, member), *score];
        *ordered = scores.map(|score| set.order_ahead(member, score?));
        self.ordered().for_each(|texts| texts.touch_head());
    }

    fn ordered(&self) -> impl Iterator<Item = &sorted::Ahead<'a>> {
        let ordered = match self {
            Place::Field(_) | Place::Member(_) => [].as_slice(),
            Place::Scored { ordered, .. } => ordered,
        };
        ordered.iter().flatten()
    }
}
