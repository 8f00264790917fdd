//! Bytes on their way out: own bytes, and between them pieces that something else owns.
//!
//! A reply to `GET` of a large value refers to the value, and a reply with many entries refers to
//! the stream as it was. So the server is not held up by copying, and a client that does not read
//! costs only references. A piece is either shared bytes ([`Bytes`]), sent from where they are, or
//! a run of elements ([`Run`]), rendered a little at a time when its turn comes to be sent.

use std::collections::VecDeque;
use std::fmt;

use crate::reply::{Protocol, Reply};

/// Bytes that something else owns, and that do not change as long as this exists.
pub trait Bytes: fmt::Debug + Send {
    /// The bytes, always the same ones.
    fn bytes(&self) -> &[u8];

    /// What is kept in memory for that.
    fn kept(&self) -> Kept;
}

/// What a reference keeps in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// Where it is: the same for all references to the same.
    pub address: usize,
    /// How many bytes it takes.
    pub bytes: usize,
    /// The number of references to it, this one included.
    pub holders: usize,
}

impl Bytes for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    /// Nothing: it counts as copied already.
    fn kept(&self) -> Kept {
        Kept {
            address: self.as_ptr().addr(),
            bytes: 0,
            holders: 1,
        }
    }
}

/// Elements of a reply that are rendered only when they are sent.
pub trait Run: fmt::Debug + Send {
    /// Writes the next elements: at least one if any is left, and about [`RUN_STEP_BYTES`] at most.
    fn write_some(&mut self, reply: &mut Reply);

    /// About how many bytes are still to come; 0 when, and only when, nothing is.
    fn bytes_left(&self) -> usize;

    /// Its own memory in bytes, without what it refers to.
    fn own_bytes(&self) -> usize;

    /// Shows `see` each thing that it refers to and that may have changed elsewhere since; with its
    /// parts, if a later version of it may share some of them.
    fn refers_to<'r>(&'r self, see: &mut dyn FnMut(Kept, Option<&'r dyn Parts>));
}

/// Something of which later versions may share parts.
pub trait Parts {
    /// Shows `see` each part, and what is kept besides. Together that is no more than what is kept
    /// by the whole.
    fn parts(&self, see: &mut dyn FnMut(Kept));
}

/// What a [`Run`] renders at a time, in bytes. It may be somewhat more: elements are whole.
pub const RUN_STEP_BYTES: usize = 64 * 1024;

/// Own bytes that are gathered in one buffer before the next is begun.
const STRAND_BYTES: usize = 64 * 1024;

/// Memory that an empty rope keeps for its next bytes.
const SPARE_BYTES_MAX: usize = 1024;

/// Something that a reply refers to, and its place.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The number of own bytes that come before it.
    pub(crate) at: usize,
    pub(crate) what: What,
    /// Bytes of it that are still to be sent; estimated for a run.
    pub(crate) left: usize,
}

#[derive(Debug)]
pub(crate) enum What {
    Shared {
        of: Box<dyn Bytes>,
        sent: usize,
    },
    Run {
        of: Box<dyn Run>,
        protocol: Protocol,
    },
}

/// Own bytes, and the pieces between them.
#[derive(Debug, Default)]
struct Strand {
    bytes: Vec<u8>,
    sent: usize,
    pieces: VecDeque<Piece>,
    /// Bytes that are left, pieces included.
    len: usize,
}

/// Bytes to be sent, in order.
#[derive(Debug, Default)]
pub struct Rope {
    /// Own bytes that come first: all there is if the replies are few and small.
    first: Vec<u8>,
    /// How many of them were sent; fewer than there are, unless there are none.
    sent: usize,
    /// What comes after them.
    strands: VecDeque<Strand>,
    len: usize,
}

impl Rope {
    /// What a reply wrote.
    pub(crate) fn of_reply(bytes: Vec<u8>, pieces: VecDeque<Piece>) -> Rope {
        let mut rope = Rope::default();
        if pieces.is_empty() {
            rope.len = bytes.len();
            rope.first = bytes;
        } else {
            rope.push_strand(Strand::new(bytes, pieces));
        }
        rope
    }

    /// The number of bytes; what is still to be rendered is an estimate.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether nothing is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of it, if that is own bytes in one place, as a few small replies are.
    #[inline]
    pub fn plain(&self) -> Option<&[u8]> {
        self.strands.is_empty().then(|| self.first_left())
    }

    /// What is left of the own bytes that come first.
    #[inline]
    fn first_left(&self) -> &[u8] {
        &self.first[self.sent..]
    }

