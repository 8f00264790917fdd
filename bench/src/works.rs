//! The works that servers are compared by, one file per kind.
//!
//! A [`Work`] says what is done. For each peer it starts a [`Rig`], a running server with its data
//! and connections, which then does round after round. A work may have several lanes, pieces
//! measured apart within one round.

mod append;
mod attacks;
mod beyond;
mod connections;
mod durable;
mod fan_out;
mod groups;
mod memory;
mod ping_gap;
mod publish;
mod range;
mod replicated;
mod restart;
mod scale;
mod scripts;
mod snapshot;
mod strings;
mod timed;
mod tracking;
mod types;
mod users;
mod watched;

use std::path::PathBuf;

use anyhow::Result;

use crate::curve::Curve;
use crate::node::{Node, NodeSettings, Persistence};
use crate::peer::Peer;
use crate::process::{Cores, Placement};
use crate::request::Texts;
use crate::sample::Sample;

/// A piece of work to compare servers by.
pub trait Work {
    /// The suite that it belongs to.
    fn suite(&self) -> Suite;

    /// Its name on the command line.
    fn name(&self) -> String;

    /// Titles of its lanes.
    fn lanes(&self) -> Vec<String>;

    /// The lanes that show one thing against a size and can be drawn as curves.
    fn curves(&self) -> Vec<Curve> {
        Vec::new()
    }

    /// What a server must have to take part.
    fn needs(&self) -> Needs {
        Needs::Streams
    }

    /// Returns how rounds of different peers are put in order.
    fn schedule(&self) -> Schedule {
        Schedule::SideBySide
    }

    /// Starts a server for it and prepares the data.
    ///
    /// # Errors
    /// When the server does not start or refuses the data.
    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>>;
}

/// A server that is ready for a work's rounds.
pub trait Rig {
    /// Does the work once; one sample per lane. Round 0 warms up and may check more than the
    /// others.
    ///
    /// # Errors
    /// When a reply is an error or the data is not what it must be afterwards.
    fn round(&mut self, round: u32) -> Result<Vec<Sample>>;
}

/// A named set of works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// The commands of streams, SET and GET, memory per entry: all without persistence.
    Streams,
    /// SET and GET by TLS, without persistence.
    Tls,
    /// The commands of the other types, in pipelines of 1, 16 and 64, without persistence.
    Types,
    /// A script of three calls, by EVALSHA and FCALL.
    Scripts,
    /// SET of keys that a hundred clients track.
    Tracking,
    /// Commands of a user with ten key patterns, beside those of the default user.
    Users,
    /// What only weir has, beside scripts and transactions that do the same elsewhere.
    Beyond,
    /// What values of each type take in memory, without persistence.
    Memory,
    /// Appends with a journal, restart, snapshots.
    Durable,
    /// Appends of which other machines have a copy before the reply.
    Replicated,
    /// Stalls while much expires, and many connections.
    Steady,
    /// Appends while operators look at the server by HTTP, without persistence.
    Console,
    /// What one client can do to the others.
    Attacks,
    /// The cost of an operation against the size of what it works on.
    Scale,
}

impl Suite {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Streams => "streams",
            Suite::Tls => "tls",
            Suite::Types => "types",
            Suite::Scripts => "scripts",
            Suite::Tracking => "tracking",
            Suite::Users => "users",
            Suite::Beyond => "beyond",
            Suite::Memory => "memory",
            Suite::Durable => "durable",
            Suite::Replicated => "replicated",
            Suite::Steady => "steady",
            Suite::Console => "console",
            Suite::Attacks => "attacks",
            Suite::Scale => "scale",
        }
    }
}

/// What a server must have to take part in a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Streams as of Redis 5.
    Streams,
    /// XADD with IDMP.
    Idempotence,
    /// TLS.
    Tls,
    /// NATS servers on this machine, for weir's log.
    SharedLog,
    /// weir's page and metrics by HTTP.
    Console,
}

/// How rounds of different peers are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// All servers run at once and take turns, one short round each; for figures that need many
    /// rounds.
    SideBySide,
    /// A server is started for each round and stopped after it, at most this many times; for large
    /// data.
    OneAtATime {
        /// Rounds at most.
        rounds_max: u32,
    },
}

