//! Finding many names in one page, as an intersection does: its names are put into classes once, so
//! that a name is compared with the few of its class instead of half of the page.

use super::{Content, Packed, last_word};
use crate::hash::is_same;

/// How many classes there are: about twice as many as names in a full table of a map.
const CLASSES: usize = 64;

/// Elements at 0, `STEP`, 2 * `STEP` and so on of a page, by what they end with.
pub(crate) struct Finder<'a, const STEP: usize> {
    content: Content<'a>,
    /// The number of the first name of each class; 0 if there is none.
    first: [u8; CLASSES],
    /// For each name, by its number, the next one of its class; 0 if there is none.
    next: [u8; NAMES_MAX + 1],
}

/// Names that can be numbered, from 1 on.
const NAMES_MAX: usize = CLASSES - 1;

impl<'a, const STEP: usize> Finder<'a, STEP> {
    /// For the names of a page, unless there are too many.
    pub(crate) fn new(content: Content<'a>) -> Option<Self> {
        let names = content.len() / STEP;
        if names > NAMES_MAX {
            return None;
        }
        let (mut first, mut next) = ([0; CLASSES], [0; NAMES_MAX + 1]);
        for (index, next) in next[1..=names].iter_mut().enumerate() {
            let (form, bytes) = content.stored(index * STEP);
            let class = &mut first[class(form, bytes)];
            *next = std::mem::replace(class, index as u8 + 1);
        }
        Some(Finder {
            content,
            first,
            next,
        })
    }

    /// Returns whether this is one of them.
    #[inline]
    pub(crate) fn has(&self, sought: &Packed<'_>) -> bool {
        let bytes = sought.bytes();
        let mut number = usize::from(self.first[class(sought.form, bytes)]);
        while number > 0 {
            let (form, name) = self.content.stored((number - 1) * STEP);
            if form == sought.form && is_same(name, bytes) {
                return true;
            }
            number = usize::from(self.next[number]);
        }
        false
    }
}

/// Names of which no more than the last word is the same are mostly of different classes.
#[inline]
fn class(form: u16, bytes: &[u8]) -> usize {
    let word = last_word(bytes).0 ^ u64::from(form) ^ bytes.len() as u64;
    let mixed = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - CLASSES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Item, Page};

    #[test]
    fn names_are_found_that_are_there() {
        for count in [0, 1, 2, 30, NAMES_MAX] {
            // Some end alike, so that they are of one class.
            let name = |number: usize| match number % 4 {
                0 => number.to_string().into_bytes(),
                1 => format!("{number} ends as others do").into_bytes(),
                2 => vec![b'x'; number % 9],
                _ => format!("{number}").repeat(number % 5).into_bytes(),
            };
            let names: Vec<Vec<u8>> = (0..count).map(name).collect();
            let items = names
                .iter()
                .flat_map(|name| [Item::of(name).pack(), Item::Integer(7).pack()]);
            let page = Page::of(&items.collect::<Vec<_>>());
            let finder = Finder::<2>::new(page.content()).unwrap();
            for number in 0..200 {
                let sought = name(number);
                let is_there = names.contains(&sought);
                assert_eq!(finder.has(&Item::of(&sought).pack()), is_there, "{number}");
            }
        }
        let many = Page::of(&vec![Item::Integer(1).pack(); NAMES_MAX + 1]);
        assert!(Finder::<1>::new(many.content()).is_none());
    }
}