    /// Adds bytes at the end, by copying them.
    pub fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.strands.back_mut() {
            None if self.first.len() < STRAND_BYTES => self.first.extend_from_slice(bytes),
            Some(last) if last.bytes.len() < STRAND_BYTES => {
                last.bytes.extend_from_slice(bytes);
                last.len += bytes.len();
            }
            None | Some(_) => {
                let strand = Strand::new(bytes.to_vec(), VecDeque::new());
                self.strands.push_back(strand);
            }
        }
        self.len += bytes.len();
    }

    /// Adds bytes at the end that something else owns.
    pub fn push_shared(&mut self, of: Box<dyn Bytes>) {
        let left = of.bytes().len();
        let what = What::Shared { of, sent: 0 };
        let piece = Piece { at: 0, what, left };
        self.push_strand(Strand::new(Vec::new(), VecDeque::from([piece])));
    }

    /// Adds what another holds at the end.
    pub fn append(&mut self, mut other: Rope) {
        if !other.first.is_empty() {
            if self.is_empty() {
                (self.first, self.sent) = (other.first, other.sent);
            } else {
                let mut strand = Strand::new(other.first, VecDeque::new());
                strand.advance(other.sent);
                self.strands.push_back(strand);
            }
        }
        self.strands.append(&mut other.strands);
        self.len += other.len;
    }

    fn push_strand(&mut self, strand: Strand) {
        if strand.len > 0 {
            self.len += strand.len;
            self.strands.push_back(strand);
        }
    }

    /// Makes sure that what comes first is there as bytes. Of a run, it renders as much as is sent
    /// at once.
    pub fn prepare(&mut self) {
        if !self.first.is_empty() {
            return;
        }
        while let Some(first) = self.strands.front_mut() {
            let before = first.len;
            let Some(rendered) = first.render() else {
                return;
            };
            self.len = self.len - before + first.len;
            if first.len == 0 {
                self.strands.pop_front();
            }
            if rendered.len > 0 {
                self.len += rendered.len;
                self.strands.push_front(rendered);
            }
        }
    }

    /// The bytes, in pieces, up to the first that are still to be rendered.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let mut is_open = true;
        let strands = self.strands.iter().take_while(move |strand| {
            let before = is_open;
            is_open = strand.pieces.iter().all(|piece| !piece.is_run());
            before
        });
        let first = Some(self.first_left()).filter(|bytes| !bytes.is_empty());
        first.into_iter().chain(strands.flat_map(Strand::segments))
    }

    /// Drops the first bytes, which were sent; at most as many as [`Rope::segments`] gave.
    pub fn advance(&mut self, mut bytes: usize) {
        let own = bytes.min(self.first_left().len());
        bytes -= own;
        self.len -= own;
        self.sent += own;
        if self.sent < self.first.len() {
            return;
        }
        self.forget_first();
        while let Some(first) = self.strands.front_mut() {
            let sent = first.advance(bytes);
            self.len -= sent;
            bytes -= sent;
            if first.len > 0 {
                return;
            }
            self.strands.pop_front();
        }
    }

    /// Keeps the memory of the first bytes for those that come next, unless it is much.
    #[inline]
    fn forget_first(&mut self) {
        self.sent = 0;
        self.first.clear();
        if self.first.capacity() > SPARE_BYTES_MAX {
            self.first = Vec::new();
        }
    }

    /// All of it in one buffer.
    pub fn into_bytes(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while !self.is_empty() {
            self.prepare();
            let start = all.len();
            for segment in self.segments() {
                all.extend_from_slice(segment);
            }
            self.advance(all.len() - start);
        }
        all
    }
}

impl Strand {
    fn new(bytes: Vec<u8>, pieces: VecDeque<Piece>) -> Strand {
        let in_pieces: usize = pieces.iter().map(|piece| piece.left).sum();
        Strand {
            len: bytes.len() + in_pieces,
            bytes,
            sent: 0,
            pieces,
        }
    }

    /// Renders some of what comes first, if that is a run.
    fn render(&mut self) -> Option<Strand> {
        let piece = self.pieces.front_mut()?;
        let What::Run { of, protocol } = &mut piece.what else {
            return None;
        };
        if piece.at > self.sent {
            return None;
        }
        let mut reply = Reply::new(*protocol);
        of.write_some(&mut reply);
        let left = of.bytes_left();
        self.len = self.len - piece.left + left;
        piece.left = left;
        if left == 0 {
            self.pieces.pop_front();
        }
        let (bytes, pieces) = reply.into_parts();
        Some(Strand::new(bytes, pieces))
    }

    /// The bytes up to the first run.
    fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = self.sent;
        let mut pieces = self.pieces.iter();
        let mut is_open = true;
        // Own bytes and shared ones in turn.
        let pairs = std::iter::from_fn(move || {
            if !is_open {
                return None;
            }
            let Some(piece) = pieces.next() else {
                is_open = false;
                return Some([&self.bytes[at..], &[]]);
            };
            // A place that is not there would leave bytes out of the reply, so it ends in a panic.
            let own = &self.bytes[at..piece.at];
            at = piece.at;
            is_open = !piece.is_run();
            Some([own, piece.bytes()])
        });
        pairs.flatten().filter(|segment| !segment.is_empty())
    }

    /// Drops up to this many bytes, and returns how many.
    fn advance(&mut self, bytes: usize) -> usize {
        let mut to_go = bytes;
        while let Some(piece) = self.pieces.front_mut() {
            let own = to_go.min(piece.at - self.sent);
            self.sent += own;
            to_go -= own;
            let What::Shared { sent, .. } = &mut piece.what else {
                break;
            };
            let shared = match self.sent == piece.at {
                true => to_go.min(piece.left),
                false => 0,
            };
            *sent += shared;
            piece.left -= shared;
            to_go -= shared;
            if self.sent < piece.at || piece.left > 0 {
                break;
            }
            self.pieces.pop_front();
        }
        if self.pieces.is_empty() {
            let own = to_go.min(self.bytes.len() - self.sent);
            self.sent += own;
            to_go -= own;
        }
        self.len -= bytes - to_go;
        bytes - to_go
    }
}

impl Piece {
    fn is_run(&self) -> bool {
        matches!(self.what, What::Run { .. })
    }

    /// What is left of shared bytes; of a run, none are there yet.
    fn bytes(&self) -> &[u8] {
        match &self.what {
            What::Shared { of, sent } => &of.bytes()[*sent..],
            What::Run { .. } => &[],
        }
    }
}

#[cfg(test)]
mod tests;
