//! The kinds of clients that `CLIENT LIST` and `CLIENT KILL` tell apart.

use engine::clients::session::Session;
use engine::config::ClientClass;
use engine::error::{ClientError, CmdError};

/// A kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that sends requests.
    Normal,
    /// A server's link to its primary.
    Primary,
    /// A replica's link.
    Replica,
    /// One that is subscribed to channels.
    PubSub,
}

impl Kind {
    /// Returns whether a client is of this kind.
    pub(super) fn fits(self, session: &Session) -> bool {
        let class = match self {
            Kind::Normal => ClientClass::Normal,
            Kind::PubSub => ClientClass::PubSub,
            Kind::Replica => ClientClass::Replica,
            Kind::Primary => return false,
        };
        session.class == class
    }

    /// Reads a name.
    pub(super) fn parse(name: &[u8]) -> Result<Kind, CmdError> {
        let kinds = [
            ("normal", Kind::Normal),
            ("master", Kind::Primary),
            ("slave", Kind::Replica),
            ("replica", Kind::Replica),
            ("pubsub", Kind::PubSub),
        ];
        kinds
            .into_iter()
            .find(|(word, _)| name.eq_ignore_ascii_case(word.as_bytes()))
            .map(|(_, kind)| kind)
            .ok_or_else(|| {
                CmdError::Client(ClientError::UnknownClientType(
                    String::from_utf8_lossy(name).into_owned(),
                ))
            })
    }
}
