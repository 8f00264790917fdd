//! Streams of NATS JetStream, as an administrator handles them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use async_nats::{Client, ConnectOptions, Message};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::nats::Nats;

/// How long servers may take to agree on a stream.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the account that streams are in.
#[derive(Debug)]
pub struct JetStream {
    runtime: Runtime,
    client: Client,
}

impl JetStream {
    /// Connects.
    ///
    /// # Errors
    /// No server is there.
    pub fn connect(nats: &Nats) -> Result<JetStream> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let user = "weir".to_owned();
        let options = ConnectOptions::with_user_and_password(user.clone(), user);
        let client = runtime.block_on(options.connect(&nats.addresses()[..]))?;
        Ok(JetStream { runtime, client })
    }

    /// Asks the leader of a stream for something, until it answers.
    ///
    /// # Errors
    /// The answer is an error, or none comes.
    pub fn ask(&self, request: &str, stream: &str, question: &Value) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let subject = format!("$JS.API.STREAM.{request}.{stream}");
            let answer = self.request(subject, question.to_string().into_bytes());
            let answer = answer.and_then(|it| Ok(serde_json::from_slice::<Value>(&it.payload)?));
            match answer {
                Ok(answer) if answer.get("error").is_none() => return Ok(answer),
                answer if begun.elapsed() > PATIENCE => bail!("{request}: {answer:?}"),
                Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// How many records a stream has, and which is the last.
    ///
    /// # Errors
    /// There is no such stream.
    pub fn state(&self, stream: &str) -> Result<(u64, u64)> {
        let info = self.ask("INFO", stream, &json!({}))?;
        let number = |name: &str| info["state"][name].as_u64().context("no state");
        Ok((number("messages")?, number("last_seq")?))
    }

    /// Takes a record out of the midst of a stream that forbids that. What is there afterwards is a
    /// copy of the stream with the same settings, which lacks it.
    ///
    /// # Errors
    /// A server refuses something.
    pub fn tear(&self, stream: &str, seq: u64) -> Result<()> {
        let info = self.ask("INFO", stream, &json!({}))?;
        let number = |name: &str| info["state"][name].as_u64().context("no state");
        let (first, last) = (number("first_seq")?, number("last_seq")?);
        let subject = info["config"]["subjects"][0]
            .as_str()
            .context("no subject")?;
        let records = (first..=last).map(|seq| {
            let question = json!({ "seq": seq }).to_string().into_bytes();
            self.request(format!("$JS.API.DIRECT.GET.{stream}"), question)
        });
        let records = records.collect::<Result<Vec<_>>>()?;
        self.ask("DELETE", stream, &json!({}))?;
        let mut config = info["config"].clone();
        config["first_seq"] = first.into();
        config["deny_delete"] = false.into();
        self.ask("CREATE", stream, &config)?;
        for record in records {
            let answer = self.request(subject.to_owned(), record.payload.to_vec())?;
            let answer = String::from_utf8_lossy(&answer.payload).into_owned();
            ensure!(!answer.contains("error"), "{answer}");
        }
        self.ask("MSG.DELETE", stream, &json!({ "seq": seq }))?;
        config["deny_delete"] = true.into();
        self.ask("UPDATE", stream, &config)?;
        Ok(())
    }

    fn request(&self, subject: String, payload: Vec<u8>) -> Result<Message> {
        let answer = self.client.request(subject, payload.into());
        Ok(self.runtime.block_on(answer)?)
    }
}
