//! Applications as their users install them: each hands in 200 jobs, some delayed, some failing at
//! first; its worker is killed in the middle, and so is the server. Every job must be done, no
//! delayed one too early, and each that failed once more.
//!
//! `applications/README.md` says how to run one by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use weir_tests::jobs::COUNT;
use weir_tests::left_out;
use weir_tests::peers;
use weir_tests::programs::{Prepared, node_with, python_with};
use weir_tests::running::Running;
use weir_tests::server::Server;

/// How long all of it may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// When this many jobs are done, the worker is killed.
const WORKER_DIES: usize = 50;

/// When this many jobs are done, the server is killed.
const SERVER_DIES: usize = 100;

/// By how much clocks of programs may round, in seconds.
const ROUNDING: f64 = 0.05;

/// A server with default settings: on the disk before anything is acknowledged.
const DURABLE: &[(&str, &str)] = &[("appendonly", "yes")];

/// What the jobs have noted: numbers and times.
struct Notes(PathBuf);

impl Notes {
    fn read(&self, name: &str) -> Result<Vec<(u32, f64)>> {
        let Ok(text) = std::fs::read_to_string(self.0.join(name)) else {
            return Ok(Vec::new());
        };
        let line = |line: &str| {
            let (number, when) = line.split_once(' ').context("not a note")?;
            Ok((number.parse()?, when.parse()?))
        };
        text.lines().map(line).collect()
    }

    fn done(&self) -> Result<BTreeSet<u32>> {
        Ok(self.read("done")?.into_iter().map(|(n, _)| n).collect())
    }

    fn audit(&self) -> Result<()> {
        let missing: Vec<u32> = (0..COUNT)
            .filter(|number| !self.done().is_ok_and(|done| done.contains(number)))
            .collect();
        ensure!(missing.is_empty(), "never done: {missing:?}");
        let mut first = BTreeMap::new();
        for (number, when) in self.read("done")? {
            let first = first.entry(number).or_insert(when);
            *first = first.min(when);
        }
        let delayed = self.read("due")?;
        ensure!(!delayed.is_empty(), "no job was delayed");
        for (number, due) in delayed {
            let when = first.get(&number).context("it is done")?;
            ensure!(when + ROUNDING >= due, "job {number} was done too early");
        }
        let tried = self.read("tried")?;
        for number in (0..COUNT).filter(|number| number % 10 == 3) {
            let times = tried.iter().filter(|(n, _)| *n == number).count();
            ensure!(times >= 2, "job {number} was tried {times} times");
        }
        Ok(())
    }
}

/// Runs an application to its end, with a worker and the server killed on the way.
fn all_jobs_are_done(program: Prepared) -> Result<()> {
    let program = match program {
        Ok(program) => program,
        Err(why) => return left_out::note("WEIR_REQUIRE_CLIENTS", &why),
    };
    let weir = peers::weir()?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let notes = Notes(folder.path().join("notes"));
    std::fs::create_dir(&data)?;
    std::fs::create_dir(&notes.0)?;
    let mut server = Server::start_in(&weir, &data, DURABLE)?;
    let port = server.address().port().to_string();
    let start = |mode: &str| {
        let notes = notes.0.to_str().context("a folder with an odd name")?;
        let output = folder.path().join(format!("{mode}.log"));
        Running::start(same(&program), &[mode, &port, notes], &output)
    };

    let mut worker = start("work")?;
    let mut producer = start("produce")?;
    let mut to_kill = vec![SERVER_DIES, WORKER_DIES];
    let deadline = Instant::now() + PATIENCE;
    loop {
        // As a supervisor would: some workers end when the server does.
        if worker.has_ended()? {
            worker.kill()?;
            worker = start("work")?;
        }
        let done = notes.done()?.len();
        match to_kill.last() {
            Some(&WORKER_DIES) if done >= WORKER_DIES => {
                to_kill.pop();
                worker.kill()?;
                worker = start("work")?;
            }
            Some(&SERVER_DIES) if done >= SERVER_DIES => {
                to_kill.pop();
                server = server.kill_and_restart(&weir, &data, DURABLE)?;
            }
            _ => {}
        }
        if producer.is_done()? && notes.done()?.len() == COUNT as usize {
            break;
        }
        if Instant::now() > deadline {
            let (worker, producer) = (worker.said(), producer.said());
            let end = |text: String| text.chars().rev().take(4000).collect::<Vec<_>>();
            let end = |text| end(text).into_iter().rev().collect::<String>();
            bail!(
                "{done} jobs are done\nproducer: {}\nworker: {}",
                end(producer),
                end(worker)
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    ensure!(to_kill.is_empty(), "too fast to be killed");
    notes.audit()?;
    worker.kill()?;
    server.stop()
}

/// The same program, to be started once more.
fn same(program: &Command) -> Command {
    let mut command = Command::new(program.get_program());
    command.args(program.get_args());
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("applications")
        .join(name)
}

fn python(name: &str) -> Result<()> {
    python_by("requirements.txt", name)
}

fn python_by(requirements: &str, name: &str) -> Result<()> {
    all_jobs_are_done(python_with(&script(requirements), &script(name))?)
}

fn node(name: &str) -> Result<()> {
    all_jobs_are_done(node_with(&script("package.json"), &script(name))?)
}

#[test]
fn bullmq_does_all_jobs() {
    node("bullmq_jobs.js").unwrap();
}

#[test]
fn socket_io_delivers_all_messages() {
    node("socketio_jobs.js").unwrap();
}

#[test]
fn ioredis_does_all_jobs() {
    node("ioredis_jobs.js").unwrap();
}

#[test]
fn node_redis_does_all_jobs() {
    node("node_redis_jobs.js").unwrap();
}

#[test]
fn celery_does_all_jobs() {
    python("celery_jobs.py").unwrap();
}

#[test]
fn rq_does_all_jobs() {
    python("rq_jobs.py").unwrap();
}

#[test]
fn arq_does_all_jobs() {
    python_by("requirements-arq.txt", "arq_jobs.py").unwrap();
}

#[test]
fn taskiq_does_all_jobs() {
    python("taskiq_jobs.py").unwrap();
}

#[test]
fn dramatiq_does_all_jobs() {
    python("dramatiq_jobs.py").unwrap();
}

#[test]
fn huey_does_all_jobs() {
    python("huey_jobs.py").unwrap();
}

#[test]
fn redis_py_does_all_jobs() {
    python("redis_py_jobs.py").unwrap();
}

#[test]
fn redis_rs_does_all_jobs() {
    all_jobs_are_done(Ok(Command::new(env!("CARGO_BIN_EXE_redis_rs_jobs")))).unwrap();
}

#[test]
fn fred_does_all_jobs() {
    all_jobs_are_done(Ok(Command::new(env!("CARGO_BIN_EXE_fred_jobs")))).unwrap();
}
