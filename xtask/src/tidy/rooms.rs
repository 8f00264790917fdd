//! The rooms of the engine: which may name which.

use std::collections::BTreeSet;
use std::fs;

use super::read_sources;
use crate::command::root;

/// The rooms of the engine, bottom floor first: its folders, and the files beside them. A file may
/// name what is in its own room and in those before it. `lib.rs` is the engine itself, [`ENGINE`].
const ROOMS: &[&str] = &[
    "limits",
    "error",
    "time",
    "rng",
    "glob",
    "fold",
    "address",
    "args",
    "table",
    "config",
    "users",
    "clients",
    "observe",
    "scripting",
    "topology",
    "store",
    "server",
    "command",
    ENGINE,
    "request",
    "upkeep",
    "recover",
];

/// How the rooms above it name the engine itself.
const ENGINE: &str = "Engine";

/// What else `lib.rs` declares, and the rooms above it name.
const BESIDE_ENGINE: &[&str] = &["Outcome", "Next"];

#[test]
fn arrows_between_rooms_of_the_engine_go_down_only() {
    let root = root().unwrap().join("core/engine/src");
    let mut arrows = BTreeSet::new();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if room == "lib" {
            continue;
        }
        let mut sources = String::new();
        match path.is_dir() {
            true => read_sources(&path, &mut sources),
            false => sources = fs::read_to_string(&path).unwrap(),
        }
        arrows.extend(named_in_crate(&sources).map(|named| (room.clone(), named)));
        found.insert(room);
    }
    let floor = |room: &str| {
        let room = if BESIDE_ENGINE.contains(&room) {
            ENGINE
        } else {
            room
        };
        let floor = ROOMS.iter().position(|other| *other == room);
        floor.unwrap_or_else(|| panic!("{room} is no room of the engine"))
    };
    let rooms: BTreeSet<&str> = ROOMS
        .iter()
        .copied()
        .filter(|room| *room != ENGINE)
        .collect();
    assert_eq!(
        found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        rooms
    );
    let mut up = arrows
        .iter()
        .filter(|(room, named)| floor(named) > floor(room));
    let up: Vec<_> = up.by_ref().collect();
    assert!(up.is_empty(), "these name a room above their own: {up:?}");
    assert!(arrows.len() > rooms.len(), "too few arrows were found");
}

/// What code names directly below the root of its crate; comments and tests are passed over.
fn named_in_crate(sources: &str) -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    let mut in_tests = false;
    for line in sources.lines() {
        in_tests = match line {
            "#[cfg(test)]" => true,
            "}" => false,
            _ => in_tests,
        };
        let code = line.trim_start();
        if in_tests || code.starts_with("//") {
            continue;
        }
        for (at, _) in code.match_indices("crate::") {
            let named = &code[at + "crate::".len()..];
            match named.strip_prefix('{') {
                Some(list) => names.extend(list.split([',', '}']).map(first_name)),
                None => names.push(first_name(named)),
            }
        }
    }
    names.into_iter().filter(|name| !name.is_empty())
}

/// The identifier that a text begins with.
fn first_name(text: &str) -> String {
    let letters = text.trim_start().chars();
    letters
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}
