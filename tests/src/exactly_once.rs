//! Clients of a server that may go at any time, and the audit of what it has kept.
//!
//! Producers append with idempotent IDs and retry the same ID until they have its reply; consumers
//! read in a group and acknowledge; [`readers`] look at what is there meanwhile. In the end every
//! acknowledged append must be in its stream exactly once, in the order of its producer, under the
//! ID that was replied; no acknowledged entry may be pending; and everything that anybody was shown
//! must still be so ([`audit`]).

pub mod audit;
mod readers;
pub mod told;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use redis::{Connection, RedisError, RedisResult, Value};

use crate::exactly_once::audit::{Audited, Kept};
use crate::exactly_once::told::{Entry, Told};
use crate::finder::Finder;
use crate::real_clients::{Mode, PRODUCERS, Program, RealClient};

/// How many streams there are: `s0` and so on.
pub const STREAMS: u64 = 4;

/// The group of each stream.
pub const GROUP: &str = "workers";

/// How long a request may take, with all its retries.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, wherever it is at the moment.
pub trait Servers: Send + Sync + 'static {
    /// Connects to it, if it is there.
    ///
    /// # Errors
    /// When it is not, or not yet.
    fn connect(&self) -> RedisResult<Connection>;

    /// How many servers show the same, of which one takes writes.
    fn count(&self) -> usize {
        1
    }

    /// Connects to one of them that is only read from; what it shows may be old.
    ///
    /// # Errors
    /// When it is not there, or not yet.
    fn connect_to_reader(&self, _number: usize) -> RedisResult<Connection> {
        self.connect()
    }

    /// Returns whether an answer means that the server has gone or is another one now, so that the
    /// request is to be sent again.
    fn has_gone(&self, error: &RedisError) -> bool {
        error.is_io_error() || error.is_connection_dropped()
    }
}

/// Clients that run until they are stopped.
#[derive(Debug)]
pub struct Clients {
    told: Arc<Told>,
    stop: Arc<AtomicBool>,
    running: Vec<JoinHandle<Result<()>>>,
    programs: Vec<Program>,
    /// The number of the next producer.
    next: u64,
}

impl Clients {
    /// Makes the streams and groups, and starts the clients. Each producer pauses for `pace` after
    /// each append.
    ///
    /// # Errors
    /// When there is no server, or it refuses.
    pub fn start<S: Servers>(servers: &Arc<S>, producers: u64, pace: Duration) -> Result<Clients> {
        let mut clients = Clients::none(&**servers)?;
        let Clients {
            told,
            stop,
            running,
            next,
            ..
        } = &mut clients;
        for number in 0..producers {
            let (servers, told, stop) = (servers.clone(), told.clone(), stop.clone());
            running.push(thread::spawn(move || {
                produce((number, pace), &*servers, &told, &stop)
            }));
        }
        *next = producers;
        for stream in 0..STREAMS {
            let (servers, told, stop) = (servers.clone(), told.clone(), stop.clone());
            running.push(thread::spawn(move || {
                consume(stream, &*servers, &told, &stop)
            }));
        }
        running.extend(readers::start(servers, told, stop));
        Ok(clients)
    }

    /// Makes the streams and groups, and starts nobody.
    ///
    /// # Errors
    /// When there is no server, or it refuses.
    pub fn none(servers: &impl Servers) -> Result<Clients> {
        let told = Arc::new(Told::default());
        let mut connection = None;
        for stream in 0..STREAMS {
            let key = format!("s{stream}");
            let mut create = redis::cmd("XGROUP");
            create.arg("CREATE").arg(&key).arg(GROUP).arg("0");
            create.arg("MKSTREAM");
            let created = insist(servers, &mut connection, &create, &told);
            // It may have been made although its reply was lost.
            if let Err(error) = created
                && !format!("{error:#}").contains("BUSYGROUP")
            {
                return Err(error);
            }
            let mut configure = redis::cmd("XCFGSET");
            configure.arg(&key).arg("IDMP-DURATION").arg(3600);
            configure.arg("IDMP-MAXSIZE").arg(1000);
            insist(servers, &mut connection, &configure, &told)?;
        }
        Ok(Clients {
            told,
            stop: Arc::default(),
            running: Vec::new(),
            programs: Vec::new(),
            next: 0,
        })
    }