/// What is the same for all works of a run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How much work a round is.
    pub scale: Scale,
    /// How far sizes go.
    pub sizes: Sizes,
    /// Threads for connections, for every peer.
    pub io_threads: u32,
    /// Connections where a work does not say how many.
    pub connections: usize,
    /// Folder for the servers' data; on a real disk, or durable figures mean nothing.
    pub data_dir: PathBuf,
    /// Which core is whose.
    pub cores: Cores,
    /// What values are cut from.
    pub texts: Texts,
}

impl Setup {
    /// Starts a server pinned to its core.
    pub(crate) fn start(
        &self,
        peer: &Peer,
        persistence: Persistence,
        flags: &[(&'static str, String)],
    ) -> Result<Node> {
        self.start_at(peer, persistence, Placement::Core(self.cores.server), flags)
    }

    /// Starts a server where the work wants it.
    pub(crate) fn start_at(
        &self,
        peer: &Peer,
        persistence: Persistence,
        placement: Placement,
        flags: &[(&'static str, String)],
    ) -> Result<Node> {
        let settings = self.node_settings(persistence, placement, flags);
        Node::start(peer, &settings, self.cores, &self.data_dir)
    }

    /// Returns how a server is to be started.
    pub(crate) fn node_settings(
        &self,
        persistence: Persistence,
        placement: Placement,
        flags: &[(&'static str, String)],
    ) -> NodeSettings {
        NodeSettings {
            persistence,
            placement,
            io_threads: self.io_threads,
            flags: flags.to_vec(),
        }
    }
}

/// How far the sizes of the suite `scale` go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// As far as a few gigabytes of memory and a few minutes allow.
    Usual,
    /// To streams of 100 million entries, about ten gigabytes for each server.
    Large,
}

/// How much work a round is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// The full size times this factor.
    Full(f64),
    /// As little as exercises the code: for tests.
    Quick,
}

impl Scale {
    /// A number of items or operations, at least 1.
    pub fn count(self, full: u64, quick: u64) -> u64 {
        match self {
            Scale::Full(factor) => ((full as f64 * factor).round() as u64).max(1),
            Scale::Quick => quick,
        }
    }

    /// A number that no factor changes, such as connections or seconds.
    pub fn fixed(self, full: u64, quick: u64) -> u64 {
        match self {
            Scale::Full(_) => full,
            Scale::Quick => quick,
        }
    }
}

/// Every work, in the order in which a run of everything does them.
pub fn all(setup: &Setup) -> Vec<Box<dyn Work>> {
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    works.extend(append::works(setup));
    works.extend(range::works());
    works.extend(groups::works());
    works.extend(fan_out::works());
    works.extend(publish::works());
    works.extend(strings::works(setup));
    works.extend(memory::works());
    works.extend(types::works(setup));
    works.extend(scripts::works(setup));
    works.extend(tracking::works());
    works.extend(users::works(setup));
    works.extend(beyond::works(setup));
    works.extend(durable::works());
    works.extend(replicated::works());
    works.extend(restart::works());
    works.extend(snapshot::works());
    works.extend(ping_gap::works());
    works.extend(connections::works());
    works.extend(watched::works(setup));
    works.extend(attacks::works());
    works.extend(scale::works(setup));
    works
}

/// The works that one of the filters names: a suite, a work's whole name, or, if neither fits, a
/// part of a name. Without filters, all of them.
pub fn select(works: Vec<Box<dyn Work>>, filters: &[String]) -> Vec<Box<dyn Work>> {
    let exact =
        |filter: &str, work: &dyn Work| filter == work.suite().name() || filter == work.name();
    let parts: Vec<&String> = filters
        .iter()
        .filter(|filter| !works.iter().any(|work| exact(filter, work.as_ref())))
        .collect();
    let chosen = |work: &dyn Work| {
        filters.is_empty()
            || filters.iter().any(|filter| exact(filter, work))
            || parts.iter().any(|part| work.name().contains(part.as_str()))
    };
    works
        .into_iter()
        .filter(|work| chosen(work.as_ref()))
        .collect()
}

#[cfg(test)]
mod tests;
