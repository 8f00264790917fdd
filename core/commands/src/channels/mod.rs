//! Channels: messages from clients to clients, kept nowhere.
//!
//! What is known of who listens is in [`engine::clients::channels`]. Here is what clients ask for,
//! and how it is confirmed: a confirmation is a message like those that follow, not a reply, so a
//! client gets it whatever replies it wants.

mod publish;
mod pubsub;
mod subscribe;
mod unsubscribe;

use engine::clients::channels::Listening;
use engine::clients::session::{Replies, Session};
use engine::command::{Ctx, Entry, Mode, entry};
use resp::Reply;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<subscribe::PSubscribe>(),
    entry::<publish::Publish>(),
    pubsub::PUBSUB,
    entry::<unsubscribe::PUnsubscribe>(),
    entry::<publish::SPublish>(),
    entry::<subscribe::SSubscribe>(),
    entry::<subscribe::Subscribe>(),
    entry::<unsubscribe::SUnsubscribe>(),
    entry::<unsubscribe::Unsubscribe>(),
];

/// How many names a client listens to, as confirmations say it: shard channels apart.
fn count(session: &Session, what: Listening) -> i64 {
    let subscriptions = &session.subscriptions;
    let count = match what {
        Listening::Channel | Listening::Pattern => {
            subscriptions.len(Listening::Channel) + subscriptions.len(Listening::Pattern)
        }
        Listening::Shard => subscriptions.len(Listening::Shard),
    };
    count as i64
}

/// The confirmations of one request.
struct Confirmations {
    word: &'static str,
    what: Listening,
    /// One of them stands where the reply to the request does.
    has_reply: bool,
}

impl Confirmations {
    fn begin(word: &'static str, what: Listening) -> Confirmations {
        Confirmations {
            word,
            what,
            has_reply: false,
        }
    }

    /// Confirms what became of a name; none if there was nothing to leave.
    ///
    /// The reply to a transaction has one element for each of its commands, so the first
    /// confirmation is that element, and the others follow the whole reply.
    fn add(&mut self, name: Option<&[u8]>, ctx: &mut Ctx<'_>) {
        let count = count(ctx.session, self.what);
        let word = self.word.as_bytes();
        let write = |reply: &mut Reply| {
            reply.bulk(word);
            match name {
                Some(name) => reply.bulk(name),
                None => reply.null(),
            }
            reply.int(count);
        };
        let is_element = ctx.mode == Mode::Transaction;
        if ctx.session.replies != Replies::On || (is_element && self.has_reply) {
            ctx.server.channels.tell_self(ctx.session, |reply| {
                reply.push(3);
                write(reply);
            });
        } else if is_element {
            ctx.reply.array(3);
            write(ctx.reply);
        } else if !ctx.reply.is_full() {
            ctx.reply.push(3);
            write(ctx.reply);
        }
        self.has_reply = true;
    }
}
