//! Programs that run beside a test until they are done, killed or dropped.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A program, and whatever it starts itself.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: PathBuf,
}

impl Running {
    /// Starts it. What it says is added to `output`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, arguments: &[&str], output: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(output)?;
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        Ok(Self {
            child,
            output: output.to_owned(),
        })
    }

    /// Returns whether it has ended, and well.
    ///
    /// # Errors
    /// When it has failed; with what it said.
    pub fn is_done(&mut self) -> Result<bool> {
        match self.child.try_wait()? {
            None => Ok(false),
            Some(status) if status.success() => Ok(true),
            Some(status) => bail!("{status}\n{}", self.said()),
        }
    }

    /// Returns whether it has ended, well or not.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// All that it has said.
    pub fn said(&self) -> String {
        let bytes = std::fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends a signal to it and what it has started.
    ///
    /// # Errors
    /// When they cannot get it.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        killpg(self.group()?, signal).context("sending a signal")
    }

    /// Pauses it and what it has started, and waits until none of its threads does anything.
    /// SIGCONT lets it go on.
    ///
    /// # Errors
    /// When that is not possible, or it has ended.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)?;
        match waitpid(self.group()?, Some(WaitPidFlag::WUNTRACED))? {
            WaitStatus::Stopped(..) => Ok(()),
            other => bail!("not paused: {other:?}"),
        }
    }

    /// Kills it and what it has started.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        match killpg(self.group()?, Signal::SIGKILL) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(error.into()),
        }
        self.child.wait()?;
        Ok(())
    }

    /// The group of processes that it and what it has started are.
    fn group(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.kill();
    }
}
