//! Servers that share a log make snapshots, trim the log behind them, and begin with one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use weir_tests::audit::until;
use weir_tests::group::{Group, NAME, SERVERS};
use weir_tests::peers::weir;
use weir_tests::value::Value;

/// After how many records there is a snapshot.
const RECORDS: usize = 100;

/// A group, where its snapshots are, and how many entries its stream has.
struct Run {
    group: Group,
    snapshots: PathBuf,
    count: usize,
    _folder: TempDir,
}

impl Run {
    /// `None` if this machine has no NATS servers.
    fn start() -> Result<Option<Run>> {
        let folder = tempfile::tempdir()?;
        let snapshots = folder.path().join("snapshots");
        fs::create_dir(&snapshots)?;
        let settings = vec![
            ("--log-snapshots", snapshots.display().to_string()),
            ("--log-snapshot-records", RECORDS.to_string()),
        ];
        let group = Group::start_with(&weir()?, settings)?;
        Ok(group.map(|group| Run {
            group,
            snapshots,
            count: 0,
            _folder: folder,
        }))
    }

    /// Appends entries, each in a record of its own, until this is so.
    fn append_until(
        &mut self,
        what: &str,
        mut is_so: impl FnMut(&Run) -> Result<bool>,
    ) -> Result<()> {
        let mut client = self.group.client(self.group.leader()?)?;
        until(what, || {
            for _ in 0..20 {
                let number = (self.count + 1).to_string();
                let told = client.command(&["XADD", "s", "*", "n", &number])?;
                ensure!(matches!(told, Value::Bulk(_)), "not appended: {told}");
                self.count += 1;
            }
            is_so(self)
        })
    }

    /// The first record that the log still has.
    fn first(&self) -> Result<u64> {
        self.group.nats.first(&format!("weir-{NAME}"))
    }

    /// A follower that is not `other`.
    fn follower(&self, other: Option<usize>) -> Result<usize> {
        let leader = self.group.leader()?;
        let mut followers = (0..SERVERS).filter(|it| *it != leader && Some(*it) != other);
        followers.next().context("no follower")
    }

    /// Lets others take a server for one that has been silent for long.
    fn forget(&self, server: usize) -> Result<()> {
        let file = format!("{NAME}-{}.read", self.group.node(server)?);
        Ok(fs::remove_file(self.snapshots.join(file))?)
    }

    /// Which snapshots count, the oldest first.
    fn found(&self) -> Result<Vec<PathBuf>> {
        let files = fs::read_dir(&self.snapshots)?;
        let files = files
            .map(|file| Ok(file?.path()))
            .collect::<Result<Vec<_>>>()?;
        let is_snapshot = |file: &PathBuf| file.extension().is_some_and(|it| it == "rdb");
        let mut found: Vec<_> = files.into_iter().filter(is_snapshot).collect();
        found.sort();
        Ok(found)
    }

    /// Every server shows everything, once and in order.
    fn check(&self) -> Result<()> {
        let expected: Vec<usize> = (1..=self.count).collect();
        for server in 0..SERVERS {
            let found = self.group.numbers(server, "s", self.count)?;
            ensure!(
                found == expected,
                "server {server} shows {} entries",
                found.len()
            );
        }
        Ok(())
    }
}

#[test]
fn who_was_away_who_was_left_behind_and_who_is_new_begins_with_a_snapshot() -> Result<()> {
    let Some(mut run) = Run::start()? else {
        return Ok(());
    };
    let away = run.follower(None)?;
    run.append_until("a first entry", |_| Ok(true))?;
    run.group.numbers(away, "s", run.count)?;
    run.group.kill(away)?;
    let had = run.count;
    until("the server has been looked for", || {
        Ok(run.forget(away).is_ok())
    })?;
    let last_of_away = u64::try_from(had + 20)?;
    run.append_until("the log is trimmed", |run| Ok(run.first()? > last_of_away))?;
    run.group.start_server(away)?;
    run.group.numbers(away, "s", run.count)?;
    ensure!(run.group.log(away).contains("loaded a snapshot"));

    // One that does not notice that the log goes on.
    let paused = run.follower(Some(away))?;
    run.group.pause(paused)?;
    run.forget(paused)?;
    let all = u64::try_from(run.count)? + 20;
    run.append_until("the log is trimmed", |run| Ok(run.first()? > all))?;
    run.group.signal(paused, Signal::SIGCONT)?;
    run.group.numbers(paused, "s", run.count)?;
    ensure!(run.group.log(paused).contains("this node was left behind"));

    let new = run.follower(None)?;
    run.group.kill(new)?;
    run.group.empty(new)?;
    run.group.start_server(new)?;
    run.append_until("more entries", |_| Ok(true))?;
    // None of them has read which server began to lead.
    let leader = run.group.address(run.group.leader()?)?.port().to_string();
    for server in [away, paused, new] {
        until("a server knows who leads", || {
            let mut client = run.group.client(server)?;
            let told = client.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])?;
            let told = told.elements().and_then(|told| told.get(1)?.as_bytes());
            Ok(told == Some(leader.as_bytes()))
        })?;
    }
    run.check()?;
    // The leader's own state has all of it, too, when it comes back as a follower.
    let leader = run.group.leader()?;
    run.group.kill(leader)?;
    run.append_until("another one leads", |_| Ok(true))?;
    run.group.start_server(leader)?;
    run.check()?;
    ensure!((2..=3).contains(&run.found()?.len()));
    Ok(())
}

#[test]
fn a_damaged_snapshot_is_not_used_and_a_place_that_fails_ends_nothing() -> Result<()> {
    let Some(mut run) = Run::start()? else {
        return Ok(());
    };
    run.append_until("two snapshots", |run| Ok(run.found()?.len() >= 2))?;
    let server = run.follower(None)?;
    run.group.kill(server)?;
    run.group.empty(server)?;
    damage(run.found()?.last().context("no snapshot")?)?;
    run.group.start_server(server)?;
    run.check()?;
    let log = run.group.log(server);
    ensure!(log.contains("a snapshot of the group is not used"), "{log}");
    ensure!(log.contains("loaded a snapshot of the group"), "{log}");

    // The place is gone, and comes back.
    let elsewhere = run.snapshots.with_extension("elsewhere");
    fs::rename(&run.snapshots, &elsewhere)?;
    let status = |run: &Run, server| {
        let status = run.group.info(server, "group", "group_snapshot_status")?;
        status.context("INFO does not tell of snapshots")
    };
    run.append_until("all say so", |run| {
        let mut all = (0..SERVERS).map(|server| status(run, server));
        all.try_fold(true, |so, it| Ok(so && it? == "err"))
    })?;
    fs::rename(&elsewhere, &run.snapshots)?;
    let newest = run.found()?.last().cloned();
    run.append_until("a newer snapshot", |run| {
        Ok(run.found()?.last().cloned() > newest)
    })?;
    run.append_until("all is well", |run| {
        let mut all = (0..SERVERS).map(|server| status(run, server));
        all.try_fold(true, |so, it| Ok(so && it? == "ok"))
    })?;
    run.check()
}

/// Changes a bit in the middle of a file.
fn damage(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(fs::write(path, bytes)?)
}