    /// Starts a program that produces and consumes, too. Returns the numbers of its producers.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn join(
        &mut self,
        client: RealClient,
        group: (Mode, &Finder),
        pace: Duration,
    ) -> Result<Range<u64>> {
        let first = self.next.next_multiple_of(PRODUCERS);
        let program = Program::start(client, group, (first, pace), &self.told)?;
        self.programs.push(program);
        self.next = first + PRODUCERS;
        Ok(first..self.next)
    }

    /// How many appends of a producer have had a reply.
    pub fn appends_of(&self, producer: u64) -> usize {
        self.told.appends_of(producer)
    }

    /// How many appends have had a reply.
    pub fn appends(&self) -> u64 {
        self.told.appends()
    }

    /// What clients were told until now.
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told)
    }

    /// Looks whether all clients still run.
    ///
    /// # Errors
    /// When one has ended by itself, which none does unless it fails.
    pub fn ensure_running(&mut self) -> Result<()> {
        if let Some(at) = self.running.iter().position(JoinHandle::is_finished) {
            let ended = self.running.swap_remove(at);
            ended.join().ok().context("a client panicked")??;
        }
        self.programs
            .iter_mut()
            .try_for_each(Program::ensure_running)
    }

    /// Lets the clients end what they have begun.
    ///
    /// # Errors
    /// When a request was refused, or not answered in time.
    pub fn end(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.running {
            client.join().ok().context("a client panicked")??;
        }
        for program in self.programs {
            program.end()?;
        }
        Ok(())
    }

    /// Lets the clients end, and compares what the server has with what they were told.
    ///
    /// # Errors
    /// When something is not as it was told, or a request was refused.
    pub fn stop(self, servers: &impl Servers) -> Result<Audited> {
        let told = self.told();
        self.end()?;
        let audited = told.compare(&Kept::read(&mut servers.connect()?)?);
        ensure!(audited.wrong.is_empty(), "{audited}");
        Ok(audited)
    }
}

/// Runs a request until it is answered, over any number of restarts.
fn insist(
    servers: &impl Servers,
    connection: &mut Option<Connection>,
    request: &redis::Cmd,
    told: &Told,
) -> Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(open) = connection {
            match request.query::<Value>(open) {
                Ok(reply) => return Ok(reply),
                Err(error) if servers.has_gone(&error) => {}
                Err(error) => return Err(error).context("refused"),
            }
            *connection = None;
            told.retried();
        }
        ensure!(Instant::now() < deadline, "no answer within a minute");
        *connection = servers.connect().ok();
        if connection.is_none() {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn produce(
    (number, pace): (u64, Duration),
    servers: &impl Servers,
    told: &Told,
    stop: &AtomicBool,
) -> Result<()> {
    let mut connection = None;
    let mut message = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut append = redis::cmd("XADD");
        append
            .arg(format!("s{}", number % STREAMS))
            .arg("IDMP")
            .arg(format!("p{number}"));
        append
            .arg(message)
            .arg("*")
            .arg("producer")
            .arg(number)
            .arg("message")
            .arg(message);
        let reply = insist(servers, &mut connection, &append, told).context("XADD")?;
        told.appended(number, message, text(&reply).parse()?)?;
        message += 1;
        thread::sleep(pace);
    }
    Ok(())
}

fn consume(stream: u64, servers: &impl Servers, told: &Told, stop: &AtomicBool) -> Result<()> {
    let mut connection = None;
    let key = format!("s{stream}");
    // After a restart, what was delivered and not acknowledged comes again under "0".
    let mut from = "0";
    while !stop.load(Ordering::Relaxed) {
        let before = told.retries();
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP")
            .arg(GROUP)
            .arg("c")
            .arg("COUNT")
            .arg(20)
            .arg("STREAMS")
            .arg(&key)
            .arg(from);
        let reply = insist(servers, &mut connection, &read, told).context("XREADGROUP")?;
        let entries = delivered(reply)?;
        if entries.is_empty() {
            from = if told.retries() == before { ">" } else { "0" };
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        told.delivered(stream, &entries);
        let mut acknowledge = redis::cmd("XACK");
        acknowledge.arg(&key).arg(GROUP);
        for entry in &entries {
            acknowledge.arg(entry.id.to_string());
        }
        insist(servers, &mut connection, &acknowledge, told).context("XACK")?;
        for entry in &entries {
            told.acknowledged(stream, entry.id);
        }
    }
    Ok(())
}

/// The entries in a reply of XREADGROUP for one stream.
fn delivered(reply: Value) -> Result<Vec<Entry>> {
    type Entries = Vec<(String, Vec<String>)>;
    let streams: Option<Vec<(String, Entries)>> = redis::from_redis_value(reply)?;
    let entries = streams.into_iter().flatten().flat_map(|(_, it)| it);
    entries
        .map(|(id, fields)| Entry::of(&id, &fields))
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        other => format!("{other:?}"),
    }
}
