//! A server process: started on a free port in a folder of its own, stopped by its id when it goes
//! out of scope.
//!
//! weir and its peers take the same settings on the command line, so one launcher starts them all.

use std::fs::{File, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::client::{Client, Protocol};
use crate::value::Value;

/// How long a server may take until it answers; generous, since test machines are busy.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a server may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Ports that are tried: another process may take one between finding it free and listening on it.
const PORTS_TRIED_MAX: usize = 5;

/// What every server is started with: nothing on disk, and DEBUG for the tests.
const SETTINGS: [(&str, &str); 4] = [
    ("bind", "127.0.0.1"),
    ("save", ""),
    ("appendonly", "no"),
    ("enable-debug-command", "yes"),
];

/// The user without any rights, by convention.
const NOBODY: u32 = 65_534;

/// The user that a server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    Own,
    Nobody,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Starts `binary`, without persistence, and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be started, ends by itself, or does not answer in time; with the end of its
    /// log.
    pub fn start(binary: &Path) -> Result<Self> {
        Self::start_with(binary, &[])
    }

    /// Starts `binary` with further settings, which win over the usual ones, and waits until it
    /// answers.
    ///
    /// # Errors
    /// When it cannot be started, ends by itself, or does not answer in time; with the end of its
    /// log.
    pub fn start_with(binary: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_as(User::Own, binary, settings)
    }

    /// Starts `binary` by a configuration file, with a free port and settings that win over it and
    /// nothing else, and waits until it answers.
    ///
    /// # Errors
    /// As [`Server::start_with`].
    pub fn start_from(binary: &Path, file: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        Self::try_often(User::Own, binary, Some(file), settings)
    }

    fn start_as(user: User, binary: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let all: Vec<_> = SETTINGS.iter().chain(settings).copied().collect();
        Self::try_often(user, binary, None, &all)
    }

    fn try_often(
        user: User,
        binary: &Path,
        file: Option<&Path>,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let mut last = None;
        for _ in 0..PORTS_TRIED_MAX {
            match Self::try_start(user, binary, file, settings) {
                Ok(server) => return Ok(server),
                Err(error) if format!("{error:#}").contains("in use") => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no free port")))
    }

    fn try_start(
        user: User,
        binary: &Path,
        file: Option<&Path>,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        Self::try_start_at(port, user, binary, file, settings)
    }

    fn try_start_at(
        port: u16,
        user: User,
        binary: &Path,
        file: Option<&Path>,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-test").tempdir()?;
        let log = File::create(log_path(folder.path()))?;
        let mut command = Command::new(binary);
        command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .args(file)
            .args(["--port", &port.to_string()])
            .arg("--dir")
            .arg(folder.path());
        for (name, value) in settings {
            command.arg(format!("--{name}")).arg(value);
        }
        if user == User::Nobody {
            command.uid(NOBODY);
        }
        let child =
            spawn(&mut command).with_context(|| format!("starting {}", binary.display()))?;
        let mut server = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder,
        };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// Starts `binary` with its data in a folder that outlives it.
    ///
    /// # Errors
    /// As [`Server::start_with`].
    pub fn start_in(binary: &Path, data: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let data = data.to_str().context("a folder with an odd name")?;
        let mut all = vec![("dir", data)];
        all.extend(settings);
        Self::start_with(binary, &all)
    }

    /// Kills it as a crash would, and starts `binary` at the same address, with its data in this
    /// folder: clients find it again.
    ///
    /// # Errors
    /// As [`Server::start_with`].
    pub fn kill_and_restart(
        mut self,
        binary: &Path,
        data: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        self.child.kill()?;
        self.child.wait()?;
        let data = data.to_str().context("a folder with an odd name")?;
        let mut all = vec![("dir", data)];
        all.extend(settings);
        Self::start_at(self.address, binary, &all)
    }

    /// Starts `binary` where a server was before.
    ///
    /// # Errors
    /// As [`Server::start_with`], and when somebody else listens there.
    pub fn start_at(address: SocketAddr, binary: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let all: Vec<_> = SETTINGS.iter().chain(settings).copied().collect();
        Self::try_start_at(address.port(), User::Own, binary, None, &all)
    }

    /// Starts `binary` with its data in a folder, as a user to whom permissions apply: root gives
    /// up its rights, and owns neither the folder nor the files.
    ///
    /// # Errors
    /// As [`Server::start_with`].
    pub fn start_unprivileged(
        binary: &Path,
        data: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let data = data.to_str().context("a folder with an odd name")?;
        let mut all = vec![("dir", data)];
        all.extend(settings);
        if !rustix::process::geteuid().is_root() {
            return Self::start_with(binary, &all);
        }
        // The binary may lie where only root can go.
        let folder = tempfile::Builder::new().prefix("weir-test").tempdir()?;
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let copy = folder.path().join("server");
        std::fs::copy(binary, &copy)?;
        Self::start_as(User::Nobody, &copy, &all)
    }

    /// Stops it as a user would, and waits for its end.
    ///
    /// # Errors
    /// When it cannot be stopped.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    /// Kills it, as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it ends by itself; returns how, and the end of its log.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn ended(mut self) -> Result<(ExitStatus, String)> {
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, self.log()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the server does not end\n{}", self.log());
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder that it runs in, where its data are unless it was started with another one.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// A new connection.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn connect(&self, protocol: Protocol) -> Result<Client> {
        Ok(Client::connect(self.address, protocol)?)
    }

    /// All that it has logged.
    pub fn whole_log(&self) -> String {
        let log = std::fs::read(log_path(self.folder.path())).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The end of what it has logged.
    pub fn log(&self) -> String {
        let log = self.whole_log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended by itself: {status}\n{}", self.log());
            }
            if let Ok(mut client) = Client::connect(self.address, Protocol::Resp2)
                && let Ok(answer) = client.command(&["PING"])
            {
                // A server that asks for a password serves, too.
                match answer {
                    // Another test's server may have taken the port before this one could.
                    Value::Simple(_) if !self.is_who_answers(&mut client) => {
                        bail!("the port is in use by another server");
                    }
                    Value::Simple(_) => return Ok(()),
                    Value::Error(text) if text.starts_with(b"NOAUTH") => return Ok(()),
                    _ => {}
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the server did not answer in time\n{}", self.log());
    }

    /// Returns whether it is this process that answers, as far as the server tells.
    fn is_who_answers(&self, client: &mut Client) -> bool {
        match client.command(&["INFO", "server"]) {
            Ok(Value::Bulk(info)) => {
                let info = String::from_utf8_lossy(&info).into_owned();
                let of = info
                    .lines()
                    .find_map(|line| line.strip_prefix("process_id:"));
                of.is_none_or(|id| id.trim() == self.child.id().to_string())
            }
            Ok(Value::Closed) | Err(_) => false,
            Ok(_) => true,
        }
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let process = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(process, Signal::SIGTERM)?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.end().is_err() {
            // The process must not outlive the test, whatever went wrong.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Spawns a command. A binary that was just copied counts as being written as long as a process
/// that another test spawns has not started its own program yet, so this retries.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            spawned => return spawned,
        }
    }
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("server.log")
}
