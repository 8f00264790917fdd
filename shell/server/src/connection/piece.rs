//! Replies in pieces that depend on the same batch: if the log fails, an error replaces each reply
//! that needs it.

use std::ops::Range;

use engine::Lsn;
use resp::{Mark, Reply, Rope};

/// Replies that follow one another and may leave at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// How many bytes they have; an estimate if they refer to something.
    pub(crate) len: usize,
    /// The number of replies: 0 for what a client did not ask for.
    pub(crate) replies: usize,
    /// The batch that must be durable before they leave.
    pub(crate) depends_on: Lsn,
}

/// Bytes for a client, and what they consist of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answers<'a> {
    /// The bytes.
    pub(crate) bytes: &'a [u8],
    /// Their pieces, in order; none if all of them may leave.
    pub(crate) pieces: &'a [Piece],
    /// The batch that must be durable before all of them may leave.
    pub(crate) depends_on: Lsn,
}

#[cfg(test)]
impl<'a> Answers<'a> {
    /// Bytes that depend on nothing.
    pub(crate) fn free(bytes: &'a [u8]) -> Answers<'a> {
        Answers {
            bytes,
            pieces: &[],
            depends_on: Lsn::ZERO,
        }
    }
}

impl Piece {
    /// Merges the piece that follows.
    pub(crate) fn add(&mut self, next: &Piece) {
        self.len += next.len;
        self.replies += next.replies;
        self.depends_on = self.depends_on.max(next.depends_on);
    }
}

/// The pieces of the replies to several connections, one after another.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    all: Vec<Piece>,
    /// Where in the output each of them begins that was added since [`Pieces::begin`].
    marks: Vec<Mark>,
    /// Where those of the connection begin that is being answered.
    start: usize,
    /// Where its replies begin in the output.
    start_mark: Mark,
    /// Its first replies, as long as they may leave: mostly all.
    free: Piece,
    /// The last batch before its requests ran.
    before: Lsn,
    /// Replies that depend on a batch up to this one may leave.
    released: Lsn,
}

impl Pieces {
    /// What is added from here on answers another connection. `last` is the last batch before its
    /// requests run, and the replies begin at `mark`.
    #[inline]
    pub(crate) fn begin(&mut self, last: Lsn, mark: Mark) {
        self.start = self.all.len();
        self.start_mark = mark;
        self.marks.clear();
        self.free = Piece::default();
        self.before = last;
    }

    /// Takes what depends on a batch up to this one for what depends on none, so that most reads
    /// are one piece.
    pub(crate) fn set_released(&mut self, released: Lsn) {
        self.released = released;
    }

    /// Forgets what was added since [`Pieces::begin`].
    pub(crate) fn rollback(&mut self) {
        self.all.truncate(self.start);
        self.marks.clear();
        self.free = Piece::default();
    }

    /// Adds a reply that begins at `mark`; without bytes, there is not a reply. Batches of requests
    /// that ran together are written together, so their replies are one piece.
    #[inline]
    pub(crate) fn add(&mut self, mark: Mark, len: usize, depends_on: Lsn) {
        if len == 0 {
            return;
        }
        let depends_on = match depends_on > self.released {
            true => depends_on,
            false => Lsn::ZERO,
        };
        let piece = Piece {
            len,
            replies: 1,
            depends_on,
        };
        if depends_on == Lsn::ZERO && self.marks.is_empty() {
            self.free.add(&piece);
        } else {
            self.add_after_free(mark, piece);
        }
    }

    fn add_after_free(&mut self, mark: Mark, piece: Piece) {
        self.end_free();
        // There is a mark for each piece of this connection.
        let is_first = self.marks.is_empty();
        match self.all.last_mut().filter(|_| !is_first) {
            Some(last)
                if last.depends_on == piece.depends_on
                    || last.depends_on.min(piece.depends_on) > self.before =>
            {
                last.add(&piece);
            }
            Some(_) | None => {
                self.all.push(piece);
                self.marks.push(mark);
            }
        }
    }

    /// The first replies, which may leave, become a piece like others: they may have to wait for
    /// something else than a batch.
    pub(crate) fn end_free(&mut self) {
        if self.free.len > 0 {
            self.all.push(std::mem::take(&mut self.free));
            self.marks.push(self.start_mark);
        }
    }

    /// Takes what was added since [`Pieces::begin`] out of the output, piece by piece.
    pub(crate) fn split(&mut self, reply: &mut Reply) -> Vec<Rope> {
        self.end_free();
        let from_behind = self.marks.iter().rev().map(|mark| reply.split_off(*mark));
        let mut ropes: Vec<Rope> = from_behind.collect();
        ropes.reverse();
        ropes
    }

