//! Changes of lists.

use collections::Element;
use resp::Argv;
use values::{End, List, Member, Thresholds};

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

/// What changes of this family mean to others.
pub mod events {
    use values::End;

    use crate::store::effect::event::{Class, Event, Name, Overwriting, Touch};

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::List)
    }

    /// Elements came: each of those who wait for one takes one, as long as there are any.
    const fn more(names: &'static [Name]) -> Event {
        Event::named(names, Touch::READERS.and(Touch::WAITERS_FOR_MORE))
    }

    /// Nothing came that anybody waits for.
    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::READERS)
    }

    const DEL_NAME: Name = Name::new("del", Class::Generic);
    const LPOP_NAME: Name = name("lpop");
    const RPOP_NAME: Name = name("rpop");
    const LPUSHED_NAME: Name = Name::of_other("lpush", Class::List);
    const RPUSHED_NAME: Name = Name::of_other("rpush", Class::List);

    const LPUSH: &Event = &more(&[name("lpush")]);
    const RPUSH: &Event = &more(&[name("rpush")]);

    const LPOP: &Event = &named(&[LPOP_NAME]);
    const LPOP_ALL: &Event = &named(&[LPOP_NAME, DEL_NAME]);
    const RPOP: &Event = &named(&[RPOP_NAME]);
    const RPOP_ALL: &Event = &named(&[RPOP_NAME, DEL_NAME]);

    const LPUSH_LPOP: &Event = &more(&[LPUSHED_NAME, LPOP_NAME]);
    const LPUSH_LPOP_ALL: &Event = &more(&[LPUSHED_NAME, LPOP_NAME, DEL_NAME]);
    const LPUSH_RPOP: &Event = &more(&[LPUSHED_NAME, RPOP_NAME]);
    const LPUSH_RPOP_ALL: &Event = &more(&[LPUSHED_NAME, RPOP_NAME, DEL_NAME]);
    const RPUSH_LPOP: &Event = &more(&[RPUSHED_NAME, LPOP_NAME]);
    const RPUSH_LPOP_ALL: &Event = &more(&[RPUSHED_NAME, LPOP_NAME, DEL_NAME]);
    const RPUSH_RPOP: &Event = &more(&[RPUSHED_NAME, RPOP_NAME]);
    const RPUSH_RPOP_ALL: &Event = &more(&[RPUSHED_NAME, RPOP_NAME, DEL_NAME]);

    const LREM_NAME: Name = name("lrem");
    const LTRIM_NAME: Name = name("ltrim");

    /// An element was set.
    pub const LSET: &Event = &named(&[name("lset")]);
    /// An element was put in.
    pub const LINSERT: &Event = &named(&[name("linsert")]);
    /// Elements were sorted and stored.
    pub const SORTSTORE: &Event = &more(&[name("sortstore")]).overwriting(Overwriting::Before);

    /// Whether elements are left after some were taken out.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Left {
        /// There are.
        Some,
        /// There are none, and so the key goes.
        Nothing,
    }

    impl Left {
        /// After so many of so many were taken out.
        #[inline]
        pub fn after(taken: usize, len: usize) -> Left {
            match taken < len {
                true => Left::Some,
                false => Left::Nothing,
            }
        }
    }

    /// Elements were put in at an end.
    #[inline]
    pub fn push(end: End) -> &'static Event {
        match end {
            End::Left => LPUSH,
            End::Right => RPUSH,
        }
    }

    /// Elements were taken out at an end.
    #[inline]
    pub fn pop(end: End, left: Left) -> &'static Event {
        match (end, left) {
            (End::Left, Left::Some) => LPOP,
            (End::Left, Left::Nothing) => LPOP_ALL,
            (End::Right, Left::Some) => RPOP,
            (End::Right, Left::Nothing) => RPOP_ALL,
        }
    }

    /// An element was taken out at an end and put in at one of another list.
    pub fn moved(end: End, to_end: End, left: Left) -> &'static Event {
        match (to_end, end, left) {
            (End::Left, End::Left, Left::Some) => LPUSH_LPOP,
            (End::Left, End::Left, Left::Nothing) => LPUSH_LPOP_ALL,
            (End::Left, End::Right, Left::Some) => LPUSH_RPOP,
            (End::Left, End::Right, Left::Nothing) => LPUSH_RPOP_ALL,
            (End::Right, End::Left, Left::Some) => RPUSH_LPOP,
            (End::Right, End::Left, Left::Nothing) => RPUSH_LPOP_ALL,
            (End::Right, End::Right, Left::Some) => RPUSH_RPOP,
            (End::Right, End::Right, Left::Nothing) => RPUSH_RPOP_ALL,
        }
    }

    /// Elements were removed.
    pub fn lrem(left: Left) -> &'static Event {
        match left {
            Left::Some => const { &named(&[LREM_NAME]) },
            Left::Nothing => const { &named(&[LREM_NAME, DEL_NAME]) },
        }
    }

    /// Elements were cut off.
    pub fn ltrim(left: Left) -> &'static Event {
        match left {
            Left::Some => const { &named(&[LTRIM_NAME]) },
            Left::Nothing => const { &named(&[LTRIM_NAME, DEL_NAME]) },
        }
    }
}

