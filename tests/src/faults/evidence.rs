//! What is left of a run that went wrong, for somebody to look at.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use crate::exactly_once::audit::Kept;
use crate::exactly_once::told::Told;
use crate::group::Group;

/// Ends the servers. Their folders and logs stay where they are, and beside them is what clients
/// were told and what servers showed. Returns the folder of all that.
pub(super) fn keep(folder: TempDir, group: Group, told: &Told, kept: &[Kept]) -> Result<PathBuf> {
    let folder = folder.keep();
    for (server, kept) in kept.iter().enumerate() {
        let mut file = BufWriter::new(File::create(folder.join(format!("kept-{server}")))?);
        kept.write(&mut file)?;
        file.flush()?;
    }
    let mut file = BufWriter::new(File::create(folder.join("told"))?);
    told.write(&mut file)?;
    file.flush()?;
    group.end_and_keep()?;
    Ok(folder)
}
