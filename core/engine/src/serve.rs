//! Serving clients that waited, in the order in which they began to wait.

use resp::Reply;

use crate::Engine;
use crate::blocking::{Interest, Wait};
use crate::ctx::Mode;
use crate::error::CmdError;
use crate::lsn::Lsn;
use crate::node::{Delivery, Then};
use crate::session::{Replies, SessionId};
use crate::table::Flow;
use crate::time::Now;

/// Room for the reply of a client that is served after a wait: that of a few entries.
const REPLY_BYTES: usize = 512;

/// How a wait ends without what was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GiveUp {
    /// Its time is up.
    Timeout,
    /// `CLIENT UNBLOCK … ERROR`.
    Error(CmdError),
}

impl Engine {
    /// Runs the requests of clients that wait for keys which were changed. What they do may make further
    /// keys ready; those are served too.
    pub(crate) fn serve_ready(&mut self, now: Now) {
        while self.data.blocking.has_ready() {
            for key in self.data.blocking.take_ready() {
                for id in self.data.blocking.queue(&key) {
                    if self.may_be_served(id, &key.1) {
                        self.resume(id, now);
                    }
                }
            }
        }
    }

    /// A cheap look before a request runs again.
    fn may_be_served(&self, id: SessionId, key: &[u8]) -> bool {
        let Some(wait) = self
            .node
            .sessions
            .find(id)
            .and_then(|session| session.wait.as_ref())
        else {
            return false;
        };
        if wait.interest == Interest::Any {
            return true;
        }
        let keyspace = &self.data.keyspace;
        let record = keyspace.find(wait.database, keyspace.hash(key), key);
        let stream = match record.map(crate::keyspace::Record::value) {
            Some(values::Value::Stream(stream)) => stream,
            // Gone, or of another type: a group's reader is told, a plain reader waits on.
            _ => return matches!(wait.interest, Interest::Group { .. }),
        };
        match &wait.interest {
            Interest::Any => true,
            // Another of several keys may have another type by now, which the reader learns from any of them.
            Interest::EntriesAbove(ids) => {
                wait.keys.len() > 1 || ids.iter().any(|id| stream.last_id() > *id)
            }
            Interest::Group { group, consumer } => match stream.groups().find(group) {
                Some(group) => {
                    group.last_delivered() < stream.last_id()
                        || wait.retry_at.is_some()
                        || group.consumer(consumer).is_none()
                }
                None => true,
            },
        }
    }

    /// Runs the request of a client that waits. It either gets its reply or goes on waiting in its place.
    pub(crate) fn resume(&mut self, id: SessionId, now: Now) {
        let Some(mut session) = self.node.sessions.take(id) else {
            return;
        };
        let Some(wait) = session.wait.take() else {
            self.node.sessions.put_back(session);
            return;
        };
        let argv = wait.request.as_argv();
        let found = self.admit(&session, argv, Mode::Resumed);
        let mut reply = Reply::new(session.protocol);
        reply.reserve(REPLY_BYTES);
        let database = std::mem::replace(&mut session.database, wait.database);
        let (flow, depends_on) = match found {
            Ok(Some((found, first_arg))) => {
                let mode = Mode::Resumed;
                self.execute(&mut session, found, argv, first_arg, now, &mut reply, mode)
            }
            Ok(None) => (Flow::Done, Lsn::NONE),
            Err(error) => {
                self.refuse(error, &mut reply);
                (Flow::Done, Lsn::NONE)
            }
        };
        self.data.log.commit();
        session.database = database;
        if matches!(flow, Flow::Block) {
            self.wait_on(&mut session, wait);
        } else {
            self.data.blocking.remove(id, &wait);
            if session.replies != Replies::On {
                reply.clear();
            }
            self.deliver(id, reply, depends_on);
        }
        self.node.sessions.put_back(session);
    }

    /// A client keeps its place and its deadline; only the time of the next try may have changed.
    fn wait_on(&mut self, session: &mut crate::session::Session, mut wait: Wait) {
        let retry_at = session.wait.take().and_then(|again| again.retry_at);
        self.data.blocking.unschedule(session.id, &wait);
        wait.retry_at = retry_at;
        self.data.blocking.schedule(session.id, &wait);
        session.wait = Some(wait);
    }

    /// Ends a client's wait without what it waited for. Whether it waited.
    pub(crate) fn give_up(&mut self, id: SessionId, how: GiveUp) -> bool {
        let Some(session) = self.node.sessions.find_mut(id) else {
            return false;
        };
        let Some(wait) = session.wait.take() else {
            return false;
        };
        let mut reply = Reply::new(session.protocol);
        match (how, wait.on_timeout) {
            (GiveUp::Error(error), _) => {
                self.node.errors.note(&error);
                error.write(&mut reply);
            }
            (GiveUp::Timeout, on_timeout) => on_timeout.write(&mut reply),
        }
        self.data.blocking.remove(id, &wait);
        self.deliver(id, reply, Lsn::NONE);
        true
    }

    /// Ends the wait of a client for work of the shell (`SAVE`): `OK`, or why not.
    pub fn end_wait(&mut self, id: SessionId, result: Result<(), CmdError>) {
        let Some(session) = self.node.sessions.find_mut(id) else {
            return;
        };
        let Some(wait) = session.wait.take() else {
            return;
        };
        let mut reply = Reply::new(session.protocol);
        match result {
            Ok(()) => reply.ok(),
            Err(error) => error.write(&mut reply),
        }
        self.data.blocking.remove(id, &wait);
        self.deliver(id, reply, Lsn::NONE);
    }

    fn deliver(&mut self, session: SessionId, mut reply: Reply, depends_on: Lsn) {
        let bytes = reply.take();
        self.node.outbox.push(Delivery {
            session,
            bytes,
            depends_on,
            then: Then::Resume,
        });
    }
}
