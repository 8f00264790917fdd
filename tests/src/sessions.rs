//! Sessions that documents show: what is typed at the prompt of redis-cli, and what it answers; and
//! subcommands of weir with what they print.
//!
//! The sessions of a page run one after the other on a server that is fresh for the page and has
//! its default settings. Replies are compared line by line. Times and IDs differ from run to run:
//! the number that a page shows stands for the one that came, there and in everything that follows,
//! requests included. `CONTRIBUTING.md` describes the form for authors.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::client::{Client, Protocol};
use crate::documents::{Block, Page, blocks};
use crate::redis_cli::{arguments, shown};
use crate::server::Server;

/// Settings that a reader's server has by default, and servers in other tests do not.
const DEFAULTS: &[(&str, &str)] = &[("appendonly", "yes"), ("enable-debug-command", "no")];

/// The end of a prompt.
const PROMPT_END: &str = "> ";

/// The prompt of a shell.
const SHELL_PROMPT: &str = "$ ";

/// The start of a shell line whose output is compared: a subcommand of weir.
const PROGRAM: &str = "weir";

/// The start of the long form of a prompt.
const PROMPT_START: &str = "127.0.0.1:6379";

/// A line of a reply that stands for any number of lines.
const ELLIPSIS: &str = "…";

/// The start of a note that names a line whose numbers differ from run to run.
const VARIES: &str = "varies:";

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A request, in redis-cli.
    Request(String),
    /// The arguments of weir, in a shell in the server's folder.
    Subcommand(String),
}

/// What is typed in a session, and the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The number of its line within the page, from 1.
    pub line: usize,
    /// What is typed.
    pub typed: Typed,
    /// The lines of the reply, or of the output.
    pub reply: Vec<String>,
}

/// The steps of a block; none if it is not a session.
///
/// # Errors
/// When a prompt has no reply.
pub fn steps(block: &Block) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut within_reply = false;
    for (index, text) in block.lines.iter().enumerate() {
        if let Some(typed) = typed(text) {
            steps.push(Step {
                line: block.line + index,
                typed,
                reply: Vec::new(),
            });
            within_reply = true;
        } else if text.trim().is_empty() || text.starts_with(SHELL_PROMPT) {
            within_reply = false;
        } else if let Some(step) = steps.last_mut()
            && within_reply
            && !is_duration(text)
        {
            step.reply.push(text.trim_end().to_owned());
        }
    }
    for step in &steps {
        let line = step.line;
        ensure!(!step.reply.is_empty(), "line {line}: the reply is missing");
    }
    Ok(steps)
}

/// What is typed in a line that begins with a prompt: `127.0.0.1:6379> `, with the database or
/// `(TX)` before its end as redis-cli has it, or `> ` alone; or `$ weir SUBCOMMAND`.
fn typed(line: &str) -> Option<Typed> {
    if let Some(line) = line.strip_prefix(SHELL_PROMPT) {
        let arguments = line.strip_prefix(PROGRAM)?.strip_prefix(' ')?;
        // With settings or a file it serves, and prints nothing that could be compared.
        let first = arguments.split(' ').next().unwrap_or_default();
        let serves = first.starts_with('-') || first.contains(['.', '/']);
        return (!serves).then(|| Typed::Subcommand(arguments.to_owned()));
    }
    if let Some(request) = line.strip_prefix(PROMPT_END) {
        return Some(Typed::Request(request.to_owned()));
    }
    let (mark, request) = line.strip_prefix(PROMPT_START)?.split_once(PROMPT_END)?;
    let is_prompt = mark.is_empty() || mark.starts_with('[') || mark == "(TX)";
    is_prompt.then(|| Typed::Request(request.to_owned()))
}

/// `(1.05s)`, which redis-cli adds to a slow reply.
fn is_duration(line: &str) -> bool {
    let seconds = line
        .strip_prefix('(')
        .and_then(|line| line.strip_suffix("s)"));
    seconds.is_some_and(|seconds| seconds.parse::<f64>().is_ok())
}

