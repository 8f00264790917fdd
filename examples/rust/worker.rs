//! Prices orders, as one of several workers. No line here looks after workers that crash.
//!
//! usage: worker HOST:PORT STREAM CONSUMER        (cargo add redis --features streams)
//!
//! The group does that: what a worker has held for too long goes to whoever reads next, and what
//! was tried too often to the stream STREAM:dead. `redrive` brings it back from there.

use std::error::Error;
use std::io::Write;
use std::{env, io};

use redis::streams::{StreamAddOptions, StreamConfigOptions, StreamId, StreamReadOptions};
use redis::{Client, Connection, RedisResult, TypedCommands, cmd, pipe};

const GROUP: &str = "workers";
const RULES: [(&str, usize); 2] = [("CLAIM", 1000), ("MAXDELIVERIES", 3)];

fn prepare(connection: &mut Connection, stream: &str, done: &str) -> RedisResult<()> {
    for name in [stream, done] {
        match connection.xgroup_create_mkstream(name, GROUP, "0") {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
    }
    let mut rules = cmd("XGROUP");
    rules.arg("SETCFG").arg(stream).arg(GROUP).arg(&RULES);
    let dead = format!("{stream}:dead");
    rules.arg("DEADLETTER").arg(dead).exec(connection)?;
    let day = StreamConfigOptions::with_idempotency_seconds(86_400);
    if let Ok(window) = day.and_then(|day| day.idempotency_maxsize(10_000)) {
        connection.xcfgset(done, &window)?;
    }
    Ok(())
}

fn work(
    connection: &mut Connection,
    (stream, done): (&str, &str),
    order: &StreamId,
) -> RedisResult<()> {
    let [number, item] = ["number", "item"].map(|name| order.get(name).unwrap_or_default());
    let (id, item): (&str, String) = (&order.id, item);
    let Some(price) = connection.get(format!("price:{item}"))? else {
        // It is not acknowledged, so it comes again, or goes to the dead letters.
        writeln!(io::stderr(), "{id}: no price for {item}")?;
        return Ok(());
    };
    let result = [("number", number), ("item", item), ("price", price)];
    // One transaction, and the order's ID as the result's: a second worker's result is the same
    // one.
    let once = StreamAddOptions::default().idmp(GROUP, id);
    pipe()
        .atomic()
        .xadd_options(done, "*", &result, &once)
        .xack(stream, GROUP, &[id])
        .exec(connection)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, stream, consumer] = arguments.as_slice() else {
        return Err("usage: worker HOST:PORT STREAM CONSUMER".into());
    };
    let mut connection = Client::open(format!("redis://{address}"))?.get_connection()?;
    let done = format!("{stream}:done");
    prepare(&mut connection, stream, &done)?;
    let options = StreamReadOptions::default().group(GROUP, consumer);
    let options = options.count(10).block(1000);
    loop {
        let reply = connection.xread_options(&[stream], &[">"], &options)?;
        for read in reply.into_iter().flat_map(|reply| reply.keys) {
            for order in &read.ids {
                work(&mut connection, (stream, &done), order)?;
            }
        }
    }
}
