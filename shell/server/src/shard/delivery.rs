//! What the engine has for clients that did not just ask, on its way to their threads.
//!
//! What is for clients of the same thread is posted together, and what goes to many clients is one
//! message for each thread, which refers to the same bytes. So a thread is woken once, and what is
//! done under the lock for one more client is to note its place.

use std::sync::Arc;

use engine::clients::delivery::{Broadcast, Outgoing};
use engine::clients::session::SessionId;

use super::{Caller, State};
use crate::mailbox::{Mailbox, Message, ToMany};

impl State {
    /// These are the threads that serve clients.
    pub(crate) fn set_mailboxes(&mut self, mailboxes: &[Arc<Mailbox>]) {
        self.mailboxes = mailboxes.to_vec();
        self.outgoing = mailboxes.iter().map(|_| Vec::new()).collect();
        self.recipients = mailboxes.iter().map(|_| Vec::new()).collect();
    }

    /// Adds to what is for the caller itself, or on its way to another thread.
    fn add(&mut self, thread: usize, message: Message, caller: Caller, own: &mut Vec<Message>) {
        if caller == Caller::Io(thread) {
            own.push(message);
        } else if let Some(outgoing) = self.outgoing.get_mut(thread) {
            outgoing.push(message);
        }
    }

    /// Makes one message for each thread that serves some of the recipients.
    fn spread(&mut self, broadcast: Broadcast, caller: Caller, own: &mut Vec<Message>) {
        for &session in &*broadcast.to {
            if let Some(location) = self.locations.find(session)
                && let Some(recipients) = self.recipients.get_mut(location.thread)
            {
                recipients.push((location.place, session));
            }
        }
        for thread in 0..self.recipients.len() {
            let to: Vec<(usize, SessionId)> = std::mem::take(&mut self.recipients[thread]);
            if !to.is_empty() {
                let bytes = broadcast.bytes.clone();
                let depends_on = broadcast.depends_on;
                let message = Message::Broadcast(ToMany {
                    to,
                    bytes,
                    depends_on,
                });
                self.add(thread, message, caller, own);
            }
        }
    }
}

/// Sorts what the engine has for clients that did not just ask by the threads that serve them. What
/// is for clients of the caller is put into `own`.
pub(crate) fn sort(state: &mut State, caller: Caller, own: &mut Vec<Message>) {
    state.is_sorted = true;
    for outgoing in state.engine.take_outbox() {
        match outgoing {
            Outgoing::One(delivery) => {
                if let Some(location) = state.locations.find(delivery.session) {
                    let message = Message::Delivery(location.place, delivery);
                    state.add(location.thread, message, caller, own);
                }
            }
            Outgoing::Many(broadcast) => state.spread(broadcast, caller, own),
        }
    }
}

