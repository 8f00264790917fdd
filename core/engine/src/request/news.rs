//! Sending what was published, once it is known what that has to wait for.
//!
//! A message tells of what its publisher did, so it leaves when what the publisher did is durable,
//! as the reply to it would: all of the transaction that has published it, and all that the client
//! did before. It does not wait for what others did.

use batch::Lsn;
use resp::Reply;

use crate::Engine;
use crate::clients::session::SessionId;

impl Engine {
    /// Returns whether anything was published that is not on its way.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        !self.server.channels.news.is_empty()
    }

    /// Sends what was published once a batch is durable. What is for the client itself that has
    /// published it follows its reply, which then depends on that batch too. Returns what the reply
    /// depends on because of that.
    #[cold]
    pub(crate) fn send_news(
        &mut self,
        own: Option<(SessionId, &mut Reply)>,
        depends_on: Lsn,
    ) -> Lsn {
        let server = &mut self.server;
        let news = &mut server.channels.news;
        match news.hand_out(own, depends_on, &mut server.outbox) {
            true => depends_on,
            false => Lsn::ZERO,
        }
    }
}
