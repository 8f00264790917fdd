//! The programs in `examples/` that use what only weir has: every line, order and job is accounted
//! for, whoever is killed in the middle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use weir_tests::audit::{field, length, until};
use weir_tests::client::{Client, Protocol};
use weir_tests::documents::root;
use weir_tests::left_out;
use weir_tests::peers;
use weir_tests::programs::{Prepared, python_program, run, typescript_program};
use weir_tests::running::Running;
use weir_tests::server::Server;

/// How one of the programs is started.
type Program = fn(&str) -> Result<Prepared>;

const LINES: usize = 2000;
const ORDERS: usize = 200;
/// Every such order is of something that has no price at first.
const UNPRICED_EACH: usize = 20;
const JOBS: usize = 30;
/// For one job less than this many attempts, the service is down.
const ATTEMPTS: usize = 3;

/// How often it is tried to kill a producer before it is done, which a fast one may be first.
const RUNS: usize = 10;

/// A server, and the programs of one language beside it.
struct Stage {
    server: Server,
    client: Client,
    folder: tempfile::TempDir,
    program: Program,
}

impl Stage {
    /// Nothing on a machine without the language.
    fn set(program: Program) -> Result<Option<Stage>> {
        if let Err(why) = program("redrive")? {
            left_out::note("WEIR_REQUIRE_CLIENTS", &why)?;
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        let server = Server::start_in(&peers::weir()?, &data, &[("appendonly", "yes")])?;
        let client = server.connect(Protocol::Resp2)?;
        Ok(Some(Stage {
            server,
            client,
            folder,
            program,
        }))
    }

    fn command(&self, name: &str) -> Result<Command> {
        (self.program)(name)?.map_err(anyhow::Error::msg)
    }

    /// Starts a program with these arguments behind the server's address.
    fn start(&self, name: &str, arguments: &[&str]) -> Result<Running> {
        let address = self.server.address().to_string();
        let mut all = vec![address.as_str()];
        all.extend(arguments);
        let log = self.folder.path().join(format!("{name}.log"));
        Running::start(self.command(name)?, &all, &log)
    }

    fn ask(&mut self, request: &[&str]) -> Result<String> {
        Ok(self.client.command(request)?.to_string())
    }

    /// Waits until a stream has that many entries; `who` must not fail meanwhile.
    fn reach(&mut self, stream: &str, count: usize, who: &mut Running) -> Result<()> {
        until(&format!("{count} in {stream}"), || {
            who.is_done()?;
            Ok(length(&mut self.client, stream)? >= count)
        })
        .with_context(|| who.said())
    }

    /// Waits until nothing is pending in a group.
    fn settle(&mut self, stream: &str, group: &str) -> Result<()> {
        until(&format!("nothing of {stream} is pending"), || {
            Ok(self.ask(&["XPENDING", stream, group])?.starts_with("[0,"))
        })
    }
}

/// A producer is killed twice, and begins again without any note of its own.
fn resume(program: Program) -> Result<()> {
    let Some(mut stage) = Stage::set(program)? else {
        return Ok(());
    };
    let lines: Vec<String> = (1..=LINES).map(|n| format!("sale {n}")).collect();
    let file = stage.folder.path().join("till-7");
    std::fs::write(&file, lines.join("\n") + "\n")?;
    let file = file
        .to_str()
        .context("a folder with an odd name")?
        .to_owned();
    for attempt in 0..RUNS {
        let stream = format!("sales-{attempt}");
        let mut killed = 0;
        for part in 1..=2 {
            let mut producer = stage.start("resume", &[&stream, &file])?;
            stage.reach(&stream, part * LINES / 4, &mut producer)?;
            killed += usize::from(!producer.has_ended()?);
            producer.kill()?;
        }
        let mut producer = stage.start("resume", &[&stream, &file])?;
        until("the producer is done", || producer.is_done())?;
        ensure!(
            field(&mut stage.client, &stream, "text")? == lines,
            "not each line once and in order"
        );
        if killed == 2 {
            return stage.server.stop();
        }
    }
    anyhow::bail!("in {RUNS} runs the producer was done before it could be killed")
}

/// Of two workers one is killed with orders in its hands; what cannot be priced becomes dead
/// letters, and comes back once it can.
fn pool(program: Program) -> Result<()> {
    let Some(mut stage) = Stage::set(program)? else {
        return Ok(());
    };
    stage.ask(&["SET", "price:tea", "3"])?;
    let mut ann = stage.start("worker", &["orders", "ann"])?;
    let mut numbers = BTreeSet::new();
    for number in 1..=ORDERS {
        let is_priced = !number.is_multiple_of(UNPRICED_EACH);
        let item = if is_priced { "tea" } else { "saffron" };
        let number = number.to_string();
        stage.ask(&["XADD", "orders", "*", "number", &number, "item", item])?;
        numbers.insert(number);
    }
    stage.reach("orders:done", ORDERS / 10, &mut ann)?;
    ann.kill()?;
    // As if it had been killed with these in its hands, where it had none.
    let read = "XREADGROUP GROUP workers ann COUNT 5 STREAMS orders >";
    let given = stage.ask(&read.split(' ').collect::<Vec<_>>())?;
    ensure!(given.contains("item"), "ann was too fast: {given}");
    let mut bob = stage.start("worker", &["orders", "bob"])?;
    let mut carl = stage.start("worker", &["orders", "carl"])?;
    let unpriced = ORDERS / UNPRICED_EACH;
    stage.reach("orders:done", ORDERS - unpriced, &mut bob)?;
    stage.reach("orders:dead", unpriced, &mut carl)?;
    stage.settle("orders", "workers")?;
    ensure!(length(&mut stage.client, "orders:done")? == ORDERS - unpriced);
    let reasons = field(&mut stage.client, "orders:dead", "dlq-reason")?;
    ensure!(reasons == vec!["deliveries"; unpriced], "{reasons:?}");

    stage.ask(&["SET", "price:saffron", "90"])?;
    let address = stage.server.address().to_string();
    let said = run(stage.command("redrive")?.args([&address, "orders"]))?;
    ensure!(said == format!("{unpriced} are back\n"), "{said}");
    stage.reach("orders:done", ORDERS, &mut bob)?;
    stage.settle("orders", "workers")?;
    ensure!(length(&mut stage.client, "orders:dead")? == 0);
    let done = field(&mut stage.client, "orders:done", "number")?;
    ensure!(done.len() == ORDERS, "{} results", done.len());
    ensure!(done.into_iter().collect::<BTreeSet<_>>() == numbers);
    ensure!(!bob.is_done()? && !carl.is_done()?, "a worker has stopped");
    stage.server.stop()
}

/// A caller is killed while it works on jobs of a service that is down for some of them; another
/// one, which is returned, does the rest, so that each is done once.
fn call(name: &str, stage: &mut Stage) -> Result<Running> {
    let mut ann = stage.start(name, &["jobs", "ann"])?;
    let mut jobs = BTreeSet::new();
    for number in 0..JOBS {
        let (job, down) = (format!("job {number}"), (number % ATTEMPTS).to_string());
        stage.ask(&["XADD", "jobs", "*", "job", &job, "down", &down])?;
        jobs.insert(job);
    }
    stage.reach("jobs:done", JOBS / ATTEMPTS / 2, &mut ann)?;
    ann.kill()?;
    let mut bob = stage.start(name, &["jobs", "bob"])?;
    stage.reach("jobs:done", JOBS, &mut bob)?;
    stage.settle("jobs", "callers")?;
    let done = field(&mut stage.client, "jobs:done", "job")?;
    ensure!(done.len() == JOBS, "{} results", done.len());
    ensure!(done.into_iter().collect::<BTreeSet<_>>() == jobs);
    Ok(bob)
}

/// The group repeats calls that failed, and forgets the caller that was killed.
fn backoff(program: Program) -> Result<()> {
    let Some(mut stage) = Stage::set(program)? else {
        return Ok(());
    };
    let mut bob = call("backoff", &mut stage)?;
    let tries: usize = (0..JOBS).map(|number| 1 + number % ATTEMPTS).sum();
    let mut called = 0;
    for number in 0..JOBS {
        let calls = stage.ask(&["GET", &format!("calls:job {number}")])?;
        called += calls.trim_matches('"').parse::<usize>()?;
    }
    ensure!(called >= tries, "{called} calls");
    until("ann is gone", || {
        let consumers = stage.ask(&["XINFO", "CONSUMERS", "jobs", "callers"])?;
        ensure!(consumers.contains("bob"), "{consumers}");
        Ok(!consumers.contains("ann"))
    })?;
    ensure!(!bob.is_done()?, "the caller has stopped");
    stage.server.stop()
}

/// Callers plan each retry themselves.
fn retry(program: Program) -> Result<()> {
    let Some(mut stage) = Stage::set(program)? else {
        return Ok(());
    };
    let mut bob = call("retry", &mut stage)?;
    until("no retry waits", || {
        Ok(stage.ask(&["XDELAYED", "jobs"])? == "[]")
    })?;
    // Each job once, and once more for each time that the service was down; who was killed, or
    // slow, has tried some for nothing.
    let tried = length(&mut stage.client, "jobs")?;
    let planned: usize = (0..JOBS).map(|number| 1 + number % ATTEMPTS).sum();
    ensure!(tried >= planned, "{tried} attempts");
    ensure!(!bob.is_done()?, "the caller has stopped");
    stage.server.stop()
}

fn example(folder: &str) -> PathBuf {
    root().join("examples").join(folder)
}

fn python(name: &str) -> Result<Prepared> {
    python_program(&example("python").join(format!("{name}.py")))
}

fn typescript(name: &str) -> Result<Prepared> {
    typescript_program(&example("typescript"), name)
}

fn rust(name: &str) -> Result<Prepared> {
    let program = match name {
        "resume" => env!("CARGO_BIN_EXE_resume"),
        "worker" => env!("CARGO_BIN_EXE_worker"),
        "retry" => env!("CARGO_BIN_EXE_retry"),
        "backoff" => env!("CARGO_BIN_EXE_backoff"),
        _ => env!("CARGO_BIN_EXE_redrive"),
    };
    Ok(Ok(Command::new(Path::new(program))))
}

#[test]
fn a_producer_in_python_goes_on_where_it_stood() {
    resume(python).unwrap();
}

#[test]
fn a_producer_in_typescript_goes_on_where_it_stood() {
    resume(typescript).unwrap();
}

#[test]
fn a_producer_in_rust_goes_on_where_it_stood() {
    resume(rust).unwrap();
}

#[test]
fn a_pool_in_python_works_on_each_order_once() {
    pool(python).unwrap();
}

#[test]
fn a_pool_in_typescript_works_on_each_order_once() {
    pool(typescript).unwrap();
}

#[test]
fn a_pool_in_rust_works_on_each_order_once() {
    pool(rust).unwrap();
}

#[test]
fn a_caller_in_python_tries_each_job_until_it_is_done() {
    retry(python).unwrap();
}

#[test]
fn a_caller_in_typescript_tries_each_job_until_it_is_done() {
    retry(typescript).unwrap();
}

#[test]
fn a_caller_in_rust_tries_each_job_until_it_is_done() {
    retry(rust).unwrap();
}

#[test]
fn a_group_repeats_the_calls_of_programs_in_python() {
    backoff(python).unwrap();
}

#[test]
fn a_group_repeats_the_calls_of_programs_in_typescript() {
    backoff(typescript).unwrap();
}

#[test]
fn a_group_repeats_the_calls_of_programs_in_rust() {
    backoff(rust).unwrap();
}
