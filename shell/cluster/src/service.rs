//! The log as the protocol sees it: records are published and read, and events come back.

use std::collections::VecDeque;

use async_nats::{HeaderMap, Message};
use replication::{Event, Publish, Read, Ticket};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, error};

use crate::api;
use crate::config::{GroupName, ServiceConfig};
use crate::connection::{Connection, Incoming};
use crate::error::OpenError;
use crate::limits::{
    BYTES_PER_READ, ENVELOPE_BYTES, READ_AGAIN, READ_AGAIN_DOUBLED_MAX, RECORD_HEADER_BYTES,
    RECORDS_PER_READ,
};
use crate::opening;
use crate::pass::Bounds;
use crate::presence::Nodes;
use crate::publishing;
use crate::reading::{Progress, Question, Reading};
use crate::servers::{self, LogServer, LogServers};

/// A log on one stream of JetStream.
///
/// There may be many publishes on their way, and one read: another one ends it.
#[derive(Debug)]
pub struct LogService {
    connection: Connection,
    stream: String,
    subject: String,
    happened: VecDeque<Event>,
    reading: Option<Reading>,
    /// When the question of the read was asked; none while it is to be.
    asked: Option<Instant>,
    /// Who keeps the log, since that was last asked; none while it was not answered.
    keepers: Option<Vec<LogServer>>,
    /// How many questions were asked. An answer to an earlier one is not an answer.
    questions: u64,
    /// How many were not answered in time; each answer makes up for one of them.
    unanswered: u32,
}

