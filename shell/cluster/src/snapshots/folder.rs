//! A folder in which the snapshots of a group are kept, such as one on a file server.
//!
//! | file | what it is |
//! |---|---|
//! | `GROUP-SEQ.rdb` | a snapshot that counts; the last record that it has, in 20 digits |
//! | `GROUP-NODE.part` | one that a node writes, or reads back |
//! | `GROUP-NODE.read` | how far a node has read; it is alive if it has said so of late |
//!
//! Names have no point before their ending, so those of one group are not taken for those of
//! another. The folder is never made: a node that makes one of its own would not see what others
//! keep.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use engine::store::keyspace::Frozen;
use engine::{Engine, Now};
use persistence::snapshot::{self, KeepError, Progress};
use replication::{NodeId, Position, Seq, Snapshots};

use super::{SnapshotStore, StoreError, TakeError, as_named};
use crate::config::GroupName;
use crate::limits::READ_FILE_BYTES_MAX;

/// The folder of a group's snapshots, as one node sees it.
#[derive(Clone, Debug)]
pub struct SnapshotFolder {
    folder: PathBuf,
    group: GroupName,
    node: NodeId,
}

impl SnapshotFolder {
    /// The folder, as this node sees it. It may be out of reach at the moment: each call finds out
    /// by itself.
    pub fn new(folder: &Path, group: GroupName, node: NodeId) -> SnapshotFolder {
        SnapshotFolder {
            folder: folder.to_owned(),
            group,
            node,
        }
    }

    /// Removes what this node has left unfinished in an earlier life.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_unfinished(&self) -> Result<(), StoreError> {
        remove(&self.part())
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
    fn names(&self, ending: &str) -> Result<Vec<String>, StoreError> {
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

impl SnapshotStore for SnapshotFolder {
    fn snapshots(&self) -> Result<Snapshots, StoreError> {
        let names = self.names(".rdb")?;
        Ok(Snapshots::new(names.iter().filter_map(|name| {
            let is_whole = name.len() == SEQ_DIGITS;
            is_whole.then(|| name.parse().ok()).flatten().map(Seq)
        })))
    }

    fn keep(
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

    fn take(&self, seq: Seq, engine: &mut Engine, now: Now) -> Result<Position, TakeError> {
        let path = self.snapshot(seq);
        let name = path.display().to_string();
        let file = File::open(&path).map_err(failed(&path))?;
        let found = snapshot::load_at(engine, &name, file, now)?;
        as_named(name, seq, found)
    }

    fn position(&self, seq: Seq) -> Result<Position, TakeError> {
        let path = self.snapshot(seq);
        let name = path.display().to_string();
        let file = File::open(&path).map_err(failed(&path))?;
        let found = snapshot::position_of(&name, file)?;
        as_named(name, seq, found)
    }

    fn clean_up(&self) -> Result<(), StoreError> {
        for seq in self.snapshots()?.surplus() {
            remove(&self.snapshot(*seq))?;
        }
        Ok(())
    }

    fn say_read(&self, seq: Seq) -> Result<(), StoreError> {
        let path = self.read();
        fs::write(&path, seq.0.to_string()).map_err(failed(&path))
    }

    fn live(&self, silence: Duration) -> Result<Vec<(NodeId, Seq)>, StoreError> {
        let own = self.read();
        let now = said_at(&own).map_err(failed(&own))?;
        let nodes = self.names(".read")?.into_iter().filter_map(|node| {
            let path = self.path(&node, ".read");
            let at = said_at(&path).ok()?;
            let is_live = now.duration_since(at).unwrap_or_default() <= silence;
            let seq = said(&path).filter(|_| is_live)?;
            Some((NodeId(node.parse().ok()?), seq))
        });
        Ok(nodes.collect())
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

fn failed(path: &Path) -> impl Fn(io::Error) -> StoreError + Copy + '_ {
    |source| StoreError {
        place: path.display().to_string(),
        source,
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
