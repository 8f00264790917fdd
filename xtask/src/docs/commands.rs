//! The reference pages: one for each command, with its subcommands, and a list of all.
//!
//! A page is the command's row in the table woven with the text beside the command
//! ([`References`]).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use commands::all;
use engine::command::Entry;
use engine::table::{Arg, ArgKind, Arity, Compat, Flags, Spec};

use super::reference::{Reference, References, name_of};
use super::{WIDTH, cell, paragraph, words, wrapped};

/// The start of the list of all commands.
const INTRODUCTION: &str = include_str!("commands.md");

/// What a line of a grammar begins with that continues with the one before.
const CONTINUED: &str = "            ";

/// The name of the list of all commands.
const LIST: &str = "README";

/// The pages, by name.
pub(super) fn pages(root: &Path) -> Result<BTreeMap<String, String>> {
    let references = References::read(root)?;
    let mut pages = BTreeMap::new();
    for entry in all() {
        pages.insert(entry.spec.name.to_owned(), page(entry, &references)?);
    }
    pages.insert(LIST.to_owned(), list());
    Ok(pages)
}

fn list() -> String {
    let mut families: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in all() {
        let family = families.entry(entry.spec.group.name()).or_default();
        family.push(entry);
    }
    let mut text = INTRODUCTION.to_owned();
    for (family, mut entries) in families {
        entries.sort_by_key(|entry| entry.spec.name);
        text.push_str(&format!(
            "\n## {family}\n\n| command | what it does |\n|---|---|\n"
        ));
        for entry in entries {
            let name = name_of(None, entry);
            let page = format!("{}.md", entry.spec.name);
            if !entry.is_container() {
                let summary = cell(entry.spec.summary);
                text.push_str(&format!("| [{name}]({page}) | {summary} |\n"));
            }
            for sub in entry.subcommands {
                let name = name_of(Some(entry), sub);
                let anchor = name.to_ascii_lowercase().replace(' ', "-");
                let summary = cell(sub.spec.summary);
                text.push_str(&format!("| [{name}]({page}#{anchor}) | {summary} |\n"));
            }
        }
    }
    text
}

fn page(entry: &Entry, references: &References) -> Result<String> {
    let mut text = format!("# {}\n", name_of(None, entry));
    if entry.is_container() {
        text.push_str(&format!("\n{}\n", entry.spec.summary));
    } else {
        let reference = references.find(None, entry)?;
        command(&mut text, None, entry, reference, "##");
    }
    for sub in entry.subcommands {
        text.push_str(&format!("\n## {}\n", name_of(Some(entry), sub)));
        let reference = references.find(Some(entry), sub)?;
        command(&mut text, Some(entry), sub, reference, "###");
    }
    Ok(text)
}

/// Everything of a command beneath its title; `level` begins the titles of its sections.
fn command(
    text: &mut String,
    container: Option<&Entry>,
    entry: &Entry,
    reference: &Reference,
    level: &str,
) {
    let spec = &entry.spec;
    let mut parts = vec![name_of(container, entry)];
    for part in spec.args.iter().map(grammar) {
        // What does not fit on a line breaks between its words.
        match part.len() > WIDTH - CONTINUED.len() {
            true => parts.extend(part.split(' ').map(str::to_owned)),
            false => parts.push(part),
        }
    }
    let summary = spec.summary;
    let grammar = wrapped(&parts, "    ", CONTINUED);
    text.push_str(&format!("\n{summary}\n\n{grammar}\n"));
    let introduction = reference.introduction.trim_matches('\n');
    if !introduction.is_empty() {
        text.push_str(&format!("\n{introduction}\n"));
    }
    for (title, body) in &reference.sections {
        let body = body.trim_matches('\n');
        let body = match title.as_str() {
            "Errors" => with_general_errors(body, spec),
            _ => body.to_owned(),
        };
        text.push_str(&format!("\n{level} {title}\n\n{body}\n"));
    }
    text.push_str(&format!("\n{level} Facts\n\n"));
    for fact in facts(entry) {
        text.push_str(&wrapped(&words(&fact), "- ", "  "));
        text.push('\n');
    }
}

