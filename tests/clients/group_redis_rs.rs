//! redis-rs in a group of servers: it finds the leader, and goes on when another one leads.
//!
//! `PROGRAM sentinel|cluster GROUP PORT,PORT,… FIRST PACE`: the name of the group, where its
//! servers listen, the number of the first of four producers, and the pause between two appends in
//! milliseconds. One producer appends by itself, the other three in pipelines; a consumer reads and
//! acknowledges. What the servers have answered is printed, a line each:
//!
//! ```text
//! appended PRODUCER MESSAGE ID
//! acknowledged STREAM ID
//! again ERROR
//! ```
//!
//! It ends when its input does. The same client objects are used all the time.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{Cmd, Connection, FromRedisValue, RedisResult, Value, cmd};

/// Whoever is paused answers nothing, so nobody is waited for longer than this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A request that is still not answered then is lost.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Call {
    is_cluster: bool,
    group: String,
    nodes: Vec<String>,
    first: u64,
    pace: Duration,
    stop: Arc<AtomicBool>,
}

/// What finds the leader. The library's `SentinelClient` wants Sentinels that do nothing else, and
/// nodes of a group are both; so this asks them itself.
enum Client {
    Sentinels(Call, Option<Connection>),
    Cluster(ClusterClient, Option<Box<ClusterConnection>>),
}

impl Client {
    fn new(call: &Call) -> RedisResult<Client> {
        let nodes = call.nodes.clone();
        if call.is_cluster {
            let builder = ClusterClient::builder(nodes);
            let builder = builder.connection_timeout(ANSWER_TIMEOUT);
            let client = builder.response_timeout(ANSWER_TIMEOUT).build()?;
            return Ok(Client::Cluster(client, None));
        }
        Ok(Client::Sentinels(call.clone(), None))
    }

    fn query<T: FromRedisValue>(&mut self, request: &Cmd) -> RedisResult<T> {
        match self.connect()? {
            Client::Sentinels(_, Some(connection)) => request.query(connection),
            Client::Cluster(_, Some(connection)) => request.query(&mut **connection),
            Client::Sentinels(_, None) | Client::Cluster(_, None) => Err(not_connected()),
        }
    }

    fn query_all(&mut self, requests: &[Cmd]) -> RedisResult<Vec<String>> {
        match self.connect()? {
            Client::Sentinels(_, Some(connection)) => {
                let mut pipeline = redis::pipe();
                for request in requests {
                    pipeline.add_command(request.clone());
                }
                pipeline.query(connection)
            }
            Client::Cluster(_, Some(connection)) => {
                let mut pipeline = redis::cluster::cluster_pipe();
                for request in requests {
                    pipeline.add_command(request.clone());
                }
                pipeline.query(connection)
            }
            Client::Sentinels(_, None) | Client::Cluster(_, None) => Err(not_connected()),
        }
    }

    fn connect(&mut self) -> RedisResult<&mut Client> {
        match self {
            Client::Sentinels(call, connection @ None) => *connection = Some(call.find()?),
            Client::Cluster(client, connection @ None) => {
                *connection = Some(Box::new(client.get_connection()?));
            }
            Client::Sentinels(..) | Client::Cluster(..) => {}
        }
        Ok(self)
    }

    /// Asks for a new connection. That of a cluster mends itself, but its pipelines do not follow a
    /// leader that has changed.
    fn failed(&mut self) {
        match self {
            Client::Sentinels(_, connection) => *connection = None,
            Client::Cluster(_, connection) => *connection = None,
        }
    }

