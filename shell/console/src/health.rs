//! Whether the server serves, for those who start, watch and balance servers.

use engine::server::Writes;
use server::Shard;

/// Why the server does not take work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// It stops.
    Stopping,
    /// It reads its data: so many bytes of so many, which are 0 while unknown.
    Loading(u64, u64),
    /// It refuses writes; the health of its journal.
    WritesRefused(&'static str),
}

/// Looks whether the server takes work: it has its data, accepts writes, and does not stop.
pub(crate) fn readiness(shard: &Shard) -> Result<(), NotReady> {
    if shard.is_stopping() {
        return Err(NotReady::Stopping);
    }
    shard.look(|engine, _| {
        let server = &engine.server;
        if let Some(loading) = &server.loading {
            return Err(NotReady::Loading(loading.loaded_bytes, loading.total_bytes));
        }
        match server.writes {
            // A follower takes the work that a follower is there for.
            Writes::Accepted | Writes::Elsewhere => Ok(()),
            Writes::Freeing(_) | Writes::Refused(_) => {
                let persistence = &server.shell.persistence;
                Err(NotReady::WritesRefused(match persistence.journalling {
                    true => persistence.journal_health,
                    false => "snapshots fail",
                }))
            }
        }
    })
}

impl NotReady {
    /// In words for everybody: what the server says of its disk is for users alone.
    pub(crate) fn reason(&self) -> String {
        match self {
            NotReady::Stopping => "stopping".to_owned(),
            NotReady::Loading(_, 0) => "loading".to_owned(),
            NotReady::Loading(loaded, total) => {
                format!("loading: {loaded} of {total} bytes")
            }
            NotReady::WritesRefused(health) => format!("writes are refused: {health}"),
        }
    }
}
