//! NATS servers with JetStream, one alone or several that form a cluster.
//!
//! They have two accounts: `weir` with the user `weir`, in which streams are, and `system` with the
//! user `system`, who is told how servers are set. Passwords are the names of users.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde::Deserialize;
use tempfile::TempDir;

use crate::link::Link;
use crate::peers::Peers;
use crate::running::Running;
use crate::small_disk::SmallDisk;

/// How long a server may take to tell of itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The size of the disk that can be full. It takes memory only for what is on it.
const DISK_BYTES: u64 = 4 << 30;

/// What is left of it when it is.
const ROOM_LEFT: u64 = 16 << 10;

/// Whose disk that is.
const SMALL: usize = 0;

/// How a server treats its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// It syncs before it acknowledges.
    Always,
    /// It syncs from time to time, which is what NATS does unless told otherwise.
    Sometimes,
}

/// Servers that run until they are dropped.
#[derive(Debug)]
pub struct Nats {
    servers: Vec<NatsServer>,
    /// By the server that opens a connection and the one that it is opened to; none where they are
    /// connected directly.
    links: Vec<Vec<Link>>,
    folder: TempDir,
    /// The disk of the first one, where that can be full.
    disk: Option<SmallDisk>,
}

/// How a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamState {
    /// Which server leads it.
    pub leader: usize,
    /// How many others have all of it.
    pub followers: usize,
}

/// What a server says of its streams.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    account_details: Vec<ToldAccount>,
}

#[derive(Debug, Deserialize)]
struct ToldAccount {
    #[serde(default)]
    stream_detail: Vec<ToldStream>,
}

#[derive(Debug, Deserialize)]
struct ToldStream {
    name: String,
    state: Option<ToldState>,
    cluster: Option<ToldCluster>,
}

#[derive(Debug, Deserialize)]
struct ToldState {
    first_seq: u64,
    last_seq: u64,
}

#[derive(Debug, Deserialize)]
struct ToldCluster {
    #[serde(default)]
    leader: String,
    #[serde(default)]
    replicas: Vec<ToldReplica>,
}

#[derive(Debug, Deserialize)]
struct ToldReplica {
    #[serde(default)]
    current: bool,
}

#[derive(Debug)]
struct NatsServer {
    port: u16,
    route_port: u16,
    monitor_port: u16,
    running: Option<Running>,
}

