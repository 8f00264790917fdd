//! The reference page of the settings, and the configuration file that explains them, from their
//! rows.

use std::fmt::Write;

use engine::config::{
    DIRECTIVES, Kind, RENAME_COMMAND, SETTINGS, Setting, Settings, Standing, When,
};

use super::{cell, paragraph, words, wrapped};

pub(super) fn page() -> String {
    let given = paragraph(
        "Give a setting on the command line (`weir --port 7000`), in a configuration file with one \
         `setting value` on each line (`weir weir.conf`), or, if the last column says so, to the \
         running server by `CONFIG SET`. The last value wins, and the command line wins over the \
         file. The password may also come from the environment, as `WEIR_REQUIREPASS`, or from a \
         file that `WEIR_REQUIREPASS_FILE` names, because every user of the machine can read a \
         command line.",
    );
    let checked = paragraph(
        "`weir check-config FILE` says what a configuration file means, and what is wrong with it. \
         `CONFIG REWRITE` writes the settings of the running server into the file and keeps its \
         comments.",
    );
    let mut text = format!(
        "# Settings\n\n{given}\n\n{checked}\n\n\
         | setting | values | default | what it is | while running |\n|---|---|---|---|---|\n"
    );
    for setting in Settings::of_weir() {
        let values = values(setting.kind);
        let default = match setting.default {
            "" => "empty".to_owned(),
            default => format!("`{default}`"),
        };
        let live = match setting.when {
            When::Live | When::ByShell => "yes",
            When::Protected => "protected",
            When::AtStart => "no",
        };
        // Writing to a string cannot fail.
        writeln!(
            text,
            "| `{}` | {} | {default} | {} | {live} |",
            setting.name,
            cell(&values),
            cell(setting.doc)
        )
        .ok();
    }
    let renames = paragraph(&format!(
        "`{RENAME_COMMAND}` is no setting: it stands on a line for each command, with its name and \
         the one by which clients and scripts call it instead, or `\"\"` to disable it. It cannot \
         be changed while weir runs. Rules of users, errors, `INFO` and what is kept on the disk \
         have the names that the commands had, so a server finds its data whatever was renamed.",
    ));
    text.push_str(&format!(
        "\n## Renamed and disabled commands\n\n{renames}\n\n\
         ```text\n{RENAME_COMMAND} CONFIG \"\"\n{RENAME_COMMAND} FLUSHALL wipe-it-all\n```\n"
    ));
    let introduction = paragraph(
        "weir starts with a configuration file of Redis 8.6. These settings mean nothing here. weir \
         accepts any value that Redis takes, and logs a line for each of them that the file or the \
         command line sets.",
    );
    text.push_str(&format!(
        "\n## Settings of Redis without effect\n\n{introduction}\n\n\
         | setting | also called | why |\n|---|---|---|\n"
    ));
    let rows = |standing| {
        SETTINGS
            .iter()
            .filter(move |setting| setting.standing == standing)
    };
    for setting in rows(Standing::NoEffect) {
        text.push_str(&row(setting));
    }
    let introduction = paragraph(
        "weir accepts only their default, which does not ask for what is missing. With another \
         value weir does not start, and `CONFIG SET` answers an error.",
    );
    text.push_str(&format!(
        "\n## Settings of Redis that ask for what is not there\n\n{introduction}\n\n\
         | setting | also called | accepted | why |\n|---|---|---|---|\n"
    ));
    for setting in rows(Standing::Missing) {
        writeln!(
            text,
            "| `{}` | {} | `{}` | {} |",
            setting.name,
            alias(setting),
            default(setting),
            cell(setting.doc)
        )
        .ok();
    }
    for directive in DIRECTIVES {
        writeln!(
            text,
            "| `{}` | | no | {} |",
            directive.name, directive.reason
        )
        .ok();
    }
    text
}

/// A setting without effect as a row of its table.
fn row(setting: &Setting) -> String {
    format!(
        "| `{}` | {} | {} |\n",
        setting.name,
        alias(setting),
        cell(setting.doc)
    )
}

/// The other name of a setting, as a cell.
fn alias(setting: &Setting) -> String {
    match setting.alias {
        "" => String::new(),
        alias => format!("`{alias}`"),
    }
}

/// A default as a file says it.
fn default(setting: &Setting) -> &'static str {
    match setting.default {
        "" => "\"\"",
        default => default,
    }
}

/// What values a setting takes, in words.
fn values(kind: Kind) -> String {
    match kind {
        Kind::Integer { min, max } => bounds(min, max),
        Kind::Bytes { min, max } => format!("bytes, {}", bounds(min, max)),
        Kind::Flag => "yes, no".to_owned(),
        Kind::Choice(words) => words.join(", "),
        Kind::BytesOrPercent => "bytes, or percent followed by %".to_owned(),
        Kind::OutputLimits => "class, bytes, bytes, seconds; for each class".to_owned(),
        Kind::KeyspaceEvents => "letters".to_owned(),
        Kind::Percentiles => "shares in percent, between spaces".to_owned(),
        Kind::SavePoints => "seconds and changes, in turn".to_owned(),
        Kind::Octal { max } => format!("octal, 0 to {max:o}"),
        Kind::Addresses => "addresses".to_owned(),
        Kind::FileName => "a name".to_owned(),
        Kind::Text => "text".to_owned(),
    }
}

/// A configuration file with every setting at its default, each behind its explanation, all of them
/// comments.
pub(super) fn configuration_file() -> String {
    let mut text = String::from(
        "# Written by `cargo xtask docs`. Change the table of settings, not this file.\n#\n\
         # The configuration of weir: `weir weir.conf`. Each line is a setting and its value; lines that\n\
         # begin with # are comments. Every setting is here with its default: to change one, remove the #\n\
         # from its last line. The command line wins over this file. \"live\" settings can be changed by\n\
         # CONFIG SET while the server runs.\n",
    );
    for setting in Settings::of_weir() {
        let live = match setting.when {
            When::Live | When::ByShell => ", live",
            When::Protected => ", protected",
            When::AtStart => "",
        };
        // Writing to a string cannot fail.
        write!(
            text,
            "\n{}{}# {} {default}\n",
            comment(setting.doc),
            comment(&format!("({}{live})", values(setting.kind))),
            setting.name,
            default = default(setting),
        )
        .ok();
    }
    text
}

/// A text as lines of comment.
fn comment(text: &str) -> String {
    wrapped(&words(text), "# ", "# ") + "\n"
}

/// Bounds for a reader: without the limits of the integer type.
fn bounds(min: i64, max: i64) -> String {
    match max {
        i64::MAX => format!("{min} or more"),
        max => format!("{min} to {max}"),
    }
}
