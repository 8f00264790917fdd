//! `weir check FILE` and `weir repair FILE`: looking at a journal file, and saving what is whole in it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use journal::{Content, FileDisk, Rest};

/// Looks at a file; the report. Fails if it is damaged.
pub(crate) fn check(path: &Path) -> anyhow::Result<String> {
    let (disk, name) = open(path)?;
    let report = journal::check(&disk, &name)?;
    if let Content::Log(log) = &report.content
        && matches!(log.rest, Rest::Damaged(..))
    {
        bail!(
            "{report}; `weir repair {}` saves the whole part in a new file",
            path.display()
        );
    }
    Ok(format!("{report}\n"))
}

/// Writes the whole part of a damaged file into a new file beside it; what was done.
pub(crate) fn repair(path: &Path) -> anyhow::Result<String> {
    let (disk, name) = open(path)?;
    let repaired = journal::repair(&Arc::new(disk), &name)?;
    Ok(format!(
        "{} holds the whole part of {name}; {} bytes were left out. Put it in place of the old file, which is \
         unchanged, if you can do without them.\n",
        repaired.name, repaired.dropped_bytes,
    ))
}

fn open(path: &Path) -> anyhow::Result<(FileDisk, String)> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .context("name a file")?;
    let disk = FileDisk::open_existing(folder)
        .with_context(|| format!("cannot open the folder {}", folder.display()))?;
    Ok((disk, name.to_owned()))
}
