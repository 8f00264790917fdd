//! The folder in which the snapshots of a group are kept. All nodes see it; it is no part of the
//! log service, so that a lost log is not the end.
//!
//! | file | what it is |
//! |---|---|
//! | `GROUP-SEQ.rdb` | a snapshot that counts; the last record that it has, in 20 digits |
//! | `GROUP-NODE.part` | one that a node writes, or reads back |
//! | `GROUP-NODE.read` | how far a node has read; it is alive if it has said so of late |
//!
//! Which snapshots are needed and how far the log may be trimmed is decided by
//! [`replication::Snapshots`], what is in one by [`persistence::snapshot`]. Names have no point
//! before their ending, so those of one group are not taken for those of another.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use engine::store::keyspace::Frozen;
use engine::{Engine, Now};
use persistence::snapshot::{self, KeepError, LoadError, Progress};
use replication::{NodeId, Position, Seq, Snapshots};

use crate::config::GroupName;
use crate::limits::READ_FILE_BYTES_MAX;

/// The folder of a group's snapshots, as one node sees it.
#[derive(Clone, Debug)]
pub struct SnapshotFolder {
    folder: PathBuf,
    group: GroupName,
    node: NodeId,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the snapshots of the group in {}: {source}", path.display())]
pub struct FolderError {
    /// The file or folder.
    path: PathBuf,
    source: io::Error,
}

/// A snapshot of the folder cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It cannot be opened.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is not that of its name.
    #[error("the snapshot {} says that it is of record {found}", path.display())]
    Misnamed {
        /// The file.
        path: PathBuf,
        /// The record that it says.
        found: Seq,
    },
}

impl SnapshotFolder {
    /// The folder, which must be there: a node that makes one of its own would not see those of
    /// others. Removes what this node has left unfinished in an earlier life.
    ///
    /// # Errors
    /// It is not there, or cannot be written to.
    pub fn open(
        folder: &Path,
        group: GroupName,
        node: NodeId,
    ) -> Result<SnapshotFolder, FolderError> {
        let it = SnapshotFolder {
            folder: folder.to_owned(),
            group,
            node,
        };
        if !fs::metadata(folder).map_err(failed(folder))?.is_dir() {
            return Err(failed(folder)(io::ErrorKind::NotADirectory.into()));
        }
        let part = it.part();
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&part)(error)),
            Ok(()) | Err(_) => Ok(it),
        }
    }

    /// The snapshots that count.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn snapshots(&self) -> Result<Snapshots, FolderError> {
        let names = self.names(".rdb")?;
        Ok(Snapshots::new(names.iter().filter_map(|name| {
            let is_whole = name.len() == SEQ_DIGITS;
            is_whole.then(|| name.parse().ok()).flatten().map(Seq)
        })))
    }

    /// Keeps what a follower had at a position, once it has been read back. May take long, and is
    /// called by a thread that nobody waits for. Returns the size in bytes.
    ///
    /// # Errors
    /// [`KeepError`]; the folder is as before.
    pub fn keep(
        &self,
        frozen: &Frozen,
        at: &Position,
        empty: Engine,
        now: Now,
        progress: &Progress,
    ) -> Result<u64, KeepError> {
        let (part, path) = (self.part(), self.snapshot(at.seq));
        snapshot::keep_file(frozen, at, (&part, &path), empty, now, progress)
    }

    /// Loads a snapshot into an empty engine. Returns where in the log it is.
    ///
    /// # Errors
    /// [`TakeError`]. What the engine has then is of no use.
    pub fn take(&self, seq: Seq, engine: &mut Engine, now: Now) -> Result<Position, TakeError> {
        let path = self.snapshot(seq);
        let file = File::open(&path).map_err(failed(&path))?;
        let at = snapshot::load_at(engine, &path.display().to_string(), file, now)?;
        match at.seq == seq {
            true => Ok(at),
            false => Err(TakeError::Misnamed {
                path,
                found: at.seq,
            }),
        }
    }

    /// Removes snapshots that nobody needs. To be called after the log was trimmed.
    ///
    /// # Errors
    /// The folder cannot be read, or one cannot be removed. Another node may have done it already.
    pub fn clean_up(&self) -> Result<(), FolderError> {
        for seq in self.snapshots()?.surplus() {
            let path = self.snapshot(*seq);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Says how far this node has read, and that it is alive.
    ///
    /// # Errors
    /// The file cannot be written. A torn one counts as nothing, and is written again soon.
    pub fn say_read(&self, seq: Seq) -> Result<(), FolderError> {
        let path = self.read();
        fs::write(&path, seq.0.to_string()).map_err(failed(&path))
    }

    /// How far those nodes have read that have said so within `silence` before this node did: the
    /// times of files are by one clock, that of the folder.
    ///
    /// # Errors
    /// The folder cannot be read, or this node has said nothing yet.
    pub fn live(&self, silence: Duration) -> Result<Vec<Seq>, FolderError> {
        let own = self.read();
        let now = said_at(&own).map_err(failed(&own))?;
        let nodes = self.names(".read")?;
        let files = nodes.iter().map(|node| self.path(node, ".read"));
        let live = files.filter(|path| {
            said_at(path).is_ok_and(|at| now.duration_since(at).unwrap_or_default() <= silence)
        });
        Ok(live.filter_map(|path| said(&path)).collect())
    }

    fn part(&self) -> PathBuf {
        self.path(&self.node.0.to_string(), ".part")
    }

    fn read(&self) -> PathBuf {
        self.path(&self.node.0.to_string(), ".read")
    }

    fn snapshot(&self, seq: Seq) -> PathBuf {
        self.path(&format!("{:020}", seq.0), ".rdb")
    }

    fn path(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{}-{name}{ending}", self.group))
    }

    /// The names of this group's files with an ending, without that and the group: only digits.
    fn names(&self, ending: &str) -> Result<Vec<String>, FolderError> {
        let failed = failed(&self.folder);
        let begin = format!("{}-", self.group);
        let mut names = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(failed)? {
            let name = file.map_err(failed)?.file_name();
            let name = name.to_str().and_then(|it| it.strip_prefix(&begin));
            let name = name.and_then(|it| it.strip_suffix(ending));
            let digits = name.filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
            names.extend(digits.map(str::to_owned));
        }
        Ok(names)
    }
}

/// Digits of the largest number of a record.
const SEQ_DIGITS: usize = 20;

fn said_at(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// What a node says, if it is a number.
fn said(path: &Path) -> Option<Seq> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(READ_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    text.parse().ok().map(Seq)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FolderError + Copy + '_ {
    |source| FolderError {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
