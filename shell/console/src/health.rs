//! Whether the server serves, for those who start, watch and balance servers.

use engine::server::Writes;
use engine::{Engine, Now};
use server::Shard;

/// Which work a server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    /// All.
    ForAll,
    /// Reads: it follows, and what it shows is new enough.
    ForReads,
}

/// Why the server does not take work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// It stops.
    Stopping,
    /// It reads its data: so many bytes of so many, which are 0 while unknown.
    Loading(u64, u64),
    /// It refuses writes; the health of its journal.
    WritesRefused(&'static str),
    /// It leads, and its lease has run out: it answers nobody until it is extended.
    NoLease,
    /// It follows, and reads the log of its group from the beginning: it led and was deposed.
    ReadingLog,
    /// It follows, and what it has is older than `replica-staleness-max` allows; by how many
    /// milliseconds it may be out of date.
    Stale(u64),
}

/// Looks whether the server takes work: it has its data, does not stop, and accepts writes or is a
/// follower that answers reads.
pub(crate) fn readiness(shard: &Shard) -> Result<Ready, NotReady> {
    if shard.is_stopping() {
        return Err(NotReady::Stopping);
    }
    shard.look(of_engine)
}

/// The same of a server that does not stop.
pub(crate) fn of_engine(engine: &Engine, now: Now) -> Result<Ready, NotReady> {
    let server = &engine.server;
    if let Some(loading) = &server.loading {
        return Err(NotReady::Loading(loading.loaded_bytes, loading.total_bytes));
    }
    if let Writes::Freeing(_) | Writes::Refused(_) = server.writes {
        let persistence = &server.shell.persistence;
        return Err(NotReady::WritesRefused(match persistence.journalling {
            true => persistence.journal_health,
            false if server.topology().is_some() => "the log does not answer",
            false => "snapshots fail",
        }));
    }
    let Some(topology) = server.topology() else {
        return Ok(Ready::ForAll);
    };
    if topology.leads() {
        let is_leased = topology.lease_until.is_some_and(|until| now.mono < until);
        return is_leased.then_some(Ready::ForAll).ok_or(NotReady::NoLease);
    }
    match (server.shows_data(now), topology.staleness_ms(now)) {
        (true, _) => Ok(Ready::ForReads),
        (false, None) => Err(NotReady::ReadingLog),
        (false, Some(stale_ms)) => Err(NotReady::Stale(stale_ms)),
    }
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
            NotReady::NoLease => "the lease of this leader has run out".to_owned(),
            NotReady::ReadingLog => "reading the log again".to_owned(),
            NotReady::Stale(stale_ms) => {
                format!("stale: what this follower has may be {stale_ms} ms old")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::config::Settings;
    use engine::server::Loading;
    use engine::topology::{LogFigures, LogHealth, NodeId, Role, Topology};
    use engine::{Lsn, Mono};

    use super::*;

    /// What a server that knows this of its group says at 20 seconds.
    fn told(role: Role, current_at: Option<u64>, lease_until: Option<u64>) -> Option<String> {
        let (settings, start) = (Settings::default(), Now::default());
        let mut engine = Engine::new(settings, 1, start, &commands::TABLE);
        engine.server.writes = match role {
            Role::Leader => Writes::Accepted,
            Role::Follower | Role::Candidate => Writes::Elsewhere,
        };
        engine.set_topology(Some(Topology {
            name: "g".to_owned(),
            own: NodeId::new("g", 1),
            role,
            epoch: 1,
            leader: None,
            nodes: Vec::new(),
            down_after_ms: 3000,
            lease_until: lease_until.map(Mono),
            durable: Lsn::ZERO,
            current_at: current_at.map(Mono),
            log: LogHealth::Good,
            figures: LogFigures::default(),
        }));
        let now = Now {
            mono: Mono(20_000),
            ..Now::default()
        };
        let ready = of_engine(&engine, now);
        let follows = role != Role::Leader;
        assert_eq!(ready == Ok(Ready::ForReads), ready.is_ok() && follows);
        ready.err().map(|why| why.reason())
    }

    #[test]
    fn a_server_that_loads_or_refuses_writes_is_not_ready() {
        let (settings, now) = (Settings::default(), Now::default());
        let mut engine = Engine::new(settings, 1, now, &commands::TABLE);
        assert_eq!(of_engine(&engine, now), Ok(Ready::ForAll));
        let persistence = &mut engine.server.shell.persistence;
        (persistence.journalling, persistence.journal_health) = (true, "fenced");
        engine.server.writes = Writes::Refused("somebody else wrote".to_owned());
        let fenced = of_engine(&engine, now).unwrap_err();
        assert_eq!(fenced.reason(), "writes are refused: fenced");
        // The data is dropped then, and loaded again.
        engine.server.loading = Some(Loading::begin(now));
        assert_eq!(of_engine(&engine, now), Err(NotReady::Loading(0, 0)));
    }

    #[test]
    fn a_follower_is_ready_while_what_it_has_may_be_shown() {
        // replica-staleness-max is 10 seconds.
        assert_eq!(told(Role::Follower, Some(10_000), None), None);
        let stale = "stale: what this follower has may be 10001 ms old";
        assert_eq!(told(Role::Candidate, Some(9_999), None).unwrap(), stale);
        let deposed = told(Role::Follower, None, None);
        assert_eq!(deposed.unwrap(), "reading the log again");
    }

    #[test]
    fn a_leader_is_ready_while_its_lease_runs() {
        assert_eq!(told(Role::Leader, None, Some(20_001)), None);
        let lapsed = "the lease of this leader has run out";
        assert_eq!(told(Role::Leader, None, Some(20_000)).unwrap(), lapsed);
        assert_eq!(told(Role::Leader, None, None).unwrap(), lapsed);
    }
}
