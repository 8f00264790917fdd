//! The pieces of a reply that something else owns.

use std::collections::VecDeque;
use std::ops::Range;

use super::{Mark, Reply};
use crate::limits::{SHARED_BYTES_MIN, SHARED_BYTES_MIN_LATE, SHARED_LATE_BYTES};
use crate::rope::{Bytes, Piece, Rope, Run, What};

impl Reply {
    /// Returns whether to refer to a text of this many bytes instead of copying it: yes if it is
    /// long, or if the reply already is long and the text is not short. A reference costs about as
    /// much as copying some thousand bytes and takes some hundred bytes of memory.
    #[inline]
    pub fn refers_to(&self, len: usize) -> bool {
        len >= SHARED_BYTES_MIN_LATE
            && (len >= SHARED_BYTES_MIN || self.copied() >= SHARED_LATE_BYTES)
    }

    /// A bulk string that something else owns.
    pub fn bulk_shared(&mut self, of: Box<dyn Bytes>) {
        let left = of.bytes().len();
        self.referred.note(of.kept());
        self.header(b'$', left);
        self.piece(What::Shared { of, sent: 0 }, left);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A bulk string that was made for this reply. If it is long, it is sent from where it is.
    pub fn bulk_owned(&mut self, bytes: Vec<u8>) {
        if self.refers_to(bytes.len()) {
            self.bounds.note_owned(bytes.capacity());
            self.bulk_shared(Box::new(bytes));
        } else {
            self.bulk(&bytes);
        }
    }

    /// Elements that are rendered when they are sent. Nothing counts them here: the caller gives
    /// the aggregate a length that includes them, before or after this.
    pub fn run(&mut self, of: Box<dyn Run>) {
        let left = of.bytes_left();
        if left > 0 {
            let protocol = self.protocol;
            self.bounds.note_owned(of.own_bytes());
            of.refers_to(&mut |kept, _| self.referred.note(kept));
            self.piece(What::Run { of, protocol }, left);
        }
    }

    fn piece(&mut self, what: What, left: usize) {
        if left > 0 {
            let at = self.out.len();
            self.bounds.note_owned(size_of::<Piece>());
            self.in_pieces += left;
            self.pieces.push_back(Piece { at, what, left });
        }
    }

    /// Returns whether some of it is in pieces.
    #[inline]
    pub fn has_pieces(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Takes out what was written since `mark`.
    pub fn split_off(&mut self, mark: Mark) -> Rope {
        let start = mark.bytes.min(self.out.len());
        let bytes = match start {
            0 => std::mem::take(&mut self.out),
            _ => self.out.split_off(start),
        };
        let mut pieces = self.pieces.split_off(mark.pieces.min(self.pieces.len()));
        for piece in &mut pieces {
            piece.at -= start;
        }
        self.in_pieces = mark.in_pieces.min(self.in_pieces);
        Rope::of_reply(bytes, pieces)
    }

    /// Takes out all that was written.
    pub fn take(&mut self) -> Rope {
        let bytes = std::mem::take(&mut self.out);
        self.in_pieces = 0;
        Rope::of_reply(bytes, std::mem::take(&mut self.pieces))
    }

    /// All that was written, in one buffer.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.take().into_bytes()
    }

    /// The buffer, for the next reply, where nothing is in pieces.
    pub fn into_buffer(self) -> Vec<u8> {
        debug_assert!(self.pieces.is_empty(), "some of it is in pieces");
        self.out
    }

    pub(crate) fn into_parts(self) -> (Vec<u8>, VecDeque<Piece>) {
        (self.out, self.pieces)
    }

    /// The part of [`Reply::swap`] that concerns the pieces.
    pub(super) fn swap_pieces(
        &mut self,
        between: Range<usize>,
        earlier_bytes: usize,
        later_bytes: usize,
    ) {
        let pieces = self.pieces.make_contiguous();
        let middle = between.end.min(pieces.len());
        for piece in &mut pieces[between.start..middle] {
            piece.at += later_bytes;
        }
        for piece in &mut pieces[middle..] {
            piece.at -= earlier_bytes;
        }
        let later = pieces.len() - middle;
        pieces[between.start..].rotate_right(later);
    }
}
