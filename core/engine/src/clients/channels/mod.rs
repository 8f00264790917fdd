//! Channels: who listens to which, and the messages that are published to them.
//!
//! A channel is there as long as somebody listens to it, and a message goes to those who listen at
//! that moment. Channels and their messages are no part of the keyspace: no effect says them, no
//! file keeps them. What a message waits for before it leaves is in
//! [`crate::request`](crate::Engine::request): a message tells of what its publisher did.

mod line;
mod news;
mod subscriptions;

use std::collections::BTreeMap;

use resp::{Protocol, Reply};
use values::Key;

use crate::clients::session::{Session, SessionId};
use crate::config::ClientClass;
use crate::error::CmdError;
use crate::glob::{Letters, matches};
use crate::limits;

use self::line::Line;
pub use self::news::News;
pub use self::subscriptions::Subscriptions;

/// What a client can listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// A channel (`SUBSCRIBE`).
    Channel,
    /// All channels whose names match a pattern (`PSUBSCRIBE`).
    Pattern,
    /// A shard channel (`SSUBSCRIBE`), whose names are apart from those of channels.
    Shard,
}

/// How much may be subscribed to.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    client_channels: usize,
    client_patterns: usize,
    client_bytes: usize,
    patterns: usize,
    all: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            client_channels: limits::CLIENT_CHANNELS_MAX,
            client_patterns: limits::CLIENT_PATTERNS_MAX,
            client_bytes: limits::CLIENT_SUBSCRIPTIONS_BYTES_MAX,
            patterns: limits::PATTERNS_MAX,
            all: limits::SUBSCRIPTIONS_MAX,
        }
    }
}

/// All channels that somebody listens to, and what was published and is not on its way yet.
#[derive(Debug, Default)]
pub struct Channels {
    channels: BTreeMap<Key, Line>,
    patterns: BTreeMap<Key, Line>,
    shards: BTreeMap<Key, Line>,
    /// Clients that listen to anything.
    clients: usize,
    /// Subscriptions of all clients together.
    subscriptions: usize,
    bounds: Bounds,
    /// What the request that runs has published.
    pub(crate) news: News,
}

impl Channels {
    fn named(&self, what: Listening) -> &BTreeMap<Key, Line> {
        match what {
            Listening::Channel => &self.channels,
            Listening::Pattern => &self.patterns,
            Listening::Shard => &self.shards,
        }
    }

    fn named_mut(&mut self, what: Listening) -> &mut BTreeMap<Key, Line> {
        match what {
            Listening::Channel => &mut self.channels,
            Listening::Pattern => &mut self.patterns,
            Listening::Shard => &mut self.shards,
        }
    }

    /// Returns whether a client may listen to so many more, whose names have so many bytes in all.
    ///
    /// # Errors
    /// That would be too much for one client, or for all.
    pub fn check_room(
        &self,
        session: &Session,
        what: Listening,
        more: usize,
        bytes: usize,
    ) -> Result<(), CmdError> {
        let bounds = &self.bounds;
        let own = |what| session.subscriptions.len(what);
        if session.subscriptions.name_bytes().saturating_add(bytes) > bounds.client_bytes {
            return Err(CmdError::TooManySubscriptions);
        }
        let too_many = match what {
            Listening::Channel | Listening::Shard => {
                let channels = own(Listening::Channel) + own(Listening::Shard);
                channels.saturating_add(more) > bounds.client_channels
            }
            Listening::Pattern => {
                own(Listening::Pattern).saturating_add(more) > bounds.client_patterns
                    || self.patterns.len().saturating_add(more) > bounds.patterns
            }
        };
        if too_many || self.subscriptions.saturating_add(more) > bounds.all {
            return Err(CmdError::TooManySubscriptions);
        }
        Ok(())
    }

    /// A client listens from now on; [`Channels::check_room`] comes before. Nothing happens if it
    /// does so already.
    pub fn subscribe(&mut self, session: &mut Session, what: Listening, name: Key) {
        let (id, protocol) = (session.id, session.protocol);
        // All who listen to a channel share its name.
        let known = self.named(what).get_key_value(&name);
        let name = known.map_or(name, |(known, _)| known.clone());
        if !session.subscriptions.insert(what, name.clone()) {
            return;
        }
        self.named_mut(what)
            .entry(name)
            .or_default()
            .add(id, protocol);
        self.subscriptions += 1;
        if session.class == ClientClass::Normal {
            session.class = ClientClass::PubSub;
            self.clients += 1;
        }
    }

