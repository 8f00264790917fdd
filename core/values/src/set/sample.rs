//! Members drawn at random, each with the same chance.

use std::collections::BTreeSet;

use collections::{Element, INTEGER_TEXT_BYTES_MAX, element::Shared};
use smallvec::SmallVec;

use super::{Repr, Set};

/// If less than this part of all members is drawn, they are drawn one by one, which may have to be
/// repeated. For more, all of them are looked at.
const FEW_OF: usize = 8;

impl Set {
    /// Some member; `None` only if there is none.
    pub fn random(&self, random: u64) -> Option<Element<'_>> {
        let map = match &self.0 {
            Repr::Integers(integers) => {
                let at = random % (integers.len() as u64).max(1);
                return integers.get(at as usize).map(Element::Integer);
            }
            Repr::ManyIntegers(map) => map,
            Repr::Members(map) => map,
        };
        map.random(random).map(|entry| entry.name())
    }

    /// As many different members, or all if there are fewer. `random` gives random numbers.
    pub fn sample(&self, count: usize, mut random: impl FnMut() -> u64) -> Vec<Element<'_>> {
        let len = self.len();
        if count >= len {
            return self.iter().collect();
        }
        let mut drawn = Vec::with_capacity(count);
        if count.saturating_mul(FEW_OF) < len {
            let mut seen = BTreeSet::new();
            while drawn.len() < count {
                match self.random(random()) {
                    Some(member) if seen.insert(place_of(member)) => drawn.push(member),
                    Some(_) => {}
                    None => break,
                }
            }
            return drawn;
        }
        // Each is drawn with the chance that is left for it.
        for (index, member) in self.iter().enumerate() {
            let (wanted, left) = (count - drawn.len(), len - index);
            if (u128::from(random()) * left as u128) >> u64::BITS < wanted as u128 {
                drawn.push(member);
            }
        }
        drawn
    }
}

/// What tells a member of a set from the others, without a look at its bytes.
fn place_of(member: Element<'_>) -> (usize, i64) {
    match member {
        // Nothing ends there.
        Element::Integer(integer) => (usize::MAX, integer),
        Element::Text(bytes) => (bytes.as_ptr().addr(), bytes.len() as i64),
        Element::Shared(bytes) => (bytes.as_ptr().addr(), -1),
    }
}

/// A member that outlives its set. What is long is shared with it.
#[derive(Clone, Debug)]
pub enum Member {
    /// Bytes.
    Text(SmallVec<[u8; INTEGER_TEXT_BYTES_MAX]>),
    /// Many bytes.
    Shared(Shared),
}

impl Member {
    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Member::Text(bytes) => bytes,
            Member::Shared(bytes) => bytes,
        }
    }

    /// As an element of a collection.
    #[inline]
    pub fn as_element(&self) -> Element<'_> {
        match self {
            Member::Text(bytes) => Element::Text(bytes),
            Member::Shared(bytes) => Element::Shared(bytes),
        }
    }
}

impl From<Element<'_>> for Member {
    fn from(element: Element<'_>) -> Member {
        match element {
            Element::Shared(shared) => Member::Shared(shared.clone()),
            Element::Text(_) | Element::Integer(_) => {
                Member::Text(element.with_bytes(SmallVec::from_slice))
            }
        }
    }
}
