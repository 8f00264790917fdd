//! Finding entries in a chunk: by ID, by rank, by node; and how many live ones lie before.

use smallvec::SmallVec;

use super::{Chunk, Head};
use crate::StreamId;
use crate::marks::{Key, Mark};
use crate::node::Node;

impl Chunk {
    /// The offset of the first entry, dead or live, whose ID is not below `id`, with its ordinal.
    pub(crate) fn seek(&self, id: StreamId) -> (usize, u16) {
        let mark = match self.key(id) {
            Some(key) => self.marks.below(key, |offset| self.head(offset).id < id),
            None => None,
        };
        let (mut at, mut ordinal) = mark.map_or((0, 0), |mark| (mark.offset(), mark.ordinal()));
        if at < self.front() {
            (at, ordinal) = (self.front(), self.front_ordinal);
        }
        while at < self.data.len() {
            let head = self.head(at);
            if head.id >= id {
                break;
            }
            at = self.end(&head);
            ordinal += 1;
        }
        (at, ordinal)
    }

    /// The live entry with this ID.
    pub(crate) fn find(&self, id: StreamId) -> Option<Head> {
        let (at, _) = self.seek(id);
        let head = self.head_before_end(at)?;
        (head.id == id && head.is_live()).then_some(head)
    }

    /// The first live entry at or behind an offset at which an entry begins, or ends. Part of the
    /// loop over a range.
    #[inline(always)]
    pub(crate) fn live_from(&self, mut at: usize) -> Option<Head> {
        loop {
            let head = self.head_before_end(at)?;
            if head.is_live() {
                return Some(head);
            }
            at = self.end(&head);
        }
    }

    /// The ID of the first live entry.
    #[inline]
    pub(crate) fn first_live(&self) -> Option<StreamId> {
        self.live_from(self.front()).map(|head| head.id)
    }

    /// Returns how many live entries have an ID below `id`.
    pub(crate) fn live_below(&self, id: StreamId) -> u16 {
        let (at, ordinal) = self.seek(id);
        self.live_before(at, ordinal)
    }

    /// The live entry that has `index` live ones before it here.
    pub(crate) fn select(&self, index: u16) -> Option<Head> {
        if index >= self.live {
            return None;
        }
        let (mut at, mut skip) = (self.front(), index);
        if self.is_whole() {
            let ordinal = self.front_ordinal + index;
            let mark = self.marks.through_ordinal(ordinal);
            if let Some(mark) = mark.filter(|mark| mark.ordinal() >= self.front_ordinal) {
                (at, skip) = (mark.offset(), ordinal - mark.ordinal());
            }
        }
        let mut head = self.live_from(at)?;
        for _ in 0..skip {
            head = self.live_from(self.end(&head))?;
        }
        Some(head)
    }

    /// The last place where a node begins that has at most `live_max` live entries before it here:
    /// the ID of the entry there, and how many live ones are before it.
    pub(crate) fn last_node(&self, live_max: u64) -> Option<(StreamId, u64)> {
        let nodes = self.nodes().map(|(mark, before)| (mark, u64::from(before)));
        let last = nodes.take_while(|&(_, before)| before <= live_max).last();
        last.map(|(mark, before)| (self.head(mark.offset()).id, before))
    }

    /// The first place where a node begins that has at least `live_min` live entries before it
    /// here.
    pub(crate) fn next_node(&self, live_min: u64) -> Option<(StreamId, u64)> {
        let mut nodes = self.nodes().map(|(mark, before)| (mark, u64::from(before)));
        let (mark, before) = nodes.find(|&(_, before)| before >= live_min)?;
        Some((self.head(mark.offset()).id, before))
    }

    /// Returns whether a node begins somewhere here.
    pub(crate) fn node(&self) -> Node {
        if self.marks.nodes().next().is_some() {
            Node::Begins
        } else {
            Node::Continues
        }
    }

    /// Returns where nodes begin, each with the number of live entries before it here.
    fn nodes(&self) -> impl Iterator<Item = (Mark, u16)> {
        let (mut at, mut live) = (self.front(), 0);
        self.marks.nodes().map(move |mark| {
            let offset = mark.offset();
            if self.is_whole() {
                return (mark, mark.ordinal().saturating_sub(self.front_ordinal));
            }
            while at < offset {
                let head = self.head(at);
                live += u16::from(head.is_live());
                at = self.end(&head);
            }
            (mark, live)
        })
    }

    /// Offsets of the entries, dead ones too, between the last mark before `at` and `at`; and none
    /// if there is nothing before `at`. For walking backwards.
    pub(crate) fn group_before(&self, at: usize, offsets: &mut SmallVec<[u16; 16]>) {
        offsets.clear();
        if at <= self.front() {
            return;
        }
        let start = self.marks.before_offset(at).map_or(0, Mark::offset);
        let mut offset = start.max(self.front());
        while offset < at {
            offsets.push(offset as u16);
            offset = self.end(&self.head(offset));
        }
    }

    /// What a mark would know of this ID; `None` below the base.
    #[inline]
    fn key(&self, id: StreamId) -> Option<Key> {
        (id >= self.base).then(|| {
            let (ms, seq) = self.delta(id);
            Key::new(ms, seq)
        })
    }

    #[inline]
    pub(super) fn head_before_end(&self, at: usize) -> Option<Head> {
        (at < self.data.len()).then(|| self.head(at))
    }

    /// Returns whether every entry from the front on is live.
    fn is_whole(&self) -> bool {
        self.ordinals - self.front_ordinal == self.live
    }

    /// Returns how many live entries stand before the entry at this offset.
    fn live_before(&self, at: usize, ordinal: u16) -> u16 {
        if at <= self.front() {
            return 0;
        }
        if self.is_whole() {
            return ordinal - self.front_ordinal;
        }
        let (mut live, mut offset) = (0, self.front());
        while offset < at {
            let head = self.head(offset);
            live += u16::from(head.is_live());
            offset = self.end(&head);
        }
        live
    }
}
