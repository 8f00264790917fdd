//! Serving clients that waited, in the order in which they began to wait.

use std::collections::BTreeSet;

use resp::Reply;
use stream::{Group, Stream};

use crate::Engine;
use crate::clients::delivery::{Delivery, Outgoing, Then};
use crate::clients::session::{Session, SessionId};
use crate::clients::waiting::{AwaitedKey, Fronts, GiveUp, Interest, Source, TimeoutReply, Wait};
use crate::command::{Flow, Mode};
use crate::error::CmdError;
use crate::server::Server;
use crate::store::dropped::What;
use crate::store::keyspace::Record;
use crate::time::Now;
use batch::Lsn;

/// Room for the reply of a client that is served after a wait: that of a few entries.
const REPLY_BYTES: usize = 512;

impl Engine {
    /// Runs the requests of clients that wait for keys which were changed. What they do may make
    /// further keys ready; those are served too.
    pub(crate) fn serve_ready(&mut self, now: Now) {
        while self.data.blocking.has_ready() {
            // All changes were made before the first of them runs. So a client that waits for
            // several of these keys looks at all of them at once, and need not do so again for the
            // next key.
            let mut tried = BTreeSet::new();
            for (key, mut fronts) in self.data.blocking.take_ready() {
                while let Some(id) = self.next_to_serve(&key, &mut fronts, &tried) {
                    self.resume(id, now);
                    if self.waits_for_several(id) {
                        tried.insert(id);
                    }
                }
            }
            for read in self.data.blocking.take_ready_patterns() {
                self.serve_pattern_read(read, now);
            }
        }
    }

    /// The next client in a key's queue whose request is worth running again. The key, and a group
    /// that many wait for, are looked up once for all clients that are skipped. A line whose source
    /// has nothing left is not looked at any more.
    fn next_to_serve(
        &mut self,
        key: &AwaitedKey,
        fronts: &mut Fronts,
        tried: &BTreeSet<SessionId>,
    ) -> Option<SessionId> {
        let keyspace = &self.data.keyspace;
        let (database, name) = (key.0, &key.1);
        let record = keyspace.find(database, keyspace.hash(name), name);
        let value = record.map(Record::value);
        let stream = value.and_then(|value| value.get::<Stream>());
        let all_look = fronts.all_look;
        let has_nothing_left = |source: &Source| match source {
            Source::Group(group) => {
                let found = stream.and_then(|stream| Some((stream, stream.groups().find(group)?)));
                let is_read =
                    |(stream, group): (&Stream, &Group)| group.last_delivered() >= stream.last_id();
                !all_look && found.is_some_and(is_read)
            }
            // Whatever happened to the key: without enough in it nobody is served.
            Source::Value(enough) => !value.is_some_and(|value| enough.is_met_by(value)),
        };
        let mut found: Option<(&[u8], Option<&Group>)> = None;
        while let Some((ticket, line, id)) = fronts.pop() {
            if fronts.source(line).is_some_and(has_nothing_left) {
                continue;
            }
            self.data.blocking.next_of(key, fronts, line, ticket);
            let session = self.server.sessions.find(id);
            let wait = session.and_then(|session| session.wait.as_ref());
            let Some(wait) = wait.filter(|wait| wait.ticket == ticket) else {
                continue;
            };
            self.data.stats.waiters_looked_at += 1;
            if tried.contains(&id) {
                continue;
            }
            let is_worth_it = match (&wait.interest, stream) {
                (Interest::Any | Interest::Value(_) | Interest::Streams { .. }, _) => true,
                // The key is gone, or has another type: a group's reader is told, a plain reader
                // keeps waiting.
                (Interest::EntriesAbove(_), None) => false,
                (Interest::Group { .. }, None) => true,
                // Another of its keys may have a different type by now; the reader is told
                // whichever key it is.
                (Interest::EntriesAbove(ids), Some(stream)) => {
                    wait.keys.len() > 1 || ids.iter().any(|id| stream.last_id() > *id)
                }
                (
                    Interest::Group {
                        group, consumer, ..
                    },
                    Some(stream),
                ) => {
                    let group = match found {
                        Some((name, known)) if name == group => known,
                        _ => found.insert((group, stream.groups().find(group))).1,
                    };
                    group.is_none_or(|group| {
                        group.last_delivered() < stream.last_id()
                            || wait.retry_at.is_some()
                            || group.claim_idle_ms().is_some()
                            || group.consumer(consumer).is_none()
                    })
                }
            };
            if is_worth_it {
                return Some(id);
            }
        }
        None
    }

    fn waits_for_several(&self, id: SessionId) -> bool {
        let session = self.server.sessions.find(id);
        let wait = session.and_then(|session| session.wait.as_ref());
        wait.is_some_and(|wait| wait.keys.len() > 1)
    }

