//! Runs cases against a server over sockets.
//!
//! A case is checked step by step and ends at its first failure, since what follows depends on it.
//! Waiting for a client that was sent something without reading its reply is done by watching the
//! server (`CLIENT LIST` shows a blocked client), not by sleeping for a fixed time.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Argument, Case, Step};
use crate::client::{Client, ClientError, Protocol};
use crate::expect::{Expect, Saved, latin1};
use crate::known::Known;
use crate::value::Value;

/// How long a command that blocks may take until the server has it.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long any other command may take whose reply is not awaited.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(50);

/// Why a case failed.
#[derive(Debug)]
pub struct Failure {
    /// The case.
    pub case: String,
    /// The step, counted from 1; none when the case could not begin.
    pub step: Option<usize>,
    /// What was sent.
    pub sent: String,
    /// What should have come back.
    pub expected: String,
    /// What came back.
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => writeln!(f, "{}, step {step}: {}", self.case, self.sent)?,
            None => writeln!(f, "{}: {}", self.case, self.sent)?,
        }
        writeln!(f, "  expected {}", self.expected)?;
        write!(f, "  got      {}", self.got)
    }
}

/// Runs all cases; returns the failures.
pub fn run_all(address: SocketAddr, cases: &[Case], known: &[Known]) -> Vec<Failure> {
    let mut failures: Vec<Failure> = cases
        .iter()
        .filter_map(|case| run(address, case, known).err().map(|failure| *failure))
        .collect();
    for entry in known {
        let found = cases
            .iter()
            .any(|case| (1..=case.steps.len()).any(|step| entry.is_about(&case.name, step)));
        if !found {
            failures.push(Failure {
                case: entry.case.clone(),
                step: Some(entry.step),
                sent: "a known difference".to_owned(),
                expected: "a case with that step".to_owned(),
                got: "none".to_owned(),
            });
        }
    }
    failures
}

/// Runs a case.
///
/// # Errors
/// The first step whose reply is not the expected one.
pub fn run(address: SocketAddr, case: &Case, known: &[Known]) -> Result<(), Box<Failure>> {
    let fail = |step: Option<usize>, sent: String, expected: String, got: String| {
        Box::new(Failure {
            case: case.name.clone(),
            step,
            sent,
            expected,
            got,
        })
    };
    let mut world = World::prepare(address, case.protocol()).map_err(|error| {
        fail(
            None,
            "preparing".to_owned(),
            "OK".to_owned(),
            error.to_string(),
        )
    })?;
    for (index, step) in case.steps.iter().enumerate() {
        let number = index + 1;
        let reply = match world.play(step) {
            Ok(Some(reply)) => reply,
            Ok(None) => continue,
            Err(error) => {
                let expected = step
                    .reply
                    .as_ref()
                    .map(Expect::to_string)
                    .unwrap_or_default();
                return Err(fail(Some(number), sent(step), expected, error.to_string()));
            }
        };
        let Some(recorded) = &step.reply else {
            continue;
        };
        let exception = known
            .iter()
            .find(|known| known.is_about(&case.name, number));
        let fits_recording = recorded.fits(&reply, &world.saved);
        let verdict = match exception {
            None if fits_recording => None,
            None => {
                let (way, expected, got) = recorded.first_difference(&reply, &world.saved);
                let at = if way.is_empty() {
                    way
                } else {
                    format!("  (at {way})")
                };
                return Err(fail(Some(number), sent(step) + &at, expected, got));
            }
            Some(_) if fits_recording => {
                Some("another reply than the recorded one: a known difference is gone".to_owned())
            }
            Some(entry) => match entry.reply() {
                Ok(pattern) if pattern.fits(&reply, &world.saved) => None,
                Ok(pattern) => Some(format!("{pattern} (a known difference)")),
                Err(error) => Some(error.to_string()),
            },
        };
        if let Some(expected) = verdict {
            return Err(fail(Some(number), sent(step), expected, reply.to_string()));
        }
        if let Some(name) = &step.save {
            world.saved.insert(name.clone(), reply);
        }
    }
    Ok(())
}

/// The connections of a case, and what it has kept.
struct World {
    address: SocketAddr,
    protocol: Protocol,
    clients: HashMap<String, Client>,
    /// Outside the case: prepares the server and watches its clients.
    observer: Client,
    saved: Saved,
}

