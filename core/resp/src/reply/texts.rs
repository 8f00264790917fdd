//! Many short texts in a row, as most large replies are: room is made for many of them at a time,
//! and whether the reply is full is one comparison for each.

use super::{Protocol, Reply};
use crate::double::{DOUBLE_TEXT_BYTES_MAX, double_text};
use crate::pen::{PEN_ROOM, Pen};
use crate::rope::Bytes;

/// How much room is made to begin with,
const ROOM_FIRST: usize = 320;
/// and at most beyond what is needed.
const ROOM_STEP_MAX: usize = 8192;

/// Writes texts at the end of a reply. See [`Reply::each_text`].
#[derive(Debug)]
pub struct Texts<'r> {
    reply: &'r mut Reply,
    /// How much of the output is filled; what lies behind is overwritten or cut off.
    at: usize,
    start: usize,
    /// Once this much of it is filled, it has to be looked at whether the reply is full.
    full_at: usize,
}

impl Reply {
    /// As [`Reply::each`], for elements that are mostly short texts.
    #[inline]
    pub fn each_text<I: IntoIterator>(
        &mut self,
        items: I,
        mut write: impl FnMut(&mut Texts<'_>, I::Item),
    ) -> usize {
        let mut count = 0;
        let mut texts = Texts::new(self);
        for item in items {
            if texts.is_full() {
                break;
            }
            write(&mut texts, item);
            count += 1;
        }
        texts.finish();
        count
    }
}

impl<'r> Texts<'r> {
    /// Writes behind what the reply has. Whoever is done calls [`Texts::finish`].
    #[inline]
    pub fn new(reply: &'r mut Reply) -> Texts<'r> {
        let start = reply.out.len();
        let full_at = reply.full_at();
        Texts {
            reply,
            at: start,
            start,
            full_at,
        }
    }

    /// Cuts off the room that was not filled. Without this the reply ends in rubbish.
    #[inline]
    pub fn finish(self) {
        self.reply.out.truncate(self.at);
    }

    /// As [`Reply::is_full`].
    #[inline(always)]
    pub fn is_full(&mut self) -> bool {
        self.at >= self.full_at && self.look_whether_full()
    }

    #[cold]
    fn look_whether_full(&mut self) -> bool {
        self.reply.out.truncate(self.at);
        let is_full = self.reply.is_full();
        self.go_on();
        is_full
    }

    /// Writes a bulk string.
    #[inline(always)]
    pub fn bulk(&mut self, text: &[u8]) {
        let needed = text.len() + PEN_ROOM;
        if self.reply.out.len() - self.at < needed {
            self.make_room(needed);
        }
        let mut pen = Pen::new(&mut self.reply.out, self.at);
        pen.length(text.len());
        pen.text(text);
        pen.put(b"\r\n", 2);
        self.at = pen.at();
    }

    /// Writes a number as a bulk string.
    #[inline]
    pub fn bulk_int(&mut self, number: impl itoa::Integer) {
        self.bulk(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Writes a number as [`Reply::double`] does.
    #[inline]
    pub fn double(&mut self, value: f64) {
        match self.reply.protocol() {
            Protocol::Resp2 => self.bulk(double_text(value, &mut [0; DOUBLE_TEXT_BYTES_MAX])),
            Protocol::Resp3 => self.with_reply(|reply| reply.double(value)),
        }
    }

    /// Writes a long text as a bulk string, by reference if the reply refers to texts of its
    /// length.
    pub fn bulk_long<B: Bytes + Clone + 'static>(&mut self, text: &B) {
        self.with_reply(|reply| match reply.refers_to(text.bytes().len()) {
            true => reply.bulk_shared(Box::new(text.clone())),
            false => reply.bulk(text.bytes()),
        });
    }

    /// Writes anything else.
    pub fn with_reply(&mut self, write: impl FnOnce(&mut Reply)) {
        self.reply.out.truncate(self.at);
        write(self.reply);
        self.go_on();
    }

    fn go_on(&mut self) {
        self.at = self.reply.out.len();
        self.full_at = self.reply.full_at();
    }

    #[cold]
    fn make_room(&mut self, needed: usize) {
        let written = self.at.saturating_sub(self.start);
        let more = written.clamp(ROOM_FIRST, ROOM_STEP_MAX);
        self.reply.out.resize(self.at + needed + more, 0);
    }
}