    /// Asks again until there is an answer: nobody knows what became of a request without one.
    fn insist<T>(&mut self, request: impl Fn(&mut Client) -> RedisResult<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            match request(self) {
                Ok(reply) => return Ok(reply),
                Err(error) if began.elapsed() > PATIENCE => return Err(error.into()),
                Err(error) => {
                    self.failed();
                    let text = error.to_string();
                    let words: Vec<&str> = text.split_whitespace().collect();
                    say(&format!("again {}", words.join(" ")))?;
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
}

/// A connection on which nothing takes longer than it may.
fn open(node: &str) -> RedisResult<Connection> {
    let connection = redis::Client::open(node)?.get_connection_with_timeout(ANSWER_TIMEOUT)?;
    connection.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    Ok(connection)
}

fn not_connected() -> redis::RedisError {
    io::Error::other("there is no connection").into()
}

impl Call {
    fn read() -> Result<Call> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [mode, group, ports, first, pace] = &arguments[..] else {
            bail!("usage: sentinel|cluster GROUP PORT,PORT,… FIRST PACE");
        };
        let ports = ports.split(',');
        Ok(Call {
            is_cluster: mode == "cluster",
            group: group.clone(),
            nodes: ports.map(|it| format!("redis://127.0.0.1:{it}")).collect(),
            first: first.parse()?,
            pace: Duration::from_millis(pace.parse()?),
            stop: Arc::default(),
        })
    }

    /// A connection to the node that leads, as any of them says and it says itself.
    fn find(&self) -> RedisResult<Connection> {
        let ask = |node: &String| {
            let mut question = cmd("SENTINEL");
            question.arg("get-master-addr-by-name").arg(&self.group);
            let (host, port): (String, u16) = question.query(&mut open(node)?)?;
            let mut leader = open(&format!("redis://{host}:{port}"))?;
            let role: Vec<Value> = cmd("ROLE").query(&mut leader)?;
            match role.first() {
                Some(Value::BulkString(role)) if role == b"master" => Ok(leader),
                _ => Err(not_connected()),
            }
        };
        let found = self.nodes.iter().map(ask);
        let mut found = found.skip_while(RedisResult::is_err);
        found.next().unwrap_or_else(|| Err(not_connected()))
    }

    fn stream(&self) -> String {
        format!("s{}", self.first / 4 % 4)
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// The raw command, since its reply says the same to a retry.
    fn append(&self, producer: u64, message: u64) -> Cmd {
        let mut append = cmd("XADD");
        append.arg(self.stream()).arg("IDMP");
        append.arg(format!("p{producer}")).arg(message).arg("*");
        append.arg("producer").arg(producer);
        append.arg("message").arg(message);
        append
    }

    fn produce(&self) -> Result<()> {
        let (mut client, mut message) = (Client::new(self)?, 0);
        while self.goes_on() {
            let append = self.append(self.first, message);
            let id: String = client.insist(|client| client.query(&append))?;
            say(&format!("appended {} {message} {id}", self.first))?;
            message += 1;
            thread::sleep(self.pace);
        }
        Ok(())
    }

    /// Each producer has one append on its way, so that a part of a pipeline can be sent again.
    fn produce_in_pipelines(&self) -> Result<()> {
        let (mut client, mut message) = (Client::new(self)?, 0);
        let producers = self.first + 1..self.first + 4;
        while self.goes_on() {
            let appends = producers.clone().map(|it| self.append(it, message));
            let appends: Vec<Cmd> = appends.collect();
            let ids = client.insist(|client| client.query_all(&appends))?;
            for (producer, id) in producers.clone().zip(ids) {
                say(&format!("appended {producer} {message} {id}"))?;
            }
            message += 1;
            thread::sleep(self.pace);
        }
        Ok(())
    }

    fn consume(&self) -> Result<()> {
        let (mut client, mut after) = (Client::new(self)?, "0");
        let consumer = format!("redis-rs-{}", self.first);
        while self.goes_on() {
            let mut read = cmd("XREADGROUP");
            read.arg(&["GROUP", "workers", &consumer, "COUNT", "20"]);
            read.arg(&["BLOCK", "500", "STREAMS", &self.stream(), after]);
            let read: Value = client.insist(|client| client.query(&read))?;
            let ids = ids(read)?;
            if ids.is_empty() {
                // What was delivered before is done; a reply that was lost leaves something there.
                after = if after == "0" { ">" } else { "0" };
                continue;
            }
            let mut acknowledge = cmd("XACK");
            acknowledge.arg(self.stream()).arg("workers").arg(&ids);
            let _: u64 = client.insist(|client| client.query(&acknowledge))?;
            for id in ids {
                say(&format!("acknowledged {} {id}", self.stream()))?;
            }
        }
        Ok(())
    }
}

/// The IDs in a reply of XREADGROUP for one stream.
fn ids(reply: Value) -> Result<Vec<String>> {
    type Entry = (String, Vec<String>);
    let read: Option<Vec<(String, Vec<Entry>)>> = redis::from_redis_value(reply)?;
    let entries = read.into_iter().flatten().flat_map(|(_, entries)| entries);
    Ok(entries.map(|(id, _)| id).collect())
}

/// Prints a line at once, in one piece.
fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn main() -> Result<()> {
    let call = Call::read()?;
    let parts = [Call::produce, Call::produce_in_pipelines, Call::consume];
    let threads = parts.map(|part| {
        let call = call.clone();
        thread::spawn(move || part(&call))
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    call.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().ok().context("a thread panicked")??;
    }
    Ok(())
}
