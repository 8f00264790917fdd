//! The page of formats: the tables from beside the encoders, in one place.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::paragraph;

/// Sections: a title, and the file whose head (or whole text) describes the format.
const SECTIONS: &[(&str, &str)] = &[
    (
        "The journal: groups and padding",
        "shell/journal/src/annotation.md",
    ),
    ("The journal: the manifest", "shell/journal/src/manifest.rs"),
    (
        "A replicated log: records",
        "core/replication/src/record.md",
    ),
    (
        "The journal: effects",
        "core/engine/src/store/effect/encode.rs",
    ),
    ("Snapshots and payloads: streams", "core/rdb/src/stream.rs"),
    (
        "Snapshots: what only weir knows",
        "core/rdb/src/stream/extras.rs",
    ),
    (
        "Snapshots: what waits to be appended",
        "core/rdb/src/stream/delayed.rs",
    ),
    ("In memory: a chunk of entries", "core/stream/src/chunk.rs"),
];

pub(super) fn page(root: &Path) -> Result<String> {
    let introduction = paragraph(
        "Bytes that reach a disk are described once, beside the code that writes them. This page \
         collects those descriptions. The containers are those of Redis: a folder of append-only \
         files with a manifest, a base in RDB format and increments of RESP commands. weir adds \
         lines and fields that Redis skips.",
    );
    let mut text = format!("# Formats\n\n{introduction}\n");
    for (title, path) in SECTIONS {
        let file = fs::read_to_string(root.join(path)).with_context(|| (*path).to_owned())?;
        let description = match path.ends_with(".md") {
            // It begins with a title of its own.
            true => file
                .trim_start()
                .lines()
                .skip(1)
                .map(str::to_owned)
                .collect(),
            false => head(&file),
        };
        text.push_str(&format!("\n## {title}\n\nFrom `{path}`.\n\n"));
        text.push_str(description.join("\n").trim());
        text.push('\n');
    }
    Ok(text)
}

/// What a source file says of itself, without the marks of links between items.
fn head(source: &str) -> Vec<String> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .map(|line| line.replace("[`", "`").replace("`]", "`"))
        .collect()
}
