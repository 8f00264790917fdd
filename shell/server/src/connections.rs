//! The connections of one thread, and what each of them waits for.

mod held;

use std::collections::{BTreeSet, VecDeque};
use std::io;

use engine::clients::delivery::Delivery;
use engine::clients::session::SessionId;
use engine::{Lsn, Mono};
use journal::{Gate, contained};
use mio::event::Event;
use resp::Rope;
use slab::Slab;

use crate::connection::{Answers, Connection, Piece, Sent};
use crate::limits::TLS_HANDSHAKE_MS_MAX;
use crate::mailbox::ToMany;

use self::held::HeldQueue;

/// The connections of one thread, each in its place.
///
/// A place is reused as soon as its connection has gone, so a place by itself does not say whose it
/// is. Whatever is addressed to one client (messages, input in a cycle, replies) carries the
/// session too, and [`Connections::find_mut`] compares it. The queues below keep places only, and
/// are not searched when a connection goes. That is right because they are hints: a place taken out
/// of one makes the connection that is there now do what its own state allows, which may be
/// nothing.
pub(crate) struct Connections {
    all: Slab<Connection>,
    /// Where replies wait until they may leave; none without a journal.
    gate: Option<Gate>,
    /// Places of connections that have something to do, in order. A place may be in it twice, or
    /// without reason.
    ready: VecDeque<usize>,
    /// Places of connections whose replies wait for a batch, the lowest first. A place may be in it
    /// without reason.
    held: HeldQueue,
    /// Places of connections whose sockets take more, in order. A place may be in it twice, or
    /// without reason.
    sending: VecDeque<usize>,
    /// Places of connections for which messages were gathered that are not sent yet. A place may be
    /// in it twice, or without reason.
    gathered: Vec<usize>,
    /// Until when clients may go without taking replies, with their places. A place may be in it
    /// without reason.
    soft_limit_at: BTreeSet<(Mono, usize)>,
    /// Until when handshakes must be done, the first first, and whose.
    handshakes: VecDeque<(Mono, usize, SessionId)>,
}

impl Connections {
    /// No connection yet.
    pub(crate) fn new(gate: Option<Gate>) -> Connections {
        Connections {
            all: Slab::new(),
            gate,
            ready: VecDeque::new(),
            held: HeldQueue::default(),
            sending: VecDeque::new(),
            gathered: Vec::new(),
            soft_limit_at: BTreeSet::new(),
            handshakes: VecDeque::new(),
        }
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The place of the connection that is added next.
    pub(crate) fn next_place(&self) -> usize {
        self.all.vacant_key()
    }

    /// Adds a connection, in [`Connections::next_place`].
    pub(crate) fn add(&mut self, connection: Connection, now: Mono) {
        let (session, is_handshaking) = (connection.session(), connection.is_handshaking());
        let place = self.all.insert(connection);
        if is_handshaking {
            let until = now.plus(TLS_HANDSHAKE_MS_MAX);
            self.handshakes.push_back((until, place, session));
        }
        self.ready.push_back(place);
    }

    /// Closes all of them.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.ready.clear();
        self.held.clear();
        self.sending.clear();
        self.gathered.clear();
        self.soft_limit_at.clear();
        self.handshakes.clear();
    }

    /// The connection of a client in its place, if it is still there.
    pub(crate) fn find_mut(&mut self, place: usize, session: SessionId) -> Option<&mut Connection> {
        let connection = self.all.get_mut(place)?;
        (connection.session() == session).then_some(connection)
    }

    /// Notes what a socket reports. Returns whether there is such a connection.
    pub(crate) fn note_event(&mut self, place: usize, event: &Event) -> bool {
        let Some(connection) = self.all.get_mut(place) else {
            return false;
        };
        let ended = event.is_read_closed() || event.is_error();
        if event.is_readable() || ended {
            connection.note_readable(ended);
        }
        if event.is_writable() {
            connection.note_writable();
        }
        if connection.is_stuck() && (event.is_writable() || event.is_write_closed()) {
            self.act(place, Connection::flush);
        } else {
            self.follow(place, Ok(Sent::All));
        }
        true
    }

    /// Returns how many may have something to do; [`Connections::pop_ready`] gives as many or
    /// fewer.
    pub(crate) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// The next connection, if it has something to do.
    pub(crate) fn pop_ready(&mut self) -> Option<(usize, &mut Connection)> {
        let place = self.ready.pop_front()?;
        let connection = self.all.get_mut(place)?;
        connection.is_ready().then_some((place, connection))
    }

    /// Sends a connection's replies, now or when they may leave.
    pub(crate) fn send(&mut self, place: usize, session: SessionId, answers: Answers<'_>) {
        if self.find_mut(place, session).is_some() {
            self.act(place, |connection, gate| connection.send(answers, gate));
        }
    }

