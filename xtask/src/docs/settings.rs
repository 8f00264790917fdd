//! The reference page of the settings, from their rows.

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
        let values = match setting.kind {
            Kind::Integer { min, max } => bounds(min, max),
            Kind::Bytes { min, max } => format!("bytes, {}", bounds(min, max)),
            Kind::Flag => "yes, no".to_owned(),
            Kind::Choice(words) => words.join(", "),
            Kind::OutputLimits => "class, bytes, bytes, seconds; for each class".to_owned(),
            Kind::SavePoints => "seconds and changes, in turn".to_owned(),
            Kind::Text => "text".to_owned(),
        };
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

/// Bounds as a reader wants them: without the ends of the integer type.
fn bounds(min: i64, max: i64) -> String {
    match max {
        i64::MAX => format!("{min} or more"),
        max => format!("{min} to {max}"),
    }
}
