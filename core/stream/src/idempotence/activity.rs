//! The order in which producers were active last, for streams that know a limited number of them
//! (`IDMP-PIDS`).
//!
//! A producer was active last when the latest of its entries that is remembered was added. So the
//! order follows from what is remembered, and no file has it: after a start, or when a limit is
//! set, producers are put in order a few at a time (`eviction`).

use std::num::NonZeroU32;

use collections::Tree;
use collections::tree::Edit;

use super::window::Window;
use crate::StreamId;

/// A producer in the order: when its latest entry was added (Unix time in milliseconds), the ID of
/// that entry, whose time may be another one, and the hash of the producer's name.
pub(super) type Row = [u64; 4];

/// Producers in the order of their activity.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) producers_max: NonZeroU32,
    /// Of each producer its own row or, until it has been put in order, none.
    pub(super) order: Tree<4, 4>,
    pub(super) sorting: Sorting,
}

/// How far the producers have been put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sorting {
    /// None has a row.
    NotBegun,
    /// A scan of these has come up to this cursor. Who has appended meanwhile has a row.
    Of(Place, u64),
    Done,
}

/// Where the latest entry of a producer is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Windows,
    Numbers,
}

/// The row of a producer with this window.
pub(super) fn row_of_window(hash: u64, window: &Window) -> Row {
    let id = window.last().map_or(StreamId::MIN, |record| record.id);
    row(window.newest_at_ms(), id, hash)
}

/// The row of a producer whose latest entry was added at that time.
pub(super) fn row(added_at_ms: u64, id: StreamId, hash: u64) -> Row {
    [added_at_ms, id.ms, id.seq, hash]
}

impl Activity {
    /// No producer is in order yet.
    pub(super) fn new(producers_max: NonZeroU32) -> Activity {
        Activity {
            producers_max,
            order: Tree::new(),
            sorting: Sorting::NotBegun,
        }
    }

    pub(super) fn set_max(&mut self, producers_max: NonZeroU32) {
        self.producers_max = producers_max;
    }

    /// Begins again. Returns the rows there were.
    pub(super) fn reset(&mut self) -> Tree<4, 4> {
        self.sorting = Sorting::NotBegun;
        std::mem::take(&mut self.order)
    }

    /// All rows.
    pub(super) fn into_rows(self) -> Tree<4, 4> {
        self.order
    }

    /// Bytes on the heap.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.order.heap_bytes()
    }

    /// A producer has another row; `None` if it had none, or has none any more.
    pub(super) fn reorder(&mut self, from: Option<Row>, to: Option<Row>) {
        if self.sorting == Sorting::NotBegun || from == to {
            return;
        }
        if let Some(from) = from {
            self.order.edit(&[from], |_| Edit::Remove);
        }
        if let Some(to) = to {
            self.put(to);
        }
    }

    /// Adds a row, unless it is there.
    pub(super) fn put(&mut self, row: Row) {
        if self.order.find(&row).is_none() {
            self.order.insert(&row);
        }
    }
}
