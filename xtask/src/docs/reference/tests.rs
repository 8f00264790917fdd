//! Rules of the texts: each command has one, and it says what the table and the recorded cases say.

use std::collections::BTreeSet;

use commands::all;
use engine::table::{Arg, ArgKind, Flags};
use serde_json::Value;

use super::*;
use crate::command::root;

/// Where the texts of errors are declared: files, and a folder of them.
const ERRORS: &[&str] = &["core/engine/src/error.rs", "core/stream/src/stream.rs"];
const ERRORS_OF_FAMILIES: &str = "core/engine/src/error";

/// A declared text with fewer fixed letters than this leaves the text to the code that makes the
/// error.
const FIXED_LETTERS_MIN: usize = 6;

/// What begins an error that any command may answer; the page of all commands tells of those.
const GENERAL: &[&str] = &[
    "ERR wrong number of arguments for ",
    "ERR unknown command ",
    "ERR unknown subcommand ",
    "NOAUTH Auth",
    "NOPERM ",
    "ERR Can't execute ",
    "OOM ",
    "MISCONF ",
    "NOTDURABLE ",
];

/// A place of something to fill in within a text: `{…}` as it is declared, `<…>` as a page shows
/// it.
const ANYTHING: &str = "\u{0}";

impl Reference {
    /// The text of a section; empty if there is none.
    fn section(&self, title: &str) -> &str {
        let mut sections = self.sections.iter();
        let section = sections.find(|(name, _)| name == title);
        section.map_or("", |(_, text)| text.trim())
    }
}

/// Every command and subcommand that has a text, each with its container. What only holds
/// subcommands has none.
fn described() -> impl Iterator<Item = (Option<&'static Entry>, &'static Entry)> {
    all().flat_map(|entry| {
        let subcommands = entry.subcommands.iter().map(move |sub| (Some(entry), sub));
        let own = (!entry.is_container()).then_some((None, entry));
        own.into_iter().chain(subcommands)
    })
}

fn references() -> References {
    References::read(root().unwrap()).unwrap()
}

