//! Fields that have deadlines, and the order in which these come.

use std::cmp::Ordering;

use collections::element::SHARED_BYTES_MIN;
use collections::map::DATE_MAX;
use collections::sorted::{LongText, Order, Sorted, Text};
use collections::{Element, Map};
use smallvec::SmallVec;

/// The latest deadline of a field, in milliseconds since the epoch: as in Redis.
pub const FIELD_DEADLINE_MS_MAX: u64 = (1 << 46) - 1;

const _: () = assert!(FIELD_DEADLINE_MS_MAX <= DATE_MAX);

/// Bytes of a deadline in front of a field's name.
const DEADLINE_BYTES: usize = 6;

/// A deadline and a name of usual length.
const PLACE_BYTES: usize = 64;

/// The content of a hash of which some fields have, or once had, a deadline: the date of the entry.
#[derive(Clone, Default)]
pub(super) struct Expiring {
    pub(super) fields: Map<2>,
    /// The deadline of each field that has one, the highest byte first, and then its name. The
    /// bytes of a long name are those that the map has.
    deadlines: Sorted<ByDeadline>,
}

/// By deadline, then by name.
#[derive(Clone, Copy, Debug)]
struct ByDeadline;

impl Order for ByDeadline {
    type Point<'a> = (u64, &'a [u8]);

    #[inline]
    fn point(text: &[u8]) -> (u64, &[u8]) {
        (deadline_of(text), name_of(text))
    }

    fn point_of_long(text: &LongText) -> (u64, &[u8]) {
        (deadline_of(text.head()), text.rest())
    }

    #[inline]
    fn compare(text: Text<'_>, point: (u64, &[u8])) -> Ordering {
        let (deadline, name) = parts(text);
        deadline.cmp(&point.0).then_with(|| {
            match std::ptr::eq(name, point.1) {
                // A long name is not read to find that it is the same.
                true => Ordering::Equal,
                false => name.cmp(point.1),
            }
        })
    }

    fn head_len(_: &[u8]) -> usize {
        DEADLINE_BYTES
    }
}

impl Expiring {
    pub(super) fn new(fields: Map<2>) -> Expiring {
        Expiring {
            fields,
            deadlines: Sorted::new(),
        }
    }

    /// The deadline of a field has changed. If it has one now, it is there.
    pub(super) fn note(&mut self, field: &[u8], before: Option<u64>, after: Option<u64>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.deadlines.remove_at((before, field));
        }
        let Some(after) = after else {
            return;
        };
        if field.len() < SHARED_BYTES_MIN {
            self.deadlines.insert(&place(after, field));
        } else if let Some(Element::Shared(name)) = self.fields.find(field).map(|it| it.name()) {
            let text = LongText::new(&place(after, &[]), name.clone());
            self.deadlines.insert_long(text);
        }
    }

    /// The deadlines of these fields, which are in the order of their names, each once, are now
    /// this one instead of what each had before.
    pub(super) fn note_each(&mut self, changed: &[(Option<u64>, &[u8])], after: Option<u64>) {
        let is_short = |(_, field): &&(Option<u64>, &[u8])| field.len() < SHARED_BYTES_MIN;
        let (mut gone, mut come) = (PlaceList::default(), PlaceList::default());
        for (before, field) in changed.iter().filter(is_short) {
            before.iter().for_each(|before| gone.push(*before, field));
            after.iter().for_each(|after| come.push(*after, field));
        }
        let mut gone = gone.as_slices();
        if !gone.is_sorted() {
            gone.sort_unstable();
        }
        self.deadlines.remove_each(&gone);
        self.deadlines.insert_each(&come.as_slices());
        for (before, field) in changed.iter().filter(|it| !is_short(it)) {
            self.note(field, *before, after);
        }
    }

    /// How many fields have a deadline.
    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// How many fields have one up to this time.
    pub(super) fn over(&self, over_ms: u64) -> usize {
        self.deadlines.rank_by(|text| parts(text).0 <= over_ms)
    }

    /// The first deadline.
    #[inline]
    pub(super) fn first_ms(&self) -> Option<u64> {
        self.deadlines.get(0).map(|text| parts(text).0)
    }

    /// Fields and their deadlines, the first first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.deadlines.iter().map(|text| {
            let (deadline, name) = parts(text);
            (name, deadline)
        })
    }

    /// Memory of the deadlines, in bytes.
    pub(super) fn deadline_bytes(&self) -> usize {
        self.deadlines.heap_bytes()
    }

    /// About what of that is freed.
    pub(super) fn deadline_weight(&self) -> usize {
        self.deadlines.weight()
    }
}

/// Places one behind the other.
#[derive(Default)]
struct PlaceList {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl PlaceList {
    fn push(&mut self, deadline: u64, field: &[u8]) {
        self.bytes.extend_from_slice(&bytes_of(deadline));
        self.bytes.extend_from_slice(field);
        self.ends.push(self.bytes.len());
    }

    fn as_slices(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let spans = starts.zip(&self.ends);
        spans
            .map(|(start, end)| &self.bytes[*start..*end])
            .collect()
    }
}

fn place(deadline: u64, field: &[u8]) -> SmallVec<[u8; PLACE_BYTES]> {
    let mut place = SmallVec::from_slice(&bytes_of(deadline));
    place.extend_from_slice(field);
    place
}

/// The lower bytes of a deadline, the highest first.
fn bytes_of(deadline: u64) -> [u8; DEADLINE_BYTES] {
    let [_, _, bytes @ ..] = deadline.to_be_bytes();
    bytes
}

/// The deadline and the name of a text.
#[inline]
fn parts(text: Text<'_>) -> (u64, &[u8]) {
    match text {
        Text::Whole(text) => ByDeadline::point(text),
        Text::Long(text) => ByDeadline::point_of_long(text),
    }
}

#[inline]
fn deadline_of(text: &[u8]) -> u64 {
    match text.first_chunk() {
        // One load; what is behind is cut off.
        Some(word) => u64::from_be_bytes(*word) >> (u64::BITS - 8 * DEADLINE_BYTES as u32),
        None => {
            let bytes = text.iter().take(DEADLINE_BYTES);
            bytes.fold(0, |deadline, byte| deadline << 8 | u64::from(*byte))
        }
    }
}

fn name_of(text: &[u8]) -> &[u8] {
    text.get(DEADLINE_BYTES..).unwrap_or_default()
}
