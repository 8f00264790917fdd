//! `docs`: writes the reference pages that are made from tables.
//!
//! The command table gives a page for each command and the compatibility page; the settings give
//! their page and the configuration file of packages. Nobody edits these pages: a test
//! ([`crate::tidy`]) fails if one of them is not what this chore would write.

mod commands;
mod compatibility;
mod formats;
mod reference;
mod settings;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::command::root;

#[derive(Debug, Args)]
pub(crate) struct Docs {}

/// Where the commands' pages are. Nothing else is in this folder.
const COMMANDS: &str = "docs/commands";

/// Columns of a line of prose, at most.
pub(crate) const WIDTH: usize = 100;

/// The first line of every page here.
const NOTICE: &str =
    "<!-- Written by `cargo xtask docs`. Change the tables and texts that it is made from. -->\n\n";

impl Docs {
    pub(crate) fn run(&self) -> Result<()> {
        let root = root()?;
        let pages = pages()?;
        for path in superfluous(root, &pages)? {
            fs::remove_file(root.join(&path)).with_context(|| format!("removing {path}"))?;
        }
        for (path, text) in pages {
            let path = root.join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

/// Paths of the pages that are not what [`Docs`] would write, or that it would not write at all.
#[cfg(test)]
pub(crate) fn stale() -> Result<Vec<String>> {
    let root = root()?;
    let pages = pages()?;
    let mut stale = superfluous(root, &pages)?;
    for (path, text) in pages {
        if fs::read_to_string(root.join(&path)).ok().as_deref() != Some(&text) {
            stale.push(path);
        }
    }
    Ok(stale)
}

/// Every generated page: its path from the workspace's root, and its text.
fn pages() -> Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::new();
    for (name, text) in commands::pages(root()?)? {
        pages.insert(format!("{COMMANDS}/{name}.md"), format!("{NOTICE}{text}"));
    }
    let compatibility = compatibility::page(root()?)?;
    pages.insert(
        "docs/compatibility.md".to_owned(),
        format!("{NOTICE}{compatibility}"),
    );
    let formats = formats::page(root()?)?;
    pages.insert("docs/formats.md".to_owned(), format!("{NOTICE}{formats}"));
    pages.insert(
        "docs/settings.md".to_owned(),
        format!("{NOTICE}{}", settings::page()),
    );
    pages.insert(
        "packaging/weir.conf".to_owned(),
        settings::configuration_file(),
    );
    Ok(pages)
}

/// Pages of commands that are no more.
fn superfluous(root: &Path, pages: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut superfluous = Vec::new();
    let folder = root.join(COMMANDS);
    if !folder.is_dir() {
        return Ok(superfluous);
    }
    for file in fs::read_dir(folder)? {
        let path = format!("{COMMANDS}/{}", file?.file_name().to_string_lossy());
        if !pages.contains_key(&path) {
            superfluous.push(path);
        }
    }
    Ok(superfluous)
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Prose in lines of at most [`WIDTH`] columns.
fn paragraph(text: &str) -> String {
    wrapped(&words(text), "", "")
}

/// The words of a text. A line must not break within backquotes, so what stands there is one word.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if last.matches('`').count() % 2 == 1 => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// Parts in lines of at most [`WIDTH`] columns, with `first` before the first line and `next`
/// before each of the others.
fn wrapped(parts: &[String], first: &str, next: &str) -> String {
    let mut text = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for part in parts {
        if !is_empty && line.chars().count() + 1 + part.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = next.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(part);
        is_empty = false;
    }
    text.push_str(&line);
    text
}
