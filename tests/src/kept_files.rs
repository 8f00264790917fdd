//! Files that earlier builds of weir wrote (`tests/files/`), and what those builds answered.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::data_set;

/// The folder of a journal.
pub const JOURNAL: &str = "appendonlydir";

/// The file with the answers.
pub const ANSWERS: &str = "answers.json";

/// What is done after the journal was rewritten, so that it is in an increment.
pub const AFTER_REWRITE: &[&str] = &[
    "XGROUP CREATE many readers 0",
    "XREADGROUP GROUP readers ann COUNT 20 STREAMS many >",
    "XACK many readers 3-1 4-1",
    "XADD many IDMP late once * text idempotent",
    "XADD many IDMP late once * text idempotent",
    "XTRIM many MINID 11",
    "SET later value PXAT 4102444800123",
    "DEL negative",
];

/// What is asked in addition to what [`data_set`] asks.
const FURTHER: &[&str] = &[
    "XLEN many",
    "XRANGE many - +",
    "XPENDING many readers",
    "XINFO STREAM many FULL COUNT 0",
    "PEXPIRETIME later",
];

/// An idempotent append that was made after the rewrite, once more.
const FURTHER_REPEATED: &[&str] = &["XADD many IDMP late once * text idempotent"];

/// Requests and what they were answered, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// What looks at the data.
    pub looked: Vec<String>,
    /// Idempotent appends once more.
    pub repeated: Vec<String>,
}

impl Answers {
    /// Asks for the first time.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn of(client: &mut Client) -> Result<Self> {
        let mut looked = data_set::look(client)?;
        for request in FURTHER {
            looked.push(data_set::ask(client, request)?);
        }
        let mut repeated = data_set::repeat(client)?;
        for request in FURTHER_REPEATED {
            repeated.push(data_set::ask(client, request)?);
        }
        Ok(Self { looked, repeated })
    }

    /// Asks the same again, even if new builds are now asked something else.
    ///
    /// # Errors
    /// When the server is gone, or these are no answers.
    pub fn again(&self, client: &mut Client) -> Result<Self> {
        let mut ask = |line: &String| {
            let (request, _) = line.split_once(": ").context("a line has an answer")?;
            data_set::ask(client, request)
        };
        Ok(Self {
            looked: self.looked.iter().map(&mut ask).collect::<Result<_>>()?,
            repeated: self.repeated.iter().map(&mut ask).collect::<Result<_>>()?,
        })
    }
}
