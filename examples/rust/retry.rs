//! Calls a service that may be down, and tries again later: after 0.2 s, then 0.4 s, and so on.
//!
//! usage: retry HOST:PORT STREAM CONSUMER        (cargo add redis --features streams)
//!
//! The retry is there before the attempt: an entry that comes into the stream when its time has
//! come, and is taken back if the attempt was good. So it comes as well if the program, or the
//! machine, is gone in the middle; nobody has to look for what was left.

use std::env;
use std::error::Error;

use redis::streams::{StreamAddOptions, StreamId, StreamReadOptions};
use redis::{Client, Connection, RedisResult, TypedCommands, cmd, pipe};

const GROUP: &str = "callers";
/// Longer than a call takes, or a job is tried again while it is still worked on.
const FIRST_PAUSE_MS: u64 = 200;

fn prepare(connection: &mut Connection, stream: &str, done: &str) -> RedisResult<()> {
    for name in [stream, done] {
        match connection.xgroup_create_mkstream(name, GROUP, "0") {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
    }
    // For jobs that were read when a program was killed, and not yet put off.
    let mut rule = cmd("XGROUP");
    rule.arg("SETCFG").arg(stream).arg(GROUP);
    rule.arg("CLAIM").arg(500).exec(connection)
}

/// Stands for the service, which is down for the first attempts of some jobs.
fn call(down: u32, tried: u32) -> bool {
    tried >= down
}

fn attempt(
    connection: &mut Connection,
    (stream, done): (&str, &str),
    entry: &StreamId,
) -> RedisResult<()> {
    let job: String = entry.get("job").unwrap_or_default();
    let down: u32 = entry.get("down").unwrap_or_default();
    let tried: u32 = entry.get("tried").unwrap_or_default();
    let mut later = cmd("XADD");
    later.arg(stream).arg("IDMP").arg(GROUP).arg(&entry.id);
    later.arg("DELAY").arg(FIRST_PAUSE_MS << tried).arg("*");
    later.arg(&[("job", &job), ("down", &down.to_string())]);
    later.arg("tried").arg(tried + 1);
    let mut put_off = pipe();
    put_off.atomic().add_command(later);
    put_off.xack(stream, GROUP, &[&entry.id]);
    let (ticket, acknowledged): (Option<String>, u32) = put_off.query(connection)?;
    // Who acknowledges a job has it: another one may have claimed it meanwhile.
    if acknowledged > 0 && call(down, tried) {
        let once = StreamAddOptions::default().idmp(GROUP, job.as_str());
        let mut good = pipe();
        good.atomic()
            .xadd_options(done, "*", &[("job", &job)], &once);
        good.cmd("XUNDELAY")
            .arg(stream)
            .arg(ticket)
            .exec(connection)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream, consumer] = arguments.as_slice() else {
        return Err("usage: retry HOST:PORT STREAM CONSUMER".into());
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
