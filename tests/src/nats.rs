//! NATS servers with JetStream, one alone or several that form a cluster.
//!
//! They have two accounts: `weir` with the user `weir`, in which streams are, and `system` with the
//! user `system`, who is told how servers are set. Passwords are the names of users.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::link::Link;
use crate::peers::Peers;
use crate::running::Running;

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
}

#[derive(Debug)]
struct NatsServer {
    port: u16,
    route_port: u16,
    running: Option<Running>,
}

impl Nats {
    /// Starts `count` servers, which are not ready yet then; none when this machine cannot have
    /// them.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start(count: usize, sync: Sync) -> Result<Option<Nats>> {
        Nats::start_as(count, sync, false)
    }

    /// The same with a [`Link`] on each way from one server to another.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start_linked(count: usize, sync: Sync) -> Result<Option<Nats>> {
        Nats::start_as(count, sync, true)
    }

    fn start_as(count: usize, sync: Sync, are_linked: bool) -> Result<Option<Nats>> {
        if Peers::binary("nats215-server")?.is_none() {
            return Ok(None);
        }
        // All are held until all are known, so that none is given out twice.
        let free = (0..2 * count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let free = free.collect::<std::io::Result<Vec<_>>>()?;
        let ports = free.iter().map(|socket| Ok(socket.local_addr()?.port()));
        let ports = ports.collect::<Result<Vec<u16>>>()?;
        drop(free);
        let servers = ports.chunks_exact(2).map(|ports| NatsServer {
            port: ports[0],
            route_port: ports[1],
            running: None,
        });
        let mut nats = Nats {
            servers: servers.collect(),
            links: Vec::new(),
            folder: tempfile::tempdir()?,
        };
        if are_linked {
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

    /// Sends a signal to a server that runs.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, index: usize, signal: Signal) -> Result<()> {
        let running = self.servers.get(index).and_then(|it| it.running.as_ref());
        running.context("the server does not run")?.signal(signal)
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

    fn configuration(&self, index: usize, sync: Sync) -> String {
        let server = &self.servers[index];
        let store = self.folder.path().join(format!("{index}"));
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
             jetstream {{ store_dir: \"{}\", sync_interval: {sync} }}\n\
             {cluster}\
             accounts {{\n\
               weir {{ jetstream: enabled, users: [{{ user: weir, password: weir }}] }}\n\
               system {{ users: [{{ user: system, password: system }}] }}\n\
             }}\n\
             system_account: system\n",
            Nats::name(index),
            server.port,
            store.display(),
        )
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
