//! Two servers that are sent the same commands.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;

use anyhow::{Result, bail};

use crate::client::{Client, Protocol, encode};
use crate::value::Value;

use super::command::{Command, Slot};
use super::compare::{same, shows_clock_id};
use super::generate::SLEEP;

/// Commands that are sent before their replies are read.
const BATCH_COMMANDS: usize = 64;

/// Connections to both servers, which were emptied.
#[derive(Debug)]
pub struct Pair {
    reference: Side,
    tested: Side,
}

/// A connection, and the replies that later commands may use.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) client: Client,
    replies: HashMap<Slot, Vec<Vec<u8>>>,
}

/// Two replies that differ.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// The command that they reply to, where it is not the last one.
    pub of: Option<String>,
    /// Of the server that is taken as right.
    pub reference: Value,
    /// Of the server that is tested.
    pub tested: Value,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(of) = &self.of {
            writeln!(f, "the reply to {of}")?;
        }
        writeln!(f, "reference: {}", self.reference)?;
        write!(f, "tested:    {}", self.tested)
    }
}

/// What playing a sequence showed.
#[derive(Debug)]
pub struct Played {
    /// Commands whose replies were compared, up to the first difference.
    pub compared: usize,
    /// Replies of the reference that were errors.
    pub errors: usize,
    /// Clients that waited, and then got a reply.
    pub woken: usize,
    /// The clock has made an ID, so that a difference may come from it. A drawn sequence avoids
    /// that, but one that was cut down may not.
    pub clock_id: bool,
    /// The first difference: the replies to the last command that was compared.
    pub mismatch: Option<Mismatch>,
}

impl Pair {
    /// Connects to both servers and empties them.
    ///
    /// # Errors
    /// When one cannot be reached or emptied.
    pub fn connect(reference: SocketAddr, tested: SocketAddr, protocol: Protocol) -> Result<Self> {
        Ok(Self {
            reference: Side::connect(reference, protocol)?,
            tested: Side::connect(tested, protocol)?,
        })
    }

    /// Plays a sequence up to its first difference.
    ///
    /// # Errors
    /// When a connection fails.
    pub fn play(&mut self, commands: &[Command]) -> Result<Played> {
        let mut played = Played {
            compared: 0,
            errors: 0,
            woken: 0,
            clock_id: false,
            mismatch: None,
        };
        let mut queued: Vec<Command> = Vec::new();
        let mut rest = commands;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_length(rest));
            rest = later;
            self.reference.send(batch)?;
            self.tested.send(batch)?;
            for command in batch {
                let reference = self.reference.read(command)?;
                let tested = self.tested.read(command)?;
                played.compared += 1;
                if matches!(reference, Value::Error(_)) {
                    played.errors += 1;
                }
                if matches!(command.name().as_str(), "xadd" | "exec") {
                    played.clock_id |= shows_clock_id(&reference);
                }
                if !same(command, &queued, &reference, &tested) {
                    played.mismatch = Some(Mismatch {
                        of: None,
                        reference,
                        tested,
                    });
                    return Ok(played);
                }
                follow(&mut queued, command, &reference);
                // Never drawn: cutting down took the end of a transaction away. Servers need not
                // agree on the time that passes within one.
                if queued.last() == Some(&Command::new(&SLEEP)) {
                    return Ok(played);
                }
            }
        }
        Ok(played)
    }
}

impl Side {
    pub(super) fn connect(address: SocketAddr, protocol: Protocol) -> Result<Self> {
        let mut client = Client::connect(address, protocol)?;
        let reply = client.command(&["FLUSHALL"])?;
        if !matches!(reply, Value::Simple(_)) {
            bail!("FLUSHALL: {reply}");
        }
        Ok(Self {
            client,
            replies: HashMap::new(),
        })
    }

    pub(super) fn send(&mut self, commands: &[Command]) -> Result<()> {
        let mut bytes = Vec::with_capacity(commands.len() * 64);
        for command in commands {
            encode(&mut bytes, &command.resolve(&self.replies));
        }
        Ok(self.client.send_raw(&bytes)?)
    }

    pub(super) fn read(&mut self, command: &Command) -> Result<Value> {
        let reply = self.client.read()?;
        if let Some(slot) = command.slot {
            self.replies.insert(slot, strings(&reply));
        }
        Ok(reply)
    }
}

/// The strings in a reply that is a string or a list.
fn strings(reply: &Value) -> Vec<Vec<u8>> {
    match reply {
        Value::Bulk(bytes) => vec![bytes.clone()],
        Value::Array(elements) | Value::Set(elements) => {
            elements.iter().flat_map(strings).collect()
        }
        _ => Vec::new(),
    }
}

/// Keeps the commands that are queued in a transaction.
pub(super) fn follow(queued: &mut Vec<Command>, command: &Command, reply: &Value) {
    match (reply, command.name().as_str()) {
        (Value::Simple(text), _) if text == b"QUEUED" => queued.push(command.clone()),
        (_, "exec" | "discard") => queued.clear(),
        _ => {}
    }
}

/// Returns how many of the first commands can be sent at once: none of them uses the reply to
/// another, and only the last one takes time, so that the time of those behind it is a later one on
/// both servers.
fn batch_length(commands: &[Command]) -> usize {
    let mut made = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        if index == BATCH_COMMANDS || command.uses().any(|slot| made.contains(&slot)) {
            return index;
        }
        made.extend(command.slot);
        if *command == Command::new(&SLEEP) {
            return index + 1;
        }
    }
    commands.len()
}
