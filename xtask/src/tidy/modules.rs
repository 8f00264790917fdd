//! Every source file is part of a crate. One that no `mod` names is never compiled, and its tests
//! never run, without a word.

use std::fs;
use std::path::{Path, PathBuf};

use super::{files, root};

/// Files that cargo finds by themselves.
const ROOTS: &[&str] = &["lib.rs", "main.rs"];

/// Where the `mod` of a file may be, and the name that it has there.
fn parents(file: &Path) -> (Vec<PathBuf>, String) {
    let folder = file.parent().unwrap();
    let (folder, name) = match file.file_stem().unwrap() {
        stem if stem == "mod" => (folder.parent().unwrap(), folder.file_name().unwrap()),
        stem => (folder, stem),
    };
    let mut parents: Vec<_> = ["lib.rs", "main.rs", "mod.rs"]
        .map(|it| folder.join(it))
        .into();
    parents.push(folder.with_extension("rs"));
    (parents, name.to_string_lossy().into_owned())
}

/// Returns whether a text has `mod name;`.
fn declares(text: &str, name: &str) -> bool {
    let declaration = format!("mod {name};");
    text.lines().any(|line| {
        let line = line.trim_end();
        line.strip_suffix(&declaration)
            .is_some_and(|before| before.is_empty() || before.ends_with(' '))
    })
}

#[test]
fn every_source_file_is_in_a_module() {
    let root = root().unwrap();
    let mut missing = Vec::new();
    for file in files(root, "rs") {
        let inside = file.strip_prefix(root).unwrap();
        let folders: Vec<_> = inside.parent().unwrap().iter().collect();
        let is_found = inside.iter().next_back().is_some_and(|name| {
            let is_root = folders.last().is_some_and(|folder| *folder == "src")
                && ROOTS.iter().any(|root| name == *root);
            is_root || folders.iter().any(|folder| *folder == "bin")
        });
        if is_found || !folders.iter().any(|folder| *folder == "src") {
            continue;
        }
        let (parents, name) = parents(&file);
        let texts = parents.iter().filter_map(|it| fs::read_to_string(it).ok());
        if !texts.into_iter().any(|text| declares(&text, &name)) {
            missing.push(inside.to_owned());
        }
    }
    assert!(missing.is_empty(), "no module names {missing:?}");
}

#[test]
fn a_declaration_is_found_and_what_is_none_is_not() {
    assert!(declares("mod a;", "a") && declares("    pub(crate) mod a;\n", "a"));
    assert!(!declares("mod ba;", "a") && !declares("// mod a; is not here", "a"));
}
