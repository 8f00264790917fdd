//! Rules of the repository that a machine can check, as tests: floors, generated pages, paths in
//! documents.

mod circles;
mod command_names;
mod modules;
mod rooms;
mod settings;
mod wildcards;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{cargo, root};
use crate::docs::{self, WIDTH};

/// The product's crates, bottom floor first. A crate may name crates before it, none behind it.
const FLOORS: &[&str] = &[
    "resp",
    "batch",
    "replication",
    "collections",
    "stream",
    "values",
    "rdb",
    "engine",
    "commands",
    "wakeup",
    "journal",
    "persistence",
    "cluster",
    "script",
    "server",
    "console",
    "weir",
];

/// How many of [`FLOORS`] are the core.
const CORE_FLOORS: usize = 9;

/// Foreign crates that the core may use: data structures and codecs without clocks, randomness or
/// I/O.
const CORE_DEPENDENCIES: &[&str] = &[
    "crc-fast",
    "foldhash",
    "hashbrown",
    "itoa",
    "lz4_flex",
    "memchr",
    "rustc_apfloat",
    "sha1_smol",
    "sha2",
    "smallvec",
    "subtle",
    "thiserror",
    "triomphe",
    "xxhash-rust",
];

/// Documents that may name only paths and types that exist.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Name endings that make a word in backquotes a path.
const ENDS_OF_PATHS: &[&str] = &[".rs", ".md", ".toml", ".json", ".jsonl", "/"];

/// The direct dependencies of each crate of the workspace, those of its tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"])
        .unwrap()
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let dependencies = packages.iter().map(|package| {
        let named = package["dependencies"].as_array().unwrap().iter();
        let named = named.filter(|dependency| dependency["kind"].is_null());
        let names = named.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        (
            package["name"].as_str().unwrap().to_owned(),
            names.collect(),
        )
    });
    dependencies.collect()
}

#[test]
fn arrows_between_crates_go_down_only() {
    let dependencies = dependencies();
    for (floor, name) in FLOORS.iter().enumerate() {
        let named = dependencies
            .get(*name)
            .unwrap_or_else(|| panic!("no crate {name}"));
        for dependency in named {
            if let Some(below) = FLOORS.iter().position(|other| other == dependency) {
                assert!(below < floor, "{name} must not name {dependency}");
            }
            assert!(
                !["sim", "weir-tests", "bench", "xtask"].contains(&dependency.as_str()),
                "{name} is part of the product and must not name {dependency}"
            );
        }
    }
    // The journal deals in numbered bytes and knows nothing of their meaning.
    for name in &FLOORS[..CORE_FLOORS] {
        assert!(
            *name == "batch" || !dependencies["journal"].contains(*name),
            "journal must not name {name}"
        );
    }
}

/// A crate that is driven without sockets must not link them: what only sockets need would creep in
/// unseen.
#[test]
fn the_simulation_links_no_sockets() {
    for name in ["persistence", "sim"] {
        let linked = linked(name);
        assert!(linked.contains("journal"), "{name} links {linked:?}");
        for crate_of_sockets in ["mio", "server", "signal-hook", "socket2"] {
            assert!(
                !linked.contains(crate_of_sockets),
                "{name} must not link {crate_of_sockets}; `cargo tree -p {name} -i \
                 {crate_of_sockets}` says why it does"
            );
        }
    }
}

/// All crates that a crate of the workspace links, those of its tests left out.
fn linked(name: &str) -> BTreeSet<String> {
    let arguments = [
        "tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}",
    ];
    let output = cargo(&arguments).unwrap().output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn the_core_stands_on_nothing_that_reaches_the_world() {
    let dependencies = dependencies();
    for name in &FLOORS[..CORE_FLOORS] {
        for dependency in &dependencies[*name] {
            assert!(
                FLOORS.contains(&dependency.as_str())
                    || CORE_DEPENDENCIES.contains(&dependency.as_str()),
                "{name} names {dependency}: is it free of clocks, chance and I/O? Then add it to the list"
            );
        }
    }
}

/// Where the types of values may be told apart by their variants: where they are listed, and where
/// their bytes are written. Everybody else asks the value, or for the one type it deals with.
const TELLS_TYPES_APART: &[&str] = &["core/values/src", "core/rdb/src/value.rs"];

#[test]
fn types_of_values_are_told_apart_where_they_are_listed() {
    let root = root().unwrap();
    let variants = variants_in("core/values/src/value.rs");
    let variants: Vec<_> = variants
        .iter()
        .map(|name| format!("Value::{name}("))
        .collect();
    assert!(variants.len() >= 2, "what are the types? {variants:?}");
    let mut failures = Vec::new();
    let folders = ["core", "shell", "sim"].map(|folder| files(&root.join(folder), "rs"));
    for path in folders.into_iter().flatten() {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(root).unwrap();
        let may = TELLS_TYPES_APART.iter().any(|may| path.starts_with(may));
        let tells = variants.iter().any(|variant| text.contains(variant));
        if tells && !may {
            failures.push(path.display().to_string());
        }
    }
    assert!(failures.is_empty(), "tell types apart: {failures:#?}");
}

/// `SortedSet` as `sorted_set`.
fn in_snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The variants of the enum that a macro in this file makes of a list.
fn variants_in(path: &str) -> Vec<String> {
    let text = fs::read_to_string(root().unwrap().join(path)).unwrap();
    let file = syn::parse_file(&text).unwrap();
    let lists = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(item) => wildcards::enum_in_macro(item.mac.tokens.clone()),
        _ => None,
    });
    let mut variants: Vec<_> = lists.map(|(_, variants)| variants).collect();
    assert_eq!(variants.len(), 1, "one list in {path}");
    variants.remove(0)
}

