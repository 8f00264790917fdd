//! The reference page of the settings, and the configuration file that explains them, from their rows.

use std::fmt::Write;

use engine::config::{Kind, SETTINGS, When};

use super::cell;

pub(super) fn page() -> String {
    let mut text = String::from(
        "# Settings\n\nA setting is given on the command line (`weir --port 7000`), in a configuration file with one \
         `setting value` a line (`weir weir.conf`), or, where the last column says so, to the running server by \
         `CONFIG SET`. What is said later wins, and the command line wins over the file.\n\n\
         | setting | values | default | what it is | while running |\n|---|---|---|---|---|\n",
    );
    for setting in SETTINGS {
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
    text
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
    for setting in SETTINGS {
        let live = match setting.when {
            When::Live => ", live",
            When::AtStart => "",
        };
        let default = match setting.default {
            "" => "\"\"",
            default => default,
        };
        // Writing to a string cannot fail.
        write!(
            text,
            "\n{}{}# {} {default}\n",
            comment(setting.doc),
            comment(&format!("({}{live})", values(setting.kind))),
            setting.name,
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
