//! The file in which a node keeps who it is, and how much of the log it has seen.
//!
//! The number names the node for ever. The mark is why a log that has lost its end is noticed
//! (`docs/replication.md`): it is kept from time to time, so an old one may be there after a crash,
//! which only notices less. Three lines of text:
//!
//! ```text
//! group NAME
//! node NUMBER
//! mark SEQUENCE LSN CHAIN
//! ```

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cluster::GroupName;
use engine::Lsn;
use replication::{Chain, Mark, NodeId, Seq};

/// Why a node does not know who it is.
#[derive(Debug, thiserror::Error)]
pub enum NodeFileError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file says something else than it must.
    #[error(
        "{} is not what a node keeps of itself: restore it from a copy. Without it this node would \
         not notice that the log has lost something; if nothing was lost, remove the file",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The folder is that of a node of another group.
    #[error(
        "{} is of a node of the group {found}: use another folder (dir) for each group",
        path.display()
    )]
    OtherGroup {
        /// The file.
        path: PathBuf,
        /// The group that it names.
        found: String,
    },
}

/// What a node keeps of itself.
#[derive(Debug)]
pub(super) struct NodeFile {
    path: PathBuf,
    group: String,
    id: NodeId,
    mark: Option<Mark>,
}

impl NodeFile {
    /// Reads the file, or makes it with a new number.
    ///
    /// # Errors
    /// [`NodeFileError`]
    pub(super) fn open(path: &Path, group: &GroupName) -> Result<NodeFile, NodeFileError> {
        let system = |source| NodeFileError::System {
            path: path.to_owned(),
            source,
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = NodeFile {
                    path: path.to_owned(),
                    group: group.to_string(),
                    id: super::new_id().map_err(system)?,
                    mark: None,
                };
                file.write().map_err(system)?;
                return Ok(file);
            }
            Err(error) => return Err(system(error)),
        };
        let damaged = || NodeFileError::Damaged {
            path: path.to_owned(),
        };
        let (found, id, mark) = parse(&text).ok_or_else(damaged)?;
        if found != group.to_string() {
            return Err(NodeFileError::OtherGroup {
                path: path.to_owned(),
                found: found.to_owned(),
            });
        }
        Ok(NodeFile {
            path: path.to_owned(),
            group: found.to_owned(),
            id,
            mark,
        })
    }

    /// The node's number.
    pub(super) fn id(&self) -> NodeId {
        self.id
    }

    /// What was last kept of the log.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Keeps a mark, unless it is there already.
    ///
    /// # Errors
    /// What the system says; the mark that was there before stays.
    pub(super) fn keep(&mut self, mark: Mark) -> io::Result<()> {
        let before = self.mark.replace(mark);
        if before == self.mark || mark == Mark::default() {
            return Ok(());
        }
        self.write().inspect_err(|_| self.mark = before)
    }

    fn write(&self) -> io::Result<()> {
        let mut text = format!("group {}\nnode {}\n", self.group, self.id.0);
        if let Some(Mark { seq, lsn, chain }) = self.mark {
            let mut digits = String::new();
            for byte in chain.as_bytes() {
                // A string takes everything.
                write!(digits, "{byte:02x}").ok();
            }
            text.push_str(&format!("mark {seq} {lsn} {digits}\n"));
        }
        let new = self.path.with_extension("new");
        let mut file = fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.path)?;
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Group, number and mark.
fn parse(text: &str) -> Option<(&str, NodeId, Option<Mark>)> {
    let mut lines = text.lines();
    let group = lines.next()?.strip_prefix("group ")?;
    let id = lines.next()?.strip_prefix("node ")?.parse().ok()?;
    let mark = match lines.next() {
        None => None,
        Some(line) => {
            let mut words = line.strip_prefix("mark ")?.split(' ');
            let mark = Mark {
                seq: Seq(words.next()?.parse().ok()?),
                lsn: Lsn::new(words.next()?.parse().ok()?),
                chain: Chain::from_bytes(chain(words.next()?)?),
            };
            words.next().is_none().then_some(mark)?;
            Some(mark)
        }
    };
    lines.next().is_none().then_some((group, NodeId(id), mark))
}

fn chain(digits: &str) -> Option<[u8; Chain::BYTES]> {
    let digits = digits.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != Chain::BYTES {
        return None;
    }
    let mut bytes = [0; Chain::BYTES];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let pair = str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_number_and_what_it_has_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node");
        let group = GroupName::parse("orders").unwrap();
        let mut first = NodeFile::open(&path, &group).unwrap();
        assert_eq!(first.mark(), None);
        let mark = Mark {
            seq: Seq(70),
            lsn: Lsn::new(12),
            chain: Chain::after(b"a record"),
        };
        first.keep(mark).unwrap();
        let again = NodeFile::open(&path, &group).unwrap();
        assert_eq!((again.id(), again.mark()), (first.id(), Some(mark)));
        let other = NodeFile::open(&path, &GroupName::parse("others").unwrap());
        assert!(matches!(other, Err(NodeFileError::OtherGroup { .. })));
        let fresh = NodeFile::open(&folder.path().join("other"), &group).unwrap();
        assert_ne!(fresh.id(), first.id());
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node");
        let group = GroupName::parse("g").unwrap();
        let zeros = "0".repeat(64);
        for good in ["", &format!("mark 1 2 {zeros}\n")] {
            fs::write(&path, format!("group g\nnode 5\n{good}")).unwrap();
            assert_eq!(NodeFile::open(&path, &group).unwrap().id(), NodeId(5));
        }
        for bad in [
            "".to_owned(),
            "group g\n".to_owned(),
            "group g\nnode x\n".to_owned(),
            format!("group g\nnode 5\nmark 1 {zeros}\n"),
            format!("group g\nnode 5\nmark 1 2 {zeros}0\n"),
            format!("group g\nnode 5\nmark 1 2 {}g\n", &zeros[1..]),
            format!("group g\nnode 5\nmark 1 2 {zeros} 3\n"),
            format!("group g\nnode 5\nmark 1 2 {zeros}\nmore\n"),
        ] {
            fs::write(&path, &bad).unwrap();
            let opened = NodeFile::open(&path, &group);
            assert!(
                matches!(opened, Err(NodeFileError::Damaged { .. })),
                "{bad}"
            );
        }
    }
}
