//! Clients of a server that may go at any time, and the audit of what it has kept.
//!
//! Producers append with idempotent IDs and retry the same ID until they have its reply; consumers
//! read in a group and acknowledge. In the end every acknowledged append must be in its stream
//! exactly once, in the order of its producer, under the ID that was replied; and no acknowledged
//! entry may be pending.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use redis::{Connection, RedisError, RedisResult, Value};

use crate::finder::Finder;
use crate::real_clients::{Mode, PRODUCERS, Program, RealClient};

const STREAMS: u64 = 4;
const GROUP: &str = "workers";

/// How long a request may take, with all its retries.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, wherever it is at the moment.
pub trait Servers: Send + Sync + 'static {
    /// Connects to it, if it is there.
    ///
    /// # Errors
    /// When it is not, or not yet.
    fn connect(&self) -> RedisResult<Connection>;

    /// Returns whether an answer means that the server has gone or is another one now, so that the
    /// request is to be sent again.
    fn has_gone(&self, error: &RedisError) -> bool {
        error.is_io_error() || error.is_connection_dropped()
    }
}

/// What the clients were told.
#[derive(Debug, Default)]
pub struct Told {
    /// By producer: the ID that was replied for each message, in order.
    appended: Mutex<BTreeMap<u64, Vec<String>>>,
    /// By stream: entries whose acknowledgement was replied.
    acknowledged: Mutex<BTreeMap<u64, BTreeSet<String>>>,
    appends: AtomicU64,
    retries: AtomicU64,
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

/// What was compared and found to be as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// Appends that had a reply.
    pub appended: usize,
    /// Entries whose acknowledgement had a reply.
    pub acknowledged: usize,
    /// Requests that were sent again.
    pub retries: u64,
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

    /// How many appends of a producer of a program have had a reply.
    pub fn appends_of(&self, producer: u64) -> usize {
        let appended = self.told.appended.lock();
        let appended = appended.unwrap_or_else(PoisonError::into_inner);
        appended.get(&producer).map_or(0, Vec::len)
    }

    /// How many appends have had a reply.
    pub fn appends(&self) -> u64 {
        self.told.appends.load(Ordering::Relaxed)
    }

    /// Lets the clients end, and compares what the server has with what they were told.
    ///
    /// # Errors
    /// When something is not as it was told, or a request was refused.
    pub fn stop(self, servers: &impl Servers) -> Result<Audited> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.running {
            client.join().ok().context("a client panicked")??;
        }
        for program in self.programs {
            program.end()?;
        }
        audit(servers, &self.told)
    }
}

impl Told {
    /// Notes what a program was told, as it has printed it.
    ///
    /// # Errors
    /// It makes no sense.
    pub(crate) fn note(&self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["appended", producer, message, id] => {
                let appended = self.appended.lock();
                let mut appended = appended.unwrap_or_else(PoisonError::into_inner);
                let ids = appended.entry(producer.parse()?).or_default();
                ensure!(message.parse() == Ok(ids.len()), "not the next message");
                ids.push(id.to_owned());
                self.appends.fetch_add(1, Ordering::Relaxed);
            }
            ["acknowledged", stream, id] => {
                let stream = stream.strip_prefix('s').context("an unknown stream")?;
                let acknowledged = self.acknowledged.lock();
                let mut acknowledged = acknowledged.unwrap_or_else(PoisonError::into_inner);
                let done = acknowledged.entry(stream.parse()?).or_default();
                done.insert(id.to_owned());
            }
            ["again", ..] => {
                self.retries.fetch_add(1, Ordering::Relaxed);
            }
            _ => bail!("an unknown line"),
        }
        Ok(())
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
            told.retries.fetch_add(1, Ordering::Relaxed);
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
    let mut ids = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let message = ids.len();
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
        ids.push(text(&reply));
        told.appends.fetch_add(1, Ordering::Relaxed);
        thread::sleep(pace);
    }
    let mut appended = told.appended.lock().unwrap_or_else(PoisonError::into_inner);
    appended.insert(number, ids);
    Ok(())
}

