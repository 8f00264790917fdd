//! `test`: all tests of the workspace.
//!
//! Tests that need a server take the binary that `WEIR_BIN` names; without it, one is built first.

use anyhow::Result;
use clap::Args;

use crate::command::{build, cargo, run};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Handed on to `cargo test`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Test {
    /// Every test, without further arguments.
    pub(crate) fn everything() -> Self {
        Self {
            arguments: Vec::new(),
        }
    }

    pub(crate) fn run(&self) -> Result<()> {
        let mut tests = cargo(&["test", "--workspace"])?;
        if std::env::var_os("WEIR_BIN").is_none() {
            tests.env("WEIR_BIN", build("weir", &[])?);
        }
        run(tests.args(&self.arguments))
    }
}
