//! Servers that share a log: three weirs on three NATS servers, all on this machine.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::audit::{field, until};
use crate::client::{Client, Protocol};
use crate::finder::Finder;
use crate::link::Link;
use crate::nats::{Nats, Sync};
use crate::running::Running;
use crate::value::Value;

/// How many servers a group has.
pub const SERVERS: usize = 3;

/// What the group is called.
pub const NAME: &str = "test";

/// A group whose servers run until it is dropped.
#[derive(Debug)]
pub struct Group {
    binary: PathBuf,
    servers: Vec<Member>,
    /// By the server that opens a connection and the NATS server that it is opened to; none where
    /// they are connected directly.
    links: Vec<Vec<Link>>,
    folder: TempDir,
    /// More settings of each server.
    settings: Vec<(&'static str, String)>,
    /// Where the log is.
    pub nats: Nats,
}

#[derive(Debug)]
struct Member {
    port: u16,
    http_port: u16,
    running: Option<Running>,
}

impl Group {
    /// Starts all of it, and waits until one of the servers leads; none when this machine has no
    /// NATS server.
    ///
    /// # Errors
    /// When something cannot be started, or nobody leads in time.
    pub fn start(binary: &Path) -> Result<Option<Group>> {
        Group::start_with(binary, Vec::new())
    }

    /// The same with more settings of each server, such as `--databases`.
    ///
    /// # Errors
    /// When something cannot be started, or nobody leads in time.
    pub fn start_with(
        binary: &Path,
        settings: Vec<(&'static str, String)>,
    ) -> Result<Option<Group>> {
        Group::start_in(&std::env::temp_dir(), binary, settings)
    }

    /// The same, with all that servers keep in a folder below `parent`.
    ///
    /// # Errors
    /// When something cannot be started, or nobody leads in time.
    pub fn start_in(
        parent: &Path,
        binary: &Path,
        settings: Vec<(&'static str, String)>,
    ) -> Result<Option<Group>> {
        match Nats::start_in(parent, SERVERS, Sync::Always)? {
            Some(nats) => Group::start_on(parent, nats, Vec::new(), binary, settings).map(Some),
            None => Ok(None),
        }
    }

    /// The same with a [`Link`] on each way from one server to another, of both kinds, and all that
    /// they keep below `parent`.
    ///
    /// # Errors
    /// When something cannot be started, or nobody leads in time.
    pub fn start_linked(
        parent: &Path,
        binary: &Path,
        settings: Vec<(&'static str, String)>,
    ) -> Result<Option<Group>> {
        let Some(nats) = Nats::start_linked(parent, SERVERS, Sync::Always)? else {
            return Ok(None);
        };
        let links = || {
            let to = nats.addresses().into_iter();
            to.map(|address| Link::to(address.parse()?)).collect()
        };
        let links = (0..SERVERS).map(|_| links()).collect::<Result<_>>()?;
        Group::start_on(parent, nats, links, binary, settings).map(Some)
    }

    fn start_on(
        parent: &Path,
        nats: Nats,
        links: Vec<Vec<Link>>,
        binary: &Path,
        settings: Vec<(&'static str, String)>,
    ) -> Result<Group> {
        // All are held until all are known, so that none is given out twice.
        let free = (0..2 * SERVERS).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let free = free.collect::<std::io::Result<Vec<_>>>()?;
        let ports = free.iter().map(|socket| Ok(socket.local_addr()?.port()));
        let ports = ports.collect::<Result<Vec<u16>>>()?;
        drop(free);
        let servers = ports.chunks_exact(2).map(|ports| Member {
            port: ports[0],
            http_port: ports[1],
            running: None,
        });
        let mut group = Group {
            binary: binary.to_owned(),
            servers: servers.collect(),
            links,
            folder: tempfile::Builder::new()
                .prefix("weir-group")
                .tempdir_in(parent)?,
            settings,
            nats,
        };
        for server in 0..SERVERS {
            group.start_server(server)?;
        }
        group
            .leader()
            .with_context(|| (0..SERVERS).map(|it| group.log(it)).collect::<String>())?;
        Ok(group)
    }

    /// Starts one of the servers, with what its folder has.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_server(&mut self, server: usize) -> Result<()> {
        let folder = self.folder.path().join(server.to_string());
        fs::create_dir_all(&folder)?;
        let output = self.folder.path().join(format!("{server}.log"));
        let mut command = Command::new(&self.binary);
        command.current_dir(&folder).arg("--dir").arg(&folder);
        command.args(self.settings(server)?);
        let running = Running::start(command, &[], &output)?;
        self.member(server)?.running = Some(running);
        Ok(())
    }

    /// The settings of a server but for its folder, as they are written on a command line.
    ///
    /// # Errors
    /// There is no such server.
    pub fn settings(&self, server: usize) -> Result<Vec<String>> {
        let log = match self.links(server) {
            [] => self.nats.addresses(),
            links => links.iter().map(|it| it.address().to_string()).collect(),
        };
        let (port, log) = (self.port(server)?, log.join(","));
        let http_port = self.http(server)?.port();
        let settings = [
            ("--bind", "127.0.0.1".to_owned()),
            ("--port", port.to_string()),
            ("--http-port", http_port.to_string()),
            ("--log", log),
            ("--group", NAME.to_owned()),
            ("--announce", format!("127.0.0.1:{port}")),
            ("--log-user", "weir".to_owned()),
            ("--log-password", "weir".to_owned()),
            ("--log-system-user", "system".to_owned()),
            ("--log-system-password", "system".to_owned()),
        ];
        let settings = settings.iter().chain(&self.settings);
        let words = settings.flat_map(|(name, value)| [(*name).to_owned(), value.clone()]);
        Ok(words.collect())
    }

    /// Ends all of it, and leaves what servers have kept and logged in the folder that they were
    /// started in.
    ///
    /// # Errors
    /// When a server cannot be killed, or what is on a small disk cannot be copied.
    pub fn end_and_keep(mut self) -> Result<()> {
        for server in 0..SERVERS {
            self.kill(server)?;
        }
        self.folder.disable_cleanup(true);
        self.nats.end_and_keep()
    }

    /// Takes away what a server that does not run has on its disk: it is another node then.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn empty(&self, server: usize) -> Result<()> {
        Ok(fs::remove_dir_all(
            self.folder.path().join(server.to_string()),
        )?)
    }

    /// The number that a server has in its group.
    ///
    /// # Errors
    /// When it has not kept one.
    pub fn node(&self, server: usize) -> Result<u64> {
        let file = self
            .folder
            .path()
            .join(server.to_string())
            .join("weir.node");
        let text = fs::read_to_string(file)?;
        let number = text.lines().find_map(|line| line.strip_prefix("node "));
        Ok(number.context("no number of a node")?.parse()?)
    }

    /// A field of a section of `INFO` of a server; `None` if it has none.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn info(&self, server: usize, section: &str, field: &str) -> Result<Option<String>> {
        let told = self.client(server)?.command(&["INFO", section])?;
        let told = String::from_utf8_lossy(told.as_bytes().unwrap_or_default()).into_owned();
        let mut lines = told.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(name, _)| *name == field);
        Ok(found.map(|(_, value)| value.to_owned()))
    }

