//! Sending what was published, once it is known what that has to wait for.
//!
//! A message tells of what its publisher did, so it leaves when what the publisher did is durable,
//! as the reply to it would: all of the transaction that has published it, and all that the client
//! did before. It does not wait for what others did. What a script publishes that is not finished
//! is put aside until it is, because its batch has no number before.

use batch::Lsn;
use resp::Reply;

use crate::Engine;
use crate::clients::session::SessionId;

impl Engine {
    /// Returns whether anything was published that is not on its way.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        !self.server.channels.news.is_empty() | self.data.notifications.has_some()
    }

    /// Sends what happened to keys by itself, as time passed.
    #[inline]
    pub(crate) fn send_news_of_time(&mut self) {
        if self.has_news() {
            self.send_news(None, Lsn::ZERO);
        }
    }

    /// Puts aside what a script has published that is not finished.
    pub(crate) fn put_news_aside(&mut self) {
        let channels = &mut self.server.channels;
        if self.data.notifications.has_some() {
            self.data.notifications.publish_to(channels);
        }
        channels.news.set_aside();
    }

    /// Sends what was published once a batch is durable. What is for the client itself that has
    /// published it follows its reply, which then depends on that batch too. Returns what the reply
    /// depends on because of that.
    #[cold]
    pub(crate) fn send_news(
        &mut self,
        own: Option<(SessionId, &mut Reply)>,
        mut depends_on: Lsn,
    ) -> Lsn {
        let server = &mut self.server;
        if self.data.notifications.has_some() {
            self.data.notifications.publish_to(&mut server.channels);
        }
        let news = &mut server.channels.news;
        if news.take_of_keys() {
            // Keys may have expired or been evicted that the client did not ask for.
            depends_on = depends_on.max(self.data.log.last());
        }
        match news.hand_out(own, depends_on, &mut server.outbox) {
            true => depends_on,
            false => Lsn::ZERO,
        }
    }
}
