//! The log of a group, as an operator verifies it, and recovers it where it has lost something.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::json;
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
    folder: TempDir,
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
            folder,
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

    /// Starts the servers again, which have the first entries and no others, and go on.
    fn check_start(&mut self, entries: usize) -> Result<()> {
        for server in 0..SERVERS {
            self.group.start_server(server)?;
        }
        self.count = entries;
        let leader = self.group.leader()?;
        ensure!(self.group.numbers(leader, "s", entries)?.len() == entries);
        self.append(30)?;
        let expected: Vec<usize> = (1..=self.count).collect();
        for server in 0..SERVERS {
            let found = self.group.numbers(server, "s", self.count)?;
            ensure!(found == expected, "server {server}: {found:?}");
        }
        until("all is well", || Ok(self.cluster("verify", &[])?.0))
    }

    /// Recovers the log up to a batch; whether that went well, and what was printed.
    fn recover(&self, lsn: usize) -> Result<(bool, String)> {
        let (lsn, folder) = (lsn.to_string(), self.folder.path().display().to_string());
        self.cluster("recover", &["--confirm", &lsn, "--backup", &folder])
    }

    /// The command for a task of `weir cluster` on the log.
    fn command(&self, task: &str, more: &[&str]) -> Result<Command> {
        let mut command = Command::new(weir()?);
        command.args(["cluster", task]).args(more);
        command.args(self.group.settings(0)?);
        Ok(command)
    }

    /// Runs a task of `weir cluster` on the log. Whether it went well, and what it printed.
    fn cluster(&self, task: &str, more: &[&str]) -> Result<(bool, String)> {
        let output = self.command(task, more)?.output()?;
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
    jetstream.ask("DELETE", &stream, &json!({}))?;
    let (is_well, told) = run.cluster("verify", &[])?;
    ensure!(!is_well && told.contains("stream not found"), "{told}");
    Ok(())
}

/// The last batch that can be kept, as `weir cluster recover` says.
fn lsn_in(told: &str) -> Result<usize> {
    let line = told.lines().find(|line| line.starts_with("whole up to "));
    let rest = line.and_then(|line| line.split("LSN ").nth(1));
    let lsn = rest.and_then(|rest| rest.split(',').next());
    Ok(lsn.context("no LSN")?.parse()?)
}

#[test]
fn what_is_whole_of_a_torn_log_is_recovered_when_an_operator_confirms_what_is_lost() -> Result<()> {
    let Some(mut run) = Run::start(RECORDS)? else {
        return Ok(());
    };
    until("two snapshots are there", || {
        run.append(20)?;
        Ok(run.found()?.len() >= 2)
    })?;
    run.append(40)?;
    let (is_done, told) = run.cluster("recover", &[])?;
    ensure!(
        !is_done && told.contains("a weir of the group runs"),
        "{told}"
    );
    run.stop()?;
    let (jetstream, stream) = (JetStream::connect(&run.group.nats)?, stream());
    let (records, last) = jetstream.state(&stream)?;
    jetstream.tear(&stream, last - 20)?;

    // The servers stop, and name the place.
    run.group.start_server(0)?;
    let place = format!("cannot be trusted at record {}: it is missing", last - 20);
    until("the server stops", || Ok(run.group.log(0).contains(&place)))?;
    until("it has ended", || {
        Ok(run.group.has_ended(0).unwrap_or(true))
    })?;
    run.group.kill(0)?;

    // What would be lost is said, and nothing is changed.
    let (is_done, told) = run.cluster("recover", &[])?;
    ensure!(is_done && told.contains("Nothing was changed."), "{told}");
    ensure!(
        told.contains(&format!("WRONG: record {}: it is missing", last - 20)),
        "{told}"
    );
    ensure!(
        told.contains("GIVEN UP: 20 records that are there"),
        "{told}"
    );
    let lsn = lsn_in(&told)?;
    ensure!(
        lsn < run.count && lsn + 25 > run.count,
        "{lsn} of {}",
        run.count
    );
    let (is_done, told) = run.recover(lsn + 1)?;
    ensure!(!is_done && told.contains("Nothing was changed"), "{told}");
    ensure!(jetstream.state(&stream)? == (records - 1, last));

    let (is_done, told) = run.recover(lsn)?;
    ensure!(
        is_done && told.contains("the log begins again with record 1000000000000"),
        "{told}"
    );
    let copied = fs::metadata(run.folder.path().join(format!("{NAME}-1.records")))?.len();
    ensure!(copied > (records - 1) * (12 + 96), "{copied} bytes");
    run.check_start(lsn)
}

#[test]
fn a_lost_log_begins_again_with_the_snapshot_however_often_that_is_interrupted() -> Result<()> {
    let Some(mut run) = Run::start(RECORDS)? else {
        return Ok(());
    };
    until("a snapshot is there", || {
        run.append(20)?;
        Ok(!run.found()?.is_empty())
    })?;
    run.append(40)?;
    run.stop()?;
    let (jetstream, stream) = (JetStream::connect(&run.group.nats)?, stream());
    jetstream.ask("DELETE", &stream, &json!({}))?;
    let (is_done, told) = run.cluster("recover", &[])?;
    ensure!(
        is_done && told.contains("WRONG: there is no stream"),
        "{told}"
    );
    let lsn = lsn_in(&told)?;
    ensure!(lsn > 0 && lsn < run.count);

    // Each attempt gets a bit further; it listens for nodes first.
    let (confirmed, folder) = (lsn.to_string(), run.folder.path().display().to_string());
    let confirm = ["--confirm", &confirmed, "--backup", &folder];
    for attempt in 0..8 {
        let mut running = run.command("recover", &confirm)?.spawn()?;
        thread::sleep(Duration::from_millis(4000 + 150 * attempt));
        running.kill()?;
        running.wait()?;
    }
    // A server that is started too early makes a stream, and finds that it is not the log.
    run.group.start_server(0)?;
    run.group.kill(0)?;
    let (is_done, told) = run.recover(lsn)?;
    ensure!(
        is_done && told.contains("start the weirs of the group"),
        "{told}"
    );
    run.check_start(lsn)
}
