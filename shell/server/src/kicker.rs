//! Kicks off the journal once for all connections of a thread that had something for it in one turn of its loop.
//!
//! When several sockets have become readable, the thread serves one connection after the other. Were the journal's thread
//! woken by the first, it would write and sync that one's batch alone while the others' gather. So the connections ring,
//! and a task that runs behind those that are ready already does the waking.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::shard::Shard;

/// The kicker of one thread. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Kicker {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    has_rung: Cell<bool>,
    task: RefCell<Option<Waker>>,
}

impl Kicker {
    /// The journal was given something.
    pub(crate) fn ring(&self) {
        if !self.inner.has_rung.replace(true)
            && let Some(task) = &*self.inner.task.borrow()
        {
            task.wake_by_ref();
        }
    }

    /// Kicks the journal whenever somebody has rung. To be run as a task of its own, before anything is served.
    pub(crate) async fn run(self, shard: Arc<Shard>) {
        poll_fn(|cx| {
            if self.inner.has_rung.take() {
                shard.kick_journal();
            }
            let mut task = self.inner.task.borrow_mut();
            if !task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
                *task = Some(cx.waker().clone());
            }
            Poll::<()>::Pending
        })
        .await;
    }
}
