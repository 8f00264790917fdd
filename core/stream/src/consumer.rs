//! The consumers of a group: who reads, when each last did, and which entries each has pending.
//!
//! Inside a group a consumer goes by a small number, its handle, so that a pending entry need not
//! hold a name. Handles are reused after a deletion; a deleted consumer has no pending entries left
//! that could name it. Outside of the group consumers go by name.

use collections::names::{Name, NameMap};
use collections::tree::{Edit, Tree};
use triomphe::Arc;

use crate::StreamId;
use crate::pending::{IdKey, id_key, id_of};

/// Stands for a consumer of one group, until that consumer is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerHandle(u32);

/// What a consumer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It called.
    Seen,
    /// It called and something was delivered to it or claimed for it.
    Active,
}

/// A consumer that was made, or was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    New(ConsumerHandle),
    /// It was there before, and is as it was.
    Before(ConsumerHandle),
}

impl Created {
    /// The consumer, new or not.
    pub fn handle(self) -> ConsumerHandle {
        match self {
            Created::New(handle) | Created::Before(handle) => handle,
        }
    }
}

/// One consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Name,
    seen_ms: u64,
    active_ms: Option<u64>,
    /// The IDs of its pending entries.
    held: Tree<2, 2>,
}

impl Consumer {
    /// Its name: any bytes.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> &Name {
        &self.name
    }

    /// When it last called, in Unix milliseconds.
    pub fn seen_ms(&self) -> u64 {
        self.seen_ms
    }

    /// When something was last delivered to it or claimed for it, in Unix milliseconds; `None` if
    /// that never happened.
    pub fn active_ms(&self) -> Option<u64> {
        self.active_ms
    }

    /// The number of entries pending.
    pub fn pending_count(&self) -> usize {
        self.held.len()
    }

    /// The IDs of its pending entries from `from` on, ascending: its history.
    pub fn pending_ids(&self, from: StreamId) -> impl Iterator<Item = StreamId> + Clone + '_ {
        self.held.range(&id_key(from)).map(|id| id_of(&id))
    }

    pub(crate) fn touch(&mut self, now_ms: u64, activity: Activity) {
        self.seen_ms = now_ms;
        if activity == Activity::Active {
            self.active_ms = Some(now_ms);
        }
    }

    /// Adds entries with ascending IDs, none of which it has.
    pub(crate) fn hold(&mut self, keys: impl ExactSizeIterator<Item = IdKey> + Clone) {
        let Some(first) = keys.clone().next() else {
            return;
        };
        if self.held.last().is_none_or(|last| last < first) {
            self.held.append(keys);
        } else {
            let keys: Vec<IdKey> = keys.collect();
            self.held.insert_ascending(&keys);
        }
    }

    /// Removes entries; ascending ones in one walk.
    pub(crate) fn release(&mut self, keys: &[IdKey]) {
        self.held.edit(keys, |_| Edit::Remove);
    }

    /// The IDs of all its pending entries.
    pub(crate) fn held(&self) -> &Tree<2, 2> {
        &self.held
    }

    pub(crate) fn restore_active_ms(&mut self, active_ms: Option<u64>) {
        self.active_ms = active_ms;
    }
}

/// The consumers of a group, by handle and by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consumers {
    by_name: NameMap<ConsumerHandle>,
    /// Consumers by handle. The last page is not empty.
    pages: Vec<Page>,
    /// All pages before this one are full.
    first_vacant_page: usize,
}

/// Consumers with neighbouring handles, copied together on a write.
#[derive(Clone, Debug, Default)]
struct Page {
    taken_count: usize,
    slots: Arc<Vec<Option<Consumer>>>,
}

/// Consumers of a page.
const PAGE_LEN: usize = 16;