impl Nats {
    /// Starts `count` servers, which are not ready yet then; none when this machine cannot have
    /// them.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start(count: usize, sync: Sync) -> Result<Option<Nats>> {
        Nats::start_in(&std::env::temp_dir(), count, sync)
    }

    /// The same, with what they keep in a folder below `parent`.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start_in(parent: &Path, count: usize, sync: Sync) -> Result<Option<Nats>> {
        Nats::start_as(parent, count, sync, false)
    }

    /// The same with a [`Link`] on each way from one server to another. Where that is possible, the
    /// disk of one of them can be full ([`Nats::fill`]).
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start_linked(parent: &Path, count: usize, sync: Sync) -> Result<Option<Nats>> {
        Nats::start_as(parent, count, sync, true)
    }

    fn start_as(parent: &Path, count: usize, sync: Sync, are_linked: bool) -> Result<Option<Nats>> {
        if Peers::binary("nats215-server")?.is_none() {
            return Ok(None);
        }
        // All are held until all are known, so that none is given out twice.
        let free = (0..3 * count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let free = free.collect::<std::io::Result<Vec<_>>>()?;
        let ports = free.iter().map(|socket| Ok(socket.local_addr()?.port()));
        let ports = ports.collect::<Result<Vec<u16>>>()?;
        drop(free);
        let servers = ports.chunks_exact(3).map(|ports| NatsServer {
            port: ports[0],
            route_port: ports[1],
            monitor_port: ports[2],
            running: None,
        });
        let mut nats = Nats {
            servers: servers.collect(),
            links: Vec::new(),
            folder: tempfile::Builder::new()
                .prefix("weir-nats")
                .tempdir_in(parent)?,
            disk: None,
        };
        if are_linked {
            nats.disk = SmallDisk::mount(DISK_BYTES)?;
            let link = |server: &NatsServer| Link::to(loopback(server.route_port));
            let links = || nats.servers.iter().map(link).collect::<Result<Vec<_>>>();
            nats.links = (0..count).map(|_| links()).collect::<Result<_>>()?;
        }
        for index in 0..count {
            nats.start_server(index, sync)?;
        }
        Ok(Some(nats))
    }

    /// Starts one of the servers, with what it has on its disk.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_server(&mut self, index: usize, sync: Sync) -> Result<()> {
        let binary = Peers::binary("nats215-server")?.context("no NATS server")?;
        let file = self.folder.path().join(format!("{index}.conf"));
        fs::write(&file, self.configuration(index, sync))?;
        let mut command = Command::new(binary);
        command.arg("-c").arg(&file);
        let output = self.folder.path().join(format!("{index}.log"));
        let running = Running::start(command, &[], &output)?;
        self.server(index)?.running = Some(running);
        Ok(())
    }

    /// Kills a server; its disk stays.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self, index: usize) -> Result<()> {
        match self.server(index)?.running.take() {
            Some(mut running) => running.kill(),
            None => Ok(()),
        }
    }

    /// Tells a server to end; [`Nats::has_ended`] says when it has.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&self, index: usize) -> Result<()> {
        self.signal(index, Signal::SIGTERM)
    }

    /// Returns whether a server has ended by itself.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn has_ended(&mut self, index: usize) -> Result<bool> {
        let server = self.server(index)?;
        let has_ended = match &mut server.running {
            Some(running) => running.has_ended()?,
            None => true,
        };
        if has_ended {
            server.running = None;
        }
        Ok(has_ended)
    }

    /// Ends all of them, and leaves what they have kept and logged in the folder that they were
    /// started in.
    ///
    /// # Errors
    /// When one cannot be killed, or what is on a small disk cannot be copied.
    pub(crate) fn end_and_keep(mut self) -> Result<()> {
        for index in 0..self.servers.len() {
            self.kill(index)?;
        }
        if let Some(disk) = &self.disk {
            disk.copy_to(&self.folder.path().join("small-disk"))?;
        }
        self.folder.disable_cleanup(true);
        Ok(())
    }

    /// Takes away what a server that does not run has on its disk.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn empty(&self, index: usize) -> Result<()> {
        let store = self.store(index);
        if store.exists() {
            fs::remove_dir_all(store)?;
        }
        Ok(())
    }

    /// Returns whether the disk of one of them can be full.
    pub fn can_be_full(&self) -> bool {
        self.disk.is_some()
    }

    /// Leaves no room on a disk. Returns whose it is.
    ///
    /// # Errors
    /// When no disk can be full.
    pub fn fill(&self) -> Result<usize> {
        self.disk
            .as_ref()
            .context("no such disk")?
            .fill(ROOM_LEFT)?;
        Ok(SMALL)
    }

    /// Makes room there.
    ///
    /// # Errors
    /// When no disk can be full.
    pub fn make_room(&self) -> Result<()> {
        self.disk.as_ref().context("no such disk")?.make_room()
    }

    /// How a stream is kept, as its leader says; `None` if it has none at the moment.
    ///
    /// # Errors
    /// When what a server says is not understood.
    pub fn stream(&self, name: &str) -> Result<Option<StreamState>> {
        let leads = self.told_by_leader(name)?;
        Ok(leads.map(|(leader, stream)| StreamState {
            leader,
            followers: match stream.cluster {
                Some(cluster) => cluster.replicas.iter().filter(|it| it.current).count(),
                None => 0,
            },
        }))
    }

    /// The number of the first record of a stream, as its leader says.
    ///
    /// # Errors
    /// When it has no leader, or what that says is not understood.
    pub fn first(&self, name: &str) -> Result<u64> {
        Ok(*self.records(name)?.start())
    }

    /// The numbers of the first and the last record of a stream, as its leader says.
    ///
    /// # Errors
    /// When it has no leader, or what that says is not understood.
    pub fn records(&self, name: &str) -> Result<RangeInclusive<u64>> {
        let (_, stream) = self.told_by_leader(name)?.context("no stream")?;
        let state = stream.state.context("no state of a stream")?;
        Ok(state.first_seq..=state.last_seq)
    }

    /// The number of the last record of a stream that a server has itself; `None` if it does not
    /// tell, such as when it has just been started.
    pub fn last_at(&self, index: usize, name: &str) -> Option<u64> {
        let told = self.told_by(index).ok()?.account_details.into_iter();
        let mut streams = told.flat_map(|account| account.stream_detail);
        let stream = streams.find(|stream| stream.name == name)?;
        Some(stream.state?.last_seq)
    }

    fn told_by_leader(&self, name: &str) -> Result<Option<(usize, ToldStream)>> {
        for index in 0..self.servers.len() {
            let Ok(told) = self.told_by(index) else {
                continue;
            };
            let accounts = told.account_details.into_iter();
            let mut streams = accounts.flat_map(|account| account.stream_detail);
            let leads = |stream: &ToldStream| {
                let cluster = stream.cluster.as_ref();
                stream.name == name && cluster.is_some_and(|it| it.leader == Nats::name(index))
            };
            if let Some(stream) = streams.find(leads) {
                return Ok(Some((index, stream)));
            }
        }
        Ok(None)
    }

    fn told_by(&self, index: usize) -> Result<Told> {
        let at = loopback(self.servers[index].monitor_port);
        let told = ask(at, "/jsz?accounts=true&streams=true")?;
        Ok(serde_json::from_str(&told)?)
    }

    /// Sends a signal to a server that runs.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, index: usize, signal: Signal) -> Result<()> {
        let running = self.servers.get(index).and_then(|it| it.running.as_ref());
        running.context("the server does not run")?.signal(signal)
    }

    /// The processes of the servers that run.
    pub fn processes(&self) -> Vec<u32> {
        let running = self.servers.iter().filter_map(|it| it.running.as_ref());
        running.map(Running::process).collect()
    }

    /// Where the servers listen, all of them.
    pub fn addresses(&self) -> Vec<String> {
        let addresses = self.servers.iter();
        let addresses = addresses.map(|server| format!("127.0.0.1:{}", server.port));
        addresses.collect()
    }

    /// The name of a server.
    pub fn name(index: usize) -> String {
        format!("nats-{index}")
    }

    /// Which server has this name.
    pub fn index(&self, name: &str) -> Option<usize> {
        (0..self.servers.len()).find(|&index| Nats::name(index) == name)
    }

    /// The link through which a server connects to another one.
    pub fn link(&self, from: usize, to: usize) -> Option<&Link> {
        self.links.get(from)?.get(to)
    }

    fn server(&mut self, index: usize) -> Result<&mut NatsServer> {
        self.servers.get_mut(index).context("no such server")
    }

    fn store(&self, index: usize) -> PathBuf {
        match &self.disk {
            Some(disk) if index == SMALL => disk.path().join("store"),
            Some(_) | None => self.folder.path().join(index.to_string()),
        }
    }

    fn configuration(&self, index: usize, sync: Sync) -> String {
        let server = &self.servers[index];
        let store = self.store(index);
        let sync = match sync {
            Sync::Always => "always",
            Sync::Sometimes => "2m",
        };
        let routes: Vec<_> = match self.links.get(index) {
            Some(links) => links.iter().map(Link::address).collect(),
            None => {
                let ports = self.servers.iter().map(|server| server.route_port);
                ports.map(loopback).collect()
            }
        };
        // Servers tell each other where others are, which would lead around the links.
        let advertised = match self.links.is_empty() {
            true => "",
            false => "no_advertise: true, advertise: \"127.0.0.1:1\", ",
        };
        let routes: Vec<_> = routes.iter().map(|to| format!("nats://{to}")).collect();
        let cluster = match routes.len() {
            1 => String::new(),
            _ => format!(
                "cluster {{ name: test, listen: \"127.0.0.1:{}\", {advertised}routes: [{}] }}\n",
                server.route_port,
                routes.join(", ")
            ),
        };
        format!(
            "server_name: {}\n\
             listen: \"127.0.0.1:{}\"\n\
             http: \"127.0.0.1:{}\"\n\
             jetstream {{ store_dir: \"{}\", sync_interval: {sync} }}\n\
             {cluster}\
             accounts {{\n\
               weir {{ jetstream: enabled, users: [{{ user: weir, password: weir }}] }}\n\
               system {{ users: [{{ user: system, password: system }}] }}\n\
             }}\n\
             system_account: system\n",
            Nats::name(index),
            server.port,
            server.monitor_port,
            store.display(),
        )
    }
}

/// Asks a server of itself. In the older version of HTTP the answer is in one piece.
fn ask(at: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    Ok(body.to_owned())
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