impl Family for ListChange<'_> {
    fn other<'k>(&'k self, _key: &'k [u8], database: u16) -> Option<(u16, &'k [u8])> {
        match self {
            ListChange::Move { to, .. } => Some((database, to)),
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
                let len = list.len();
                match end {
                    End::Left => list.remove(0, count, thresholds, longs),
                    End::Right => list.remove(len.saturating_sub(count), len, thresholds, longs),
                }
                len - list.len()
            }),
            ListChange::Move { end, to, to_end } => store.move_element(key, end, to, to_end),
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
                let name = match end {
                    End::Left => "LPUSH",
                    End::Right => "RPUSH",
                };
                let mut line = Line::new(out, 2 + elements.len(), name);
                line.arg(key);
                elements.iter().for_each(|element| {
                    line.arg(element);
                });
                line.end()
            }
            ListChange::Pop { end, count } => {
                let name = match end {
                    End::Left => "LPOP",
                    End::Right => "RPOP",
                };
                match count {
                    1 => Line::new(out, 2, name).arg(key).end(),
                    _ => Line::new(out, 3, name).arg(key).int(count as i64).end(),
                }
            }
            ListChange::Move { end, to, to_end } => Line::new(out, 5, "LMOVE")
                .arg(key)
                .arg(to)
                .arg(end_name(end))
                .arg(end_name(to_end))
                .end(),
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
                let lines = elements.chunks(STORED_A_LINE_MAX);
                let filled: u32 = lines.map(|elements| encode_all(key, elements, out)).sum();
                emptied + filled
            }
        }
    }
}

/// How many elements are in one command: a request has no more arguments than it may have.
const STORED_A_LINE_MAX: usize = 100_000;

fn encode_all(key: &[u8], elements: &[Member], out: &mut Out<'_>) -> u32 {
    let mut line = Line::new(out, 2 + elements.len(), "RPUSH");
    line.arg(key);
    for element in elements {
        match element {
            Member::Text(bytes) => line.arg(bytes),
            Member::Shared(bytes) => line.shared_arg(bytes),
        };
    }
    line.end()
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
            for element in elements.iter() {
                list.push(end, Element::of(element), &mut longs);
            }
        };
        let found = self.data.keyspace.find_mut(self.database, hash, key);
        match found {
            Some(record) if !record.is_expired(over_at) => {
                let from = SizeClass::of(&record.value);
                push_all(record.value.get_mut().expect(DECIDED));
                record.changed = lsn;
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
            record.changed = lsn;
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
        for elements in elements.chunks(STORED_A_LINE_MAX) {
            let bytes = elements
                .iter()
                .map(|element| element.as_bytes().len())
                .sum();
            list.expect(elements.len(), bytes, &self.data.thresholds);
            for element in elements {
                let element = match element {
                    Member::Text(bytes) => Element::of(bytes),
                    Member::Shared(bytes) => Element::Shared(bytes),
                };
                list.push(End::Right, element, &mut longs);
            }
        }
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
        let hash = self.hash(to);
        let lsn = self.data.log.open();
        self.pass_over_overdue_in(self.database, to);
        let thresholds = &self.data.thresholds;
        let mut longs = OfRequest::new(&self.larges);
        let mut push = |list: &mut List| {
            list.expect(1, element.get().len(), thresholds);
            list.push(to_end, element.get(), &mut longs);
        };
        match self.data.keyspace.find_mut(self.database, hash, to) {
            Some(record) => {
                let from = SizeClass::of(&record.value);
                push(record.value.get_mut().expect(DECIDED));
                record.changed = lsn;
                let size = SizeClass::of(&record.value);
                self.data.keyspace.resized(self.database, from, size);
            }
            None => {
                let mut list = List::new();
                push(&mut list);
                self.put_list(hash, to, list);
            }
        }
        1
    }
}