/// Runs the sessions of a page on a fresh server, if it has any; returns how many steps there were.
///
/// # Errors
/// When a reply differs from what the page shows, with path and line.
pub fn run(page: &Page, weir: &Path) -> Result<usize> {
    let path = &page.path;
    let mut sessions = Vec::new();
    for block in blocks(&page.text) {
        let steps = steps(&block).with_context(|| path.clone())?;
        if !steps.is_empty() {
            sessions.push((block, steps));
        }
    }
    check_prompts(page, &sessions)?;
    if sessions.is_empty() {
        return Ok(0);
    }
    let server = Server::start_with(weir, DEFAULTS)?;
    let mut numbers = Numbers::default();
    let mut count = 0;
    for (block, steps) in sessions {
        let mut client = Client::connect(server.address(), Protocol::Resp2)?;
        for step in steps {
            let (Typed::Request(text) | Typed::Subcommand(text)) = &step.typed;
            let at = || format!("{path}, line {}: {text}", step.line);
            let words = arguments(&numbers.applied(text)).with_context(at)?;
            let came = match &step.typed {
                Typed::Request(_) => {
                    let reply = client.command(&words).with_context(at)?;
                    shown(&words, &reply)
                }
                Typed::Subcommand(_) => printed(weir, &words, server.folder()).with_context(at)?,
            };
            if !numbers.agree(&step.reply, &came, &block) {
                bail!(
                    "{}\nthe page shows:\n  {}\nweir answers:\n  {}",
                    at(),
                    step.reply.join("\n  "),
                    came.join("\n  ")
                );
            }
            count += 1;
        }
    }
    Ok(count)
}

/// What weir prints when it is called like this in a folder, errors included.
fn printed(weir: &Path, arguments: &[Vec<u8>], folder: &Path) -> Result<Vec<String>> {
    let arguments = arguments
        .iter()
        .map(|argument| String::from_utf8_lossy(argument).into_owned());
    let output = Command::new(weir)
        .args(arguments)
        .current_dir(folder)
        .output()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    Ok(printed
        .trim_end()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect())
}

/// Checks that every prompt of a page is in a session: what is not formatted as code would not be
/// run.
fn check_prompts(page: &Page, sessions: &[(Block, Vec<Step>)]) -> Result<()> {
    let steps = || sessions.iter().flat_map(|(_, steps)| steps);
    for (index, text) in page.text.lines().enumerate() {
        let line = index + 1;
        let is_prompt = text.trim_start().starts_with(PROMPT_START) && typed(text.trim()).is_some();
        ensure!(
            !is_prompt || steps().any(|step| step.line == line),
            "{}, line {line}: a prompt outside of a block",
            page.path
        );
    }
    Ok(())
}

/// The times and IDs of a page, and what stands for them in this run.
#[derive(Debug, Default)]
struct Numbers {
    came: HashMap<String, String>,
    shown: HashMap<String, String>,
}

impl Numbers {
    /// A request with the times and IDs of this run. What is not known yet is kept as the author
    /// wrote it.
    fn applied(&mut self, request: &str) -> String {
        let mut applied = String::new();
        for part in parts(request) {
            match part {
                Part::Text(text) => applied.push_str(text),
                Part::Number(number) => {
                    let came = self.came.get(number).map_or(number, String::as_str);
                    applied.push_str(came);
                    let came = came.to_owned();
                    self.bind(number, &came);
                }
            }
        }
        applied
    }

    fn agree(&mut self, shown: &[String], came: &[String], block: &Block) -> bool {
        let Some((first, shown_rest)) = shown.split_first() else {
            return came.is_empty();
        };
        if first.trim() == ELLIPSIS {
            let Some(next) = shown_rest.first() else {
                return true;
            };
            // What follows the ellipsis begins with the first line that fits.
            let next = std::slice::from_ref(next);
            let mut starts = 0..came.len();
            return starts
                .find(|start| self.agree(next, &came[*start..=*start], block))
                .is_some_and(|start| self.agree(shown_rest, &came[start..], block));
        }
        let Some((came_first, came_rest)) = came.split_first() else {
            return false;
        };
        self.line_agrees(first, came_first, block) && self.agree(shown_rest, came_rest, block)
    }

    fn line_agrees(&mut self, shown: &str, came: &str, block: &Block) -> bool {
        let mut varying = block
            .notes
            .iter()
            .filter_map(|note| note.strip_prefix(VARIES));
        if varying.any(|line| line.trim() == shown.trim()) {
            return without_numbers(shown) == without_numbers(came);
        }
        let (shown, came) = (parts(shown), parts(came));
        shown.len() == came.len()
            && shown.iter().zip(&came).all(|pair| match pair {
                (Part::Text(shown), Part::Text(came)) => shown == came,
                (Part::Number(shown), Part::Number(came)) => self.bind(shown, came),
                (Part::Text(_), Part::Number(_)) | (Part::Number(_), Part::Text(_)) => false,
            })
    }