impl Consumers {
    /// Makes a consumer unless there is one of that name.
    pub(crate) fn create(&mut self, name: &[u8], now_ms: u64) -> Created {
        if let Some(&handle) = self.by_name.find(name) {
            return Created::Before(handle);
        }
        let name: Name = name.iter().copied().collect();
        let consumer = Consumer {
            name: name.clone(),
            seen_ms: now_ms,
            active_ms: None,
            held: Tree::new(),
        };
        let vacant = self.pages.iter().skip(self.first_vacant_page);
        let full_count = vacant
            .take_while(|page| page.taken_count == PAGE_LEN)
            .count();
        self.first_vacant_page += full_count;
        if self.first_vacant_page == self.pages.len() {
            self.pages.push(Page::default());
        }
        let page_index = self.first_vacant_page;
        let page = &mut self.pages[page_index];
        page.taken_count += 1;
        let slots = Arc::make_mut(&mut page.slots);
        let slot_index = slots
            .iter()
            .position(Option::is_none)
            .unwrap_or(slots.len());
        match slots.get_mut(slot_index) {
            Some(slot) => *slot = Some(consumer),
            None => slots.push(Some(consumer)),
        }
        let handle = ConsumerHandle((page_index * PAGE_LEN + slot_index) as u32);
        self.by_name.insert(name, handle);
        Created::New(handle)
    }

    /// Removes a consumer; its handle may then go to another.
    pub(crate) fn delete(&mut self, handle: ConsumerHandle) -> Option<Consumer> {
        let (page_index, slot_index) = handle.place();
        let page = self.pages.get_mut(page_index)?;
        page.slots.get(slot_index)?.as_ref()?;
        let consumer = Arc::make_mut(&mut page.slots).get_mut(slot_index)?.take()?;
        page.taken_count -= 1;
        if page.taken_count == 0 {
            *page = Page::default();
        }
        self.first_vacant_page = self.first_vacant_page.min(page_index);
        while self.pages.last().is_some_and(|page| page.taken_count == 0) {
            self.pages.pop();
        }
        self.first_vacant_page = self.first_vacant_page.min(self.pages.len());
        self.by_name.remove(&consumer.name);
        Some(consumer)
    }

    #[inline]
    pub(crate) fn find_mut(&mut self, handle: ConsumerHandle) -> Option<&mut Consumer> {
        let (page, slot) = handle.place();
        let slots = &mut self.pages.get_mut(page)?.slots;
        slots.get(slot)?.as_ref()?;
        Arc::make_mut(slots).get_mut(slot)?.as_mut()
    }

    #[inline]
    pub(crate) fn find(&self, handle: ConsumerHandle) -> Option<&Consumer> {
        let (page, slot) = handle.place();
        self.pages.get(page)?.slots.get(slot)?.as_ref()
    }

    pub(crate) fn named(&self, name: &[u8]) -> Option<ConsumerHandle> {
        self.by_name.find(name).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// All consumers in the byte order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ConsumerHandle, &Consumer)> + Clone {
        let handles = self.by_name.iter().map(|(_, &handle)| handle);
        handles.filter_map(|handle| Some((handle, self.find(handle)?)))
    }

    /// Consumers from a place on, in the order of their places, which stay as they are while other
    /// consumers come and go.
    pub(crate) fn by_place(&self, from: usize) -> impl Iterator<Item = (usize, &Consumer)> {
        let pages = self.pages.iter().enumerate().skip(from / PAGE_LEN);
        let places = pages.flat_map(|(page_index, page)| {
            let slots = page.slots.iter().enumerate();
            slots.map(move |(index, slot)| (page_index * PAGE_LEN + index, slot.as_ref()))
        });
        let consumers = places.filter_map(|(place, consumer)| Some((place, consumer?)));
        consumers.skip_while(move |(place, _)| *place < from)
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let held: usize = self
            .iter()
            .map(|(_, consumer)| consumer.held.heap_bytes())
            .sum();
        let slots: usize = self.pages.iter().map(|page| page.slots.capacity()).sum();
        let pages = self.pages.capacity() * size_of::<Page>();
        self.by_name.heap_bytes() + held + slots * size_of::<Option<Consumer>>() + pages
    }
}

impl ConsumerHandle {
    /// The handle as pending entries hold it; 0 means no consumer.
    #[inline]
    pub(crate) fn to_owner(self) -> u64 {
        u64::from(self.0) + 1
    }

    #[inline]
    pub(crate) fn from_owner(owner: u64) -> Option<ConsumerHandle> {
        let number = u32::try_from(owner.checked_sub(1)?).ok()?;
        Some(ConsumerHandle(number))
    }

    #[inline]
    fn place(self) -> (usize, usize) {
        let index = self.0 as usize;
        (index / PAGE_LEN, index % PAGE_LEN)
    }
}
