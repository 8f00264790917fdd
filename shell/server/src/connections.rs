//! The connections of one thread, and what each of them waits for.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::io;

use engine::node::Delivery;
use engine::{Lsn, Mono};
use journal::Gate;
use mio::event::Event;
use slab::Slab;

use crate::connection::{Connection, Sent};

/// The connections of one thread, each in its place.
pub(crate) struct Connections {
    all: Slab<Connection>,
    /// Where replies wait until they may leave; none without a journal.
    gate: Option<Gate>,
    /// Places of connections that have something to do, in turn. One may be in it twice, or for nothing.
    ready: VecDeque<usize>,
    /// Places of connections whose replies wait for a batch, the lowest first. One may be in it for nothing.
    held: BinaryHeap<Reverse<(Lsn, usize)>>,
    /// Until when clients may go on taking no replies, with their places. One may be in it for nothing.
    patience: BTreeSet<(Mono, usize)>,
}

impl Connections {
    /// No connection yet.
    pub(crate) fn new(gate: Option<Gate>) -> Connections {
        Connections {
            all: Slab::new(),
            gate,
            ready: VecDeque::new(),
            held: BinaryHeap::new(),
            patience: BTreeSet::new(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The place of the connection that is added next.
    pub(crate) fn next_place(&self) -> usize {
        self.all.vacant_key()
    }

    /// Adds a connection, in [`Connections::next_place`].
    pub(crate) fn add(&mut self, connection: Connection) {
        let place = self.all.insert(connection);
        self.ready.push_back(place);
    }

    /// Closes all of them.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.ready.clear();
        self.held.clear();
        self.patience.clear();
    }

    /// The connection in a place.
    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut Connection> {
        self.all.get_mut(place)
    }

    /// Takes note of what a socket says. Whether there is such a connection.
    pub(crate) fn note_event(&mut self, place: usize, event: &Event) -> bool {
        let Some(connection) = self.all.get_mut(place) else {
            return false;
        };
        let ended = event.is_read_closed() || event.is_error();
        if event.is_readable() || ended {
            connection.note_readable(ended);
        }
        if connection.is_stuck() && (event.is_writable() || event.is_write_closed()) {
            let sent = connection.flush(self.gate.as_ref());
            self.follow(place, sent);
        } else {
            self.follow(place, Ok(Sent::All));
        }
        true
    }

    /// How many may have something to do; [`Connections::pop_ready`] gives as many or fewer.
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
    pub(crate) fn send(&mut self, place: usize, bytes: &[u8], depends_on: Lsn) {
        if let Some(connection) = self.all.get_mut(place) {
            let sent = connection.send(bytes, depends_on, self.gate.as_ref());
            self.follow(place, sent);
        }
    }

    /// Hands over what others have for a client, if it is still there.
    pub(crate) fn deliver(&mut self, place: usize, delivery: &Delivery) {
        if let Some(connection) = self.all.get_mut(place)
            && connection.session() == delivery.session
        {
            let sent = connection.take(delivery, self.gate.as_ref());
            self.follow(place, sent);
        }
    }

    /// Sends replies that waited for the log.
    pub(crate) fn release(&mut self) {
        while let Some(lsn) = self.held_for()
            && self
                .gate
                .as_ref()
                .is_none_or(|gate| gate.answer(lsn).is_some())
        {
            let Some(Reverse((_, place))) = self.held.pop() else {
                return;
            };
            if let Some(connection) = self.all.get_mut(place) {
                let sent = connection.flush(self.gate.as_ref());
                self.follow(place, sent);
            }
        }
    }

    /// The thread is about to sleep. Whether it may: nothing is ready, nor has the log come so far meanwhile that
    /// replies may leave.
    pub(crate) fn may_sleep(&self) -> bool {
        self.ready.is_empty()
            && match (&self.gate, self.held_for()) {
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

    /// When the patience ends with a client that takes no replies, if one is there.
    pub(crate) fn patience(&self) -> Option<Mono> {
        self.patience.first().map(|(until, _)| *until)
    }

    /// Closes connections whose clients take replies too slowly.
    pub(crate) fn end_patience(&mut self, now: Mono) {
        while let Some((until, place)) = self.patience.pop_first() {
            if until > now {
                self.patience.insert((until, place));
                return;
            }
            let connection = self.all.get(place);
            if connection.is_some_and(|connection| connection.patience() == Some(until)) {
                let error = io::Error::other("the client takes replies too slowly");
                self.lose(place, &error);
            }
        }
    }

    /// Lets go a connection that is lost, or that the client has ended.
    pub(crate) fn lose(&mut self, place: usize, error: &io::Error) {
        if let Some(connection) = self.all.try_remove(place) {
            let client = connection.session().client;
            tracing::debug!(client, %error, "connection lost");
        }
    }

    /// Notes what a connection waits for, after something happened to it.
    #[inline]
    fn follow(&mut self, place: usize, sent: io::Result<Sent>) {
        match sent {
            Ok(Sent::All) => {}
            Ok(Sent::Held(lsn)) => self.held.push(Reverse((lsn, place))),
            Ok(Sent::Stuck) => {
                let patience = self.all.get(place).and_then(Connection::patience);
                self.patience.extend(patience.map(|until| (until, place)));
            }
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

    /// The lowest batch that somebody waits for.
    fn held_for(&self) -> Option<journal::Lsn> {
        let Reverse((lsn, _)) = self.held.peek()?;
        Some(journal::Lsn::new(lsn.0))
    }
}
