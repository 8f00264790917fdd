//! Sends each line of a file as a message, until every one of them is in the stream, exactly once.
//!
//! usage: producer HOST:PORT STREAM FILE        (cargo add redis --features streams)
//!
//! The file's name is the producer's ID, and the number of a line its idempotent ID: both are the
//! same after a crash. FILE.sent has how many lines are acknowledged; a restart goes on from
//! there.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, io, thread};

use redis::streams::{StreamAddOptions, StreamConfigOptions};
use redis::{Client, Connection, RedisError, RedisResult, TypedCommands};

/// Errors that pass: nothing is known to be stored, so sending again is right.
const PASSING: [&str; 4] = ["NOTDURABLE", "MISCONF", "LOADING", "OOM"];

fn passes(error: &RedisError) -> bool {
    let lost = error.is_io_error() || error.is_unrecoverable_error();
    lost || error.code().is_some_and(|code| PASSING.contains(&code))
}

fn connect(client: &Client) -> RedisResult<Connection> {
    let patience = Duration::from_secs(5);
    let connection = client.get_connection_with_timeout(patience)?;
    connection.set_read_timeout(Some(patience))?;
    connection.set_write_timeout(Some(patience))?;
    Ok(connection)
}

/// Asks until there is an answer, each time on a new connection.
fn until_acknowledged<T>(
    client: &Client,
    connection: &mut Option<Connection>,
    mut request: impl FnMut(&mut Connection) -> RedisResult<T>,
) -> RedisResult<T> {
    let mut pause = Duration::from_millis(50);
    loop {
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => connect(client),
        };
        let asked = open.and_then(|mut open| {
            let answer = request(&mut open)?;
            *connection = Some(open);
            Ok(answer)
        });
        match asked {
            Err(error) if passes(&error) => {
                writeln!(io::stderr(), "again in {pause:?}: {error}").ok();
            }
            other => return other,
        }
        thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_secs(2));
    }
}

/// Creates the stream, which remembers a day of messages and the last 10000 of a producer.
fn prepare(connection: &mut Connection, stream: &str) -> RedisResult<()> {
    match connection.xgroup_create_mkstream(stream, "workers", "0") {
        Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
        _ => {}
    }
    // The client sends IDMP-DURATION and IDMP-MAXSIZE, which forget nothing if they are set
    // already.
    let day = StreamConfigOptions::with_idempotency_seconds(86_400);
    if let Ok(window) = day.and_then(|day| day.idempotency_maxsize(10_000)) {
        connection.xcfgset(stream, &window)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream, file] = arguments.as_slice() else {
        return Err("usage: producer HOST:PORT STREAM FILE".into());
    };
    let client = Client::open(format!("redis://{address}"))?;
    let mut connection = None;
    until_acknowledged(&client, &mut connection, |connection| {
        prepare(connection, stream)
    })?;
    let name = Path::new(file).file_name().ok_or("a file has a name")?;
    let producer = name.to_string_lossy();
    let note = format!("{file}.sent");
    let sent = match fs::read_to_string(&note) {
        Ok(number) => number.parse()?,
        Err(_) => 0,
    };
    for (index, line) in fs::read_to_string(file)?.lines().enumerate().skip(sent) {
        let number = index + 1;
        let once = StreamAddOptions::default().idmp(producer.as_ref(), number.to_string());
        let id = until_acknowledged(&client, &mut connection, |connection| {
            connection.xadd_options(stream, "*", &[("text", line)], &once)
        })?;
        writeln!(io::stdout(), "{number} {}", id.unwrap_or_default())?;
        fs::write(format!("{note}.new"), number.to_string())?;
        fs::rename(format!("{note}.new"), &note)?;
    }
    Ok(())
}
