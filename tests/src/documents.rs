//! The documents that people read: README and the pages beside it, and everything under `docs/`.
//!
//! A new page is found by itself. [`blocks`] gives the code blocks of a page, and [`quoted`] what
//! is in backquotes within the text.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Pages outside of [`FOLDER`].
const PAGES: &[&str] = &["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];

/// Every Markdown file in here, however deep, is a page.
const FOLDER: &str = "docs";

/// What begins and ends a fenced block.
const FENCE: &str = "```";

/// The least indentation of an indented block.
const INDENT: usize = 4;

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path from the root of the repository.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Lines that are formatted as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The number of its first line within the page, from 1.
    pub line: usize,
    /// The word after the fence; empty if there is none.
    pub language: String,
    /// The lines, without the indentation that they have in common.
    pub lines: Vec<String>,
    /// The comments (`<!-- … -->`) right before the block.
    pub notes: Vec<String>,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    // The tests' crate is a folder of it.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Every page, by path.
///
/// # Errors
/// When a page cannot be read.
pub fn pages() -> Result<Vec<Page>> {
    let root = root();
    let mut paths: Vec<PathBuf> = PAGES.iter().map(|page| root.join(page)).collect();
    find(&root.join(FOLDER), &mut paths)?;
    paths.sort_unstable();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let path = path.strip_prefix(&root).unwrap_or(&path);
            Ok(Page {
                path: path.display().to_string(),
                text,
            })
        })
        .collect()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for file in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    Ok(())
}

/// The blocks of a page, fenced and indented ones.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut notes = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut after_blank = true;
    while let Some((index, line)) = lines.next() {
        let body = line.trim_start();
        if let Some(language) = body.strip_prefix(FENCE) {
            let mut block = Block {
                line: index + 2,
                language: language.trim().to_owned(),
                lines: Vec::new(),
                notes: std::mem::take(&mut notes),
            };
            let within = lines.by_ref().map(|(_, line)| line);
            let within = within.take_while(|line| !line.trim_start().starts_with(FENCE));
            block.lines = dedent(within.collect());
            blocks.push(block);
            after_blank = true;
        } else if is_indented(line) && after_blank {
            let mut within = vec![line];
            while let Some((_, next)) =
                lines.next_if(|(_, next)| is_indented(next) || next.trim().is_empty())
            {
                within.push(next);
            }
            blocks.push(Block {
                line: index + 1,
                language: String::new(),
                lines: dedent(within),
                notes: std::mem::take(&mut notes),
            });
            after_blank = true;
        } else {
            let note = body.strip_prefix("<!--");
            let note = note.and_then(|note| note.strip_suffix("-->"));
            match note {
                Some(note) => notes.push(note.trim().to_owned()),
                None if body.is_empty() => {}
                None => notes.clear(),
            }
            after_blank = body.is_empty() || note.is_some();
        }
    }
    blocks
}

fn is_indented(line: &str) -> bool {
    line.len() - line.trim_start().len() >= INDENT && !line.trim().is_empty()
}

/// The lines without what all of them are indented by, and without blank ones at the end.
fn dedent(mut lines: Vec<&str>) -> Vec<String> {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let indents = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = indents.map(|line| line.len() - line.trim_start().len());
    let indent = indent.min().unwrap_or(0);
    let lines = lines.into_iter();
    lines
        .map(|line| line.get(indent..).unwrap_or("").to_owned())
        .collect()
}

/// What is in backquotes, outside of blocks, with the number of its line.
pub fn quoted(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose(text) {
        let quoted = line.split('`').skip(1).step_by(2);
        found.extend(quoted.map(|word| (index + 1, word.to_owned())));
    }
    found
}

/// The links to pages of the repository, outside of blocks: the number of the line, and the target
/// with its anchor.
pub fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose(text) {
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split(')').next());
        let targets = targets.filter(|target| !target.contains("://"));
        found.extend(targets.map(|target| (index + 1, target.to_owned())));
    }
    found
}

/// The anchors of a page, as GitHub makes them from its titles.
pub fn anchors(text: &str) -> Vec<String> {
    let titles = prose(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then_some(title.trim())
    });
    let letter = |c: char| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    titles
        .map(|title| title.chars().filter_map(letter).collect())
        .collect()
}

/// The lines outside of blocks, with their indexes.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with(FENCE);
        fenced ^= is_fence;
        !fenced && !is_fence && !is_indented(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_both_kinds_are_found_with_their_lines_and_notes() {
        let page = "# Title\n\n    one\n      two\n\n    three\n\ntext\n    no block\n\n\
                    <!-- varies: a 1 -->\n```sh\nfour\n```\n\n- point\n\n  ```\n  five\n  ```\n";
        let found = blocks(page);
        let found: Vec<(usize, &str, String, usize)> = found
            .iter()
            .map(|block| {
                let lines = block.lines.join("|");
                (
                    block.line,
                    block.language.as_str(),
                    lines,
                    block.notes.len(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (3, "", "one|  two||three".to_owned(), 0),
                (13, "sh", "four".to_owned(), 1),
                (19, "", "five".to_owned(), 0),
            ]
        );
    }

    #[test]
    fn quoted_words_are_found_outside_of_blocks() {
        let page = "see `a b` and `c`\n\n    not `this`\n\n```\nnor `that`\n```\n";
        assert_eq!(quoted(page), [(1, "a b".to_owned()), (1, "c".to_owned())]);
    }

    #[test]
    fn links_and_anchors_are_read_as_readers_of_the_page_follow_them() {
        let page = "# XADD key\n\nsee [a](b.md#the-c) and [d](https://e)\n\n    [no](link)\n\n## What's *it*?\n";
        assert_eq!(links(page), [(3, "b.md#the-c".to_owned())]);
        assert_eq!(anchors(page), ["xadd-key", "whats-it"]);
    }
}
