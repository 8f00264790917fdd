//! Telling clients what has changed.
//!
//! A client in RESP3 gets a push. With `REDIRECT`, another client gets it in its place, and one in
//! RESP2 gets a message of the channel `__redis__:invalidate`, if it listens to any channel. Who
//! gets the same in the same form gets the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use batch::Lsn;
use resp::{Protocol, Reply};
use values::Key;

use super::trackers::TrackerId;
use super::untold::{Change, Untold};
use super::{TrackedReads, Tracking};
use crate::clients::delivery::{Broadcast, Outgoing, Shared};
use crate::clients::session::{Session, SessionId, Sessions};
use crate::config::ClientClass;
use crate::limits::GATHERED_BYTES_MAX;

/// The channel that clients in RESP2 listen to.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// Who gets something, in the order of their numbers and each once.
#[derive(Debug, Default)]
struct Receivers {
    /// As a push.
    pushed: Vec<SessionId>,
    /// As a message of the channel.
    by_message: Vec<SessionId>,
}

impl Receivers {
    /// Ends the search for receivers. Several clients may be told by the same one.
    fn sorted(mut self) -> Receivers {
        for to in [&mut self.pushed, &mut self.by_message] {
            to.sort_unstable();
            to.dedup();
        }
        self
    }
}

/// What is told.
#[derive(Clone, Copy)]
enum Told<'a> {
    /// These keys.
    Keys(&'a [&'a Key]),
    /// Everything.
    Everything,
}

/// What goes out.
struct Outbox<'a> {
    outgoing: &'a mut Vec<Outgoing>,
    depends_on: Lsn,
}

impl Tracking {
    /// Tells clients what they are to be told, once a batch is durable. All clients must be among
    /// the sessions.
    pub(crate) fn hand_out(
        &mut self,
        sessions: &mut Sessions,
        depends_on: Lsn,
        outgoing: &mut Vec<Outgoing>,
    ) {
        let mut outbox = Outbox {
            outgoing,
            depends_on,
        };
        let (untold, changes) = self.news.take();
        let mut untold = untold.into_iter().peekable();
        while let Some(first) = untold.next() {
            match first {
                Untold::Everything => {
                    let all: Vec<TrackerId> = self.trackers.iter().collect();
                    let receivers = self.receivers(all, sessions, &mut outbox);
                    outbox.tell(&receivers, &[Told::Everything]);
                }
                Untold::Key(key, readers) => {
                    let mut keys = vec![key];
                    // Most often the same clients have read several keys.
                    let is_for_same =
                        |next: &Untold| matches!(next, Untold::Key(_, to) if *to == readers);
                    while let Some(Untold::Key(key, _)) = untold.next_if(is_for_same) {
                        keys.push(key);
                    }
                    let reads = readers.into_iter();
                    let reads = reads.filter(|reader| self.is_told_of_reads(*reader, sessions));
                    let readers: Vec<TrackerId> = reads.collect();
                    let receivers = self.receivers(readers, sessions, &mut outbox);
                    // Each in a push of its own, as Redis does it.
                    let keys: Vec<&Key> = keys.iter().collect();
                    let told: Vec<Told<'_>> = keys.chunks(1).map(Told::Keys).collect();
                    outbox.tell(&receivers, &told);
                }
            }
        }
        if !changes.is_empty() {
            self.broadcast(changes, sessions, &mut outbox);
        }
    }

    /// Tells clients in `BCAST` mode, prefix by prefix.
    fn broadcast(
        &mut self,
        changes: Vec<Change>,
        sessions: &mut Sessions,
        outbox: &mut Outbox<'_>,
    ) {
        let changes = merged(changes);
        let mut by_prefix: BTreeMap<&Key, Vec<&Change>> = BTreeMap::new();
        for change in &changes {
            for prefix in self.prefixes.of(&change.key) {
                by_prefix.entry(prefix).or_default().push(change);
            }
        }
        for (prefix, changes) in by_prefix {
            let authors = changes.iter().filter_map(|change| change.author);
            let authors = authors.filter(|author| self.is_no_loop(*author, sessions));
            let authors: BTreeSet<TrackerId> = authors.collect();
            let all = self.prefixes.clients(prefix);
            // Most are told of all keys, and get the same bytes.
            let (own, same): (Vec<TrackerId>, Vec<TrackerId>) = all.partition(|client| {
                authors.contains(client) || self.is_restricted(*client, sessions)
            });
            let keys: Vec<&Key> = changes.iter().map(|change| &change.key).collect();
            let receivers = self.receivers(same, sessions, outbox);
            outbox.tell(&receivers, &in_pieces(&keys));
            for client in own {
                let is_author = authors.contains(&client);
                let is_told = |change: &&&Change| {
                    let is_own = is_author && change.author == Some(client);
                    !is_own && self.may_read(client, &change.key, sessions)
                };
                let keys = changes.iter().filter(is_told).map(|change| &change.key);
                let keys: Vec<&Key> = keys.collect();
                if !keys.is_empty() {
                    let receivers = self.receivers([client], sessions, outbox);
                    outbox.tell(&receivers, &in_pieces(&keys));
                }
            }
        }
    }

    /// Returns whether a client that has read a key is told of it: it may be in `BCAST` mode now.
    fn is_told_of_reads(&self, client: TrackerId, sessions: &Sessions) -> bool {
        let tracking = self.tracked(client, sessions);
        let tracking = tracking.and_then(|session| session.tracking.as_ref());
        tracking.is_some_and(|it| it.options.reads != TrackedReads::Broadcast)
    }

