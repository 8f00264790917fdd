//! The log of a group, as an operator verifies it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use weir_tests::audit::until;
use weir_tests::group::{Group, NAME, SERVERS};
use weir_tests::jetstream::JetStream;
use weir_tests::peers::weir;
use weir_tests::value::Value;

/// After how many records there is a snapshot.
const RECORDS: usize = 100;

/// A group, its snapshots, and what is in its stream.
struct Run {
    group: Group,
    snapshots: PathBuf,
    count: usize,
    _folder: TempDir,
}

impl Run {
    /// `None` if this machine has no NATS servers.
    fn start(records: usize) -> Result<Option<Run>> {
        let folder = tempfile::tempdir()?;
        let snapshots = folder.path().join("snapshots");
        fs::create_dir(&snapshots)?;
        let settings = vec![
            ("--log-snapshots", snapshots.display().to_string()),
            ("--log-snapshot-records", records.to_string()),
        ];
        let group = Group::start_with(&weir()?, settings)?;
        Ok(group.map(|group| Run {
            group,
            snapshots,
            count: 0,
            _folder: folder,
        }))
    }

    /// Appends entries, each in a record of its own.
    fn append(&mut self, entries: usize) -> Result<()> {
        let mut client = self.group.client(self.group.leader()?)?;
        for _ in 0..entries {
            let number = (self.count + 1).to_string();
            let told = client.command(&["XADD", "s", "*", "n", &number])?;
            ensure!(matches!(told, Value::Bulk(_)), "not appended: {told}");
            self.count += 1;
        }
        Ok(())
    }

    /// The snapshots that count.
    fn found(&self) -> Result<Vec<PathBuf>> {
        let files = fs::read_dir(&self.snapshots)?.map(|file| Ok(file?.path()));
        let files = files.collect::<Result<Vec<_>>>()?;
        let is_one = |path: &PathBuf| path.extension().is_some_and(|it| it == "rdb");
        Ok(files.into_iter().filter(is_one).collect())
    }

    fn stop(&mut self) -> Result<()> {
        for server in 0..SERVERS {
            self.group.signal(server, Signal::SIGTERM)?;
        }
        (0..SERVERS).try_for_each(|server| self.group.wait_for_end(server))
    }

    /// Runs a task of `weir cluster` on the log. Whether it went well, and what it printed.
    fn cluster(&self, task: &str, more: &[&str]) -> Result<(bool, String)> {
        let mut command = Command::new(weir()?);
        command.args(["cluster", task]).args(more);
        let output = command.args(self.group.settings(0)?).output()?;
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        Ok((output.status.success(), printed))
    }
}

fn stream() -> String {
    format!("weir-{NAME}")
}

#[test]
fn a_log_and_its_snapshots_are_verified_while_the_group_runs_and_what_is_wrong_is_named()
-> Result<()> {
    let Some(mut run) = Run::start(RECORDS)? else {
        return Ok(());
    };
    until("two snapshots are there", || {
        run.append(20)?;
        Ok(run.found()?.len() >= 2)
    })?;
    let mut told = String::new();
    until("all is well", || {
        let (is_well, printed) = run.cluster("verify", &[])?;
        told = printed;
        Ok(is_well)
    })?;
    ensure!(
        told.contains("NATS servers and stream: as they must be\n"),
        "{told}"
    );
    ensure!(told.matches(": whole, LSN ").count() >= 2, "{told}");
    let lsn = format!(", LSN {}, ", run.count);
    let log = told
        .lines()
        .find(|line| line.starts_with("log: whole from record "));
    ensure!(log.is_some_and(|line| line.contains(&lsn)), "{told}");

    // Entries behind the newest snapshot, of whose records one gets lost.
    run.append(20)?;
    run.stop()?;
    let (jetstream, stream) = (JetStream::connect(&run.group.nats)?, stream());
    let (_, last) = jetstream.state(&stream)?;
    jetstream.tear(&stream, last - 10)?;
    let (is_well, told) = run.cluster("verify", &[])?;
    let place = format!("WRONG: log, record {}: it is missing", last - 10);
    ensure!(!is_well && told.contains(&place), "{told}");
    ensure!(
        told.contains("weir: not all is well: 1 of these lines"),
        "{told}"
    );

    // A snapshot that is damaged is another line.
    let mut found = run.found()?;
    found.sort();
    let newest = found.last().context("no snapshot")?;
    let mut bytes = fs::read(newest)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(newest, bytes)?;
    let (is_well, told) = run.cluster("verify", &[])?;
    ensure!(!is_well && told.contains(&place), "{told}");
    ensure!(told.contains("WRONG: snapshot of record "), "{told}");

    // A stream that is gone is not made again.
    jetstream.ask("DELETE", &stream, &serde_json::json!({}))?;
    let (is_well, told) = run.cluster("verify", &[])?;
    ensure!(!is_well && told.contains("stream not found"), "{told}");
    Ok(())
}
