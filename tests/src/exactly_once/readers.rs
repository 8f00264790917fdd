//! Clients that only look at what is there, from the first entry on, while others append. Where
//! several servers show the same, each of them has a reader, and those who take writes, too.
//!
//! A value that only grows is read beside: who reads it must find what anybody has found before, or
//! was told that it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use redis::{Connection, RedisResult};

use crate::exactly_once::told::{Entry, Id, Told};
use crate::exactly_once::{STREAMS, Servers, insist, text};

/// The value that grows.
const VALUE: &str = "grows";

/// How many read it.
const VALUE_READERS: usize = 2;

/// The pause between two looks.
const PACE: Duration = Duration::from_millis(10);

/// How many entries are read at once.
const PAGE: usize = 1000;

/// What a client does until it is told to stop.
type Part<S> = Box<dyn FnOnce(&S, &Told, &AtomicBool) -> Result<()> + Send>;

/// Starts all of them.
pub(super) fn start<S: Servers>(
    servers: &Arc<S>,
    told: &Arc<Told>,
    stop: &Arc<AtomicBool>,
) -> Vec<JoinHandle<Result<()>>> {
    let mut running = Vec::new();
    let mut start = |read: Part<S>| {
        let (servers, told, stop) = (servers.clone(), told.clone(), stop.clone());
        running.push(thread::spawn(move || read(&servers, &told, &stop)));
    };
    start(Box::new(|servers, told, stop| {
        let connect = || servers.connect();
        follow("leader", (servers, &connect), told, stop)
    }));
    // One alone is read already.
    for number in (0..servers.count()).filter(|_| servers.count() > 1) {
        start(Box::new(move |servers, told, stop| {
            let connect = || servers.connect_to_reader(number);
            follow(&format!("server-{number}"), (servers, &connect), told, stop)
        }));
    }
    let known = Arc::new(AtomicU64::new(0));
    for _ in 0..VALUE_READERS {
        let known = Arc::clone(&known);
        start(Box::new(move |servers, told, stop| {
            read_value(&known, servers, told, stop)
        }));
    }
    start(Box::new(move |servers, told, stop| {
        raise_value(&known, servers, told, stop)
    }));
    running
}

/// Reads all streams entry by entry. A server that is not there is waited for.
fn follow(
    reader: &str,
    (servers, connect): (&impl Servers, &dyn Fn() -> RedisResult<Connection>),
    told: &Told,
    stop: &AtomicBool,
) -> Result<()> {
    let mut connection = None;
    let mut after = [Id::default(); STREAMS as usize];
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(PACE);
        let Some(open) = &mut connection else {
            connection = connect().ok();
            continue;
        };
        for (stream, after) in (0..).zip(&mut after) {
            match page(open, stream, *after) {
                Ok(found) => {
                    let entries = found.iter().map(|(id, fields)| Entry::of(id, fields));
                    let entries = entries.collect::<Result<Vec<_>>>()?;
                    *after = entries.last().map_or(*after, |last| last.id);
                    told.shown(reader, stream, &entries);
                }
                Err(error) if servers.has_gone(&error) => {
                    connection = None;
                    break;
                }
                Err(error) => return Err(error).context("XRANGE"),
            }
        }
    }
    Ok(())
}

/// What follows in a stream.
pub(super) fn page(
    connection: &mut Connection,
    stream: u64,
    after: Id,
) -> RedisResult<Vec<(String, Vec<String>)>> {
    let mut range = redis::cmd("XRANGE");
    range.arg(format!("s{stream}")).arg(format!("({after}"));
    range.arg("+").arg("COUNT").arg(PAGE);
    range.query(connection)
}

/// Lets the value grow. One that is raised again because a reply was lost grows twice.
fn raise_value(
    known: &AtomicU64,
    servers: &impl Servers,
    told: &Told,
    stop: &AtomicBool,
) -> Result<()> {
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let before = known.load(Ordering::SeqCst);
        let mut raise = redis::cmd("INCR");
        raise.arg(VALUE);
        let reply = insist(servers, &mut connection, &raise, told).context("INCR")?;
        let value = redis::from_redis_value(reply)?;
        told.value(before + 1, value);
        known.fetch_max(value, Ordering::SeqCst);
        thread::sleep(PACE);
    }
    Ok(())
}

fn read_value(
    known: &AtomicU64,
    servers: &impl Servers,
    told: &Told,
    stop: &AtomicBool,
) -> Result<()> {
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let before = known.load(Ordering::SeqCst);
        let mut read = redis::cmd("GET");
        read.arg(VALUE);
        let reply = insist(servers, &mut connection, &read, told).context("GET")?;
        let value = match reply {
            redis::Value::Nil => 0,
            value => text(&value).parse()?,
        };
        told.value(before, value);
        known.fetch_max(value, Ordering::SeqCst);
        thread::sleep(PACE);
    }
    Ok(())
}
