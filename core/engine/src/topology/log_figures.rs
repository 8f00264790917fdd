//! What a node knows of the log of its group, for those who operate it.

use crate::time::Mono;

/// What a node has counted, and was told, of the log. Nothing is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFigures {
    /// The number of the last record that this node knows, which is no LSN.
    pub sequence: u64,
    /// Records of a leader that are on their way: sent, and not acknowledged.
    pub under_way: u64,
    /// How often a leader began to lead since this server had read the log.
    pub elections: u64,
    /// How often this node led and did not know what had become of its records.
    pub doubts: u64,
    /// The server that this node is connected to, or was at last.
    pub connected: String,
    /// The servers that keep the log; none if nobody tells.
    pub servers: Vec<LogServer>,
    /// When they were told of.
    pub told: Mono,
}

/// One of the servers that keep a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogServer {
    /// Its name.
    pub name: String,
    /// It decides what comes into the log.
    pub leads: bool,
    /// It has what the leader has.
    pub is_current: bool,
    /// How many records it is behind.
    pub lag: u64,
}

impl LogFigures {
    /// Returns whether there is a server that decides, and more than half of them have everything.
    pub fn has_quorum(&self) -> bool {
        let current = self.servers.iter().filter(|server| server.is_current);
        self.servers.iter().any(|server| server.leads) && current.count() > self.servers.len() / 2
    }
}
