//! Sends each line of a file as a message, exactly once, and keeps no note of where it is.
//!
//! usage: resume HOST:PORT STREAM FILE        (cargo add redis --features streams)
//!
//! The number of a line is its idempotent ID, and the file's name the producer's ID. The stream
//! knows the last number of each producer for as long as it exists. So after a crash, or after any
//! error that passes, the program asks where it stands, and goes on behind that.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, io, thread};

use redis::streams::StreamAddOptions;
use redis::{Client, RedisError, RedisResult, TypedCommands, cmd};

/// Errors that pass: nothing is known to be stored.
const PASSING: [&str; 4] = ["NOTDURABLE", "MISCONF", "LOADING", "OOM"];

fn passes(error: &RedisError) -> bool {
    let lost = error.is_io_error() || error.is_unrecoverable_error();
    lost || error.code().is_some_and(|code| PASSING.contains(&code))
}

fn send(client: &Client, stream: &str, producer: &str, lines: &str) -> RedisResult<()> {
    let patience = Duration::from_secs(5);
    let mut connection = client.get_connection_with_timeout(patience)?;
    connection.set_read_timeout(Some(patience))?;
    match connection.xgroup_create_mkstream(stream, "workers", "0") {
        Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
        _ => {}
    }
    // Where this is set already, it changes nothing. With gaps refused, no line can be left out.
    let numbers = ["IDMP-MODE", "MONOTONE", "IDMP-GAPS", "ERROR"];
    cmd("XCFGSET")
        .arg(stream)
        .arg(&numbers)
        .exec(&mut connection)?;
    let last = cmd("XIDMPLAST").arg(stream).arg(producer).to_owned();
    let last: Option<(usize, String)> = last.query(&mut connection)?;
    let sent = last.map_or(0, |(number, _)| number);
    for (index, line) in lines.lines().enumerate().skip(sent) {
        let number = (index + 1).to_string();
        let once = StreamAddOptions::default().idmp(producer, number.as_str());
        connection.xadd_options(stream, "*", &[("text", line)], &once)?;
        writeln!(io::stdout(), "{number}")?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream, file] = arguments.as_slice() else {
        return Err("usage: resume HOST:PORT STREAM FILE".into());
    };
    let client = Client::open(format!("redis://{address}"))?;
    let lines = fs::read_to_string(file)?;
    let producer = Path::new(file).file_name().ok_or("FILE has no name")?;
    loop {
        match send(&client, stream, &producer.to_string_lossy(), &lines) {
            Err(error) if passes(&error) => {
                writeln!(io::stderr(), "again: {error}").ok();
                thread::sleep(Duration::from_millis(100));
            }
            result => return Ok(result?),
        }
    }
}
