//! Changes of lists.

pub mod events;

use collections::Element;
use resp::Argv;
use values::{End, List, Member, Thresholds};

use self::events::Left;
use super::encode::{Line, Out};
use super::longs::OfRequest;
use super::{Changed, Family};
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::store::keyspace::{Record, SizeClass};

/// A list changes. The key goes with the last element.
#[derive(Debug, Clone)]
pub enum ListChange<'a> {
    /// `LPUSH key element ...` or `RPUSH`; a list that is missing is made.
    Push {
        /// Where.
        end: End,
        /// The elements, one after another; at least one.
        elements: Argv<'a>,
    },
    /// `LPOP key count` or `RPOP`.
    Pop {
        /// Where.
        end: End,
        /// How many; there are as many.
        count: usize,
    },
    /// `LMOVE key to LEFT|RIGHT LEFT|RIGHT`; a destination that is missing is made.
    Move {
        /// Where the element is taken.
        end: End,
        /// The list that it is put into; it may be the same.
        to: &'a [u8],
        /// Where it is put.
        to_end: End,
    },
    /// `LPOP key count` and `RPUSH to element ...`, or such like: elements go from an end of one
    /// list to an end of another, or of the same.
    MoveMany {
        /// Where they are taken.
        end: End,
        /// The list that they are put into; it may be the same.
        to: &'a [u8],
        /// Where they are put.
        to_end: End,
        /// The elements, in the order in which they are put in; at least one.
        elements: &'a [Member],
        /// Whether the list that they are taken from has more.
        left: Left,
    },
    /// `LSET key index element`.
    Set {
        /// Of the element that goes.
        index: usize,
        /// The new one.
        element: &'a [u8],
    },
    /// `LINSERT key BEFORE|AFTER pivot element`.
    Insert {
        /// On which side of the pivot.
        side: Side,
        /// The element that is sought.
        pivot: &'a [u8],
        /// Its index.
        index: usize,
        /// The new one.
        element: &'a [u8],
    },
    /// `LREM key count element`.
    Remove {
        /// How many are removed at most, from the left; from the right if negative; all if 0.
        count: i64,
        /// What they are.
        element: &'a [u8],
    },
    /// `LTRIM key from to-1`.
    Trim {
        /// The first element that stays.
        from: usize,
        /// The first that goes behind those.
        to: usize,
    },
    /// `DEL key` and `RPUSH key element ...`: replaces what the key held.
    Store {
        /// The elements; at least one.
        elements: &'a [Member],
    },
}

/// A side of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// To the left of it.
    Before,
    /// To the right of it.
    After,
}

impl Family for ListChange<'_> {
    fn other<'k>(&'k self, _key: &'k [u8], database: u16) -> Option<(u16, &'k [u8])> {
        match self {
            ListChange::Move { to, .. } | ListChange::MoveMany { to, .. } => Some((database, to)),
            ListChange::Push { .. }
            | ListChange::Pop { .. }
            | ListChange::Set { .. }
            | ListChange::Insert { .. }
            | ListChange::Remove { .. }
            | ListChange::Trim { .. }
            | ListChange::Store { .. } => None,
        }
    }
}

