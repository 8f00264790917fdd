//! The reference page of the settings, and the configuration file that explains them, from their rows.

use std::fmt::Write;

use engine::config::{DIRECTIVES, Kind, SETTINGS, Setting, Settings, Standing, When};

use super::cell;

pub(super) fn page() -> String {
    let mut text = String::from(
        "# Settings\n\nA setting is given on the command line (`weir --port 7000`), in a configuration file with one \
         `setting value` a line (`weir weir.conf`), or, where the last column says so, to the running server by \
         `CONFIG SET`. What is said later wins, and the command line wins over the file. The password may \
         also come from the environment, as `WEIR_REQUIREPASS`, or from a file that \
         `WEIR_REQUIREPASS_FILE` names: a command line can be read by everybody on the machine.\n\n\
         `weir check-config FILE` tells what a configuration file means, and what is wrong with it. \
         `CONFIG REWRITE` brings the file up to what the running server goes by; its comments stay.\n\n\
         | setting | values | default | what it is | while running |\n|---|---|---|---|---|\n",
    );
    for setting in Settings::of_weir() {
        let values = values(setting.kind);
        let default = match setting.default {
            "" => "empty".to_owned(),
            default => format!("`{default}`"),
        };
        let live = match setting.when {
            When::Live => "yes",
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
    text.push_str(
        "\n## Settings of Redis without effect\n\nA configuration file of Redis 8.6 starts weir. These \
         settings mean nothing here. Any value that Redis takes is accepted, and the log says so in a \
         line for each that a file or the command line sets.\n\n| setting | also called | why |\n\
         |---|---|---|\n",
    );
    let rows = |standing| {
        SETTINGS
            .iter()
            .filter(move |setting| setting.standing == standing)
    };
    for setting in rows(Standing::NoEffect) {
        text.push_str(&row(setting));
    }
    text.push_str(
        "\n## Settings of Redis that ask for what is not there\n\nOnly their default is accepted, which \
         does not ask for it. With another value weir does not start, and `CONFIG SET` answers an \
         error.\n\n| setting | also called | accepted | why |\n|---|---|---|---|\n",
    );
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
        Kind::SavePoints => "seconds and changes, in turn".to_owned(),
        Kind::Text => "text".to_owned(),
    }
}

/// A configuration file with every setting at its default, each behind its explanation, all of them
/// comments.
pub(super) fn configuration_file() -> String {
    let mut text = String::from(
        "# Written by `cargo xtask docs`. Change the table of settings, not this file.\n#\n\
         # The configuration of weir: `weir weir.conf`. Each line is a setting and its value; what begins\n\
         # with # is a comment. Every setting is here with its default: to change one, take the # from\n\
         # its last line. The command line wins over this file. \"live\" settings can be changed while\n\
         # the server runs, by CONFIG SET.\n",
    );
    for setting in Settings::of_weir() {
        let live = match setting.when {
            When::Live => ", live",
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

/// A text as lines of comment of at most 100 columns.
fn comment(text: &str) -> String {
    let mut lines = String::from("#");
    let mut columns = 1;
    for word in text.split_whitespace() {
        if columns + 1 + word.len() > 100 {
            lines.push_str("\n#");
            columns = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        columns += 1 + word.len();
    }
    lines.push('\n');
    lines
}

/// Bounds as a reader wants them: without the ends of the integer type.
fn bounds(min: i64, max: i64) -> String {
    match max {
        i64::MAX => format!("{min} or more"),
        max => format!("{min} to {max}"),
    }
}