impl World {
    fn prepare(address: SocketAddr, protocol: Protocol) -> Result<Self, ClientError> {
        let mut observer = Client::connect(address, Protocol::Resp2)?;
        let commands: [&[&str]; 3] = [
            &["FLUSHALL"],
            &["CONFIG", "SET", "stream-idmp-duration", "100"],
            &["CONFIG", "SET", "stream-idmp-maxsize", "100"],
        ];
        for command in commands {
            match observer.command(command)? {
                Value::Simple(_) => {}
                other => {
                    return Err(ClientError::Malformed(format!(
                        "{}: {other}",
                        command.join(" ")
                    )));
                }
            }
        }
        Ok(Self {
            address,
            protocol,
            clients: HashMap::new(),
            observer,
            saved: Saved::new(),
        })
    }

    /// Plays a step; none when it has no reply.
    fn play(&mut self, step: &Step) -> Result<Option<Value>, ClientError> {
        if let Some(pause_ms) = step.sleep_ms {
            thread::sleep(Duration::from_millis(pause_ms));
        }
        if step.cmd.is_none() && step.raw.is_none() && !step.awaited {
            return Ok(None);
        }
        let name = step.client.as_deref().unwrap_or("main");
        if !self.clients.contains_key(name) {
            let client = Client::connect(self.address, self.protocol)?;
            self.clients.insert(name.to_owned(), client);
        }
        let Some(client) = self.clients.get_mut(name) else {
            return Ok(None);
        };
        if let Some(arguments) = &step.cmd {
            client.send(&bytes(arguments, &self.saved)?)?;
        }
        if let Some(raw) = &step.raw {
            client.send_raw(&latin1(raw).map_err(|e| ClientError::Malformed(e.to_string()))?)?;
        }
        if step.not_awaited {
            let timeout = if blocks(step) {
                BLOCK_TIMEOUT
            } else {
                SETTLE_TIMEOUT
            };
            settle(client, &mut self.observer, self.address, timeout)?;
            return Ok(None);
        }
        client.read().map(Some)
    }
}

/// Waits until the server has begun with what `client` was sent: until it shows the client as
/// blocked, or has replied.
fn settle(
    client: &mut Client,
    observer: &mut Client,
    address: SocketAddr,
    timeout: Duration,
) -> Result<(), ClientError> {
    let own = format!(" addr={} ", client.address()?);
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline && !client.has_input()? {
        let list = match observer.command(&["CLIENT", "LIST"]) {
            Ok(Value::Closed) | Err(_) => {
                *observer = Client::connect(address, Protocol::Resp2)?;
                continue;
            }
            Ok(list) => list,
        };
        let list = String::from_utf8_lossy(list.as_bytes().unwrap_or_default()).into_owned();
        let blocked = list
            .lines()
            .filter(|line| line.contains(&own))
            .filter_map(|line| line.split(" flags=").nth(1))
            .any(|rest| {
                rest.split(' ')
                    .next()
                    .is_some_and(|flags| flags.contains('b'))
            });
        if blocked {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn blocks(step: &Step) -> bool {
    step.cmd.iter().flatten().any(
        |argument| matches!(argument, Argument::Text(text) if text.eq_ignore_ascii_case("BLOCK")),
    )
}

fn bytes(arguments: &[Argument], saved: &Saved) -> Result<Vec<Vec<u8>>, ClientError> {
    arguments
        .iter()
        .map(|argument| match argument {
            Argument::Text(text) => {
                latin1(text).map_err(|error| ClientError::Malformed(error.to_string()))
            }
            Argument::Same { same } => saved
                .get(same)
                .and_then(Value::as_argument)
                .ok_or_else(|| ClientError::Malformed(format!("nothing is kept as {same}"))),
        })
        .collect()
}

fn sent(step: &Step) -> String {
    let client = match &step.client {
        Some(name) => format!("{name}> "),
        None => String::new(),
    };
    let words = match (&step.cmd, &step.raw) {
        (Some(arguments), _) => arguments
            .iter()
            .map(|argument| match argument {
                Argument::Text(text) if text.is_empty() => "\"\"".to_owned(),
                Argument::Text(text) => text.escape_debug().to_string(),
                Argument::Same { same } => format!("${same}"),
            })
            .collect::<Vec<_>>()
            .join(" "),
        (None, Some(raw)) => format!("{raw:?}"),
        (None, None) => "(its reply)".to_owned(),
    };
    client + &words
}
