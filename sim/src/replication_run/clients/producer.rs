//! A producer: it sends an append until it is told that it is there, under an idempotent ID.

use super::{Purpose, Request, STREAMS, command, stream_name};
use crate::rng::Rng;

/// An append of one producer: what makes it one and the same when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::replication_run) struct AppendId(pub(in crate::replication_run) u32);

impl AppendId {
    fn new(producer: usize, number: u32) -> AppendId {
        AppendId(u32::try_from(producer).unwrap_or(u32::MAX) << 24 | number)
    }

    /// Whose it is.
    pub(in crate::replication_run) fn producer(self) -> u32 {
        self.0 >> 24
    }
}

/// A producer.
#[derive(Debug)]
pub(super) struct Producer {
    number: usize,
    next: u32,
    /// The last append that was acknowledged.
    told: Option<(usize, AppendId)>,
}

impl Producer {
    pub(super) fn new(number: usize) -> Producer {
        Producer {
            number,
            next: 0,
            told: None,
        }
    }

    /// What it asks next: mostly another append, and now and then the last one again, as if it had
    /// not heard the answer.
    pub(super) fn next(&mut self, rng: &mut Rng) -> Request {
        let again = self.told.take().filter(|_| rng.once_in(10));
        let (stream, append) = again.unwrap_or_else(|| {
            self.next += 1;
            (rng.index(STREAMS), AppendId::new(self.number, self.next))
        });
        let (name, text) = (stream_name(stream), append.0.to_string());
        let producer = format!("p{}", self.number);
        let words = ["XADD", &name, "IDMP", &producer, &text, "*", "m", &text];
        Request::new(vec![command(words)], Purpose::Append(stream, append))
    }

    pub(super) fn told(&mut self, stream: usize, append: AppendId) {
        self.told = Some((stream, append));
    }
}