/// What a new type of values takes beside files of its own: a line in each of four lists, as
/// CONTRIBUTING says. So each of the lists names each type once, and nobody else names any.
#[test]
fn a_type_of_values_takes_a_line_in_each_of_four_lists() {
    const LISTS: [(&str, &str); 4] = [
        ("core/values/src/value.rs", "{Type}("),
        ("core/rdb/src/value.rs", "{Type}("),
        ("core/engine/src/store/effect.rs", "{Type}("),
        ("core/commands/src/lib.rs", "{type}::COMMANDS"),
    ];
    let root = root().unwrap();
    let types = variants_in(LISTS[0].0);
    for (path, line) in LISTS {
        let text = fs::read_to_string(root.join(path)).unwrap();
        for name in &types {
            let line = line
                .replace("{Type}", name)
                .replace("{type}", &in_snake_case(name));
            let lines = text.lines().filter(|it| it.trim_start().starts_with(&line));
            assert_eq!(lines.count(), 1, "{line} in {path}");
        }
    }
    let families = variants_in(LISTS[2].0);
    let mut told_apart = Vec::new();
    for path in files(&root.join("core/engine"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        // What happens to keys whatever they hold is no type.
        let mut families = families.iter().filter(|family| *family != "Key");
        let names = |family: &str| {
            let variant = format!("Change::{family}(");
            let mut found = text.match_indices(&variant);
            // Not of an enum whose name only ends so.
            found.any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
        };
        if families.any(|family| names(family)) {
            told_apart.push(path.display().to_string());
        }
    }
    assert!(told_apart.is_empty(), "tell types apart: {told_apart:#?}");
}

#[test]
fn generated_pages_are_fresh() {
    let stale = docs::stale().unwrap();
    assert!(stale.is_empty(), "run `cargo xtask docs`: {stale:?}");
}

#[test]
fn lines_of_documents_keep_to_the_width() {
    let mut failures = Vec::new();
    for path in files(root().unwrap(), "md") {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > WIDTH && !may_be_wide(line.trim_start()) {
                failures.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "more than {WIDTH} columns: {failures:#?}"
    );
}

#[test]
fn lines_of_comments_keep_to_the_width() {
    let mut failures = Vec::new();
    for path in files(root().unwrap(), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let comment = line.trim_start();
            let text = comment.trim_start_matches(['/', '!']).trim_start();
            if comment.starts_with("//") && line.chars().count() > WIDTH && !may_be_wide(text) {
                failures.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "more than {WIDTH} columns: {failures:#?}"
    );
}

/// Rows of tables, images, words that cannot be broken, and errors as a server answers them.
fn may_be_wide(line: &str) -> bool {
    let is_one_word = !line.trim_start_matches("- ").contains(' ');
    line.starts_with(['|', '!']) || line.starts_with("(error) ") || is_one_word
}

#[test]
fn paths_in_documents_exist() {
    let root = root().unwrap();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for word in quoted(&text) {
            if ENDS_OF_PATHS.iter().any(|end| word.ends_with(end)) && word.contains('/') {
                assert!(exists(root, word), "{document} names {word}");
            }
        }
        for target in links(&text) {
            let folder = root.join(document);
            let folder = folder.parent().unwrap();
            assert!(folder.join(target).exists(), "{document} links to {target}");
        }
    }
}

#[test]
fn tests_and_types_that_the_architecture_names_exist() {
    let root = root().unwrap();
    let mut sources = String::new();
    for folder in ["core", "shell", "sim", "tests", "bench", "xtask"] {
        read_sources(&root.join(folder), &mut sources);
    }
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    for word in quoted(&text) {
        let name = word
            .rsplit("::")
            .next()
            .unwrap()
            .split(['(', '<'])
            .next()
            .unwrap();
        let is_identifier =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let starts_upper = name.starts_with(|c: char| c.is_ascii_uppercase());
        let is_type = starts_upper && name.contains(|c: char| c.is_ascii_lowercase());
        let is_test = name.matches('_').count() >= 3;
        if is_identifier && (is_type || is_test) {
            let declared = if is_test {
                sources.contains(&format!("fn {name}("))
            } else {
                ["struct", "enum", "trait", "type"]
                    .iter()
                    .any(|kind| contains_word(&sources, &format!("{kind} {name}")))
            };
            assert!(
                declared,
                "ARCHITECTURE.md names {word}, which nothing declares"
            );
        }
    }
}

/// What is in backquotes, outside of indented blocks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.starts_with("    "));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Targets of links within the repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

/// Returns whether a path is in the repository: relative to its root, or, for short, to one of its
/// folders.
fn exists(root: &Path, path: &str) -> bool {
    path.contains(['*', '{', '<', '…'])
        || root.join(path).exists()
        || ["core", "shell", "tests"]
            .iter()
            .any(|folder| root.join(folder).join(path).exists())
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let next = text[at + word.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// The repository's files whose names end like this, without what is built or downloaded.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            files.extend(self::files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            files.push(path);
        }
    }
    files
}

fn read_sources(folder: &Path, sources: &mut String) {
    for path in files(folder, "rs") {
        sources.push_str(&fs::read_to_string(path).unwrap());
    }
}