fn consume(stream: u64, servers: &impl Servers, told: &Told, stop: &AtomicBool) -> Result<()> {
    let mut connection = None;
    let key = format!("s{stream}");
    let mut done = BTreeSet::new();
    // After a restart, what was delivered and not acknowledged comes again under "0".
    let mut from = "0";
    while !stop.load(Ordering::Relaxed) {
        let before = told.retries.load(Ordering::Relaxed);
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
        let ids = entry_ids(&reply);
        if ids.is_empty() {
            from = if told.retries.load(Ordering::Relaxed) == before {
                ">"
            } else {
                "0"
            };
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        let mut acknowledge = redis::cmd("XACK");
        acknowledge.arg(&key).arg(GROUP).arg(&ids);
        insist(servers, &mut connection, &acknowledge, told).context("XACK")?;
        done.extend(ids);
    }
    let acknowledged = told.acknowledged.lock();
    let mut acknowledged = acknowledged.unwrap_or_else(PoisonError::into_inner);
    acknowledged.entry(stream).or_default().extend(done);
    Ok(())
}

/// The IDs in a reply of XREADGROUP.
fn entry_ids(reply: &Value) -> Vec<String> {
    let Value::Array(streams) = reply else {
        return Vec::new();
    };
    let Some(Value::Array(stream)) = streams.first() else {
        return Vec::new();
    };
    let Some(Value::Array(entries)) = stream.get(1) else {
        return Vec::new();
    };
    let id = |entry: &Value| match entry {
        Value::Array(parts) => parts.first().map(text),
        _ => None,
    };
    entries.iter().filter_map(id).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// Compares what the server has with what it acknowledged.
fn audit(servers: &impl Servers, told: &Told) -> Result<Audited> {
    let mut connection = None;
    let mut found: BTreeMap<u64, Vec<(usize, String)>> = BTreeMap::new();
    let mut pending: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for stream in 0..STREAMS {
        let key = format!("s{stream}");
        let mut range = redis::cmd("XRANGE");
        range.arg(&key).arg("-").arg("+");
        let entries = insist(servers, &mut connection, &range, told)?;
        let entries: Vec<(String, Vec<String>)> = redis::from_redis_value(entries)?;
        for (id, fields) in entries {
            let [_, producer, _, message] = &fields[..] else {
                bail!("entry {id} of {key} is {fields:?}")
            };
            let messages = found.entry(producer.parse()?).or_default();
            messages.push((message.parse()?, id));
        }
        let mut left = redis::cmd("XPENDING");
        left.arg(&key).arg(GROUP).arg("-").arg("+").arg(1_000_000);
        let left = insist(servers, &mut connection, &left, told)?;
        let left: Vec<(String, String, u64, u64)> = redis::from_redis_value(left)?;
        pending.insert(stream, left.into_iter().map(|(id, ..)| id).collect());
    }
    let appended = told.appended.lock().unwrap_or_else(PoisonError::into_inner);
    for (producer, ids) in appended.iter() {
        let kept = found.remove(producer).unwrap_or_default();
        for (position, (message, id)) in kept.iter().enumerate() {
            ensure!(
                *message == position,
                "producer {producer}: message {message} at place {position} ({id})"
            );
            ensure!(
                ids.get(position) == Some(id),
                "producer {producer}: message {message} has ID {id}, told {:?}",
                ids.get(position)
            );
        }
        let (acknowledged, kept) = (ids.len(), kept.len());
        ensure!(
            kept == acknowledged,
            "producer {producer}: {acknowledged} acknowledged, {kept} kept"
        );
    }
    ensure!(found.is_empty(), "entries of unknown producers: {found:?}");
    let acknowledged = told.acknowledged.lock();
    let acknowledged = acknowledged.unwrap_or_else(PoisonError::into_inner);
    for (stream, done) in acknowledged.iter() {
        let again: Vec<_> = done.intersection(&pending[stream]).collect();
        ensure!(
            again.is_empty(),
            "stream {stream}: acknowledged, yet pending: {again:?}"
        );
    }
    Ok(Audited {
        appended: appended.values().map(Vec::len).sum(),
        acknowledged: acknowledged.values().map(BTreeSet::len).sum(),
        retries: told.retries.load(Ordering::Relaxed),
    })
}
