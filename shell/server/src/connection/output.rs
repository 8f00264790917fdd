//! Replies that could not leave at once, and what each of them waits for.
//!
//! What may leave comes first, in one rope. After it come the pieces that wait for the log. Each
//! knows how many replies it holds, so that an error can replace each of them if the log fails. In
//! the usual case of a few small replies that wait only for the log, they are in the rope
//! themselves.

use std::collections::VecDeque;

use engine::Lsn;
use resp::Rope;

use super::Piece;
use crate::limits::KEPT_PIECES_MAX;

/// Replies that could not leave at once.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// What comes first.
    rope: Rope,
    /// The pieces of the rope, if it waits for the log. It then has only bytes of its own.
    pieces: Vec<Piece>,
    /// What comes after it and waits for the log.
    behind: VecDeque<(Rope, Piece)>,
    /// How many bytes come after it.
    behind_len: usize,
    /// The batch that must be durable before all of it may leave.
    depends_on: Lsn,
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.rope.is_empty() && self.behind.is_empty()
    }

    /// Returns how many bytes wait, with an estimate for what is still to be rendered.
    pub(super) fn len(&self) -> usize {
        self.rope.len() + self.behind_len
    }

    /// The batch that must be durable before all of it may leave.
    pub(super) fn depends_on(&self) -> Lsn {
        self.depends_on
    }

    /// Returns whether a part was sent, or could be, of what is long.
    pub(super) fn is_on_its_way(&self) -> bool {
        !self.rope.is_empty() && self.pieces.is_empty()
    }

    /// What may leave: all, after [`Output::set_free`] or [`Output::refuse`].
    pub(super) fn free_rope(&mut self) -> &mut Rope {
        &mut self.rope
    }

    /// Keeps bytes that may leave; nothing else is there.
    pub(super) fn keep_free(&mut self, bytes: &[u8]) {
        self.rope.push(bytes);
    }

    /// Keeps a rope that may leave; only such ropes may be there already.
    pub(super) fn append_free(&mut self, rope: Rope) {
        self.rope.append(rope);
    }

    /// Keeps bytes that consist of these pieces; without any, they may leave.
    pub(super) fn keep(&mut self, mut bytes: &[u8], pieces: &[Piece]) {
        let free = Piece {
            len: bytes.len(),
            ..Piece::default()
        };
        let pieces = match pieces {
            [] if !bytes.is_empty() => std::slice::from_ref(&free),
            pieces => pieces,
        };
        let is_usual = self.behind.is_empty() && (self.rope.is_empty() || !self.pieces.is_empty());
        if is_usual {
            self.rope.push(bytes);
        }
        for piece in pieces {
            self.depends_on = self.depends_on.max(piece.depends_on);
            if is_usual {
                match self.pieces.last_mut() {
                    Some(last) if last.depends_on == piece.depends_on => last.add(piece),
                    _ => self.pieces.push(*piece),
                }
                continue;
            }
            let (own, rest) = bytes.split_at(piece.len);
            bytes = rest;
            self.behind_len += own.len();
            match self.behind.back_mut() {
                Some((rope, last)) if last.depends_on == piece.depends_on => {
                    rope.push(own);
                    last.add(piece);
                }
                _ => {
                    let mut rope = Rope::default();
                    rope.push(own);
                    self.behind.push_back((rope, *piece));
                }
            }
        }
    }

    /// Keeps a piece that may refer to something.
    pub(super) fn append(&mut self, rope: Rope, piece: Piece) {
        if !rope.is_empty() {
            self.depends_on = self.depends_on.max(piece.depends_on);
            self.behind_len += rope.len();
            self.behind.push_back((rope, piece));
        }
    }

    /// All of it may leave.
    pub(super) fn set_free(&mut self) {
        while let Some((rope, _)) = self.behind.pop_front() {
            self.rope.append(rope);
        }
        self.forget_pieces();
    }

    /// Replaces each reply that must not be seen by a line. Returns how many there were.
    pub(super) fn refuse(&mut self, is_open: impl Fn(Lsn) -> bool, line: &[u8]) -> usize {
        let mut refused = 0;
        let mut refuse = |rope: &mut Rope, piece: &Piece| {
            refused += piece.replies;
            for _ in 0..piece.replies {
                rope.push(line);
            }
        };
        if !self.pieces.is_empty() {
            let bytes = std::mem::take(&mut self.rope).into_bytes();
            let mut bytes = bytes.as_slice();
            for piece in &self.pieces {
                let (own, rest) = bytes.split_at(piece.len);
                bytes = rest;
                if is_open(piece.depends_on) {
                    self.rope.push(own);
                } else {
                    refuse(&mut self.rope, piece);
                }
            }
        }
        for (rope, piece) in self.behind.drain(..) {
            if is_open(piece.depends_on) {
                self.rope.append(rope);
            } else {
                refuse(&mut self.rope, &piece);
            }
        }
        self.forget_pieces();
        refused
    }

    fn forget_pieces(&mut self) {
        self.pieces.clear();
        self.pieces.shrink_to(KEPT_PIECES_MAX);
        self.behind_len = 0;
        self.depends_on = Lsn::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: &str, replies: usize, depends_on: u64) -> Piece {
        Piece {
            len: bytes.len(),
            replies,
            depends_on: Lsn::new(depends_on),
        }
    }

    const REPLIES: &[(&str, usize, u64)] = &[
        ("+a+b", 2, 1),
        ("+c+d+e", 3, 3),
        ("+pushed", 0, 0),
        ("+f", 1, 2),
        ("+gone", 0, 4),
    ];

    fn keep(output: &mut Output) {
        for &(bytes, replies, depends_on) in REPLIES {
            output.keep(bytes.as_bytes(), &[piece(bytes, replies, depends_on)]);
        }
    }

    fn append(output: &mut Output) {
        for &(bytes, replies, depends_on) in REPLIES {
            let mut rope = Rope::default();
            rope.push(bytes.as_bytes());
            output.append(rope, piece(bytes, replies, depends_on));
        }
    }

    fn take(output: &mut Output) -> String {
        assert_eq!(output.len(), output.free_rope().len());
        let rope = std::mem::take(output.free_rope());
        assert!(output.is_empty());
        String::from_utf8(rope.into_bytes()).unwrap()
    }

    #[test]
    fn each_reply_that_nobody_may_see_becomes_one_error() {
        let is_open = |lsn| lsn <= Lsn::new(1);
        for put in [keep, append] {
            let mut output = Output::default();
            put(&mut output);
            assert_eq!((output.len(), output.depends_on()), (24, Lsn::new(4)));
            assert_eq!(output.refuse(is_open, b"-E"), 4);
            assert_eq!(output.depends_on(), Lsn::ZERO);
            assert_eq!(take(&mut output), "+a+b-E-E-E+pushed-E");

            put(&mut output);
            output.set_free();
            assert_eq!(take(&mut output), "+a+b+c+d+e+pushed+f+gone");
        }
    }

    #[test]
    fn bytes_without_pieces_may_leave_before_and_after_what_waits() {
        let mut output = Output::default();
        output.keep(b"+before", &[]);
        output.keep(b"+waits", &[piece("+waits", 1, 3)]);
        output.keep(b"+after", &[]);
        output.keep(b"", &[]);
        assert_eq!(output.depends_on(), Lsn::new(3));
        assert_eq!(output.refuse(|lsn| lsn <= Lsn::new(1), b"-E"), 1);
        assert_eq!(take(&mut output), "+before-E+after");
    }

    #[test]
    fn what_is_on_its_way_is_sent_to_its_end() {
        for put in [keep, append] {
            let mut output = Output::default();
            output.keep_free(b"+long");
            output.free_rope().advance(3);
            put(&mut output);
            append(&mut output);
            keep(&mut output);
            assert_eq!(output.len(), 2 + 3 * 24);
            assert_eq!(output.refuse(|lsn| lsn <= Lsn::new(1), b"-E"), 12);
            assert_eq!(
                take(&mut output),
                format!("ng{}", "+a+b-E-E-E+pushed-E".repeat(3))
            );
        }
    }
}
