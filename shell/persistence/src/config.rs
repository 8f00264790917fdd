//! How data is kept, as the settings say: read by name once, here.

use std::path::{Path, PathBuf};

use engine::config::Settings;
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
    /// What the settings mean, with files in the folder that they name (`dir`).
    pub fn resolve(settings: &Settings) -> Config {
        Config::resolve_in(Path::new(settings.text("dir")), settings)
    }

    /// What the settings mean, with files in this folder.
    pub fn resolve_in(dir: &Path, settings: &Settings) -> Config {
        Config {
            journalling: settings.flag("appendonly"),
            folder: dir.join(settings.text("appenddirname")),
            stem: settings.text("appendfilename").to_owned(),
            policy: match settings.text("appendfsync") {
                "always" => SyncPolicy::Always,
                "everysec" => SyncPolicy::EverySecond,
                "no" => SyncPolicy::Never,
                word => panic!("no policy is called {word}"),
            },
            torn_tail: match settings.flag("aof-load-truncated") {
                true => TornTail::Cut,
                false => TornTail::Refuse,
            },
            reserve_bytes: settings.number("aof-reserve-size"),
            snapshot: dir.join(settings.text("dbfilename")),
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::config::Kind;

    use super::*;

    #[test]
    fn each_word_of_appendfsync_names_a_policy_of_its_own() {
        let mut settings = Settings::default();
        assert_eq!(Config::resolve(&settings).policy, SyncPolicy::Always);
        let Some(Kind::Choice(words)) = settings.row("appendfsync").map(|row| row.kind) else {
            unreachable!("it is a choice");
        };
        let mut policies = Vec::new();
        for word in words {
            settings.set("appendfsync", word).unwrap();
            policies.push(Config::resolve(&settings).policy);
        }
        policies.dedup();
        assert_eq!(policies.len(), 3);
    }

    #[test]
    #[should_panic(expected = "no setting is called apendonly")]
    fn a_misspelt_name_is_no_default() {
        Settings::default().flag("apendonly");
    }
}
