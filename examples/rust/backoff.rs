//! Calls a service that may be down. A call that failed is the group's to repeat, later each time.
//!
//! usage: backoff HOST:PORT STREAM CONSUMER        (cargo add redis --features streams)
//!
//! The group gives a job that came back again after 0.1 s, then 0.2 s, and so on, and one whose
//! caller was killed after half a second. Consumers that are gone for good leave the list by
//! themselves.

use std::env;
use std::error::Error;

use redis::streams::{StreamAddOptions, StreamId, StreamReadOptions};
use redis::{Client, Connection, RedisResult, TypedCommands, cmd, pipe};

const GROUP: &str = "callers";
const RULES: [(&str, &[u64]); 4] = [
    ("CLAIM", &[500]),
    ("BACKOFF", &[100, 2000]),
    ("JITTER", &[20]),
    ("IDLECONSUMERS", &[2000]),
];

fn prepare(connection: &mut Connection, stream: &str, done: &str) -> RedisResult<()> {
    for name in [stream, done] {
        match connection.xgroup_create_mkstream(name, GROUP, "0") {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
    }
    let mut rules = cmd("XGROUP");
    rules.arg("SETCFG").arg(stream).arg(GROUP);
    for (rule, values) in RULES {
        rules.arg(rule).arg(values);
    }
    rules.exec(connection)
}

/// Stands for the service, which is down for the first calls of some jobs.
fn call(connection: &mut Connection, job: &str, down: isize) -> RedisResult<bool> {
    Ok(connection.incr(format!("calls:{job}"), 1)? > down)
}

fn attempt(
    connection: &mut Connection,
    (stream, done): (&str, &str),
    entry: &StreamId,
) -> RedisResult<()> {
    let job: String = entry.get("job").unwrap_or_default();
    let down = entry.get("down").unwrap_or_default();
    if !call(connection, &job, down)? {
        let mut back = cmd("XNACK");
        back.arg(stream).arg(GROUP).arg("FAIL");
        return back.arg("IDS").arg(1).arg(&entry.id).exec(connection);
    }
    let once = StreamAddOptions::default().idmp(GROUP, entry.id.as_str());
    let mut both = pipe();
    both.atomic()
        .xadd_options(done, "*", &[("job", &job)], &once);
    both.xack(stream, GROUP, &[&entry.id]).exec(connection)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream, consumer] = arguments.as_slice() else {
        return Err("usage: backoff HOST:PORT STREAM CONSUMER".into());
    };
    let mut connection = Client::open(format!("redis://{address}"))?.get_connection()?;
    let done = format!("{stream}:done");
    prepare(&mut connection, stream, &done)?;
    let options = StreamReadOptions::default().group(GROUP, consumer);
    let options = options.count(1).block(1000);
    loop {
        let reply = connection.xread_options(&[stream], &[">"], &options)?;
        for read in reply.into_iter().flat_map(|reply| reply.keys) {
            for entry in &read.ids {
                attempt(&mut connection, (stream, &done), entry)?;
            }
        }
    }
}