    /// The values of one field of a stream's entries, as numbers, once a server shows this many.
    ///
    /// # Errors
    /// When it does not, or others than numbers.
    pub fn numbers(&self, server: usize, stream: &str, count: usize) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        until("the server has everything", || {
            let Ok(mut client) = self.reader(server) else {
                return Ok(false);
            };
            found = field(&mut client, stream, "n").unwrap_or_default();
            Ok(found.len() >= count)
        })?;
        found.iter().map(|number| Ok(number.parse()?)).collect()
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
        until("the server ends", || self.has_ended(server))
    }

    /// Returns whether a server has ended by itself.
    ///
    /// # Errors
    /// When it did not end well, or did not run.
    pub fn has_ended(&mut self, server: usize) -> Result<bool> {
        let member = self.member(server)?;
        let running = member.running.as_mut();
        let is_done = running.context("the server does not run")?.is_done()?;
        if is_done {
            member.running = None;
        }
        Ok(is_done)
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

    /// Where a server serves HTTP.
    ///
    /// # Errors
    /// There is no such server.
    pub fn http(&self, server: usize) -> Result<SocketAddr> {
        let member = self.servers.get(server).context("no such server")?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, member.http_port)))
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

    /// How clients find the leader.
    pub fn finder(&self) -> Finder {
        Finder {
            group: NAME.to_owned(),
            ports: self.servers.iter().map(|server| server.port).collect(),
        }
    }

    /// The links of a server to the NATS servers, in their order.
    pub fn links(&self, server: usize) -> &[Link] {
        self.links.get(server).map_or(&[], Vec::as_slice)
    }

    /// The process of a server that runs.
    ///
    /// # Errors
    /// When it does not run.
    pub fn process(&self, server: usize) -> Result<u32> {
        let running = self.servers.get(server).and_then(|it| it.running.as_ref());
        Ok(running.context("the server does not run")?.process())
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
