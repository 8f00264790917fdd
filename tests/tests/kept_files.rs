//! Files that earlier builds of weir wrote are read, and say what they said then.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use weir_tests::client::Protocol;
use weir_tests::documents::root;
use weir_tests::kept_files::{ANSWERS, Answers, JOURNAL};
use weir_tests::peers;
use weir_tests::server::Server;

const DURABLE: &[(&str, &str)] = &[("appendonly", "yes")];

/// What each earlier build left.
fn kept() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root().join("tests/files"))? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    ensure!(!folders.is_empty(), "nothing is kept");
    Ok(folders)
}

/// Loads a copy of the data twice, from what was kept and from what is written since.
fn load(folder: &Path, put: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let answers: Answers = serde_json::from_slice(&fs::read(folder.join(ANSWERS))?)?;
    let data = tempfile::tempdir()?;
    put(data.path())?;
    for time in ["first", "second"] {
        let server = Server::start_in(&peers::weir()?, data.path(), DURABLE)?;
        let mut client = server.connect(Protocol::Resp2)?;
        let again = answers.again(&mut client)?;
        for (then, now) in [
            (&answers.looked, &again.looked),
            (&answers.repeated, &again.repeated),
        ] {
            for (then, now) in then.iter().zip(now) {
                ensure!(then == now, "the {time} time\n  then {then}\n  now  {now}");
            }
        }
        server.stop()?;
    }
    Ok(())
}

#[test]
fn journals_of_earlier_builds_are_read() {
    for folder in kept().unwrap() {
        load(&folder, |data| {
            let (from, to) = (folder.join(JOURNAL), data.join(JOURNAL));
            fs::create_dir(&to)?;
            for file in fs::read_dir(&from).with_context(|| from.display().to_string())? {
                let file = file?;
                fs::copy(file.path(), to.join(file.file_name()))?;
            }
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn snapshots_of_earlier_builds_are_read() {
    for folder in kept().unwrap() {
        load(&folder, |data| {
            fs::copy(folder.join("dump.rdb"), data.join("dump.rdb"))?;
            Ok(())
        })
        .unwrap();
    }
}
