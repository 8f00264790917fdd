//! The command line: `weir [FILE] [--setting value …]`, or a subcommand.
//!
//! Settings are those of the engine's table, spelled as in Redis.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, bail};

use crate::configuration::Configuration;
use crate::{help, subcommands};

/// What the user asks for.
pub(crate) enum Invocation {
    /// Serve, as this says.
    Serve(Box<Configuration>),
    /// Print a text.
    Print(String),
}

/// Reads the arguments after the program's name.
pub(crate) fn read(args: impl Iterator<Item = OsString>) -> anyhow::Result<Invocation> {
    let mut args = args
        .map(|arg| arg.into_string().ok().context("arguments must be UTF-8"))
        .collect::<anyhow::Result<Vec<String>>>()?
        .into_iter()
        .peekable();
    if let Some(subcommand) = args.peek().and_then(|name| subcommands::find(name)) {
        let arguments: Vec<String> = args.skip(1).collect();
        return subcommand.run(&arguments).map(Invocation::Print);
    }
    settings(args)
}

/// Reads a configuration file, if one comes first, and settings.
pub(crate) fn settings(args: impl Iterator<Item = String>) -> anyhow::Result<Invocation> {
    let mut configuration = Configuration::default();
    let mut args = args.peekable();
    if let Some(file) = args.next_if(|arg| !arg.starts_with('-')) {
        configuration.read_file(Path::new(&file))?;
    }
    configuration.environment(|name| std::env::var_os(name))?;
    while let Some(arg) = args.next() {
        if subcommands::is_help(&arg) {
            return Ok(Invocation::Print(help::general()));
        }
        if matches!(arg.as_str(), "-v" | "-V" | "--version") {
            return Ok(Invocation::Print(format!("weir {}\n", help::version())));
        }
        let Some(name) = arg.strip_prefix("--") else {
            bail!("unexpected argument '{arg}'; settings are given as --name value (see --help)");
        };
        let mut values = Vec::new();
        while let Some(value) = args.next_if(|arg| !arg.starts_with("--")) {
            values.push(value);
        }
        if values.is_empty() {
            bail!("--{name} needs a value (see --help)");
        }
        configuration.argument(name, values);
    }
    let configuration = configuration.checked()?;
    Ok(Invocation::Serve(Box::new(configuration)))
}