/// What a text says if a command has only the errors of any command.
const NO_ERRORS: &str = "None of its own.";

/// The errors of a command, and those that any command may have.
fn with_general_errors(body: &str, spec: &Spec) -> String {
    let mut kinds = vec!["a wrong number of arguments", "no authentication"];
    if spec.flags.has(Flags::DENY_OOM) {
        kinds.push("`maxmemory` reached");
    }
    if spec.flags.has(Flags::WRITE) {
        kinds.push("a log that cannot be written");
    }
    let kinds = kinds.join(", ");
    let link = "[any command](README.md#errors-of-any-command)";
    if body == NO_ERRORS {
        return paragraph(&format!("Only what {link} may answer: {kinds}."));
    }
    let gap = if body.starts_with("- ") { "" } else { "\n" };
    let general = words(&format!("What {link} may answer: {kinds}."));
    format!("{body}\n{gap}{}", wrapped(&general, "- ", "  "))
}

fn facts(entry: &Entry) -> Vec<String> {
    let spec = &entry.spec;
    let arity = match spec.arity {
        Arity::Exactly(count) => format!("exactly {count}"),
        Arity::AtLeast(count) => format!("{count} or more"),
    };
    let mut facts = vec![match spec.compat {
        Compat::Own => "weir's own: Redis has no such command.".to_owned(),
        Compat::Same | Compat::Differs(_) => format!("Since Redis {}.", spec.since),
    }];
    // Redis gives no cost for some commands; then the text does.
    if !spec.complexity.is_empty() {
        facts.push(format!("Cost: {}", sentence(spec.complexity)));
    }
    facts.push(format!("Arguments, the name included: {arity}."));
    facts.push(format!("Flags: {}.", names(spec.flags.names())));
    if spec.frees {
        facts.push("It only frees memory: accepted also while the disk is full.".to_owned());
    }
    let categories = names(entry.acl_categories().names());
    facts.push(format!("ACL categories: {categories}."));
    if let Some(deprecated) = spec.deprecated {
        let (since, instead) = (deprecated.since, deprecated.replaced_by);
        facts.push(format!("Deprecated since Redis {since}: use {instead}."));
    }
    for (version, change) in spec.history {
        facts.push(format!("Redis {version}: {change}"));
    }
    match spec.compat {
        Compat::Same | Compat::Own => {}
        Compat::Differs(how) => facts.push(format!("Differs from Redis: {how}")),
    }
    facts
}

/// The name as a client writes it.
pub(super) fn full_name(container: Option<&str>, name: &str) -> String {
    let name = name.to_ascii_uppercase();
    match container {
        Some(container) => format!("{} {name}", container.to_ascii_uppercase()),
        None => name,
    }
}

/// An argument in the usual notation: `[optional]`, `<one | of>`, `[again …]`.
fn grammar(arg: &Arg) -> String {
    let value = match arg.kind {
        ArgKind::PureToken if arg.token.is_empty() => "\"\"".to_owned(),
        ArgKind::PureToken => String::new(),
        ArgKind::OneOf(choices) => {
            let choices = choices.iter().map(grammar).collect::<Vec<_>>().join(" | ");
            match arg.optional && arg.token.is_empty() && !arg.multiple {
                true => choices,
                false => format!("<{choices}>"),
            }
        }
        ArgKind::Block(parts) => parts.iter().map(grammar).collect::<Vec<_>>().join(" "),
        ArgKind::String
        | ArgKind::Integer
        | ArgKind::Double
        | ArgKind::Key(_)
        | ArgKind::Pattern
        | ArgKind::KeyPattern(_)
        | ArgKind::UnixTime => arg.display.to_owned(),
    };
    let whole = match (arg.token, value.as_str()) {
        ("", value) => value.to_owned(),
        (token, "") => token.to_owned(),
        (token, value) => format!("{token} {value}"),
    };
    let again = if arg.multiple_token { &whole } else { &value };
    let whole = match arg.multiple {
        true => format!("{whole} [{again} …]"),
        false => whole,
    };
    match arg.optional {
        true => format!("[{whole}]"),
        false => whole,
    }
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    let names = names.collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        "none".to_owned()
    } else {
        names
    }
}

/// The text with a full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