    /// Notes that one number stands for the other; returns false if one of them already stands for
    /// another.
    fn bind(&mut self, shown: &str, came: &str) -> bool {
        let known = self.came.entry(shown.to_owned());
        let known = known.or_insert_with(|| came.to_owned()) == came;
        let back = self.shown.entry(came.to_owned());
        known && back.or_insert_with(|| shown.to_owned()) == shown
    }
}

/// A part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// What must be the same in every run.
    Text(&'a str),
    /// A time or an ID: a number of 10 or 13 digits that begins with 1, with the sequence number.
    Number(&'a str),
}

fn parts(line: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut text_start, mut at) = (0, 0);
    while at < line.len() {
        let length = digits(&line[at..]);
        if length == 0 {
            at += line[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let mut end = at + length;
        if line[at..].starts_with('1') && matches!(length, 10 | 13) {
            if let Some(sequence) = line[end..].strip_prefix('-') {
                let sequence = digits(sequence);
                end += if sequence > 0 { 1 + sequence } else { 0 };
            }
            if text_start < at {
                parts.push(Part::Text(&line[text_start..at]));
            }
            parts.push(Part::Number(&line[at..end]));
            text_start = end;
        }
        at = end;
    }
    if text_start < line.len() {
        parts.push(Part::Text(&line[text_start..]));
    }
    parts
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn without_numbers(line: &str) -> String {
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        let text: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
        blocks(&text.join("\n")).remove(0)
    }

    #[test]
    fn requests_and_replies_are_told_apart() {
        let found = steps(&block(
            "$ redis-cli\n127.0.0.1:6379> GET a\n(nil)\n(1.02s)\n127.0.0.1:6379(TX)> GET b\n1) x\n2) y\n\n> PING\nPONG",
        ));
        let step = |line, request: &str, reply: &[&str]| Step {
            line,
            typed: Typed::Request(request.to_owned()),
            reply: reply.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(
            found.unwrap(),
            [
                step(2, "GET a", &["(nil)"]),
                step(5, "GET b", &["1) x", "2) y"]),
                step(9, "PING", &["PONG"]),
            ]
        );
        assert!(steps(&block("> PING\n\n> PING\nPONG")).is_err());
        assert!(steps(&block("XADD key id")).unwrap().is_empty());
        let shell = steps(&block(
            "$ weir --port 7000\n$ weir help check\nusage\n$ ls\nfile",
        ))
        .unwrap();
        let [Step { line, typed, reply }] = shell.as_slice() else {
            panic!("{shell:?}");
        };
        assert_eq!(*line, 2);
        assert_eq!(*typed, Typed::Subcommand("help check".to_owned()));
        assert_eq!(*reply, ["usage"]);
    }

    #[test]
    fn times_and_ids_stand_for_others_and_nothing_else_does() {
        let block = block("x");
        let mut numbers = Numbers::default();
        let mut agree = |shown: &str, came: &str| numbers.line_agrees(shown, came, &block);
        assert!(agree("\"1700000000000-0\"", "\"1800000000000-7\""));
        assert!(agree("1) \"1700000000000-0\"", "1) \"1800000000000-7\""));
        assert!(!agree("\"1700000000000-0\"", "\"1800000000000-8\""));
        assert!(!agree("\"1700000000000-1\"", "\"1800000000000-7\""));
        assert!(!agree("(integer) 1", "(integer) 2"));
        assert!(!agree("(integer) 1700000000", "(nil)"));
        assert_eq!(
            numbers.applied("XACK s g 1700000000000-0"),
            "XACK s g 1800000000000-7"
        );
    }

    #[test]
    fn an_ellipsis_stands_for_any_lines() {
        let block = block("x");
        let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
        let mut numbers = Numbers::default();
        let mut agree = |shown, came| numbers.agree(&lines(shown), &lines(came), &block);
        assert!(agree("a\n…\nd", "a\nb\nc\nd"));
        assert!(agree("a\n…", "a\nb"));
        assert!(!agree("a\n…\nd", "a\nb\nc"));
        assert!(!agree("a\n…\nd", "a\nd\ne"));
    }

    #[test]
    fn only_the_named_lines_vary() {
        let page = "<!-- varies: 1) (integer) 5 -->\n\n    > X\n    1) (integer) 5\n";
        let block = blocks(page).remove(0);
        let mut numbers = Numbers::default();
        assert!(numbers.line_agrees("1) (integer) 5", "1) (integer) 77", &block));
        assert!(!numbers.line_agrees("2) (integer) 5", "2) (integer) 77", &block));
    }
}
