//! The log on disk: group commit, snapshots, recovery.
