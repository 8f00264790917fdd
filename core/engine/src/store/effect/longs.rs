//! Long parts of collections: what comes is shared with the request, what goes is freed later.

use collections::map::Longs;
use resp::{Large, find_large};

use crate::store::apply::Larges;
use crate::store::dropped::{Discard, What};

/// The long parts that come and go in one effect.
pub(super) struct OfRequest<'s> {
    larges: &'s [Large],
    gone: Vec<Large>,
}

impl OfRequest<'_> {
    pub(super) fn new<'s>(larges: &'s Larges<'_>) -> OfRequest<'s> {
        OfRequest {
            larges: larges.all(),
            gone: Vec::new(),
        }
    }

    /// Gives away what has gone.
    pub(super) fn drop_later(self, dropped: &mut Discard) {
        if !self.gone.is_empty() {
            dropped.take(What::Longs(self.gone));
        }
    }
}

impl Longs for OfRequest<'_> {
    fn come(&mut self, bytes: &[u8]) -> Large {
        match find_large(self.larges, bytes) {
            Some(large) => large.clone(),
            None => Large::new(bytes.to_vec()),
        }
    }

    fn gone(&mut self, part: Large) {
        self.gone.push(part);
    }
}
