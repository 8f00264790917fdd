//! The jobs that every program in `applications/` does, and the notes by which they are accounted
//! for: the same as `applications/jobs.py`, for programs in Rust.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

/// How many jobs there are.
pub const COUNT: u32 = 200;

/// By how much a delayed job is put off.
pub const DELAY: Duration = Duration::from_secs(1);

/// How long a job takes.
const WORK: Duration = Duration::from_millis(20);

/// How long it is tried to hand in a job.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a program is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To hand in all jobs.
    Produce,
    /// To do them, until it is killed.
    Work,
}

/// How a program is called: `PROGRAM produce|work PORT FOLDER`.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is to be done.
    pub mode: Mode,
    /// Where the server listens.
    pub port: u16,
    /// Where the notes are.
    pub folder: PathBuf,
}

impl Call {
    /// Reads the command line.
    ///
    /// # Errors
    /// When it is not as described.
    pub fn read() -> Result<Self> {
        const USAGE: &str = "usage: produce|work PORT FOLDER";
        let mut arguments = std::env::args().skip(1);
        let mode = match arguments.next().context(USAGE)?.as_str() {
            "produce" => Mode::Produce,
            "work" => Mode::Work,
            _ => bail!(USAGE),
        };
        let port = arguments.next().context(USAGE)?.parse().context(USAGE)?;
        let folder = arguments.next().context(USAGE)?.into();
        Ok(Self { mode, port, folder })
    }

    /// Does a job. One in ten fails the first time.
    ///
    /// # Errors
    /// When it is one of them, or no note can be written.
    pub fn work(&self, number: u32) -> Result<()> {
        note(&self.folder, "tried", number, seconds_since_1970())?;
        if number % 10 == 3 {
            let marker = self.folder.join(format!("failed-{number}"));
            if File::create_new(marker).is_ok() {
                bail!("job {number} fails the first time");
            }
        }
        thread::sleep(WORK);
        note(&self.folder, "done", number, seconds_since_1970())
    }

    /// By how much this job is put off, which is noted.
    ///
    /// # Errors
    /// When no note can be written.
    pub fn delay(&self, number: u32) -> Result<Option<Duration>> {
        if number % 20 != 7 {
            return Ok(None);
        }
        let due = seconds_since_1970() + DELAY.as_secs_f64();
        note(&self.folder, "due", number, due)?;
        Ok(Some(DELAY))
    }
}

/// Tells how long to wait before a job is handed in again.
///
/// # Errors
/// What went wrong, when that has been tried for too long.
pub fn again(number: u32, error: anyhow::Error, began: Instant) -> Result<Duration> {
    if began.elapsed() > PATIENCE {
        return Err(error);
    }
    say(&format!("job {number} again: {error:#}"));
    Ok(Duration::from_millis(100))
}

/// Leaves a line in the program's output, for whoever looks why it failed.
pub fn say(line: &str) {
    // Nobody may be listening.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Now, in seconds.
pub fn seconds_since_1970() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64()
}

fn note(folder: &Path, name: &str, number: u32, when: f64) -> Result<()> {
    let path = folder.join(name);
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{number} {when:.3}\n").as_bytes())?;
    Ok(())
}
