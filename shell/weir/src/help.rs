//! `weir help`: how to call weir, for a terminal.

use engine::config::{Setting, Settings};

use crate::subcommands::{SUBCOMMANDS, Subcommand};

/// How many columns a line of help takes at most.
const COLUMNS: usize = 80;

/// What weir is, in a line.
pub(crate) const TITLE: &str = "a Redis-compatible streams server";

/// The version, with the commit where that is known.
pub(crate) fn version() -> String {
    match env!("WEIR_COMMIT") {
        "" => env!("CARGO_PKG_VERSION").to_owned(),
        commit => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
    }
}

/// Returns how to call weir, every subcommand, and every setting with its default.
pub(crate) fn general() -> String {
    let mut text = format!(
        "weir: {TITLE}\n\nusage: weir [CONFIG_FILE] [--SETTING VALUE]...\n       \
         weir SUBCOMMAND [ARGUMENT]...\n\nSubcommands:\n"
    );
    let width = SUBCOMMANDS
        .iter()
        .map(|subcommand| subcommand.usage().len())
        .max()
        .unwrap_or_default();
    for subcommand in SUBCOMMANDS {
        let usage = subcommand.usage();
        text.push_str(&format!("  {usage:width$}  {}\n", subcommand.summary));
    }
    text.push_str("\nSettings and their defaults; in a file, one `setting value` a line:\n");
    for setting in Settings::of_weir() {
        text.push_str(&format!("  --{} {}\n", setting.name, default(setting)));
        text.push_str(&wrapped(setting.doc, "        "));
    }
    text
}

/// Returns how to call a subcommand, and what it does.
pub(crate) fn of(subcommand: &Subcommand) -> String {
    let mut text = format!("usage: {}\n\n", subcommand.usage());
    text.push_str(&wrapped(&sentence(subcommand.summary), ""));
    text.push('\n');
    text.push_str(&wrapped(subcommand.detail, ""));
    text
}

/// A setting's default as it is written in a file or on a command line.
pub(crate) fn default(setting: &Setting) -> &'static str {
    match setting.default {
        "" => "\"\"",
        default => default,
    }
}

/// A summary as a sentence.
pub(crate) fn sentence(summary: &str) -> String {
    let mut letters = summary.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// A text in lines, each behind `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        if line.len() > indent.len() {
            if line.len() + 1 + word.len() > COLUMNS {
                lines.push_str(&line);
                lines.push('\n');
                indent.clone_into(&mut line);
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, general, wrapped};

    #[test]
    fn help_fits_a_terminal() {
        for line in general().lines() {
            // A default is one word or a few, and is not broken.
            assert!(line.len() <= COLUMNS || line.starts_with("  --"), "{line}");
        }
    }

    #[test]
    fn a_text_is_wrapped_at_words() {
        let text = "word ".repeat(40);
        let lines = wrapped(&text, "  ");
        assert!(lines.lines().all(|line| line.len() <= COLUMNS));
        assert!(lines.lines().all(|line| line.starts_with("  word")));
        assert_eq!(lines.split_whitespace().count(), 40);
    }
}