impl LogService {
    /// Connects, makes the stream if there is none, and checks it and the servers that keep it.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(config: &ServiceConfig) -> Result<LogService, OpenError> {
        Ok(LogService::on(opening::open(config).await?, config))
    }

    /// Another connection to a log that is open already, and which records that has. Nothing is
    /// made or checked.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(crate) async fn beside(config: &ServiceConfig) -> Result<(LogService, Bounds), OpenError> {
        let (connection, info) = opening::beside(config).await?;
        Ok((LogService::on(connection, config), info.state.bounds()))
    }

    pub(crate) fn on(connection: Connection, config: &ServiceConfig) -> LogService {
        LogService {
            connection,
            stream: config.group.stream(),
            subject: config.group.subject(),
            happened: VecDeque::new(),
            reading: None,
            asked: None,
            keepers: None,
            questions: 0,
            unanswered: 0,
        }
    }

    /// The longest body of a record that the servers take, in bytes.
    pub fn body_bytes_max(&self) -> usize {
        let message = self.connection.message_bytes_max();
        message.saturating_sub(ENVELOPE_BYTES + RECORD_HEADER_BYTES)
    }

    /// The nodes that share the log.
    ///
    /// # Errors
    /// [`OpenError::Connection`]
    pub(crate) async fn nodes(&self, group: &GroupName) -> Result<Nodes, OpenError> {
        Nodes::open(&self.connection, group).await
    }

    /// The name of the server that this is connected to, or was at last.
    pub fn server(&self) -> String {
        self.connection.server_name()
    }

    /// Asks who keeps the log, and says what was told since this was last asked.
    pub(crate) async fn ask_for_servers(&mut self) -> LogServers {
        let servers = LogServers {
            connected: self.server(),
            keepers: self.keepers.take().unwrap_or_default(),
        };
        if self.connection.is_up() {
            let subject = api::stream_info(&self.stream);
            let (headers, payload) = (HeaderMap::new(), Vec::new());
            let sent = self
                .connection
                .send(&subject, Name::Servers, headers, payload);
            if let Err(error) = sent.await {
                debug!(%error, "nobody can be asked who keeps the log");
            }
        }
        servers
    }

    /// Sends a record. [`Event::Acked`], [`Event::Refused`], [`Event::Failed`] or
    /// [`Event::Unavailable`] follows, or nothing.
    pub async fn publish(&mut self, publish: Publish) {
        let Publish {
            ticket,
            expected,
            bytes,
        } = publish;
        // What is handed to the connection now would be sent when nobody wants it any more.
        if !self.connection.is_up() {
            self.happened.push_back(Event::Failed { ticket });
            return;
        }
        let mut headers = HeaderMap::new();
        headers.insert(api::EXPECTED_LAST_SEQUENCE, expected.0.to_string());
        headers.insert(api::EXPECTED_STREAM, self.stream.as_str());
        let name = Name::Publish(ticket);
        let sent = self.connection.send(&self.subject, name, headers, bytes);
        if let Err(error) = sent.await {
            error!(%error, "a record cannot be sent");
            self.happened.push_back(Event::Failed { ticket });
        }
    }

    /// Begins a read. [`Event::Found`] follows for each record, and then [`Event::End`], or
    /// [`Event::Unavailable`], or nothing.
    pub fn read(&mut self, read: Read) {
        self.reading = Some(Reading::new(read));
        self.asked = None;
    }

    /// Waits for what happens next. May be given up at any time; nothing is lost.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.happened.pop_front() {
                return event;
            }
            if self.asked.is_none() {
                self.ask().await;
            }
            let patience = READ_AGAIN * 2_u32.pow(self.unanswered.min(READ_AGAIN_DOUBLED_MAX));
            let again = self.asked.map(|asked| asked + patience);
            tokio::select! {
                incoming = self.connection.next() => match incoming {
                    Incoming::Answer(name, message) => self.answered(&name, &message),
                    // What was asked of another server is not answered any more.
                    Incoming::Up => (self.asked, self.unanswered) = (None, 0),
                    Incoming::Lost => return Event::Unavailable,
                    Incoming::Closed => {
                        sleep(READ_AGAIN).await;
                        return Event::Unavailable;
                    }
                },
                () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {
                    self.asked = None;
                    self.unanswered += 1;
                    if let Some(reading) = &mut self.reading {
                        reading.unanswered();
                    }
                }
            }
        }
    }

    /// Asks what the read under way wants to know, if there is one.
    async fn ask(&mut self) {
        let Some(reading) = &self.reading else {
            return;
        };
        self.questions += 1;
        self.asked = Some(Instant::now());
        if !self.connection.is_up() {
            return;
        }
        let (subject, question) = match reading.question() {
            Question::Replica(from) => (
                api::messages_of_replica(&self.stream),
                json!({ "seq": from.0, "batch": RECORDS_PER_READ, "max_bytes": BYTES_PER_READ }),
            ),
            Question::Bounds => (api::stream_info(&self.stream), json!({})),
            Question::Leader(seq) => (
                api::message_of_leader(&self.stream),
                json!({ "seq": seq.0 }),
            ),
        };
        let payload = question.to_string().into_bytes();
        let name = Name::Question(self.questions);
        let sent = self
            .connection
            .send(&subject, name, HeaderMap::new(), payload);
        if let Err(error) = sent.await {
            error!(%error, "the log cannot be asked");
        }
    }

    fn answered(&mut self, name: &str, message: &Message) {
        match Name::parse(name) {
            Some(Name::Publish(ticket)) => {
                let event = publishing::answered(&self.stream, ticket, message);
                self.happened.push_back(event);
            }
            Some(Name::Servers) => {
                self.keepers = Some(servers::told(message, &self.server()));
            }
            Some(Name::Question(number)) if number == self.questions => self.read_on(message),
            Some(Name::Question(_)) | None => {}
        }
    }

    fn read_on(&mut self, message: &Message) {
        let Some(reading) = &mut self.reading else {
            return;
        };
        self.unanswered = self.unanswered.saturating_sub(1);
        match reading.answered(message) {
            Progress::Record(event) => {
                self.asked = Some(Instant::now());
                self.happened.push_back(event);
            }
            Progress::Ask(event) => {
                self.asked = None;
                self.happened.extend(event);
            }
            Progress::Done(events) => {
                self.reading = None;
                self.asked = None;
                self.happened.extend(events);
            }
        }
    }
}

/// What a question is called, so that its answers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Publish(Ticket),
    Question(u64),
    Servers,
}

impl Name {
    fn parse(text: &str) -> Option<Name> {
        if text == "servers" {
            return Some(Name::Servers);
        }
        let (kind, number) = text.split_once('.')?;
        let number = number.parse().ok()?;
        match kind {
            "publish" => Some(Name::Publish(Ticket(number))),
            "question" => Some(Name::Question(number)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Publish(ticket) => write!(f, "publish.{}", ticket.0),
            Name::Question(number) => write!(f, "question.{number}"),
            Name::Servers => f.write_str("servers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_known_by_the_names_of_questions() {
        let names = [
            Name::Publish(Ticket(7)),
            Name::Question(u64::MAX),
            Name::Servers,
        ];
        for name in names {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        for bad in [
            "",
            "publish",
            "publish.",
            "publish.x",
            "other.1",
            "publish.-1",
        ] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }
}
