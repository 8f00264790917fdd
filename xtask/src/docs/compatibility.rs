//! The compatibility page: what differs, from the command table, and what is missing, from the list
//! that Redis gave of its commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use commands::all;
use engine::REDIS_VERSION;
use engine::command::Entry;
use engine::table::Compat;
use serde_json::Value;

use super::commands::full_name;
use super::{cell, paragraph};

/// What Redis said of its commands.
const RECORDING: &str = "tests/data/commands.json";

pub(super) fn page(root: &Path) -> Result<String> {
    let recording = fs::read_to_string(root.join(RECORDING)).context(RECORDING)?;
    let recording: Value = serde_json::from_str(&recording).context(RECORDING)?;
    let commands = recording["commands"].as_array().context("commands")?;
    let introduction = paragraph(
        "A command that weir has answers as Redis does, errors included, unless this page says \
         otherwise. A command that is missing answers `ERR unknown command`.",
    );
    let mut text = format!("# Compatibility with Redis {REDIS_VERSION}\n\n{introduction}\n");
    here(&mut text, commands)?;
    differences(&mut text)?;
    elsewhere(&mut text)?;
    missing(&mut text, commands)?;
    assumed(&mut text)?;
    Ok(text)
}

fn here(text: &mut String, commands: &[Value]) -> Result<()> {
    text.push_str("\n## What is here\n\n| family | commands | of Redis' |\n|---|---|---|\n");
    let mut families: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in all() {
        let names = families.entry(entry.spec.group.name()).or_default();
        names.push(full_name(None, entry.spec.name));
    }
    for (family, mut names) in families {
        names.sort_unstable();
        let of = commands
            .iter()
            .filter(|command| command["group"] == family)
            .count();
        writeln!(
            text,
            "| [{family}](commands/README.md#{family}) | {} | {of} |",
            names.join(", ")
        )?;
    }
    Ok(())
}

fn differences(text: &mut String) -> Result<()> {
    text.push_str("\n## What differs on purpose\n\n| command | how |\n|---|---|\n");
    let mut entries: Vec<&Entry> = all().collect();
    entries.sort_by_key(|entry| entry.spec.name);
    for entry in entries {
        let subcommands = entry.subcommands.iter();
        let rows = subcommands.map(|sub| (Some(entry.spec.name), sub));
        for (container, entry) in std::iter::once((None, entry)).chain(rows) {
            match entry.spec.compat {
                Compat::Same => {}
                Compat::Own => {
                    let name = full_name(container, entry.spec.name);
                    writeln!(text, "| {name} | It is weir's own. |")?;
                }
                Compat::Differs(how) => {
                    let name = full_name(container, entry.spec.name);
                    writeln!(text, "| {name} | {} |", cell(how))?;
                }
            }
        }
    }
    Ok(())
}

/// What differs that belongs to no command.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "HELP of all commands",
        "The words are weir's own, and subcommands stand in the order of their names.",
    ),
    (
        "`busy-reply-threshold`",
        "It counts for every command that takes long and gives the server back meanwhile: scripts, functions and DEBUG SLEEP, \
         which SCRIPT KILL and FUNCTION KILL both end. The time of a client that waits for \
         a key is up when it is up; in Redis, when the script has ended.",
    ),
    (
        "scripts and functions",
        "In a transaction a script cannot be suspended: one that takes some seconds there ends with an error. `pairs` \
         of `_G` or of a library lists nothing, and `getmetatable(_G)` is nil. A call takes up to 7,800 values of \
         `unpack`.",
    ),
    (
        "`rename-command`",
        "The old name of a renamed command is unknown. In Redis it runs for a client whose last request was that \
         command by its new name. A subcommand cannot be renamed, and weir does not start; Redis crashes.",
    ),
    (
        "`client-output-buffer-limit`",
        "Replies that refer to values count in full, as long as they are, also while they wait for the journal and \
         while they are written. Redis counts a reference only: with a limit of 50 MB it sends gigabytes of MGET.",
    ),
];

fn elsewhere(text: &mut String) -> Result<()> {
    text.push_str("\n## What differs beside commands\n\n| what | how |\n|---|---|\n");
    for (what, how) in ELSEWHERE {
        writeln!(text, "| {what} | {} |", cell(how))?;
    }
    Ok(())
}

fn missing(text: &mut String, commands: &[Value]) -> Result<()> {
    let mut here = BTreeSet::new();
    for entry in all() {
        here.insert(full_name(None, entry.spec.name));
        for sub in entry.subcommands {
            here.insert(full_name(Some(entry.spec.name), sub.spec.name));
        }
    }
    let mut families: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for command in commands {
        let family = command["group"].as_str().unwrap_or("other");
        let name = command["name"].as_str().context("a command's name")?;
        let absent = families.entry(family).or_default();
        if !here.contains(&full_name(None, name)) {
            absent.push(full_name(None, name));
            continue;
        }
        for sub in command["subcommands"].as_array().into_iter().flatten() {
            let sub = sub["name"].as_str().context("a subcommand's name")?;
            // Redis gives the whole name, `xgroup|create`.
            let sub = sub.rsplit('|').next().unwrap_or(sub);
            let name = full_name(Some(name), sub);
            if !here.contains(&name) {
                absent.push(name);
            }
        }
    }
    text.push_str("\n## What is missing\n\n| family | commands |\n|---|---|\n");
    for (family, mut names) in families {
        names.sort_unstable();
        if !names.is_empty() {
            writeln!(text, "| {family} | {} |", names.join(", "))?;
        }
    }
    writeln!(text, "\n{}", paragraph(LATER))?;
    Ok(())
}

/// What is missing that Redis 8.6.3 does not have either.
const LATER: &str = "Of what Redis 8.8 and 8.10 have beyond that, weir has INCREX, LMOVEM, BLMOVEM, XNACK, SUNIONCARD, \
     SDIFFCARD, AGGREGATE COUNT, and the later options of XREAD and XREADGROUP. Arrays are missing.";

/// What was chosen where the documentation of later commands says nothing, or contradicts itself.
const ASSUMED: &[(&str, &str)] = &[
    (
        "BLMOVEM",
        "All that is said of LMOVEM. Of those who wait for one list, the client that has waited longest is served first, of \
         those for whom it has enough; LINSERT may be what was missing. A destination of another type is an error once there is \
         enough to move.",
    ),
    (
        "INCREX",
        "An option that is there twice is a syntax error; of times of one kind the last one counts, as in SET. An infinite \
     increment is an error, as in INCRBYFLOAT, and an infinite bound is none. A time that has passed removes the key, as \
     in SET. The event is `incrby` or `incrbyfloat`, and then `expire` or `persist` if that happens. NX and XX, which \
     Valkey has, are syntax errors.",
    ),
    (
        "LMOVEM",
        "Where nothing is moved, the reply is the null array, as in LMPOP, also with COUNT: the documentation says an empty array \
         there, but tests of clients expect null. A count that is not positive is an error, as in LMPOP. The order stands behind \
         the count. Whatever moves, the events are those of one LMOVE. The journal has it as LPOP or RPOP with LPUSH or RPUSH, \
         which Redis 8.6 reads.",
    ),
];

fn assumed(text: &mut String) -> Result<()> {
    let introduction = paragraph(
        "Later commands are built by their documentation. Where that leaves something open, weir does what related \
         commands do:",
    );
    writeln!(
        text,
        "\n## What is assumed of later commands\n\n{introduction}"
    )?;
    text.push_str("\n| command | what |\n|---|---|\n");
    for (command, what) in ASSUMED {
        writeln!(text, "| {command} | {} |", cell(what))?;
    }
    Ok(())
}