    /// A client no longer listens. Nothing happens if it did not.
    pub fn unsubscribe(&mut self, session: &mut Session, what: Listening, name: &[u8]) {
        if !session.subscriptions.remove(what, name) {
            return;
        }
        self.leave(session.id, session.protocol, what, name);
        if session.subscriptions.is_empty() {
            self.listens_no_more(session);
        }
    }

    /// A client no longer listens to anything.
    pub fn unsubscribe_all(&mut self, session: &mut Session) {
        if session.subscriptions.is_empty() {
            return;
        }
        let (id, protocol) = (session.id, session.protocol);
        for what in [Listening::Channel, Listening::Pattern, Listening::Shard] {
            for name in session.subscriptions.take(what) {
                self.leave(id, protocol, what, &name);
            }
        }
        self.news.forget(id);
        self.listens_no_more(session);
    }

    fn listens_no_more(&mut self, session: &mut Session) {
        self.clients -= 1;
        session.class = ClientClass::Normal;
    }

    fn leave(&mut self, id: SessionId, protocol: Protocol, what: Listening, name: &[u8]) {
        self.subscriptions -= 1;
        let named = self.named_mut(what);
        if let Some(line) = named.get_mut(name) {
            line.remove(id, protocol);
            if line.is_empty() {
                named.remove(name);
            }
        }
    }

    /// A client speaks another protocol from now on.
    pub fn set_protocol(&mut self, session: &mut Session, protocol: Protocol) {
        let before = std::mem::replace(&mut session.protocol, protocol);
        if before == protocol || session.subscriptions.is_empty() {
            return;
        }
        self.news.forget(session.id);
        for what in [Listening::Channel, Listening::Pattern, Listening::Shard] {
            for name in session.subscriptions.names(what) {
                if let Some(line) = self.named_mut(what).get_mut(name) {
                    line.remove(session.id, before);
                    line.add(session.id, protocol);
                }
            }
        }
    }

    /// Returns whether no more can be published before some of what was is sent.
    pub fn are_full(&self) -> bool {
        self.news.is_full()
    }

    /// Publishes a message to a channel. Returns how many it goes to: a client that listens to the
    /// channel and to patterns gets it for each of them.
    pub fn publish(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let mut receivers = 0;
        if let Some(line) = self.channels.get_mut(channel) {
            receivers += self.news.tell(line, |reply| {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(channel);
                reply.bulk(message);
            });
        }
        for (pattern, line) in &mut self.patterns {
            if matches(pattern, channel, Letters::Exact) {
                receivers += self.news.tell(line, |reply| {
                    reply.push(4);
                    reply.bulk(b"pmessage");
                    reply.bulk(pattern);
                    reply.bulk(channel);
                    reply.bulk(message);
                });
            }
        }
        receivers
    }

    /// The same for a shard channel, for which there are no patterns.
    pub fn publish_to_shard(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let line = self.shards.get_mut(channel);
        line.map_or(0, |line| {
            self.news.tell(line, |reply| {
                reply.push(3);
                reply.bulk(b"smessage");
                reply.bulk(channel);
                reply.bulk(message);
            })
        })
    }

    /// Leaves something for the client itself whose request runs, to follow the reply: whatever
    /// replies it wants, this is none.
    pub fn tell_self(&mut self, session: &Session, write: impl Fn(&mut Reply)) {
        let mut line = Line::default();
        line.add(session.id, session.protocol);
        self.news.tell(&mut line, write);
    }

    /// Names that somebody listens to, in their order.
    pub fn names(&self, what: Listening) -> impl Iterator<Item = &Key> {
        self.named(what).keys()
    }

    /// How many names somebody listens to.
    pub fn len(&self, what: Listening) -> usize {
        self.named(what).len()
    }

    /// How many clients listen to a name.
    pub fn listeners(&self, what: Listening, name: &[u8]) -> usize {
        self.named(what).get(name).map_or(0, Line::len)
    }

    /// How many clients listen to anything.
    pub fn clients(&self) -> usize {
        self.clients
    }
}

#[cfg(test)]
mod tests;
