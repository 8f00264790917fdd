//! Two servers that are sent the same commands by several clients, some of which wait.
//!
//! One client works, the others read with BLOCK. After each command the run continues only when
//! both servers agree which clients still wait, and the replies of those that were woken are
//! compared. `CLIENT LIST` shows which clients wait, so that nothing depends on how long anything
//! takes.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::client::{Client, Protocol};
use crate::value::Value;

use super::command::{Command, Step};
use super::compare::same;
use super::generate::READERS;
use super::pair::{Mismatch, Played, Side, follow};

/// How long the servers may disagree about which clients wait.
const AGREEMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The clients of both servers.
#[derive(Debug)]
pub struct Crowd {
    reference: Clients,
    tested: Clients,
    /// What each reader waits for.
    waiting: [Option<Command>; READERS],
    /// Which readers were seen to wait.
    blocked: [bool; READERS],
    woken: usize,
}

/// The clients of a server.
#[derive(Debug)]
struct Clients {
    worker: Side,
    observer: Client,
    readers: Vec<Client>,
}

impl Crowd {
    /// Connects to both servers and empties them.
    ///
    /// # Errors
    /// When one cannot be reached or emptied.
    pub fn gather(reference: SocketAddr, tested: SocketAddr, protocol: Protocol) -> Result<Self> {
        Ok(Self {
            reference: Clients::connect(reference, protocol)?,
            tested: Clients::connect(tested, protocol)?,
            waiting: [const { None }; READERS],
            blocked: [false; READERS],
            woken: 0,
        })
    }

    /// Plays a sequence up to its first difference; readers that still wait are then released. A
    /// reader that waits sends nothing.
    ///
    /// # Errors
    /// When a connection fails.
    pub fn play(&mut self, steps: &[Step]) -> Result<Played> {
        let mut played = Played {
            compared: 0,
            errors: 0,
            woken: 0,
            clock_id: false,
            mismatch: None,
        };
        let mut queued = Vec::new();
        for step in steps {
            played.compared += 1;
            let command = &step.command;
            if let Some(index) = step.reader {
                if self.waiting[index].is_none() {
                    self.reference.send(index, command)?;
                    self.tested.send(index, command)?;
                    self.waiting[index] = Some(command.clone());
                }
            } else {
                let batch = std::slice::from_ref(command);
                self.reference.worker.send(batch)?;
                self.tested.worker.send(batch)?;
                let reference = self.reference.worker.read(command)?;
                let tested = self.tested.worker.read(command)?;
                played.errors += usize::from(matches!(reference, Value::Error(_)));
                if !same(command, &queued, &reference, &tested) {
                    played.mismatch = Some(Mismatch {
                        of: None,
                        reference,
                        tested,
                    });
                    break;
                }
                follow(&mut queued, command, &reference);
            }
            played.mismatch = self.settle()?;
            if played.mismatch.is_some() {
                break;
            }
        }
        played.woken = self.woken;
        self.let_go()?;
        Ok(played)
    }

    /// Waits until both servers agree which clients wait, and compares the replies of those that no
    /// longer do.
    fn settle(&mut self) -> Result<Option<Mismatch>> {
        if self.waiting.iter().all(Option::is_none) {
            return Ok(None);
        }
        let deadline = Instant::now() + AGREEMENT_TIMEOUT;
        let (reference, tested) = loop {
            let reference = self.reference.states(&self.waiting)?;
            let tested = self.tested.states(&self.waiting)?;
            let settled = !reference.contains(&State::Unknown) && reference == tested;
            if settled || Instant::now() > deadline {
                break (reference, tested);
            }
            thread::sleep(Duration::from_micros(200));
        };
        for (index, waiting) in self.waiting.iter_mut().enumerate() {
            let (reference, tested) = (reference[index], tested[index]);
            if reference == State::Idle || (reference == State::Waiting && tested == State::Waiting)
            {
                self.blocked[index] = reference == State::Waiting;
                continue;
            }
            self.woken += usize::from(self.blocked[index]);
            self.blocked[index] = false;
            let reference = self.reference.reply(index, reference)?;
            let tested = self.tested.reply(index, tested)?;
            let Some(command) = waiting.take() else {
                continue;
            };
            if !same(&command, &[], &reference, &tested) {
                return Ok(Some(Mismatch {
                    of: Some(format!("reader{index}~{command}")),
                    reference,
                    tested,
                }));
            }
        }
        Ok(None)
    }

    /// Closes the connections of all readers, and waits until the servers have noticed.
    fn let_go(&mut self) -> Result<()> {
        for clients in [&mut self.reference, &mut self.tested] {
            clients.readers.clear();
            let deadline = Instant::now() + AGREEMENT_TIMEOUT;
            while !clients.blocked()?.is_empty() && Instant::now() < deadline {
                thread::sleep(Duration::from_micros(200));
            }
        }
        Ok(())
    }
}

/// The state of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was sent nothing.
    Idle,
    /// Its reply has come.
    Replied,
    /// The server shows it as blocked.
    Waiting,
    /// Neither, yet.
    Unknown,
}

impl Clients {
    fn connect(address: SocketAddr, protocol: Protocol) -> Result<Self> {
        let worker = Side::connect(address, protocol)?;
        let readers = (0..READERS).map(|_| Client::connect(address, protocol));
        Ok(Self {
            worker,
            observer: Client::connect(address, Protocol::Resp2)?,
            readers: readers.collect::<Result<_, _>>()?,
        })
    }

    fn send(&mut self, reader: usize, command: &Command) -> Result<()> {
        // A read that waits uses no earlier reply.
        let arguments = command.resolve(&std::collections::HashMap::new());
        Ok(self.readers[reader].send(&arguments)?)
    }

    /// The states of all readers. Who is blocked is asked first: it may reply meanwhile, but not
    /// the other way round.
    fn states(&mut self, waiting: &[Option<Command>; READERS]) -> Result<[State; READERS]> {
        let blocked = self.blocked()?;
        let mut states = [State::Idle; READERS];
        for ((state, reader), waiting) in states.iter_mut().zip(&mut self.readers).zip(waiting) {
            if waiting.is_none() {
                continue;
            }
            *state = if reader.has_input()? {
                State::Replied
            } else if blocked.contains(&reader.address()?) {
                State::Waiting
            } else {
                State::Unknown
            };
        }
        Ok(states)
    }

    /// The addresses of the clients that the server shows as blocked.
    fn blocked(&mut self) -> Result<Vec<SocketAddr>> {
        let list = self.observer.command(&["CLIENT", "LIST"])?;
        let list = list
            .as_bytes()
            .with_context(|| format!("CLIENT LIST: {list}"))?;
        let list = String::from_utf8_lossy(list);
        let word = |line: &str, name: &str| {
            let words = line.split(' ');
            words
                .filter_map(|word| word.strip_prefix(name))
                .map(str::to_owned)
                .next()
        };
        let blocked = list
            .lines()
            .filter(|line| word(line, "flags=").is_some_and(|flags| flags.contains('b')))
            .filter_map(|line| word(line, "addr=")?.parse().ok());
        Ok(blocked.collect())
    }

    fn reply(&mut self, reader: usize, state: State) -> Result<Value> {
        match state {
            State::Replied => Ok(self.readers[reader].read()?),
            State::Waiting => Ok(Value::Simple(b"(it waits)".to_vec())),
            State::Idle | State::Unknown => {
                Ok(Value::Simple(b"(neither waits nor has a reply)".to_vec()))
            }
        }
    }
}
