//! The command line and the configuration file: `weir [FILE] [--setting value …]`.
//!
//! Settings are those of the engine's table, spelled as in Redis; what is said later wins, and the command
//! line wins over the file.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use engine::config::Settings;

use crate::{help, subcommands};

/// What the user asks for.
pub(crate) enum Invocation {
    /// Serve with these settings.
    Serve(Box<Settings>),
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
    let mut settings = Settings::default();
    let mut args = args.peekable();
    if let Some(file) = args.next_if(|arg| !arg.starts_with('-')) {
        read_file(&mut settings, Path::new(&file))?;
    }
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
        settings
            .set(name, &values.join(" "))
            .with_context(|| format!("--{name}"))?;
    }
    Ok(Invocation::Serve(Box::new(settings)))
}

fn read_file(settings: &mut Settings, path: &Path) -> anyhow::Result<()> {
    let file = journal::open_regular(File::options().read(true), path);
    let text = file
        .and_then(io::read_to_string)
        .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{}, line {}", path.display(), index + 1);
        let words = resp::split_line(line.as_bytes()).with_context(place)?;
        let words = words
            .as_argv()
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned());
        let words: Vec<String> = words.collect();
        let Some((name, values)) = words.split_first() else {
            continue;
        };
        settings.set(name, &values.join(" ")).with_context(place)?;
    }
    Ok(())
}
