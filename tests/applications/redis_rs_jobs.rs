//! redis-rs: a stream with a group, a script, and a transaction, on connections that are made anew
//! when they are lost.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use redis::{Client, Connection, Script, Value, cmd, from_redis_value};
use weir_tests::jobs::{self, COUNT, Call, Mode};

const MOVE: &str = include_str!("move.lua");

/// An entry: its ID, and its fields with their values.
type Entry = (String, Vec<String>);

fn main() -> Result<()> {
    let call = Call::read()?;
    let client = Client::open(("127.0.0.1", call.port))?;
    match call.mode {
        Mode::Produce => produce(&call, &client),
        Mode::Work => loop {
            if let Err(error) = client
                .get_connection()
                .map_err(Into::into)
                .and_then(|mut connection| work(&call, &mut connection))
            {
                jobs::say(&format!("again: {error:#}"));
                thread::sleep(Duration::from_millis(100));
            }
        },
    }
}

fn produce(call: &Call, client: &Client) -> Result<()> {
    let mut connection = None;
    for number in 0..COUNT {
        let delay = call.delay(number)?;
        let began = Instant::now();
        while let Err(error) = hand_in(client, &mut connection, number, delay) {
            connection = None;
            thread::sleep(jobs::again(number, error, began)?);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn hand_in(
    client: &Client,
    connection: &mut Option<Connection>,
    number: u32,
    delay: Option<Duration>,
) -> Result<()> {
    if connection.is_none() {
        *connection = Some(client.get_connection()?);
    }
    let connection = connection.as_mut().context("it was just made")?;
    let mut command = match delay {
        None => cmd("XADD"),
        Some(_) => cmd("ZADD"),
    };
    match delay {
        None => command.arg("jobs").arg("*").arg("number").arg(number),
        Some(delay) => {
            let due = jobs::seconds_since_1970() + delay.as_secs_f64();
            command.arg("delayed").arg(due).arg(number)
        }
    };
    command.query::<Value>(connection)?;
    Ok(())
}

fn work(call: &Call, connection: &mut Connection) -> Result<()> {
    let mut group = cmd("XGROUP");
    group.arg(&["CREATE", "jobs", "workers", "0", "MKSTREAM"]);
    if let Err(error) = group.query::<()>(connection)
        && error.code() != Some("BUSYGROUP")
    {
        return Err(error.into());
    }
    let script = Script::new(MOVE);
    let name = format!("worker-{}", std::process::id());
    loop {
        script
            .key("delayed")
            .key("jobs")
            .arg(jobs::seconds_since_1970())
            .invoke::<()>(connection)?;
        let (_, mut entries, _): (String, Vec<Entry>, Value) = cmd("XAUTOCLAIM")
            .arg(&["jobs", "workers", &name, "1000", "0", "COUNT", "5"])
            .query(connection)?;
        let read: Value = cmd("XREADGROUP")
            .arg(&["GROUP", "workers", &name, "COUNT", "5", "BLOCK", "200"])
            .arg(&["STREAMS", "jobs", ">"])
            .query(connection)?;
        if read != Value::Nil {
            let streams: Vec<(String, Vec<Entry>)> = from_redis_value(read)?;
            entries.extend(streams.into_iter().flat_map(|(_, entries)| entries));
        }
        for (id, fields) in entries {
            let number: u32 = fields.get(1).context("no number")?.parse()?;
            if let Err(error) = call.work(number) {
                jobs::say(&format!("{error:#}")); // it stays pending, and is claimed later
                continue;
            }
            redis::pipe()
                .atomic()
                .add_command(cmd("XACK").arg(&["jobs", "workers", &id]).to_owned())
                .ignore()
                .publish("finished", number)
                .exec(connection)?;
        }
    }
}
