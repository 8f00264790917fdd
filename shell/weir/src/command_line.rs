//! The command line and the configuration file: `weir [FILE] [--setting value …]`.
//!
//! Settings are those of the engine's table, spelled as in Redis; what is said later wins, and the command
//! line wins over the file.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, bail};
use engine::config::{SETTINGS, Settings};

use crate::files;

/// What the user asks for.
pub(crate) enum Invocation {
    /// Serve with these settings.
    Serve(Box<Settings>),
    /// Print a text.
    Print(String),
}

/// Reads the arguments after the program's name.
pub(crate) fn read(args: impl Iterator<Item = OsString>) -> anyhow::Result<Invocation> {
    let mut settings = Settings::default();
    let mut args = args
        .map(|arg| arg.into_string().ok().context("arguments must be UTF-8"))
        .collect::<anyhow::Result<Vec<String>>>()?
        .into_iter()
        .peekable();
    if let Some(command) = args.next_if(|arg| arg == "check" || arg == "repair") {
        let (Some(file), None) = (args.next(), args.next()) else {
            bail!("usage: weir {command} FILE");
        };
        let look = if command == "check" {
            files::check
        } else {
            files::repair
        };
        return look(Path::new(&file)).map(Invocation::Print);
    }
    if let Some(file) = args.next_if(|arg| !arg.starts_with('-')) {
        read_file(&mut settings, Path::new(&file))?;
    }
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" => return Ok(Invocation::Print(help())),
            "-v" | "--version" => {
                return Ok(Invocation::Print(format!(
                    "weir {}\n",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            _ => {}
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
    let text = std::fs::read_to_string(path)
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

fn help() -> String {
    let mut text = String::from(
        "weir: a Redis-compatible streams server\n\nusage: weir [CONFIG_FILE] [--SETTING VALUE]...   serve\n       \
         weir check FILE                           look at a file of a journal\n       \
         weir repair FILE                          save the whole part of a damaged one\n\n\
         Settings, with their defaults (a configuration file has one `setting value` a line):\n",
    );
    for setting in SETTINGS {
        let default = if setting.default.is_empty() {
            "\"\""
        } else {
            setting.default
        };
        text.push_str(&format!(
            "  --{} {}\n        {}\n",
            setting.name, default, setting.doc
        ));
    }
    text
}