    /// The same for replies that were not copied together.
    pub(crate) fn send_ropes(
        &mut self,
        place: usize,
        session: SessionId,
        ropes: impl Iterator<Item = (Rope, Piece)>,
        depends_on: Lsn,
    ) {
        if self.find_mut(place, session).is_some() {
            self.act(place, |connection, gate| {
                connection.send_ropes(ropes, depends_on, gate)
            });
        }
    }

    /// Continues to send what is long.
    pub(crate) fn send_on(&mut self) {
        for _ in 0..self.sending.len() {
            let Some(place) = self.sending.pop_front() else {
                return;
            };
            self.act(place, Connection::flush);
        }
    }

    /// Hands over what others have for a client, if it is still there.
    pub(crate) fn deliver(&mut self, place: usize, delivery: Delivery) {
        if self.find_mut(place, delivery.session).is_some() {
            self.act(place, |connection, gate| connection.take(delivery, gate));
        }
    }

    /// Hands over the same bytes for many clients, to those that are still there.
    pub(crate) fn broadcast(&mut self, message: &ToMany) {
        for &(place, session) in &message.to {
            if self.find_mut(place, session).is_some() {
                self.act(place, |connection, gate| {
                    connection.take_shared(&message.bytes, message.depends_on, gate)
                });
            }
        }
    }

    /// The same if more may follow at once: [`Connections::send_gathered`] sends what a client gets
    /// in one piece.
    pub(crate) fn gather(&mut self, message: &ToMany) {
        for &(place, session) in &message.to {
            if let Some(connection) = self.find_mut(place, session) {
                connection.gather(&message.bytes, message.depends_on);
                if self.gathered.last() != Some(&place) {
                    self.gathered.push(place);
                }
            }
        }
    }

    /// Sends what was gathered.
    pub(crate) fn send_gathered(&mut self) {
        let mut gathered = std::mem::take(&mut self.gathered);
        for place in gathered.drain(..) {
            self.act(place, Connection::send_gathered);
        }
        self.gathered = gathered;
    }

    /// Sends replies that waited for the log.
    pub(crate) fn release(&mut self) {
        while let Some(lsn) = self.held.first()
            && self
                .gate
                .as_ref()
                .is_none_or(|gate| gate.answer(lsn).is_some())
        {
            let Some(place) = self.held.pop() else {
                return;
            };
            self.act(place, Connection::flush);
        }
    }

    /// Replies that depend on a batch up to this one may leave.
    pub(crate) fn released(&self) -> Lsn {
        let gate = self.gate.as_ref();
        gate.map_or(Lsn::new(u64::MAX), Gate::released)
    }

    /// Returns whether replies that depend on no batch may have to wait.
    #[inline]
    pub(crate) fn is_leased(&self) -> bool {
        self.gate.as_ref().is_some_and(Gate::is_leased)
    }

    /// The thread is about to sleep. Returns whether it may: nothing is ready, and the log has not
    /// come so far meanwhile that replies may leave.
    pub(crate) fn may_sleep(&self) -> bool {
        self.ready.is_empty()
            && self.sending.is_empty()
            && match (&self.gate, self.held.first()) {
                (Some(gate), Some(lsn)) => gate.may_sleep(lsn),
                _ => true,
            }
    }

    /// The thread is awake.
    pub(crate) fn awake(&self) {
        if let Some(gate) = &self.gate {
            gate.awake();
        }
    }

