//! Works on messages in a group, and takes over what a consumer that crashed has left.
//!
//! usage: consumer HOST:PORT STREAM CONSUMER        (cargo add redis --features streams)
//!
//! The work here is to append to the stream STREAM:done. A message may be given twice, to a second
//! consumer if the first is slow; then it is worked on twice, and the result is stored once.

use std::convert::Infallible;
use std::error::Error;
use std::io::Write;
use std::time::Duration;
use std::{env, io, thread};

use redis::streams::{StreamAddOptions, StreamConfigOptions, StreamId, StreamReadOptions};
use redis::{Client, Connection, RedisError, RedisResult, TypedCommands, pipe};

const GROUP: &str = "workers";
/// A consumer that has not acknowledged a message after this many milliseconds counts as crashed.
const CRASHED_AFTER: usize = 1000;
const PASSING: [&str; 5] = ["NOTDURABLE", "MISCONF", "LOADING", "OOM", "EXECABORT"];

fn passes(error: &RedisError) -> bool {
    let lost = error.is_io_error() || error.is_unrecoverable_error();
    lost || error.code().is_some_and(|code| PASSING.contains(&code))
}

fn prepare(connection: &mut Connection, stream: &str, done: &str) -> RedisResult<()> {
    for name in [stream, done] {
        match connection.xgroup_create_mkstream(name, GROUP, "0") {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
    }
    let day = StreamConfigOptions::with_idempotency_seconds(86_400);
    if let Ok(window) = day.and_then(|day| day.idempotency_maxsize(10_000)) {
        connection.xcfgset(done, &window)?;
    }
    Ok(())
}

/// Result and acknowledgement are one transaction. The message's ID stores the result only once.
fn work(
    connection: &mut Connection,
    stream: &str,
    done: &str,
    message: &StreamId,
) -> RedisResult<()> {
    let text: String = message.get("text").unwrap_or_default();
    let result = [("of", &message.id), ("text", &text.to_uppercase())];
    let once = StreamAddOptions::default().idmp(GROUP, message.id.as_str());
    pipe()
        .atomic()
        .xadd_options(done, "*", &result, &once)
        .xack(stream, GROUP, &[&message.id])
        .exec(connection)
}

/// Works until something fails.
fn consume(client: &Client, stream: &str, consumer: &str) -> RedisResult<Infallible> {
    let patience = Duration::from_secs(5);
    let mut connection = client.get_connection_with_timeout(patience)?;
    connection.set_read_timeout(Some(patience))?;
    let done = format!("{stream}:done");
    prepare(&mut connection, stream, &done)?;
    let options = StreamReadOptions::default()
        .group(GROUP, consumer)
        .count(10)
        .block(500)
        .claim(CRASHED_AFTER);
    loop {
        let reply = connection.xread_options(&[stream], &[">"], &options)?;
        for read in reply.into_iter().flat_map(|reply| reply.keys) {
            for message in &read.ids {
                work(&mut connection, stream, &done, message)?;
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream, consumer] = arguments.as_slice() else {
        return Err("usage: consumer HOST:PORT STREAM CONSUMER".into());
    };
    let client = Client::open(format!("redis://{address}"))?;
    loop {
        match consume(&client, stream, consumer) {
            Err(error) if passes(&error) => {
                // What was not acknowledged comes again, after CRASHED_AFTER.
                writeln!(io::stderr(), "again: {error}").ok();
                thread::sleep(Duration::from_millis(100));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