    /// Returns whether a client is not told of what it has changed itself.
    fn is_no_loop(&self, client: TrackerId, sessions: &Sessions) -> bool {
        let tracking = self.tracked(client, sessions);
        let tracking = tracking.and_then(|session| session.tracking.as_ref());
        tracking.is_some_and(|it| it.options.no_loop)
    }

    /// A client whose tracking is on.
    fn tracked<'s>(&self, client: TrackerId, sessions: &'s Sessions) -> Option<&'s Session> {
        sessions.find(self.trackers.session(client)?)
    }

    /// Returns whether there may be keys that a client must not read.
    fn is_restricted(&self, client: TrackerId, sessions: &Sessions) -> bool {
        let session = self.tracked(client, sessions);
        session.is_some_and(|session| !session.user().reads_every_key())
    }

    /// Returns whether a client may know of a key.
    fn may_read(&self, client: TrackerId, key: &[u8], sessions: &Sessions) -> bool {
        let session = self.tracked(client, sessions);
        session.is_some_and(|session| session.user().may_read(key))
    }

    /// Who is to be told for these clients. Those that nobody can be told for are told that.
    fn receivers(
        &self,
        clients: impl IntoIterator<Item = TrackerId>,
        sessions: &mut Sessions,
        outbox: &mut Outbox<'_>,
    ) -> Receivers {
        let mut receivers = Receivers::default();
        for client in clients {
            let Some(id) = self.trackers.session(client) else {
                continue;
            };
            let Some(session) = sessions.find_mut(id) else {
                continue;
            };
            let protocol = session.protocol;
            let Some(tracking) = &mut session.tracking else {
                continue;
            };
            tracking.table_bytes = self.trackers.table_bytes(client);
            let Some(redirect) = tracking.options.redirect else {
                if protocol == Protocol::Resp3 {
                    receivers.pushed.push(id);
                }
                continue;
            };
            match sessions.find(redirect) {
                Some(other) if other.protocol == Protocol::Resp3 => {
                    receivers.pushed.push(redirect);
                }
                Some(other) if listens(other) => receivers.by_message.push(redirect),
                Some(_) => {}
                None => {
                    if protocol == Protocol::Resp3 {
                        outbox.tell_of_broken(id, redirect);
                    }
                    let session = sessions.find_mut(id);
                    if let Some(tracking) = session.and_then(|it| it.tracking.as_mut()) {
                        tracking.redirect_is_broken = true;
                    }
                }
            }
        }
        receivers.sorted()
    }
}

/// Returns whether a client in RESP2 takes messages.
fn listens(session: &Session) -> bool {
    session.class == ClientClass::PubSub
}

/// The changes in the order of their keys, each key once. Who has changed a key is told of it if
/// somebody else has changed it too.
fn merged(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    changes.dedup_by(|next, kept| {
        let is_same = next.key == kept.key;
        if is_same && next.author != kept.author {
            kept.author = None;
        }
        is_same
    });
    changes
}

/// The keys in as many pieces as pushes are made of them.
fn in_pieces<'a>(keys: &'a [&'a Key]) -> Vec<Told<'a>> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, key) in keys.iter().enumerate() {
        bytes += key.len();
        if bytes >= GATHERED_BYTES_MAX {
            pieces.push(Told::Keys(&keys[start..=index]));
            (start, bytes) = (index + 1, 0);
        }
    }
    if start < keys.len() {
        pieces.push(Told::Keys(&keys[start..]));
    }
    pieces
}

impl Outbox<'_> {
    /// Tells receivers something, in each form once.
    fn tell(&mut self, receivers: &Receivers, told: &[Told<'_>]) {
        let forms = [
            (&receivers.pushed, Protocol::Resp3),
            (&receivers.by_message, Protocol::Resp2),
        ];
        for (to, protocol) in forms {
            if to.is_empty() {
                continue;
            }
            let to: Arc<[SessionId]> = Arc::from(to.as_slice());
            let mut reply = Reply::new(protocol);
            for told in told {
                write(&mut reply, protocol, *told);
                if reply.len() >= GATHERED_BYTES_MAX {
                    let full = std::mem::replace(&mut reply, Reply::new(protocol));
                    self.post(&to, full);
                }
            }
            if !reply.is_empty() {
                self.post(&to, reply);
            }
        }
    }

    /// Tells a client that the one that is told in its place is gone.
    fn tell_of_broken(&mut self, client: SessionId, redirect: SessionId) {
        let mut reply = Reply::new(Protocol::Resp3);
        reply.push(2);
        reply.bulk(b"tracking-redir-broken");
        reply.int(redirect.client as i64);
        self.post(&Arc::from([client].as_slice()), reply);
    }

    fn post(&mut self, to: &Arc<[SessionId]>, reply: Reply) {
        self.outgoing.push(Outgoing::Many(Broadcast {
            to: Arc::clone(to),
            bytes: Shared(Arc::new(reply.into_buffer())),
            depends_on: self.depends_on,
        }));
    }
}

/// Writes a push, or a message of the channel.
fn write(reply: &mut Reply, protocol: Protocol, told: Told<'_>) {
    match protocol {
        Protocol::Resp3 => {
            reply.push(2);
            reply.bulk(b"invalidate");
        }
        Protocol::Resp2 => {
            reply.push(3);
            reply.bulk(b"message");
            reply.bulk(CHANNEL);
        }
    }
    match told {
        Told::Everything => reply.null(),
        Told::Keys(keys) => {
            reply.array(keys.len());
            keys.iter().for_each(|key| reply.bulk(key));
        }
    }
}
