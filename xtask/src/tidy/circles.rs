//! Circles of files within a crate of the core: files that name one another.
//!
//! Between crates and between rooms arrows go down only. Within a folder two files may be one idea
//! in two pieces; each such circle is listed here with its reason, so that no new one comes about
//! unnoticed. The root of a crate passes on what its modules have, and a file's tests use all they
//! like, so neither counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{CORE_FLOORS, FLOORS, files};
use crate::command::root;

/// Circles that may be: the crate, the files (with all below them), and the reason.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    (
        "resp",
        &["reply", "rope"],
        "a reply ends as a rope, and a rope is sent as a reply",
    ),
    (
        "resp",
        &["inline", "request"],
        "an inline request is a form of request, with its errors",
    ),
    (
        "stream",
        &["chunk", "marks", "node"],
        "a chunk's marks say where its forms are, and nodes are made of both",
    ),
    (
        "stream",
        &["entries", "lookup", "range"],
        "a range walks over the entries that hand it out",
    ),
    (
        "stream",
        &["consumer", "pending"],
        "consumers and pending entries are ordered by one another's keys",
    ),
    (
        "values",
        &["string", "typed", "value"],
        "a value is of a type, which takes itself out of a value",
    ),
    (
        "rdb",
        &["digest", "stream", "value"],
        "the bytes and the digest of a value are those of its type, which says both",
    ),
    (
        "engine",
        &[
            "clients/channels",
            "clients/delivery",
            "clients/session",
            "clients/tracking",
            "clients/waiting",
        ],
        "a session has the wait, the channels and the tracking that it is found by, and what waits, listens or tracks is a session",
    ),
    (
        "engine",
        &["config"],
        "kinds of settings share errors and units with the table of them",
    ),
    (
        "engine",
        &[
            "store/apply",
            "store/effect",
            "store/log",
            "store/notifications",
        ],
        "an effect says what applying it does, next to its encoding, and applying logs and tells",
    ),
    (
        "engine",
        &["request"],
        "a request that a pause held back is dispatched when it ends",
    ),
    (
        "engine",
        &["recover/replay"],
        "a replay has a place in its log, which depends on who wrote that",
    ),
];

/// A file, as the path of its module.
type Module = Vec<String>;

#[test]
fn circles_of_files_in_the_core_are_few_and_have_reasons() {
    let mut unknown = Vec::new();
    let mut met = BTreeSet::new();
    for krate in &FLOORS[..CORE_FLOORS] {
        let source = root().unwrap().join("core").join(krate).join("src");
        for circle in circles(&arrows(&source)) {
            let names: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
            let is_allowed = |(of, parts, _): &&(&str, &[&str], &str)| {
                let is_in =
                    |name: &String| parts.iter().any(|part| Path::new(name).starts_with(part));
                of == krate && names.iter().all(is_in)
            };
            match ALLOWED.iter().position(|allowed| is_allowed(&allowed)) {
                Some(index) => {
                    met.insert(index);
                }
                None => unknown.push(format!("{krate}: {}", names.join(", "))),
            }
        }
    }
    assert!(unknown.is_empty(), "new circles of files: {unknown:#?}");
    let gone = (0..ALLOWED.len()).filter(|index| !met.contains(index));
    let gone: Vec<_> = gone.map(|index| ALLOWED[index]).collect();
    assert!(gone.is_empty(), "circles that are no more: {gone:#?}");
}

/// Which file of a crate names which others.
fn arrows(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut texts = BTreeMap::new();
    for file in files(source, "rs") {
        let path = file.strip_prefix(source).unwrap().with_extension("");
        let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
        let mut module: Module = parts.collect();
        if module.iter().any(|part| part == "tests") {
            continue;
        }
        if module
            .last()
            .is_some_and(|last| last == "mod" || last == "lib")
        {
            module.pop();
        }
        if !module.is_empty() {
            texts.insert(module, code(&fs::read_to_string(&file).unwrap()));
        }
    }
    let named = |(module, text): (&Module, &String)| {
        let mut found = BTreeSet::new();
        for path in paths(text) {
            let mut base = match path[0].as_str() {
                "crate" => Vec::new(),
                _ => module.clone(),
            };
            for part in &path {
                match part.as_str() {
                    "crate" | "self" => {}
                    "super" => {
                        base.pop();
                    }
                    part => {
                        base.push(part.to_owned());
                        if !texts.contains_key(&base) {
                            base.pop();
                            break;
                        }
                    }
                }
            }
            if base != *module && texts.contains_key(&base) {
                found.insert(base);
            }
        }
        (module.clone(), found)
    };
    texts.iter().map(named).collect()
}

/// Sets of files each of which leads to all the others.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = arrows
        .keys()
        .map(|from| {
            let mut reached = BTreeSet::new();
            let mut next = vec![from];
            while let Some(module) = next.pop() {
                next.extend(arrows[module].iter().filter(|to| reached.insert(*to)));
            }
            (from, reached)
        })
        .collect();
    let in_circles = reached.iter().filter(|(from, to)| to.contains(*from));
    in_circles
        .map(|(from, to)| {
            let back = to.iter().filter(|module| reached[*module].contains(*from));
            back.map(|module| (*module).clone()).collect()
        })
        .collect()
}

/// Code without comments and tests.
fn code(text: &str) -> String {
    let mut in_tests = false;
    let mut kept = String::new();
    for line in text.lines() {
        match line {
            "#[cfg(test)]" => in_tests = true,
            "}" => in_tests = false,
            _ if in_tests || line.trim_start().starts_with("//") => {}
            _ => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    kept
}

/// All paths that begin at the crate, at the file or above it, lists within them written out.
fn paths(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                write_out(&code[at..], &mut Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Writes out a path or a list of them. Returns what follows.
fn write_out<'c>(code: &'c str, before: &mut Module, found: &mut Vec<Module>) -> &'c str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([' ', '\n', ',']);
            match rest.strip_prefix('}') {
                Some(rest) => return rest,
                None if rest.is_empty() => return rest,
                None => rest = write_out(rest, before, found),
            }
        }
    }
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = code.split_at(end.unwrap_or(code.len()));
    if name.is_empty() {
        // A star, or what is no path: passed over.
        return rest.get(1..).unwrap_or_default();
    }
    before.push(name.to_owned());
    let rest = match rest.strip_prefix("::") {
        Some(rest) => write_out(rest, before, found),
        None => {
            found.push(before.clone());
            rest
        }
    };
    before.pop();
    rest
}

#[test]
fn lists_in_paths_are_written_out() {
    let code = "use crate::{a::{self, B}, c};\nlet x = super::d::e(crate::f);";
    let mut found: Vec<String> = paths(code).iter().map(|path| path.join(" ")).collect();
    found.sort();
    let expected = [
        "crate a B",
        "crate a self",
        "crate c",
        "crate f",
        "super d e",
    ];
    assert_eq!(found, expected);
}
