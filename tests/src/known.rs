//! The reviewed list of replies in which weir differs from the recordings on purpose:
//! `known-differences.json`.
//!
//! An entry is not a skip: it says what weir replies instead, and that is asserted. An entry is
//! itself a failure if its recorded reply comes after all, or if it names no step, so the list
//! never becomes stale.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::expect::Expect;

/// One difference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The file of cases, without its ending.
    pub file: String,
    /// The name of the case; without the protocol in brackets it holds for both.
    pub case: String,
    /// The step, counted from 1.
    pub step: usize,
    /// What weir replies instead.
    reply: serde_json::Value,
    /// Why.
    pub reason: String,
}

impl Known {
    /// What weir replies instead.
    ///
    /// # Errors
    /// When it is not in the language of the cases.
    pub fn reply(&self) -> Result<Expect> {
        Expect::parse(&self.reply).with_context(|| format!("{}: {}", self.file, self.case))
    }

    /// Returns whether this is about `step` (counted from 1) of `case`.
    pub fn is_about(&self, case: &str, step: usize) -> bool {
        self.step == step
            && (self.case == case
                || case
                    .rsplit_once(" [")
                    .is_some_and(|(plain, _)| self.case == plain))
    }
}

/// The differences that are known for one file of cases.
///
/// # Errors
/// When the list cannot be read.
pub fn load(file: &str) -> Result<Vec<Known>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("known-differences.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let all: Vec<Known> =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(all.into_iter().filter(|known| known.file == file).collect())
}