impl ListChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        let amount = match *self {
            ListChange::Push { end, elements } => store.push(key, end, elements),
            ListChange::Pop { end, count } => store.edit_list(key, |list, thresholds, longs| {
                list.remove_at(end, count, thresholds, longs)
            }),
            ListChange::Move { end, to, to_end } => store.move_element(key, end, to, to_end),
            ListChange::MoveMany {
                end,
                to,
                to_end,
                elements,
                left,
            } => match is_turned(key, to, left) {
                true => store.edit_list(key, |list, thresholds, longs| {
                    push_all(list, to_end, elements, thresholds, longs);
                    list.remove_at(to_end.other(), elements.len(), thresholds, longs)
                }),
                false => store.move_elements(key, end, to, to_end, elements),
            },
            ListChange::Set { index, element } => {
                store.edit_list(key, |list, thresholds, longs| {
                    list.expect(1, element.len(), thresholds);
                    list.set(index, Element::of(element), thresholds, longs);
                    1
                })
            }
            ListChange::Insert {
                side,
                index,
                element,
                ..
            } => store.edit_list(key, |list, thresholds, longs| {
                let index = match side {
                    Side::Before => index,
                    Side::After => index + 1,
                };
                list.expect(1, element.len(), thresholds);
                list.insert(index, Element::of(element), longs);
                1
            }),
            ListChange::Remove { count, element } => store
                .edit_list(key, |list, thresholds, longs| {
                    list.remove_equal(count, element, thresholds, longs)
                }),
            ListChange::Trim { from, to } => store.edit_list(key, |list, thresholds, longs| {
                let len = list.len();
                list.remove(to.max(from), len, thresholds, longs);
                list.remove(0, from, thresholds, longs);
                len - list.len()
            }),
            ListChange::Store { elements } => store.store_list(key, elements),
        };
        Changed::by_event(amount as u64)
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            ListChange::Push { end, elements } => {
                let mut line = Line::new(out, 2 + elements.len(), push_name(end));
                line.arg(key);
                elements.iter().for_each(|element| {
                    line.arg(element);
                });
                line.end()
            }
            ListChange::Pop { end, count } => encode_pop(key, end, count, out),
            ListChange::Move { end, to, to_end } => Line::new(out, 5, "LMOVE")
                .arg(key)
                .arg(to)
                .arg(end_name(end))
                .arg(end_name(to_end))
                .end(),
            ListChange::MoveMany {
                end,
                to,
                to_end,
                elements,
                left,
            } => match is_turned(key, to, left) {
                true => {
                    let put = encode_pushes(key, to_end, elements, out);
                    put + encode_pop(key, to_end.other(), elements.len(), out)
                }
                false => {
                    let taken = encode_pop(key, end, elements.len(), out);
                    taken + encode_pushes(to, to_end, elements, out)
                }
            },
            ListChange::Set { index, element } => Line::new(out, 4, "LSET")
                .arg(key)
                .int(index as i64)
                .arg(element)
                .end(),
            ListChange::Insert {
                side,
                pivot,
                element,
                ..
            } => Line::new(out, 5, "LINSERT")
                .arg(key)
                .arg(match side {
                    Side::Before => b"BEFORE",
                    Side::After => b"AFTER",
                })
                .arg(pivot)
                .arg(element)
                .end(),
            ListChange::Remove { count, element } => Line::new(out, 4, "LREM")
                .arg(key)
                .int(count)
                .arg(element)
                .end(),
            ListChange::Trim { from, to } => {
                // Where nothing stays, 1 and 0 say so.
                let (first, last) = match to.checked_sub(1) {
                    Some(last) if from <= last => (from, last),
                    Some(_) | None => (1, 0),
                };
                Line::new(out, 4, "LTRIM")
                    .arg(key)
                    .int(first as i64)
                    .int(last as i64)
                    .end()
            }
            ListChange::Store { elements } => {
                let emptied = Line::new(out, 2, "DEL").arg(key).end();
                emptied + encode_pushes(key, End::Right, elements, out)
            }
        }
    }
}

/// Whether all elements of a list change their places within it. Then they are put in before they
/// are taken out, so that the key stays, and when it expires.
fn is_turned(key: &[u8], to: &[u8], left: Left) -> bool {
    key == to && left == Left::Nothing
}

/// How many elements are in one command: a request has no more arguments than it may have.
const PUSHED_A_LINE_MAX: usize = 100_000;

/// Puts elements in as the commands do that [`encode_pushes`] writes.
fn push_all(
    list: &mut List,
    end: End,
    elements: &[Member],
    thresholds: &Thresholds,
    longs: &mut OfRequest<'_>,
) {
    for elements in elements.chunks(PUSHED_A_LINE_MAX) {
        let bytes = elements.iter().map(|element| element.as_bytes().len());
        list.expect(elements.len(), bytes.sum(), thresholds);
        for element in elements {
            let element = match element {
                Member::Text(bytes) => Element::of(bytes),
                Member::Shared(bytes) => Element::Shared(bytes),
            };
            list.push(end, element, longs);
        }
    }
}

fn encode_pushes(key: &[u8], end: End, elements: &[Member], out: &mut Out<'_>) -> u32 {
    let lines = elements.chunks(PUSHED_A_LINE_MAX).map(|elements| {
        let mut line = Line::new(out, 2 + elements.len(), push_name(end));
        line.arg(key);
        for element in elements {
            match element {
                Member::Text(bytes) => line.arg(bytes),
                Member::Shared(bytes) => line.shared_arg(bytes),
            };
        }
        line.end()
    });
    lines.sum()
}

fn encode_pop(key: &[u8], end: End, count: usize, out: &mut Out<'_>) -> u32 {
    let name = match end {
        End::Left => "LPOP",
        End::Right => "RPOP",
    };
    match count {
        1 => Line::new(out, 2, name).arg(key).end(),
        _ => Line::new(out, 3, name).arg(key).int(count as i64).end(),
    }
}

fn push_name(end: End) -> &'static str {
    match end {
        End::Left => "LPUSH",
        End::Right => "RPUSH",
    }
}

fn end_name(end: End) -> &'static [u8] {
    match end {
        End::Left => b"LEFT",
        End::Right => b"RIGHT",
    }
}