#[test]
fn every_command_has_a_text_and_every_text_a_command() {
    let mut texts: BTreeSet<String> = references().texts.into_keys().collect();
    let mut missing = Vec::new();
    for (container, entry) in described() {
        let path = path(container, entry);
        if !texts.remove(&path) {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "missing in {FOLDER}: {missing:#?}");
    assert!(texts.is_empty(), "{FOLDER}: no commands: {texts:#?}");
}

#[test]
fn a_text_has_the_sections_that_readers_look_for() {
    let references = references();
    let mut failures = Vec::new();
    for (container, entry) in described() {
        let text = references.find(container, entry).unwrap();
        let name = name_of(container, entry);
        let is_stream = entry.spec.group == Group::Stream && entry.spec.name != "help";
        let mut wanted = vec!["Reply", "Errors"];
        if is_stream {
            wanted.extend(["Arguments", "Examples"]);
        }
        if entry.spec.complexity.is_empty() {
            wanted.push("Cost");
        }
        let missing = wanted.iter().filter(|title| text.section(title).is_empty());
        failures.extend(missing.map(|title| format!("{name} has no section {title}")));
        if is_stream {
            let reply = text.section("Reply");
            if !reply.contains("RESP2") || !reply.contains("RESP3") {
                failures.push(format!(
                    "{name}: Reply does not say what RESP2 and RESP3 have"
                ));
            }
            if !text.section("Examples").contains("127.0.0.1:6379> ") {
                failures.push(format!("{name}: Examples have no session"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_argument_of_a_stream_command_is_explained() {
    let references = references();
    let mut failures = Vec::new();
    for (container, entry) in described() {
        let text = references.find(container, entry).unwrap();
        if entry.spec.group != Group::Stream {
            continue;
        }
        let explained: BTreeSet<&str> = quoted(text.section("Arguments")).collect();
        let mut names = Vec::new();
        entry
            .spec
            .args
            .iter()
            .for_each(|arg| names_in(arg, &mut names));
        let name = name_of(container, entry);
        let missing = names.iter().filter(|name| !explained.contains(*name));
        failures.extend(missing.map(|argument| format!("{name}: `{argument}`")));
    }
    assert!(failures.is_empty(), "not explained: {failures:#?}");
}

/// The words that a grammar is made of: tokens, and names of values.
fn names_in(arg: &Arg, names: &mut Vec<&'static str>) {
    if !arg.token.is_empty() {
        names.push(arg.token);
    }
    match arg.kind {
        ArgKind::PureToken => {}
        ArgKind::OneOf(parts) | ArgKind::Block(parts) => {
            parts.iter().for_each(|part| names_in(part, names));
        }
        ArgKind::String
        | ArgKind::Integer
        | ArgKind::Double
        | ArgKind::Key(_)
        | ArgKind::Pattern
        | ArgKind::KeyPattern(_)
        | ArgKind::UnixTime => names.push(arg.display),
    }
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_error_that_a_text_lists_is_one_that_clients_can_see() {
    let declared = declared();
    let mut failures = Vec::new();
    let references = references();
    for (container, entry) in described() {
        let text = references.find(container, entry).unwrap();
        let name = name_of(container, entry);
        let listed = errors(text.section("Errors")).into_iter();
        let unknown = listed.filter(|error| !declared.iter().any(|text| fits(text, error)));
        failures.extend(unknown.map(|error| format!("{name}: {error}")));
    }
    assert!(failures.is_empty(), "no such errors: {failures:#?}");
}

#[test]
fn every_error_that_was_recorded_of_a_command_is_in_its_text() {
    let references = references();
    let mut failures = BTreeSet::new();
    for (request, error) in recorded() {
        // Of a command and its subcommand, the longer name is meant.
        let row = described().filter_map(|(container, entry)| {
            let name = name_of(container, entry);
            let words: Vec<&str> = name.split(' ').collect();
            let said = request.get(..words.len())?;
            let mut pairs = words.iter().zip(said);
            let is_called = pairs.all(|(word, said)| said.eq_ignore_ascii_case(word));
            is_called.then_some((words.len(), container, entry))
        });
        let row = row.max_by_key(|(words, _, _)| *words);
        let Some((_, container, entry)) = row else {
            continue;
        };
        if GENERAL.iter().any(|general| error.starts_with(general)) {
            continue;
        }
        // A script answers any error that it likes.
        if entry.spec.flags.has(Flags::RUNS_SCRIPT) {
            continue;
        }
        let text = references.find(container, entry).unwrap();
        let mut listed = errors(text.section("Errors")).into_iter();
        if !listed.any(|listed| fits(&filled(&listed), &error)) {
            failures.insert(format!("{}: {error}", name_of(container, entry)));
        }
    }
    assert!(failures.is_empty(), "not listed: {failures:#?}");
}

#[test]
fn every_error_that_the_text_of_a_stream_command_lists_was_recorded_of_it() {
    let references = references();
    let recorded = recorded();
    let mut failures = Vec::new();
    for (container, entry) in described() {
        if entry.spec.group != Group::Stream {
            continue;
        }
        let name = name_of(container, entry);
        let words: Vec<&str> = name.split(' ').collect();
        let is_asked = |request: &[String]| {
            let pairs = request
                .get(..words.len())
                .map(|said| said.iter().zip(&words));
            pairs.is_some_and(|mut pairs| pairs.all(|(said, word)| said.eq_ignore_ascii_case(word)))
        };
        let said = recorded.iter().filter(|(request, _)| is_asked(request));
        let said: Vec<&String> = said.map(|(_, error)| error).collect();
        let text = references.find(container, entry).unwrap();
        for error in errors(text.section("Errors")) {
            if !said.iter().any(|said| fits(&filled(&error), said)) {
                failures.push(format!("{name}: {error}"));
            }
        }
    }
    assert!(failures.is_empty(), "add cases of them: {failures:#?}");
}

/// The errors of a list: what stands in backquotes at the beginning of each point.
fn errors(section: &str) -> Vec<String> {
    let points = section
        .split("\n- ")
        .map(|point| point.trim_start_matches("- "));
    let points = points.map(|point| point.split_whitespace().collect::<Vec<_>>().join(" "));
    points
        .filter_map(|point| {
            let fence = if point.starts_with("``") { "``" } else { "`" };
            let rest = point.strip_prefix(fence)?;
            let (error, _) = rest.split_once(fence)?;
            Some(error.trim().to_owned())
        })
        .collect()
}

/// The text with [`ANYTHING`] in place of each `<…>`.
fn filled(text: &str) -> String {
    replaced(text, '<', '>')
}

fn replaced(text: &str, open: char, close: char) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open)
        && let Some((_, behind)) = after.split_once(close)
    {
        replaced.push_str(before);
        replaced.push_str(ANYTHING);
        rest = behind;
    }
    replaced + rest
}

/// Returns whether a text is what the pattern says, with anything in the place of [`ANYTHING`].
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split(ANYTHING);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Every text of an error that is declared, as a pattern. If the declaration leaves the text to the
/// code that makes the error, the strings in the engine's sources stand for it.
fn declared() -> Vec<String> {
    let root = root().unwrap();
    let mut declared = Vec::new();
    let mut errors = String::new();
    for path in ERRORS {
        errors.push_str(&fs::read_to_string(root.join(path)).unwrap());
    }
    read_sources(&root.join(ERRORS_OF_FAMILIES), &mut errors);
    for attribute in errors.split("#[error(").skip(1) {
        let text = strings(attribute).next().unwrap_or_default();
        let pattern = replaced(&text, '{', '}');
        let fixed = pattern.trim_start_matches("ERR ").replace(ANYTHING, "");
        if fixed.len() >= FIXED_LETTERS_MIN {
            declared.push(format!("ERR {pattern}"));
            declared.push(pattern);
        }
    }
    let mut sources = String::new();
    for folder in ["core/engine/src", "core/commands/src"] {
        read_sources(&root.join(folder), &mut sources);
    }
    for text in strings(&sources) {
        let pattern = replaced(&text, '{', '}');
        if pattern.replace(ANYTHING, "").len() >= FIXED_LETTERS_MIN {
            declared.push(format!("ERR {pattern}"));
            declared.push(pattern);
        }
    }
    declared
}

/// The strings of a source, as far as a search for quotes finds them.
fn strings(source: &str) -> impl Iterator<Item = String> {
    let lines = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| {
        let line = line.replace("\\\"", "\u{1}");
        let parts: Vec<String> = line.split('"').map(str::to_owned).collect();
        let strings = parts.into_iter().skip(1).step_by(2);
        strings.map(|string| string.replace('\u{1}', "\""))
    })
}

fn read_sources(folder: &Path, sources: &mut String) {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// Every request of the recorded cases that was answered with an error, and the error.
fn recorded() -> Vec<(Vec<String>, String)> {
    let mut recorded = Vec::new();
    for file in fs::read_dir(root().unwrap().join("tests/cases")).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            for step in case["steps"].as_array().into_iter().flatten() {
                let Some(error) = step["reply"]["error"].as_str() else {
                    continue;
                };
                let words = step["cmd"].as_array().into_iter().flatten();
                let words = words.map(|word| word.as_str().unwrap_or_default().to_owned());
                let words: Vec<String> = words.collect();
                // The sender of the request decides what it answers.
                if words.starts_with(&["DEBUG".to_owned(), "ERROR".to_owned()]) {
                    continue;
                }
                recorded.push((words, error.to_owned()));
            }
        }
    }
    assert!(!recorded.is_empty());
    recorded
}
