//! A file system in memory that can be full, for a server whose disk is to be.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::left_out;

/// A file system that is there until it is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
    bytes: u64,
}

impl SmallDisk {
    /// A disk of a size that takes memory only for what is on it. None if nothing may be mounted,
    /// which takes root.
    ///
    /// # Errors
    /// When there is none although nothing may be left out.
    pub fn mount(bytes: u64) -> Result<Option<SmallDisk>> {
        let folder = tempfile::tempdir()?;
        if mount(&format!("size={bytes}"), folder.path()).is_err() {
            let why = "nothing can be mounted here, which takes root";
            left_out::note("WEIR_REQUIRE_MOUNTS", why)?;
            return Ok(None);
        }
        Ok(Some(SmallDisk { folder, bytes }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves no more room than this.
    ///
    /// # Errors
    /// When the system does not do that.
    pub fn fill(&self, all_but: u64) -> Result<()> {
        let stat = rustix::fs::statvfs(self.path())?;
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize;
        let options = format!("remount,size={}", used + all_but);
        mount(&options, self.path())
    }

    /// Copies what is on it into a folder that is not there yet.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn copy_to(&self, folder: &Path) -> Result<()> {
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.path()).arg(folder);
        let output = copy.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "copying a small disk: {said}");
        Ok(())
    }

    /// Gives it its size again.
    ///
    /// # Errors
    /// When the system does not do that.
    pub fn make_room(&self) -> Result<()> {
        mount(&format!("remount,size={}", self.bytes), self.path())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A process that still has a file there keeps it until it ends.
        let unmount = Command::new("umount").arg("-l").arg(self.path()).output();
        drop(unmount);
    }
}

fn mount(options: &str, folder: &Path) -> Result<()> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", options, "weir-test"]);
    let output = command.arg(folder).output()?;
    ensure!(
        output.status.success(),
        "mount -o {options}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
