//! The reference pages of the commands, one a family, from the command table.

use std::collections::BTreeMap;
use std::fmt::Write;

use engine::commands::all;
use engine::table::{Arg, ArgKind, Arity, Compat, Entry};

/// The text of each family's page, by the family's name.
pub(super) fn pages() -> BTreeMap<&'static str, String> {
    let mut families: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in all() {
        families
            .entry(entry.spec.group.name())
            .or_default()
            .push(entry);
    }
    families
        .into_iter()
        .map(|(family, mut entries)| {
            entries.sort_by_key(|entry| entry.spec.name);
            (family, page(family, &entries))
        })
        .collect()
}

fn page(family: &str, entries: &[&Entry]) -> String {
    let mut text = format!("# Commands: {family}\n");
    for entry in entries {
        if entry.is_container() {
            for sub in entry.subcommands {
                command(&mut text, Some(entry.spec.name), sub);
            }
            continue;
        }
        command(&mut text, None, entry);
        for sub in entry.subcommands {
            command(&mut text, Some(entry.spec.name), sub);
        }
    }
    text
}

fn command(text: &mut String, container: Option<&str>, entry: &Entry) {
    let spec = &entry.spec;
    let name = full_name(container, spec.name);
    let grammar = std::iter::once(name.clone()).chain(spec.args.iter().map(grammar));
    let grammar = grammar.collect::<Vec<_>>().join(" ");
    let mut line = |words: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        text.write_fmt(words).ok();
        text.push('\n');
    };
    line(format_args!(
        "\n## {name}\n\n    {grammar}\n\n{}\n",
        spec.summary
    ));
    line(format_args!(
        "- Since Redis {}. Cost: {}",
        spec.since,
        sentence(spec.complexity)
    ));
    let arity = match spec.arity {
        Arity::Exactly(count) => format!("exactly {count}"),
        Arity::AtLeast(count) => format!("{count} or more"),
    };
    line(format_args!("- Arguments, the name included: {arity}."));
    line(format_args!("- Flags: {}.", list(spec.flags.names())));
    line(format_args!(
        "- ACL categories: {}.",
        list(entry.acl_categories().names())
    ));
    if let Some(deprecated) = spec.deprecated {
        line(format_args!(
            "- Deprecated since Redis {}: use {}.",
            deprecated.since, deprecated.replaced_by
        ));
    }
    for (version, change) in spec.history {
        line(format_args!("- {version}: {change}"));
    }
    match spec.compat {
        Compat::Same => {}
        Compat::Differs(how) => line(format_args!("- Differs from Redis: {how}")),
    }
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

fn list(names: impl Iterator<Item = &'static str>) -> String {
    let names = names.collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        "none".to_owned()
    } else {
        names
    }
}

/// The text with a full stop behind it.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