    /// When the first client that takes no replies, or does not come to the end of its handshake,
    /// has to be closed, if there is one.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Mono> {
        let soft_limit = self.soft_limit_at.first().map(|(until, _)| *until);
        let handshake = self.handshakes.front().map(|(until, ..)| *until);
        soft_limit.into_iter().chain(handshake).min()
    }

    /// Closes connections whose time is up.
    pub(crate) fn end_late(&mut self, now: Mono) {
        self.end_for_soft_limit(now);
        while let Some((_, place, session)) =
            self.handshakes.pop_front_if(|(until, ..)| *until <= now)
        {
            let found = self.find_mut(place, session);
            if found.is_some_and(|connection| connection.is_handshaking()) {
                self.lose(place, &io::Error::other("its handshake takes too long"));
            }
        }
    }

    /// Closes connections whose clients take replies too slowly.
    fn end_for_soft_limit(&mut self, now: Mono) {
        while let Some((until, place)) = self.soft_limit_at.pop_first() {
            if until > now {
                self.soft_limit_at.insert((until, place));
                return;
            }
            let connection = self.all.get_mut(place);
            if let Some(slow) = connection.filter(|found| found.soft_limit_at() == Some(until)) {
                let error = slow.end_for_output();
                self.lose(place, &error);
            }
        }
    }

    /// Drops a connection that is lost, or that the client has ended.
    pub(crate) fn lose(&mut self, place: usize, error: &io::Error) {
        if let Some(connection) = self.all.try_remove(place) {
            let client = connection.session().client;
            tracing::debug!(client, %error, "connection lost");
        }
    }

    /// Notes until when much may keep waiting for a connection.
    #[inline]
    fn note_soft_limit(&mut self, place: usize) {
        let soft_limit_at = self.all.get(place).and_then(Connection::soft_limit_at);
        self.soft_limit_at
            .extend(soft_limit_at.map(|until| (until, place)));
    }

    /// Gives all replies that wait for the journal the answer that it has by now, also those of
    /// clients that take none at the moment.
    pub(crate) fn answer_all(&mut self) {
        let places: Vec<usize> = self.all.iter().map(|(place, _)| place).collect();
        for place in places {
            self.act(place, Connection::flush);
        }
    }

    /// Lets a connection do something, and then notes what it waits for. A panic costs only that
    /// connection.
    #[inline]
    fn act(
        &mut self,
        place: usize,
        action: impl FnOnce(&mut Connection, Option<&Gate>) -> io::Result<Sent>,
    ) {
        let Some(connection) = self.all.get_mut(place) else {
            return;
        };
        let gate = self.gate.as_ref();
        let sent = contained(|| action(connection, gate));
        self.follow(place, sent);
    }

    /// Notes what a connection waits for, after something happened to it.
    #[inline]
    fn follow(&mut self, place: usize, sent: io::Result<Sent>) {
        match sent {
            Ok(Sent::All) => {}
            Ok(Sent::Held(lsn)) => {
                self.held.push(lsn, place);
                self.note_soft_limit(place);
            }
            Ok(Sent::Stuck) => self.note_soft_limit(place),
            Ok(Sent::Some) => self.sending.push_back(place),
            Err(error) => {
                self.lose(place, &error);
                return;
            }
        }
        let Some(connection) = self.all.get(place) else {
            return;
        };
        if connection.is_ready() {
            self.ready.push_back(place);
        } else if connection.is_over() {
            self.all.try_remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use engine::Engine;
    use engine::config::Settings;

    use super::*;
    use crate::clock::Clock;
    use crate::shard::{Location, Shard};
    use crate::socket::Socket;

    /// A client's end of a new connection.
    fn connect(
        shard: &Arc<Shard>,
        connections: &mut Connections,
    ) -> (UnixStream, usize, SessionId) {
        let (client, server) = UnixStream::pair().unwrap();
        server.set_nonblocking(true).unwrap();
        let place = connections.next_place();
        let location = Location { thread: 0, place };
        let socket = Socket::Unix(mio::net::UnixStream::from_std(server));
        let connection = Connection::open(shard, socket, location).unwrap();
        let session = connection.session();
        connections.add(connection, shard.clock.now().mono);
        (client, place, session)
    }

    fn shard() -> Arc<Shard> {
        let clock = Clock::start();
        let engine = Engine::new(Settings::default(), 1, clock.now(), &commands::TABLE);
        Arc::new(Shard::new(engine, clock))
    }

    #[test]
    fn a_client_without_replies_waits_for_the_log_if_it_is_told_to() {
        let shard = shard();
        let gate = Gate::new(|| {});
        let listener = gate.listener();
        let mut connections = Connections::new(Some(gate));
        let (_client, place, session) = connect(&shard, &mut connections);
        let nothing = || Answers::free(b"");
        connections.send(place, session, nothing());
        assert!(connections.find_mut(place, session).unwrap().is_ready());
        let connection = connections.find_mut(place, session).unwrap();
        connection.wait_until_durable(Lsn::new(2));
        connections.send(place, session, nothing());
        listener.released(Lsn::new(1));
        connections.release();
        assert!(!connections.find_mut(place, session).unwrap().is_ready());
        listener.released(Lsn::new(2));
        connections.release();
        assert!(connections.find_mut(place, session).unwrap().is_ready());
    }

    #[test]
    fn a_panic_without_the_lock_costs_one_connection_and_what_it_has_in_the_engine() {
        let (shard, mut connections) = (shard(), Connections::new(None));
        let (mut lost, lost_place, _) = connect(&shard, &mut connections);
        let (mut kept, place, session) = connect(&shard, &mut connections);
        connections.act(lost_place, |_, _| panic!("planted"));
        assert_eq!(lost.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert_eq!(connections.len(), 1);
        assert_eq!(shard.lock().engine.server.sessions.len(), 1);
        connections.send(place, session, Answers::free(b"+PONG\r\n"));
        let mut reply = [0; 7];
        kept.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"+PONG\r\n");
    }

    #[test]
    fn what_is_for_a_client_that_has_gone_is_not_for_the_next_in_its_place() {
        let (shard, mut connections) = (shard(), Connections::new(None));
        let (_, place, gone) = connect(&shard, &mut connections);
        connections.lose(place, &io::Error::other("it goes"));
        let (mut next, same_place, session) = connect(&shard, &mut connections);
        assert_eq!(same_place, place);
        assert!(connections.find_mut(place, gone).is_none());
        connections.send(place, gone, Answers::free(b"-for the other\r\n"));
        connections.send(place, session, Answers::free(b"+OK\r\n"));
        let mut reply = [0; 5];
        next.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"+OK\r\n");
    }
}
