//! How data is kept, as the settings say, in the types of the journal.

use std::path::PathBuf;

use engine::config::{DataConfig, Fsync, Settings, ShellConfig};
use journal::{SyncPolicy, TornTail};

/// How data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What happened goes to a journal (`appendonly`).
    pub journalling: bool,
    /// The folder of the journal (`appenddirname`).
    pub folder: PathBuf,
    /// What the names of its files begin with (`appendfilename`).
    pub stem: String,
    /// When it is synced (`appendfsync`).
    pub policy: SyncPolicy,
    /// What to do with an end that a crash tore (`aof-load-truncated`).
    pub torn_tail: TornTail,
    /// Room that is kept for when the disk is full, in bytes (`aof-reserve-size`).
    pub reserve_bytes: u64,
    /// The file of the snapshot (`dbfilename`).
    pub snapshot: PathBuf,
}

impl Config {
    /// What the settings mean.
    pub fn resolve(settings: &Settings) -> Config {
        Config::of(&ShellConfig::resolve(settings).data)
    }

    /// The same, of settings that are resolved already.
    pub fn of(data: &DataConfig) -> Config {
        Config {
            journalling: data.journalling,
            folder: data.dir.join(&data.journal_folder),
            stem: data.journal_stem.clone(),
            policy: match data.fsync {
                Fsync::Always => SyncPolicy::Always,
                Fsync::EverySecond => SyncPolicy::EverySecond,
                Fsync::Never => SyncPolicy::Never,
            },
            torn_tail: match data.cut_torn_tail {
                true => TornTail::Cut,
                false => TornTail::Refuse,
            },
            reserve_bytes: data.reserve_bytes,
            snapshot: data.dir.join(&data.snapshot),
        }
    }
}
