//! fred: a stream with a group, a script, a transaction, and a subscriber beside, with its own
//! policy of reconnecting.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fred::prelude::*;
use fred::types::scripts::Script;
use tokio::time::sleep;
use weir_tests::jobs::{self, COUNT, Call, Mode};

const MOVE: &str = include_str!("move.lua");

/// An entry: its ID, and its fields with their values.
type Entry = (String, Vec<String>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let call = Call::read()?;
    let config = Config::from_url(&format!("redis://127.0.0.1:{}", call.port))?;
    let client = Builder::from_config(config)
        .set_policy(ReconnectPolicy::new_constant(0, 100))
        .build()?;
    client.init().await?;
    match call.mode {
        Mode::Produce => produce(&call, &client).await,
        Mode::Work => loop {
            if let Err(error) = work(&call, &client).await {
                jobs::say(&format!("again: {error:#}"));
                sleep(Duration::from_millis(100)).await;
            }
        },
    }
}

async fn produce(call: &Call, client: &Client) -> Result<()> {
    for number in 0..COUNT {
        let delay = call.delay(number)?;
        let began = Instant::now();
        while let Err(error) = hand_in(client, number, delay).await {
            sleep(jobs::again(number, error, began)?).await;
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn hand_in(client: &Client, number: u32, delay: Option<Duration>) -> Result<()> {
    match delay {
        None => {
            let fields = vec![("number", number)];
            let _id: String = client.xadd("jobs", false, None, "*", fields).await?;
        }
        Some(delay) => {
            let due = jobs::seconds_since_1970() + delay.as_secs_f64();
            let member = (due, number.to_string());
            let _added: i64 = client
                .zadd("delayed", None, None, false, false, member)
                .await?;
        }
    }
    Ok(())
}

async fn work(call: &Call, client: &Client) -> Result<()> {
    let listener = client.clone_new();
    listener.init().await?;
    listener.subscribe("finished").await?;
    let group: Result<(), Error> = client.xgroup_create("jobs", "workers", "0", true).await;
    if let Err(error) = group
        && !error.details().starts_with("BUSYGROUP")
    {
        return Err(error.into());
    }
    let script = Script::from_lua(MOVE);
    script.load(client).await?;
    let name = format!("worker-{}", std::process::id());
    loop {
        let now = jobs::seconds_since_1970().to_string();
        let _moved: i64 = script
            .evalsha_with_reload(client, vec!["delayed", "jobs"], vec![now])
            .await?;
        let (_, claimed, _): (String, Vec<Entry>, Value) = client
            .xautoclaim("jobs", "workers", &name, 1000, "0", Some(5), false)
            .await?;
        let read: Option<HashMap<String, Vec<Entry>>> = client
            .xreadgroup("workers", &name, Some(5), Some(200), false, "jobs", ">")
            .await?;
        let read = read.unwrap_or_default().into_values().flatten();
        for (id, fields) in claimed.into_iter().chain(read) {
            let number: u32 = fields.get(1).context("no number")?.parse()?;
            if let Err(error) = call.work(number) {
                jobs::say(&format!("{error:#}")); // it stays pending, and is claimed later
                continue;
            }
            let transaction = client.multi();
            let () = transaction.xack("jobs", "workers", id).await?;
            let () = transaction.publish("finished", number).await?;
            let () = transaction.exec(true).await?;
        }
    }
}