impl Store<'_> {
    /// Returns how many elements were put in.
    fn push(&mut self, key: &[u8], end: End, elements: Argv<'_>) -> usize {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let thresholds = &self.data.thresholds;
        let mut longs = OfRequest::new(&self.larges);
        let mut push_all = |list: &mut List| {
            list.expect(elements.len(), elements.bytes_len(), thresholds);
            match elements.len() {
                1 => elements
                    .iter()
                    .for_each(|it| list.push(end, Element::of(it), &mut longs)),
                _ => list.push_each(end, elements.iter().map(Element::of), &mut longs),
            }
        };
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                let from = SizeClass::of(&record.value);
                push_all(record.value.get_mut().expect(DECIDED));
                record.set_changed(lsn);
                let size = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, size);
            }
            found => {
                let is_overdue = found.is_some();
                let mut list = List::new();
                push_all(&mut list);
                if is_overdue {
                    self.expire(key);
                }
                self.put_list(hash, key, list);
            }
        }
        elements.len()
    }

    fn put_list(&mut self, hash: u64, key: &[u8], list: List) {
        let (lsn, now) = (self.data.log.open(), self.now.unix());
        let record = Record::new(self.key(key), list.into(), None, lsn, now);
        self.put_record(self.database, hash, record);
    }

    /// Changes a list that is there; returns what `edit` does. What is empty then goes.
    fn edit_list(
        &mut self,
        key: &[u8],
        edit: impl FnOnce(&mut List, &Thresholds, &mut OfRequest<'_>) -> usize,
    ) -> usize {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        let over_at = self.over_at();
        let Some(record) = self.data.keyspace.find_mut(self.database, hash, key) else {
            return 0;
        };
        if record.is_expired(over_at) {
            self.expire(key);
            return 0;
        }
        let from = SizeClass::of(&record.value);
        let list: &mut List = record.value.get_mut().expect(DECIDED);
        let mut longs = OfRequest::new(&self.larges);
        let changed = edit(list, &self.data.thresholds, &mut longs);
        let is_empty = list.is_empty();
        if changed > 0 {
            record.set_changed(lsn);
        }
        let size = SizeClass::of(&record.value);
        self.data.keyspace.resized(self.database, from, size);
        longs.drop_later(&mut self.data.dropped);
        if is_empty {
            let gone = self.data.keyspace.remove(self.database, hash, key, lsn);
            self.data.dropped.take(What::Record(gone.expect(DECIDED)));
        }
        changed
    }

    /// Returns how many elements were stored.
    fn store_list(&mut self, key: &[u8], elements: &[Member]) -> usize {
        let mut longs = OfRequest::new(&self.larges);
        let mut list = List::new();
        let thresholds = &self.data.thresholds;
        push_all(&mut list, End::Right, elements, thresholds, &mut longs);
        self.put(self.database, key, list.into(), None);
        elements.len()
    }

    /// Returns how many elements were moved.
    fn move_element(&mut self, key: &[u8], end: End, to: &[u8], to_end: End) -> usize {
        let mut taken = None;
        if key == to {
            return self.edit_list(key, |list, thresholds, longs| {
                taken = list.take(end, thresholds, longs);
                if let Some(element) = &taken {
                    list.push(to_end, element.get(), longs);
                }
                usize::from(taken.is_some())
            });
        }
        self.edit_list(key, |list, thresholds, longs| {
            taken = list.take(end, thresholds, longs);
            usize::from(taken.is_some())
        });
        let Some(element) = taken else {
            return 0;
        };
        self.put_in(to, |list, thresholds, longs| {
            list.expect(1, element.get().len(), thresholds);
            list.push(to_end, element.get(), longs);
        });
        1
    }

    /// The same of many, which are given; some stay, or they go to another list.
    fn move_elements(
        &mut self,
        key: &[u8],
        end: End,
        to: &[u8],
        to_end: End,
        elements: &[Member],
    ) -> usize {
        if key == to {
            return self.edit_list(key, |list, thresholds, longs| {
                let taken = list.remove_at(end, elements.len(), thresholds, longs);
                push_all(list, to_end, elements, thresholds, longs);
                taken
            });
        }
        let taken = self.edit_list(key, |list, thresholds, longs| {
            list.remove_at(end, elements.len(), thresholds, longs)
        });
        self.put_in(to, |list, thresholds, longs| {
            push_all(list, to_end, elements, thresholds, longs);
        });
        taken
    }

    /// Puts elements into a list, which is made if it is missing.
    fn put_in(&mut self, key: &[u8], put: impl FnOnce(&mut List, &Thresholds, &mut OfRequest<'_>)) {
        let hash = self.hash(key);
        let lsn = self.data.log.open();
        self.pass_over_overdue_in(self.database, key);
        let thresholds = &self.data.thresholds;
        let mut longs = OfRequest::new(&self.larges);
        match self.data.keyspace.find_mut(self.database, hash, key) {
            Some(record) => {
                let from = SizeClass::of(&record.value);
                let list = record.value.get_mut().expect(DECIDED);
                put(list, thresholds, &mut longs);
                record.set_changed(lsn);
                let size = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, size);
            }
            None => {
                let mut list = List::new();
                put(&mut list, thresholds, &mut longs);
                self.put_list(hash, key, list);
            }
        }
    }
}
