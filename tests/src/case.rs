//! The files of recorded cases (`cases/README.md`).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::client::Protocol;
use crate::expect::Expect;

/// A sequence of requests with their replies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, with the protocol in brackets.
    pub name: String,
    /// 2 or 3.
    resp: u8,
    /// In order.
    pub steps: Vec<Step>,
}

/// One line of a case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// A command.
    pub cmd: Option<Vec<Argument>>,
    /// Bytes to send as they are, one for each character.
    pub raw: Option<String>,
    /// The connection; `main` where there is none.
    pub client: Option<String>,
    /// Go on without reading the reply.
    #[serde(rename = "async")]
    pub not_awaited: bool,
    /// Read a reply of that connection.
    #[serde(rename = "await")]
    pub awaited: bool,
    /// Pause first.
    pub sleep_ms: Option<u64>,
    /// Keep the reply under this name.
    pub save: Option<String>,
    /// What must come back.
    #[serde(deserialize_with = "pattern")]
    pub reply: Option<Expect>,
}

/// An argument of a command.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Argument {
    /// As it is, one byte for each character.
    Text(String),
    /// The value kept under a name.
    Same {
        /// The name.
        same: String,
    },
}

impl Case {
    /// The protocol that its connections speak.
    pub fn protocol(&self) -> Protocol {
        if self.resp == 3 {
            Protocol::Resp3
        } else {
            Protocol::Resp2
        }
    }
}

/// The folder of the cases.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The names of all files of cases, without their ending, sorted.
///
/// # Errors
/// When the folder cannot be read.
pub fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
            && let Some(stem) = path.file_stem()
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The cases of the file called `name`.
///
/// # Errors
/// When there is no such file, or it is not in the language of the cases.
pub fn load(name: &str) -> Result<Vec<Case>> {
    let path = folder().join(name).with_extension("jsonl");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}: line {}", path.display(), index + 1))
        })
        .collect()
}

fn pattern<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Expect>, D::Error> {
    let json = serde_json::Value::deserialize(deserializer)?;
    Expect::parse(&json)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_file_of_cases_can_be_read() {
        for name in super::names().unwrap() {
            assert!(!super::load(&name).unwrap().is_empty(), "{name}");
        }
    }
}
