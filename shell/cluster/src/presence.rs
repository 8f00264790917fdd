//! What nodes tell one another of themselves, once a second.
//!
//! These are plain messages of NATS, on a subject beside the log: nothing keeps them, and one that
//! is lost is followed by the next. Nothing of the protocol depends on them. They say who is there
//! and how far, so that clients and operators can be told.

use async_nats::{Client, Subscriber};
use batch::Lsn;
use futures_util::StreamExt;
use replication::NodeId;
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use crate::config::GroupName;
use crate::connection::Connection;
use crate::error::OpenError;
use crate::limits::PRESENCE_BYTES_MAX;

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Its number.
    pub id: NodeId,
    /// What it says when it becomes the leader.
    pub greeting: String,
    /// The last batch that it has applied.
    pub lsn: Lsn,
    /// What the log was for it there, in hexadecimal digits.
    pub chain: String,
    /// Its version.
    pub version: String,
    /// The number of the epoch in which it leads; `None` if it does not. Who began with a snapshot
    /// has not read which node began the epoch.
    pub leads: Option<u64>,
}

/// A presence as it is sent. Fields that are not named here are ignored, so that a later version
/// may add some.
#[derive(Serialize, Deserialize)]
struct Message {
    node: u64,
    greeting: String,
    lsn: u64,
    chain: String,
    version: String,
    #[serde(default)]
    leads: Option<u64>,
}

/// The nodes of a group, as far as they can be heard.
pub(crate) struct Nodes {
    client: Client,
    subject: String,
    heard: Subscriber,
}

impl Nodes {
    /// Listens to the nodes of a group.
    ///
    /// # Errors
    /// [`OpenError::Connection`]
    pub(crate) async fn open(
        connection: &Connection,
        group: &GroupName,
    ) -> Result<Nodes, OpenError> {
        let (client, subject) = (connection.client(), group.subject_of_nodes());
        let heard = client.subscribe(subject.clone()).await;
        let heard = heard.map_err(|error| OpenError::Connection(error.to_string()))?;
        Ok(Nodes {
            client,
            subject,
            heard,
        })
    }

    /// Tells the others, and this node itself.
    pub(crate) async fn say(&self, presence: &Presence) {
        let message = Message {
            node: presence.id.0,
            greeting: presence.greeting.clone(),
            lsn: presence.lsn.number(),
            chain: presence.chain.clone(),
            version: presence.version.clone(),
            leads: presence.leads,
        };
        // Without a connection the library would keep it, and send what is old by then.
        if self.client.connection_state() != async_nats::connection::State::Connected {
            return;
        }
        let payload = match serde_json::to_vec(&message) {
            Ok(payload) => payload.into(),
            Err(error) => return warn!(%error, "nothing can be said of this node"),
        };
        if let Err(error) = self.client.publish(self.subject.clone(), payload).await {
            debug!(%error, "the other nodes cannot be told of this one");
        }
    }

    /// Waits for the next one. May be given up at any time; nothing is lost.
    pub(crate) async fn next(&mut self) -> Presence {
        loop {
            match self.heard.next().await {
                Some(message) => match read(&message.payload) {
                    Some(presence) => return presence,
                    None => warn!("what was said of a node makes no sense"),
                },
                // The connection was given up for good, which whoever reads the log notices.
                None => std::future::pending().await,
            }
        }
    }
}

fn read(payload: &[u8]) -> Option<Presence> {
    if payload.len() > PRESENCE_BYTES_MAX {
        return None;
    }
    let message: Message = serde_json::from_slice(payload).ok()?;
    Some(Presence {
        id: NodeId(message.node),
        greeting: message.greeting,
        lsn: Lsn::new(message.lsn),
        chain: message.chain,
        version: message.version,
        leads: message.leads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_presence_or_too_long_is_none() {
        let text = |greeting: &str| {
            format!(
                r#"{{"node":7,"greeting":"{greeting}","lsn":5,"chain":"ab","version":"1","new":0}}"#
            )
        };
        let good = text("a:1");
        let presence = read(good.as_bytes()).unwrap();
        assert_eq!((presence.id, presence.lsn), (NodeId(7), Lsn::new(5)));
        assert_eq!(presence.greeting, "a:1");
        // An earlier version does not say whether it leads.
        assert_eq!(presence.leads, None);
        let leads = good.replace("\"new\":0", "\"leads\":4");
        assert_eq!(read(leads.as_bytes()).unwrap().leads, Some(4));
        let room = PRESENCE_BYTES_MAX - text("").len();
        assert!(read(text(&"x".repeat(room)).as_bytes()).is_some());
        assert!(read(text(&"x".repeat(room + 1)).as_bytes()).is_none());
        for bad in ["", "{}", "[]", r#"{"node":-1}"#] {
            assert!(read(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