/// The same, and posts what was sorted.
pub(super) fn deliver(state: &mut State, caller: Caller, own: &mut Vec<Message>) {
    sort(state, caller, own);
    state.is_sorted = false;
    for (mailbox, outgoing) in state.mailboxes.iter().zip(&mut state.outgoing) {
        if !outgoing.is_empty() {
            mailbox.post_all(outgoing);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use engine::config::Settings;
    use engine::{Engine, Now};
    use resp::{ArgvBuf, Protocol, Reply};

    use super::*;
    use crate::clock::Clock;
    use crate::shard::{Location, Shard};

    const THREADS: usize = 4;
    const CLIENTS: usize = 1000;

    fn shard() -> Shard {
        let clock = Clock::start();
        let engine = Engine::new(Settings::default(), 1, clock.now(), &commands::TABLE);
        Shard::new(engine, clock)
    }

    /// Gives a shard threads that count how often they are woken.
    fn add_threads(state: &mut State) -> (Vec<Arc<Mailbox>>, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let mailboxes: Vec<Arc<Mailbox>> = (0..THREADS)
            .map(|_| {
                let wakes = Arc::clone(&wakes);
                Arc::new(Mailbox::new(Box::new(move || {
                    wakes.fetch_add(1, Ordering::Relaxed);
                })))
            })
            .collect();
        state.set_mailboxes(&mailboxes);
        (mailboxes, wakes)
    }

    fn connect(state: &mut State, now: Now, thread: usize, place: usize) -> SessionId {
        let session = state.engine.connect(String::new(), String::new(), now);
        state.locations.insert(session, Location { thread, place });
        session
    }

    fn ask(state: &mut State, now: Now, session: SessionId, words: &str) {
        let argv: ArgvBuf = words.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let engine = &mut state.engine;
        let _ = engine.request(session, argv.as_argv(), now, &mut reply);
    }

    /// Connects clients to all threads in turn, and lets each ask for something.
    fn connect_all(state: &mut State, now: Now, words: &str) {
        for n in 0..CLIENTS {
            let client = connect(state, now, n % THREADS, n / THREADS);
            ask(state, now, client, words);
        }
    }

    /// What each thread got, which is one message for all of its clients, and the same bytes.
    fn collect(mailboxes: &[Arc<Mailbox>]) -> String {
        let mut there = Vec::new();
        for mailbox in mailboxes {
            let mut messages = Vec::new();
            mailbox.collect(&mut messages);
            let [Message::Broadcast(message)] = &messages[..] else {
                panic!("{messages:?}");
            };
            let places: Vec<usize> = message.to.iter().map(|(place, _)| *place).collect();
            assert_eq!(places, (0..CLIENTS / THREADS).collect::<Vec<_>>());
            there.push(message.bytes.clone());
        }
        assert!(there.iter().all(|one| Arc::ptr_eq(&one.0, &there[0].0)));
        String::from_utf8_lossy(&there[0].0).into_owned()
    }

    #[test]
    fn what_goes_to_many_is_one_post_a_thread_and_there_once() {
        let shard = shard();
        let now = shard.clock.now();
        let mut guard = shard.lock();
        let state = &mut *guard;
        let (mailboxes, wakes) = add_threads(state);
        connect_all(state, now, "MONITOR");
        let asking = connect(state, now, 0, CLIENTS);
        ask(state, now, asking, "PING");
        ask(state, now, asking, "ECHO a");
        deliver(state, Caller::Other, &mut Vec::new());
        assert_eq!(wakes.load(Ordering::Relaxed), THREADS);
        let lines = collect(&mailboxes);
        assert!(lines.ends_with("\"ECHO\" \"a\"\r\n"), "{lines}");
        // What is for the caller's own clients is not posted.
        ask(state, now, asking, "PING");
        let mut own = Vec::new();
        deliver(state, Caller::Io(1), &mut own);
        assert!(matches!(&own[..], [Message::Broadcast(message)] if message.to.len() == 250));
        assert_eq!(wakes.load(Ordering::Relaxed), 2 * THREADS - 1);
    }

    #[test]
    fn messages_to_many_are_one_post_a_thread_and_there_once() {
        let shard = shard();
        let now = shard.clock.now();
        let mut guard = shard.lock();
        let state = &mut *guard;
        let (mailboxes, wakes) = add_threads(state);
        connect_all(state, now, "SUBSCRIBE x");
        let publisher = connect(state, now, 0, CLIENTS);
        ask(state, now, publisher, "PUBLISH x 1");
        ask(state, now, publisher, "PUBLISH x 2");
        assert!(state.engine.has_messages());
        // They may be sorted out before the lock is released.
        sort(state, Caller::Other, &mut Vec::new());
        assert!(state.is_sorted && !state.engine.has_messages());
        assert_eq!(wakes.load(Ordering::Relaxed), 0);
        let _ = shard.finish(state, now, Caller::Other, &mut Vec::new());
        assert_eq!(wakes.load(Ordering::Relaxed), THREADS);
        let message = |text| format!("*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n{text}\r\n");
        assert_eq!(collect(&mailboxes), message(1) + &message(2));
    }
}