    /// Returns where the pieces are that were added since [`Pieces::begin`]; nowhere if all of that
    /// may leave and was not [split](Pieces::split).
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.all.len()
    }

    /// Pieces by their places, as [`Pieces::range`] gave them.
    pub(crate) fn get(&self, range: Range<usize>) -> &[Piece] {
        &self.all[range]
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.marks.clear();
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use resp::Protocol;

    use super::*;

    #[test]
    fn replies_that_may_leave_are_one_piece_whatever_they_depend_on() {
        let mut pieces = Pieces::default();
        let reply = Reply::new(Protocol::Resp2);
        pieces.set_released(Lsn::new(7));
        pieces.begin(Lsn::new(10), reply.mark());
        for depends_on in [3, 7, 0] {
            pieces.add(reply.mark(), 1, Lsn::new(depends_on));
            assert!(pieces.range().is_empty());
        }
        for depends_on in [8, 9, 7] {
            pieces.add(reply.mark(), 1, Lsn::new(depends_on));
        }
        let all = pieces.get(pieces.range());
        let shown: Vec<_> = all
            .iter()
            .map(|piece| (piece.replies, piece.depends_on.number()))
            .collect();
        assert_eq!(shown, [(3, 0), (1, 8), (1, 9), (1, 0)]);
    }

    #[test]
    fn replies_that_may_leave_are_counted_where_that_is_asked_for() {
        let mut pieces = Pieces::default();
        let reply = Reply::new(Protocol::Resp2);
        pieces.begin(Lsn::new(10), reply.mark());
        for _ in 0..3 {
            pieces.add(reply.mark(), 5, Lsn::ZERO);
        }
        pieces.end_free();
        pieces.end_free();
        let expected = Piece {
            len: 15,
            replies: 3,
            depends_on: Lsn::ZERO,
        };
        assert_eq!(pieces.get(pieces.range()), [expected]);
    }

    #[test]
    fn replies_that_are_written_together_are_one_piece() {
        let mut pieces = Pieces::default();
        let mut reply = Reply::new(Protocol::Resp2);
        let mut add = |pieces: &mut Pieces, text: &str, depends_on| {
            let mark = reply.mark();
            reply.raw(text.as_bytes());
            pieces.add(mark, text.len(), Lsn::new(depends_on));
        };
        pieces.begin(Lsn::new(10), Mark::default());
        for (text, depends_on) in [
            ("+abcd", 11),
            ("+efgh", 12),
            ("+ij", 0),
            ("+kl", 0),
            ("+mno", 7),
            ("", 13),
            ("+pqr", 14),
        ] {
            add(&mut pieces, text, depends_on);
        }
        let shown = |piece: &Piece| (piece.len, piece.replies, piece.depends_on.number());
        let all: Vec<_> = pieces.get(pieces.range()).iter().map(shown).collect();
        assert_eq!(all, [(10, 2, 12), (6, 2, 0), (4, 1, 7), (4, 1, 14)]);
        pieces.begin(Lsn::new(14), Mark::default());
        add(&mut pieces, "+x", 14);
        add(&mut pieces, "+yz", 15);
        assert_eq!(pieces.range(), 4..6);
        let ropes = pieces.split(&mut reply).into_iter().map(Rope::into_bytes);
        assert_eq!(ropes.collect::<Vec<_>>(), [&b"+x"[..], b"+yz"]);
        assert_eq!(reply.as_bytes(), b"+abcd+efgh+ij+kl+mno+pqr");
        pieces.rollback();
        assert!(pieces.range().is_empty());
    }

    #[test]
    fn replies_that_may_leave_are_split_off_too_with_all_that_follow() {
        for last in [0, 12] {
            let mut pieces = Pieces::default();
            let mut reply = Reply::new(Protocol::Resp2);
            reply.raw(b"+other");
            pieces.begin(Lsn::new(10), reply.mark());
            for (text, depends_on) in [("+a", 0), ("+b", 0), ("+c", last)] {
                let mark = reply.mark();
                reply.raw(text.as_bytes());
                pieces.add(mark, text.len(), Lsn::new(depends_on));
            }
            let ropes = pieces.split(&mut reply).into_iter().map(Rope::into_bytes);
            let (ropes, all) = (ropes.collect::<Vec<_>>(), pieces.get(pieces.range()));
            assert_eq!(ropes.concat(), b"+a+b+c");
            assert_eq!(reply.as_bytes(), b"+other");
            let lens = all.iter().map(|piece| piece.len);
            assert!(lens.eq(ropes.iter().map(Vec::len)));
            assert_eq!(all.iter().map(|piece| piece.replies).sum::<usize>(), 3);
            assert_eq!(
                all.last().map(|piece| piece.depends_on),
                Some(Lsn::new(last))
            );
        }
    }
}
