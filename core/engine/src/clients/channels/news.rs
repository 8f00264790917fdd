//! What a request publishes, until it is known what that has to wait for.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use batch::Lsn;
use resp::Reply;

use super::line::{Line, PROTOCOLS};
use crate::clients::delivery::{Broadcast, Outgoing, Shared};
use crate::clients::session::SessionId;
use crate::limits::{GATHERED_BYTES_MAX, PUBLISHED_BYTES_MAX};

/// Messages, each encoded once however many clients it goes to, in the order in which they were
/// published.
#[derive(Debug, Default)]
pub struct News {
    messages: Vec<Message>,
    bytes: Vec<u8>,
    /// How many of the messages, from the first, are of a script that is not finished.
    aside: usize,
    /// Some of these tell what happened to keys.
    aside_of_keys: bool,
    /// Some tell what happened to keys, which may be more than what the request did.
    of_keys: bool,
    /// Some were handed out, and the shell has not taken them.
    posted: bool,
}

#[derive(Debug)]
struct Message {
    /// By their numbers.
    to: Arc<[SessionId]>,
    bytes: Range<usize>,
}

/// Memory that is kept for what is published next, in bytes.
const KEPT_BYTES_MAX: usize = 64 * 1024;

impl News {
    /// Returns whether there is nothing, beside what was put aside.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.len() == self.aside
    }

    /// Returns whether no more can be published before some of it is sent.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= PUBLISHED_BYTES_MAX
    }

    /// Puts all of it aside: it is of a script that is not finished, so the batch that it has to
    /// wait for has no number yet. What others publish meanwhile is sent without it.
    pub(crate) fn set_aside(&mut self) {
        self.aside = self.messages.len();
        self.aside_of_keys |= self.take_of_keys();
    }

    /// What was put aside can be sent.
    pub(crate) fn take_up(&mut self) {
        self.aside = 0;
        self.of_keys |= std::mem::take(&mut self.aside_of_keys);
    }

    /// A client gets nothing of what was put aside: by now it listens no more, or speaks another
    /// protocol.
    pub(super) fn forget(&mut self, client: SessionId) {
        // Lists that were shared stay so. Each is kept with what becomes of it, so that no other
        // is made where it was.
        let mut changed = BTreeMap::new();
        for Message { to, .. } in self.messages.iter_mut().take(self.aside) {
            if to.binary_search(&client).is_err() {
                continue;
            }
            let (_, rest) = changed.entry(Arc::as_ptr(to).addr()).or_insert_with(|| {
                let rest: Arc<[SessionId]> = without(to, client);
                (Arc::clone(to), rest)
            });
            *to = Arc::clone(rest);
        }
    }

    /// What was published tells what happened to keys.
    pub(crate) fn are_of_keys(&mut self) {
        self.of_keys = true;
    }

    /// Returns whether that is so, and forgets it.
    pub(crate) fn take_of_keys(&mut self) -> bool {
        std::mem::take(&mut self.of_keys)
    }

    /// Returns whether messages are among what goes out.
    #[inline]
    pub(crate) fn is_posted(&self) -> bool {
        self.posted
    }

    /// The shell takes what goes out.
    pub(crate) fn taken(&mut self) {
        self.posted = false;
    }

    /// Writes a message, for those of each protocol once. Returns how many clients it is for.
    pub(super) fn tell(&mut self, line: &mut Line, write: impl Fn(&mut Reply)) -> usize {
        let mut told = 0;
        for protocol in PROTOCOLS {
            if let Some(to) = line.list(protocol) {
                told += to.len();
                let start = self.bytes.len();
                let mut reply = Reply::behind(protocol, std::mem::take(&mut self.bytes));
                write(&mut reply);
                self.bytes = reply.into_buffer();
                self.messages.push(Message {
                    to: Arc::clone(to),
                    bytes: start..self.bytes.len(),
                });
            }
        }
        told
    }

    /// Sends all of it, once a batch is durable. What is for the client itself whose request has
    /// published it follows the reply to that request. Returns whether any is.
    pub(crate) fn hand_out(
        &mut self,
        mut own: Option<(SessionId, &mut Reply)>,
        depends_on: Lsn,
        outbox: &mut Vec<Outgoing>,
    ) -> bool {
        let mut is_for_itself = false;
        let before = self.messages.get(..self.aside);
        let kept = before
            .and_then(<[Message]>::last)
            .map_or(0, |it| it.bytes.end);
        for Message { mut to, bytes } in self.messages.drain(self.aside..) {
            let bytes = &self.bytes[bytes];
            if let Some((client, reply)) = &mut own
                && to.binary_search(client).is_ok()
            {
                is_for_itself = true;
                reply.raw(bytes);
                to = without(&to, *client);
            }
            if !to.is_empty() {
                self.posted = true;
                post(to, bytes, depends_on, outbox);
            }
        }
        self.bytes.truncate(kept);
        self.bytes.shrink_to(KEPT_BYTES_MAX);
        is_for_itself
    }
}

/// A list without a client.
fn without(list: &[SessionId], client: SessionId) -> Arc<[SessionId]> {
    let others = list.iter().copied().filter(|other| *other != client);
    others.collect()
}

/// Appends to what goes out last, if that goes to the same clients and waits for the same.
fn post(to: Arc<[SessionId]>, bytes: &[u8], depends_on: Lsn, outbox: &mut Vec<Outgoing>) {
    if let Some(Outgoing::Many(last)) = outbox.last_mut()
        && Arc::ptr_eq(&last.to, &to)
        && last.depends_on == depends_on
        && last.bytes.0.len() < GATHERED_BYTES_MAX
        && let Some(gathered) = Arc::get_mut(&mut last.bytes.0)
    {
        gathered.extend_from_slice(bytes);
        return;
    }
    outbox.push(Outgoing::Many(Broadcast {
        to,
        bytes: Shared(Arc::new(bytes.to_vec())),
        depends_on,
    }));
}
