//! A connection to one NATS server at a time, and to another when that is lost.
//!
//! All answers come to one inbox, in the order in which they arrive, under the name that the
//! question had. The client library keeps what it is given while it is not connected, and sends it
//! later; so a record may arrive when nobody expects it any more, and the protocol must cope.

use std::fmt::Display;
use std::future::ready;
use std::sync::Arc;

use async_nats::{Client, ConnectOptions, HeaderMap, Message, ServerAddr, Subscriber};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::api::{self, ApiError};
use crate::config::Credentials;
use crate::error::OpenError;
use crate::limits::{CONNECT_TIMEOUT, PING_INTERVAL, QUESTION_TIMEOUT};
use crate::rotation::Rotation;

/// A connection with an inbox.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    inbox: String,
    answers: Subscriber,
    changes: UnboundedReceiver<Change>,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Up,
    Lost,
}

/// What comes from a connection.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart as soon as it is made"
)]
pub(crate) enum Incoming {
    /// An answer, and the name of its question.
    Answer(String, Message),
    /// A server is there, and can be asked.
    Up,
    /// A server was there and is lost. Another one is looked for.
    Lost,
    /// The connection was given up for good.
    Closed,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Nobody has answered.
    #[error("{0}")]
    Unanswered(String),
    /// The answer is an error.
    #[error("{0}")]
    Api(ApiError),
}

impl Connection {
    /// Connects to the first server that lets us in.
    ///
    /// # Errors
    /// [`OpenError::Address`], [`OpenError::Connect`] or [`OpenError::Connection`]
    pub(crate) async fn open(
        servers: &[String],
        user: Option<&Credentials>,
    ) -> Result<Connection, OpenError> {
        let addresses = servers.iter().map(|text| address(text));
        let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
        let (changed, changes) = unbounded_channel();
        let client = options(user, changed).connect(&addresses[..]).await;
        let client = client.map_err(OpenError::Connect)?;
        let inbox = client.new_inbox();
        let answers = client.subscribe(format!("{inbox}.>")).await;
        let answers = answers.map_err(|error| OpenError::Connection(error.to_string()))?;
        Ok(Connection {
            client,
            inbox,
            answers,
            changes,
        })
    }

    /// Returns whether a server is there, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// The connection for other messages than questions.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// The name of the server.
    pub(crate) fn server_name(&self) -> String {
        self.client.server_info().server_name
    }

    /// The longest message that the server takes, in bytes.
    pub(crate) fn message_bytes_max(&self) -> usize {
        self.client.max_payload()
    }

    /// Sends a question. Answers come to the inbox under this name.
    ///
    /// # Errors
    /// It was not sent, and will not be.
    pub(crate) async fn send(
        &self,
        subject: &str,
        name: impl Display,
        headers: HeaderMap,
        payload: Vec<u8>,
    ) -> Result<(), async_nats::PublishError> {
        let (subject, reply) = (subject.to_owned(), format!("{}.{name}", self.inbox));
        let payload = payload.into();
        self.client
            .publish_with_reply_and_headers(subject, reply, headers, payload)
            .await
    }

    /// Waits for what comes next. May be given up at any time; nothing is lost.
    pub(crate) async fn next(&mut self) -> Incoming {
        tokio::select! {
            message = self.answers.next() => {
                let Some(message) = message else {
                    return Incoming::Closed;
                };
                let name = message.subject.strip_prefix(&self.inbox);
                let name = name.and_then(|rest| rest.strip_prefix('.'));
                Incoming::Answer(name.unwrap_or_default().to_owned(), message)
            }
            change = self.changes.recv() => match change {
                Some(Change::Up) => Incoming::Up,
                Some(Change::Lost) => Incoming::Lost,
                None => Incoming::Closed,
            },
        }
    }

    /// Asks a question in JSON, or an empty one, that has one answer, and waits for that.
    ///
    /// # Errors
    /// [`AskError`]
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        subject: String,
        question: Vec<u8>,
    ) -> Result<T, AskError> {
        let request = self.client.request(subject, question.into());
        let unanswered = |error: &dyn std::error::Error| AskError::Unanswered(error.to_string());
        let answer = timeout(QUESTION_TIMEOUT, request).await;
        let answer = answer.map_err(|error| unanswered(&error))?;
        let answer = answer.map_err(|error| unanswered(&error))?;
        api::decode(&answer.payload).map_err(AskError::Api)
    }
}

/// Reads the address of a server. A user in it would be ignored, so there must be none.
fn address(text: &str) -> Result<ServerAddr, OpenError> {
    let is_good = |address: &ServerAddr| {
        !address.host().is_empty() && !address.has_user_pass() && !address.is_websocket()
    };
    let parsed = text.parse::<ServerAddr>().ok();
    parsed.filter(is_good).ok_or_else(|| OpenError::Address {
        address: text.to_owned(),
    })
}

fn options(user: Option<&Credentials>, changed: UnboundedSender<Change>) -> ConnectOptions {
    let rotation = Arc::new(Rotation::default());
    let options = match user {
        Some(user) => {
            ConnectOptions::with_user_and_password(user.user.clone(), user.password.clone())
        }
        None => ConnectOptions::new(),
    };
    options
        .name("weir")
        .ping_interval(PING_INTERVAL)
        .connection_timeout(CONNECT_TIMEOUT)
        .reconnect_to_server_callback(move |servers, _| ready(rotation.next(&servers)))
        .event_callback(move |event| {
            let change = match &event {
                async_nats::Event::Disconnected | async_nats::Event::Closed => {
                    warn!("the connection to NATS is lost");
                    Some(Change::Lost)
                }
                async_nats::Event::Connected => {
                    info!("connected to NATS");
                    Some(Change::Up)
                }
                async_nats::Event::LameDuckMode
                | async_nats::Event::Draining
                | async_nats::Event::SlowConsumer(_)
                | async_nats::Event::ServerError(_)
                | async_nats::Event::ClientError(_) => {
                    warn!(%event, "NATS");
                    None
                }
            };
            // Nobody listens to a connection that is given up.
            change.and_then(|change| changed.send(change).ok());
            ready(())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_server_and_no_user() {
        for good in ["localhost", "10.0.0.1:4222", "nats://a:1", "tls://a:1"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "http://a",
            "ws://a:1",
            "nats://user:secret@a:1",
            "a:b:c",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