    /// Runs the request of a client that waits. It either gets its reply or keeps waiting in its
    /// place.
    pub(crate) fn resume(&mut self, id: SessionId, now: Now) {
        let Some(mut session) = self.server.sessions.take(id) else {
            return;
        };
        let Some(wait) = session.wait.take() else {
            self.server.sessions.put_back(session);
            return;
        };
        let argv = wait.request.as_argv();
        let admitted = self.server.admit(&mut session, argv, Mode::Resumed);
        if let Ok(Some(request)) = &admitted
            && Engine::holds_back(self.server.pause.active(now), &session, request.row)
        {
            self.wait_on(&mut session, wait);
            self.server.pause.hold_wait(id);
            self.server.sessions.put_back(session);
            return;
        }
        let mut reply = Reply::new(session.protocol);
        let limits = self.server.config.output_limits.of(session.class);
        let _ = reply.begin_part(limits.bytes_max());
        reply.reserve(REPLY_BYTES);
        let database = std::mem::replace(&mut session.database, wait.database);
        let (flow, depends_on) = match admitted {
            Ok(Some(request)) => self.execute(&mut session, &request, now, &mut reply),
            Ok(None) => (Flow::Done, Lsn::ZERO),
            Err(error) => {
                let client = (&*session, &self.data.watches);
                self.server.note_denied(client, &error, now);
                self.server.refuse(error, &mut reply);
                (Flow::Done, Lsn::ZERO)
            }
        };
        self.data.log.commit();
        session.database = database;
        if matches!(flow, Flow::Block) {
            self.wait_on(&mut session, wait);
        } else {
            self.data.blocking.remove(id, &wait);
            self.data.dropped.take(What::Wait(wait));
            self.server.answer(&mut session, reply, depends_on);
        }
        let depends_on = session.depends_on.max(depends_on);
        self.server.sessions.put_back(session);
        if self.has_news() {
            self.send_news(None, depends_on);
        }
    }

    /// A client keeps its place and its deadline; only the time of the next try may have changed.
    fn wait_on(&mut self, session: &mut Session, mut wait: Wait) {
        let retry_at = session.wait.take().and_then(|again| again.retry_at);
        self.data.blocking.unschedule(session.id, &wait);
        wait.retry_at = retry_at;
        self.data.blocking.schedule(session.id, &wait);
        session.wait = Some(wait);
    }

    /// Ends a client's wait without what it waited for. Returns whether it waited.
    pub(crate) fn give_up(&mut self, id: SessionId, how: GiveUp) -> bool {
        self.conclude(id, |on_timeout, reply| match how {
            GiveUp::Timeout => {
                on_timeout.write(reply);
                Ok(())
            }
            GiveUp::Error(error) => Err(error),
        })
    }

    /// Ends the wait of a client for work of the shell (`SAVE`): `OK`, or why not.
    pub fn end_wait(&mut self, id: SessionId, result: Result<(), CmdError>) {
        self.conclude(id, |_, reply| {
            result?;
            reply.ok();
            Ok(())
        });
    }

    /// Ends a client's wait with what `write` writes. Returns whether it waited.
    fn conclude(
        &mut self,
        id: SessionId,
        write: impl FnOnce(TimeoutReply, &mut Reply) -> Result<(), CmdError>,
    ) -> bool {
        let Some(mut session) = self.server.sessions.take(id) else {
            return false;
        };
        let wait = session.wait.take();
        let has_waited = wait.is_some();
        if let Some(wait) = wait {
            self.data.blocking.remove(id, &wait);
            let mut reply = Reply::new(session.protocol);
            let mut depends_on = match wait.on_timeout.says_durable() {
                true => session.depends_on,
                false => Lsn::ZERO,
            };
            if let Err(error) = write(wait.on_timeout, &mut reply) {
                self.server.refuse(error, &mut reply);
                depends_on = Lsn::ZERO;
            }
            self.data.dropped.take(What::Wait(wait));
            self.server.answer(&mut session, reply, depends_on);
        }
        self.server.sessions.put_back(session);
        has_waited
    }
}

impl Server {
    /// Gives a client whose wait has ended its reply, unless it wants none.
    pub(crate) fn answer(&mut self, session: &mut Session, mut reply: Reply, depends_on: Lsn) {
        session.depends_on = session.depends_on.max(depends_on);
        let mut then = Then::Resume;
        if !session.wants_answer(session.replies) {
            reply.clear();
        } else if reply.is_full() {
            self.shell.output_limit_disconnections += 1;
            then = Then::Close;
        }
        self.outbox.push(Outgoing::One(Delivery {
            session: session.id,
            bytes: reply.take(),
            depends_on,
            then,
        }));
    }
}
