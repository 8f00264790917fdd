//! The names of the files of a log: Redis' scheme, from the setting `appendfilename`.

use crate::log::SnapshotFormat;

/// Makes the names of a log's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    stem: String,
}

/// The prefix of every file that is not finished; Redis uses the same word.
const TEMPORARY: &str = "temp-";

impl Names {
    /// The names for `stem`, which Redis' setting `appendfilename` gives (`appendonly.aof` unless
    /// set).
    pub fn new(stem: &str) -> Self {
        Names {
            stem: stem.to_owned(),
        }
    }

    /// The manifest.
    pub fn manifest(&self) -> String {
        format!("{}.manifest", self.stem)
    }

    /// The increment with this number.
    pub fn increment(&self, seq: u64) -> String {
        format!("{}.{seq}.incr.aof", self.stem)
    }

    /// The base with this number.
    pub fn base(&self, seq: u64, format: SnapshotFormat) -> String {
        let ending = match format {
            SnapshotFormat::Rdb => "rdb",
            SnapshotFormat::Commands => "aof",
        };
        format!("{}.{seq}.base.{ending}", self.stem)
    }

    /// The file whose lock says who owns the directory.
    pub fn lock(&self) -> String {
        format!("{}.lock", self.stem)
    }

    /// The file that keeps room for when the disk is full.
    pub fn reserve(&self) -> String {
        format!("{}.reserve", self.stem)
    }

    /// A base in the making. Each attempt has a number, so that one that gives up late removes only
    /// its own file.
    pub fn temporary_base(&self, attempt: u64) -> String {
        format!("{TEMPORARY}{}.{attempt}.base", self.stem)
    }

    /// Returns whether a file of this name is one in the making.
    pub fn is_temporary(&self, name: &str) -> bool {
        let stem = name
            .strip_prefix(TEMPORARY)
            .and_then(|rest| rest.strip_prefix(&self.stem));
        stem.is_some_and(|rest| rest.starts_with('.'))
    }

    /// A manifest in the making.
    pub fn temporary_manifest(&self) -> String {
        format!("{TEMPORARY}{}.manifest", self.stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_redis() {
        let names = Names::new("appendonly.aof");
        assert_eq!(names.manifest(), "appendonly.aof.manifest");
        assert!(names.is_temporary(&names.temporary_base(7)));
        assert!(names.is_temporary(&names.temporary_manifest()));
        assert!(!names.is_temporary("temp-appendonly.aofs.manifest"));
        assert_eq!(names.increment(3), "appendonly.aof.3.incr.aof");
        assert_eq!(
            names.base(2, SnapshotFormat::Rdb),
            "appendonly.aof.2.base.rdb"
        );
        assert_eq!(
            names.base(2, SnapshotFormat::Commands),
            "appendonly.aof.2.base.aof"
        );
    }
}
