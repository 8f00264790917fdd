//! A folder that is copied while the server writes, as `docs/guides/operating.md` says, has
//! everything that was acknowledged before.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use anyhow::{Result, ensure};
use weir_tests::client::Protocol;
use weir_tests::peers;
use weir_tests::server::Server;
use weir_tests::value::Value;

/// How often a copy may meet a write before the test gives up.
const ATTEMPTS_MAX: usize = 20;

const COPIES: usize = 5;

const SETTINGS: &[(&str, &str)] = &[("appendonly", "yes")];

/// Copies the journal; whether `weir check` calls the copy whole.
fn copy(weir: &Path, from: &Path, to: &Path) -> Result<bool> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    let checked = Command::new(weir).arg("check").arg(to).output()?;
    Ok(checked.status.success())
}

#[test]
fn a_copy_of_a_live_journal_has_what_was_acknowledged_before() {
    let weir = peers::weir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    fs::create_dir(&live).unwrap();
    let server = Server::start_in(&weir, &live, SETTINGS).unwrap();
    let mut admin = server.connect(Protocol::Resp2).unwrap();
    let set = ["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"];
    assert_eq!(
        admin.command(&set).unwrap(),
        Value::Simple(b"OK".to_vec()),
        "no rewrites"
    );
    let (acknowledged, stop) = (AtomicI64::new(0), AtomicBool::new(false));
    let append = || -> Result<()> {
        let mut client = server.connect(Protocol::Resp2)?;
        while !stop.load(Ordering::Relaxed) {
            let reply = client.command(&["XADD", "s", "*", "f", &"v".repeat(300)])?;
            ensure!(matches!(reply, Value::Bulk(_)), "{reply:?}");
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let look = || -> Result<()> {
        for number in 0..COPIES {
            let before = acknowledged.load(Ordering::Relaxed);
            while acknowledged.load(Ordering::Relaxed) < before + 50 {
                thread::yield_now();
            }
            let mut attempts = 0..ATTEMPTS_MAX;
            let (told, data) = loop {
                let Some(attempt) = attempts.next() else {
                    anyhow::bail!("each of {ATTEMPTS_MAX} copies met a write");
                };
                let told = acknowledged.load(Ordering::Relaxed);
                let data = folder.path().join(format!("copy-{number}-{attempt}"));
                let journal = data.join("appendonlydir");
                if copy(&weir, &live.join("appendonlydir"), &journal)? {
                    break (told, data);
                }
            };
            let restored = Server::start_in(&weir, &data, SETTINGS)?;
            let mut client = restored.connect(Protocol::Resp2)?;
            let length = client.command(&["XLEN", "s"])?;
            ensure!(
                matches!(length, Value::Int(length) if length >= told),
                "{length:?} of {told}"
            );
        }
        Ok(())
    };
    let (appended, looked) = thread::scope(|scope| {
        let append = scope.spawn(append);
        let looked = look();
        stop.store(true, Ordering::Relaxed);
        (append.join().unwrap(), looked)
    });
    looked.unwrap();
    appended.unwrap();
}
