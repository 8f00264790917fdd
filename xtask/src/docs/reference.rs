//! What is written of a command by hand: a Markdown file beside the command's own.
//!
//! `core/commands/src/stream/xadd.md` belongs to XADD, and `xgroup/create.md` beneath it to
//! XGROUP CREATE. The file has the command's name as its title, and sections: Arguments, what is
//! special about the command, Reply, Errors, Examples. Here and not in the `Spec`, because it is
//! long, reads best as Markdown, and does not belong in the server's binary.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use engine::command::Entry;
use engine::table::Group;

use super::commands::full_name;

/// Where the families' folders are.
const FOLDER: &str = "core/commands/src";

/// The texts of all commands, by path within [`FOLDER`].
#[derive(Debug)]
pub(super) struct References {
    texts: BTreeMap<String, Reference>,
}

/// The text of a command.
#[derive(Debug)]
pub(super) struct Reference {
    /// What comes before the first section.
    pub(super) introduction: String,
    /// The sections: title and text.
    pub(super) sections: Vec<(String, String)>,
}

impl References {
    /// Reads all of them.
    pub(super) fn read(root: &Path) -> Result<References> {
        let folder = root.join(FOLDER);
        let mut texts = BTreeMap::new();
        read(&folder, &folder, &mut texts)?;
        Ok(References { texts })
    }

    /// The text of a command, or of a subcommand of `container`.
    pub(super) fn find(&self, container: Option<&Entry>, entry: &Entry) -> Result<&Reference> {
        let path = path(container, entry);
        let found = self.texts.get(&path);
        found.with_context(|| format!("{FOLDER}/{path} is missing"))
    }
}

impl Reference {
    fn parse(text: &str) -> Reference {
        let mut lines = text.lines();
        lines.find(|line| line.starts_with("# "));
        let mut reference = Reference {
            introduction: String::new(),
            sections: Vec::new(),
        };
        for line in lines {
            if let Some(title) = line.strip_prefix("## ") {
                reference.sections.push((title.to_owned(), String::new()));
                continue;
            }
            let text = match reference.sections.last_mut() {
                Some((_, text)) => text,
                None => &mut reference.introduction,
            };
            text.push_str(line);
            text.push('\n');
        }
        reference
    }
}

/// Returns where the text of a command is, within [`FOLDER`].
fn path(container: Option<&Entry>, entry: &Entry) -> String {
    let folder = match entry.spec.group {
        Group::Generic => "key",
        Group::Transactions => "transaction",
        Group::SortedSet => "sorted_set",
        Group::PubSub => "channels",
        group => group.name(),
    };
    match container {
        Some(container) => format!("{folder}/{}/{}.md", container.spec.name, entry.spec.name),
        None => format!("{folder}/{}.md", entry.spec.name),
    }
}

fn read(top: &Path, folder: &Path, texts: &mut BTreeMap<String, Reference>) -> Result<()> {
    for file in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        if path.is_dir() {
            read(top, &path, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.strip_prefix(top)?.display().to_string();
            let text = fs::read_to_string(&path).with_context(|| name.clone())?;
            ensure!(text.starts_with("# "), "{name} does not begin with a title");
            texts.insert(name, Reference::parse(&text));
        }
    }
    Ok(())
}

/// The name as a client writes it.
pub(super) fn name_of(container: Option<&Entry>, entry: &Entry) -> String {
    full_name(
        container.map(|container| container.spec.name),
        entry.spec.name,
    )
}
