//! Servers that share a log: three weirs on three NATS servers, all on this machine.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::audit::until;
use crate::client::{Client, Protocol};
use crate::nats::{Nats, Sync};
use crate::running::Running;
use crate::value::Value;

/// How many servers a group has.
pub const SERVERS: usize = 3;

/// A group whose servers run until it is dropped.
#[derive(Debug)]
pub struct Group {
    binary: PathBuf,
    servers: Vec<Member>,
    folder: TempDir,
    nats: Nats,
}

#[derive(Debug)]
struct Member {
    port: u16,
    running: Option<Running>,
}

impl Group {
    /// Starts all of it, and waits until one of the servers leads; none when this machine has no
    /// NATS server.
    ///
    /// # Errors
    /// When something cannot be started, or nobody leads in time.
    pub fn start(binary: &Path) -> Result<Option<Group>> {
        let Some(nats) = Nats::start(SERVERS, Sync::Always)? else {
            return Ok(None);
        };
        // All are held until all are known, so that none is given out twice.
        let free = (0..SERVERS).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let free = free.collect::<std::io::Result<Vec<_>>>()?;
        let ports = free.iter().map(|socket| Ok(socket.local_addr()?.port()));
        let ports = ports.collect::<Result<Vec<u16>>>()?;
        drop(free);
        let servers = ports.into_iter().map(|port| Member {
            port,
            running: None,
        });
        let mut group = Group {
            binary: binary.to_owned(),
            servers: servers.collect(),
            folder: tempfile::Builder::new().prefix("weir-group").tempdir()?,
            nats,
        };
        for server in 0..SERVERS {
            group.start_server(server)?;
        }
        group.leader()?;
        Ok(Some(group))
    }

    /// Starts one of the servers, with what its folder has.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_server(&mut self, server: usize) -> Result<()> {
        let folder = self.folder.path().join(server.to_string());
        fs::create_dir_all(&folder)?;
        let output = self.folder.path().join(format!("{server}.log"));
        let (port, log) = (self.port(server)?, self.nats.addresses().join(","));
        let mut command = Command::new(&self.binary);
        command.current_dir(&folder).arg("--dir").arg(&folder);
        let settings = [
            ("--bind", "127.0.0.1".to_owned()),
            ("--port", port.to_string()),
            ("--log", log),
            ("--group", "test".to_owned()),
            ("--announce", format!("127.0.0.1:{port}")),
            ("--log-user", "weir".to_owned()),
            ("--log-password", "weir".to_owned()),
            ("--log-system-user", "system".to_owned()),
            ("--log-system-password", "system".to_owned()),
        ];
        for (name, value) in settings {
            command.arg(name).arg(value);
        }
        let running = Running::start(command, &[], &output)?;
        self.member(server)?.running = Some(running);
        Ok(())
    }

    /// Kills a server; its folder stays.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self, server: usize) -> Result<()> {
        match self.member(server)?.running.take() {
            Some(mut running) => running.kill(),
            None => Ok(()),
        }
    }

    /// Sends a signal to a server that runs.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, server: usize, signal: Signal) -> Result<()> {
        let running = self.servers.get(server).and_then(|it| it.running.as_ref());
        running.context("the server does not run")?.signal(signal)
    }

    /// Pauses a server; SIGCONT lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self, server: usize) -> Result<()> {
        let running = self.servers.get(server).and_then(|it| it.running.as_ref());
        running.context("the server does not run")?.pause()
    }

    /// Waits until a server has ended by itself.
    ///
    /// # Errors
    /// When it does not, or not well.
    pub fn wait_for_end(&mut self, server: usize) -> Result<()> {
        let running = self.member(server)?.running.as_mut();
        let running = running.context("the server does not run")?;
        until("the server ends", || running.is_done())?;
        self.member(server)?.running = None;
        Ok(())
    }

    /// A client of one of the servers that is content with what a follower has.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn reader(&self, server: usize) -> Result<Client> {
        let mut client = self.client(server)?;
        // A server that follows answers reads then, and one that leads does so anyway.
        client.command(&["READONLY"])?;
        Ok(client)
    }

    /// A client of one of the servers.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn client(&self, server: usize) -> Result<Client> {
        Ok(Client::connect(self.address(server)?, Protocol::Resp2)?)
    }

    /// Where a server listens.
    ///
    /// # Errors
    /// There is no such server.
    pub fn address(&self, server: usize) -> Result<SocketAddr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port(server)?)))
    }

    /// Which of the running servers leads, as soon as one takes writes.
    ///
    /// # Errors
    /// When none does in time.
    pub fn leader(&self) -> Result<usize> {
        let mut found = None;
        until("one of the servers leads", || {
            found = (0..SERVERS).find(|server| self.takes_writes(*server));
            Ok(found.is_some())
        })?;
        found.context("nobody leads")
    }

    /// Returns whether a server takes writes now.
    pub fn takes_writes(&self, server: usize) -> bool {
        let is_running = self
            .servers
            .get(server)
            .is_some_and(|it| it.running.is_some());
        let write = || {
            self.client(server)?
                .command(&["DEL", "nothing"])
                .map_err(anyhow::Error::from)
        };
        is_running && matches!(write(), Ok(Value::Int(_)))
    }

    /// What a server has logged.
    pub fn log(&self, server: usize) -> String {
        let output = self.folder.path().join(format!("{server}.log"));
        fs::read_to_string(output).unwrap_or_default()
    }

    fn port(&self, server: usize) -> Result<u16> {
        Ok(self.servers.get(server).context("no such server")?.port)
    }

    fn member(&mut self, server: usize) -> Result<&mut Member> {
        self.servers.get_mut(server).context("no such server")
    }
}
