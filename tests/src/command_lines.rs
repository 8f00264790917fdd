//! Command lines that documents tell people to type: whether packages, examples, subcommands and
//! options are there.
//!
//! They are not run, because most of them build or measure. What is neither `cargo` nor `weir` must
//! be in a reviewed list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::documents::{Page, blocks, quoted, root};

/// The languages of fenced blocks whose lines are typed in a shell.
const SHELLS: &[&str] = &["sh", "shell", "bash", "console"];

/// The starts of lines that are typed in a shell, in a block without a language.
const PROGRAMS: &[&str] = &[
    "$ ",
    "apt ",
    "cargo ",
    "curl ",
    "docker ",
    "git ",
    "pip ",
    "npm ",
    "redis-cli",
    "sudo ",
    "systemctl ",
    "weir ",
];

/// The start of a word in backquotes that is a whole command line.
const QUOTED_PROGRAMS: &[&str] = &["cargo ", "weir "];

/// The start of an option.
const OPTION: &str = "--";

/// A command line and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The page and line.
    pub place: String,
    /// The words, without prompt and comment.
    pub words: Vec<String>,
}

/// Every command line of a page.
pub fn command_lines(page: &Page) -> Vec<CommandLine> {
    let mut found = Vec::new();
    let mut add = |line: usize, text: &str| {
        let text = text.strip_prefix("$ ").unwrap_or(text);
        let text = text.split(" #").next().unwrap_or(text);
        for command in text.split("&&") {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            if !words.is_empty() {
                found.push(CommandLine {
                    place: format!("{}, line {line}", page.path),
                    words,
                });
            }
        }
    };
    for block in blocks(&page.text) {
        let shell = SHELLS.contains(&block.language.as_str());
        // What a console shows beside the lines with a prompt is output.
        let prompts = block.lines.iter().any(|line| line.starts_with("$ "));
        // A line that goes on in the next one, up to there.
        let mut begun: Option<(usize, String)> = None;
        for (index, line) in block.lines.iter().enumerate() {
            let (index, line) = match begun.take() {
                Some((first, before)) => (first, format!("{before} {}", line.trim_start())),
                None => (index, line.clone()),
            };
            if let Some(before) = line.strip_suffix('\\') {
                begun = Some((index, before.trim_end().to_owned()));
                continue;
            }
            let typed = match prompts {
                true => line.starts_with("$ "),
                false => {
                    let known = PROGRAMS.iter().any(|program| line.starts_with(program));
                    shell && !line.starts_with('#') || block.language.is_empty() && known
                }
            };
            if typed {
                add(block.line + index, &line);
            }
        }
    }
    for (line, text) in quoted(&page.text) {
        if QUOTED_PROGRAMS
            .iter()
            .any(|program| text.starts_with(program))
        {
            add(line, &text);
        }
    }
    found
}

/// What command lines are checked against.
#[derive(Debug)]
pub struct Programs {
    packages: BTreeSet<String>,
    targets: BTreeSet<String>,
    weir_help: String,
    /// Help of each chore that was asked for.
    chores: BTreeMap<String, String>,
}

impl Programs {
    /// Asks cargo for the packages of the workspace, and weir for its help.
    ///
    /// # Errors
    /// When one of them does not answer.
    pub fn find(weir: &Path) -> Result<Self> {
        let metadata = said(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let names = |values: &Value| -> BTreeSet<String> {
            let values = values.as_array().into_iter().flatten();
            values
                .filter_map(|value| Some(value["name"].as_str()?.to_owned()))
                .collect()
        };
        let packages = metadata["packages"].as_array().context("no packages")?;
        Ok(Self {
            packages: names(&metadata["packages"]),
            targets: packages
                .iter()
                .flat_map(|package| names(&package["targets"]))
                .collect(),
            weir_help: said(Command::new(weir).arg("--help"))?,
            chores: BTreeMap::new(),
        })
    }

    /// Checks a command line of `cargo` or `weir`; false if it is another program's.
    ///
    /// # Errors
    /// When it names something that is not there.
    pub fn check(&mut self, line: &CommandLine) -> Result<bool> {
        let words: Vec<&str> = line.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["cargo", "xtask", chore, arguments @ ..] => self.chore(chore, arguments)?,
            ["cargo", chore, arguments @ ..] => self.cargo(chore, arguments)?,
            ["weir", arguments @ ..] => self.weir(arguments)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn chore(&mut self, chore: &str, arguments: &[&str]) -> Result<()> {
        if !self.chores.contains_key(chore) {
            let help = said(cargo().args(["xtask", chore, "--help"]))?;
            // A chore that passes its arguments on runs the package of its name.
            let help = match help.contains("[ARGUMENTS]...") && self.packages.contains(chore) {
                true => said(cargo().args(["run", "--quiet", "--package", chore, "--", "--help"]))?,
                false => help,
            };
            self.chores.insert(chore.to_owned(), help);
        }
        let help = &self.chores[chore];
        for option in arguments.iter().filter(|word| word.starts_with(OPTION)) {
            let known = help
                .split([' ', '\n', ',', '='])
                .any(|word| word == *option);
            ensure!(known, "{chore} has no option {option}");
        }
        Ok(())
    }

    fn cargo(&self, chore: &str, arguments: &[&str]) -> Result<()> {
        let known = ["run", "test", "build", "bench", "install", "add"];
        ensure!(known.contains(&chore), "cargo {chore} is not known here");
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().copied().context("a value is missing");
            match *argument {
                "--" => break,
                "-p" | "--package" => {
                    let package = value()?;
                    ensure!(self.packages.contains(package), "no package {package}");
                }
                "--example" | "--test" | "--bin" | "--bench" => {
                    let target = value()?;
                    ensure!(self.targets.contains(target), "no target {target}");
                }
                "--path" => {
                    let path = value()?;
                    ensure!(root().join(path).is_dir(), "no folder {path}");
                }
                "--profile" => {
                    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
                    let section = format!("[profile.{}]", value()?);
                    ensure!(manifest.contains(&section), "no {section}");
                }
                "--features" => {
                    // Of somebody else's package.
                    value()?;
                }
                "--release" | "--locked" | "--workspace" | "--quiet" => {}
                // The name of a test or of somebody else's package.
                name if !name.starts_with('-') => {}
                other => bail!("cargo {chore} {other} is not known here"),
            }
        }
        Ok(())
    }

    fn weir(&self, arguments: &[&str]) -> Result<()> {
        let begins = |line: &str, what: &str| {
            let rest = line.trim_start().strip_prefix(what);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
        };
        let mut lines = self.weir_help.lines();
        match arguments.first() {
            None => Ok(()),
            Some(&("--help" | "-h" | "--version" | "-v" | "-V")) => Ok(()),
            Some(first) if first.starts_with(OPTION) => self.settings(arguments),
            // A file with settings, and perhaps more of them.
            Some(first) if first.contains(['.', '/']) => self.settings(&arguments[1..]),
            Some(first) => {
                let usage = format!("weir {first}");
                ensure!(lines.any(|line| begins(line, &usage)), "no {usage}");
                Ok(())
            }
        }
    }

    fn settings(&self, arguments: &[&str]) -> Result<()> {
        for option in arguments.iter().filter(|word| word.starts_with(OPTION)) {
            let mut words = self.weir_help.split_whitespace();
            ensure!(words.any(|word| word == *option), "weir has no {option}");
        }
        Ok(())
    }
}

fn cargo() -> Command {
    // The one that runs this test, if one does.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", errors.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
