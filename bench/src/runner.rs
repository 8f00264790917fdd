//! Interleaves the rounds of different servers, so that what disturbs the machine disturbs all of
//! them.

use std::time::Instant;

use anyhow::Result;
use weir_tests::peers::Peers;

use crate::control::Value;
use crate::curve::Curve;
use crate::node::Persistence;
use crate::peer::{Peer, REFERENCE};
use crate::process::{core_count, family_cpu_time, machine_busy};
use crate::sample::{Metric, Sample, Spread};
use crate::works::{Needs, Rig, Schedule, Setup, Suite, Work};

/// What a work gave on all servers.
#[derive(Debug)]
pub struct WorkResult {
    /// The suite of the work.
    pub suite: Suite,
    /// The work's name.
    pub name: String,
    /// Titles of its lanes.
    pub lanes: Vec<String>,
    /// Curves that some of the lanes are points of.
    pub curves: Vec<Curve>,
    /// Rounds that count.
    pub rounds: u32,
    /// The servers, in the order of the run.
    pub peers: Vec<PeerResult>,
    /// Share of the machine's cores that other processes used meanwhile; 0 to 1.
    pub foreign_load: f64,
}

/// What a work gave on one server.
#[derive(Debug)]
pub struct PeerResult {
    /// The server's name.
    pub peer: String,
    /// How it went.
    pub ending: Ending,
    /// Rounds that were finished, each with a sample per lane.
    pub rounds: Vec<Vec<Sample>>,
}

/// How a work went on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// To the end.
    Finished,
    /// The server lacks what the work needs.
    Unsupported,
    /// With this error.
    Failed(String),
}

/// Does a work on all servers, this many rounds if its schedule allows as many.
pub fn run(work: &dyn Work, peers: &[Peer], setup: &Setup, rounds: u32) -> WorkResult {
    let (since, busy, family) = (Instant::now(), machine_busy(), family_cpu_time());
    let mut results: Vec<PeerResult> = peers
        .iter()
        .map(|peer| PeerResult {
            peer: peer.name.clone(),
            ending: ending_of_probe(peer, work.needs(), setup),
            rounds: Vec::new(),
        })
        .collect();
    let rounds = match work.schedule() {
        Schedule::SideBySide => {
            side_by_side(work, peers, setup, rounds, &mut results);
            rounds
        }
        Schedule::OneAtATime { rounds_max } => {
            let rounds = rounds.min(rounds_max);
            one_at_a_time(work, peers, setup, rounds, &mut results);
            rounds
        }
    };
    // All servers have ended by now, so that their CPU time counts as this process' children's.
    let foreign_load = (|| {
        let busy = machine_busy().ok()?.checked_sub(busy.ok()?)?;
        let own = family_cpu_time().ok()?.checked_sub(family.ok()?)?;
        let available = since.elapsed().as_secs_f64() * core_count() as f64;
        Some(busy.saturating_sub(own).as_secs_f64() / available)
    })();
    WorkResult {
        suite: work.suite(),
        name: work.name(),
        lanes: work.lanes(),
        curves: work.curves(),
        rounds,
        peers: results,
        foreign_load: foreign_load.unwrap_or(0.0),
    }
}

impl WorkResult {
    /// The servers that failed, with the error.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.peers.iter().filter_map(|result| match &result.ending {
            Ending::Failed(error) => Some((result.peer.as_str(), error.as_str())),
            Ending::Finished | Ending::Unsupported => None,
        })
    }

    /// Lanes in which servers replied differently to the same requests.
    pub fn differing_lanes(&self) -> Vec<&str> {
        let differs = |lane: usize| {
            (0..self.rounds as usize).any(|round| {
                let mut digests = self
                    .peers
                    .iter()
                    .filter_map(|peer| peer.rounds.get(round)?.get(lane)?.digest);
                digests
                    .next()
                    .is_some_and(|first| digests.any(|other| other != first))
            })
        };
        let lanes = self.lanes.iter().enumerate();
        lanes
            .filter(|(lane, _)| differs(*lane))
            .map(|(_, title)| title.as_str())
            .collect()
    }

    /// The server that ratios refer to: the reference if it finished, else the first that did.
    pub fn reference(&self) -> Option<&PeerResult> {
        let mut finished = self
            .peers
            .iter()
            .filter(|peer| peer.ending == Ending::Finished);
        finished
            .clone()
            .find(|peer| peer.peer == REFERENCE)
            .or_else(|| finished.next())
    }
}

impl PeerResult {
    /// The values of a metric, round by round.
    pub fn values(&self, lane: usize, metric: Metric) -> Vec<f64> {
        self.rounds
            .iter()
            .filter_map(|samples| samples.get(lane)?.value(metric))
            .collect()
    }

    /// Median and extremes of a metric.
    pub fn spread(&self, lane: usize, metric: Metric) -> Option<Spread> {
        Spread::of(self.values(lane, metric))
    }

    /// Ratios to another server, round by round.
    pub fn ratio(&self, lane: usize, metric: Metric, reference: &PeerResult) -> Option<Spread> {
        Spread::of_ratios(&self.values(lane, metric), &reference.values(lane, metric))
    }

    /// What was measured in a lane; the first is the one that ratios are made of.
    pub fn metrics(&self, lane: usize) -> Vec<Metric> {
        let first = self.rounds.first().and_then(|samples| samples.get(lane));
        first.map_or_else(Vec::new, |sample| {
            sample.figures.iter().map(|(metric, _)| *metric).collect()
        })
    }
}

fn side_by_side(
    work: &dyn Work,
    peers: &[Peer],
    setup: &Setup,
    rounds: u32,
    results: &mut [PeerResult],
) {
    let mut rigs: Vec<Option<Box<dyn Rig>>> = Vec::new();
    for (peer, result) in peers.iter().zip(results.iter_mut()) {
        let rig = result.attempt(|| {
            let mut rig = work.begin(peer, setup)?;
            rig.round(0)?;
            Ok(rig)
        });
        rigs.push(rig);
    }
    for round in 1..=rounds {
        for index in order(peers.len(), round) {
            if let Some(rig) = &mut rigs[index] {
                match results[index].attempt(|| rig.round(round)) {
                    Some(samples) => results[index].rounds.push(samples),
                    None => rigs[index] = None,
                }
            }
        }
    }
}

fn one_at_a_time(
    work: &dyn Work,
    peers: &[Peer],
    setup: &Setup,
    rounds: u32,
    results: &mut [PeerResult],
) {
    for round in 1..=rounds {
        for index in order(peers.len(), round) {
            let (peer, result) = (&peers[index], &mut results[index]);
            if let Some(samples) = result.attempt(|| work.begin(peer, setup)?.round(round)) {
                result.rounds.push(samples);
            }
        }
    }
}

/// The order of the servers in a round. None is always first, which may have to fetch memory that
/// the others find ready, and none is always after the same other one.
fn order(servers: usize, round: u32) -> impl Iterator<Item = usize> {
    let round = round as usize;
    // To turn the order of two round is to change who begins, as the next round does.
    let turned = servers > 2 && (round / servers) % 2 == 1;
    (0..servers).map(move |place| {
        let index = (place + round) % servers;
        if turned { servers - 1 - index } else { index }
    })
}

impl PeerResult {
    /// Does something unless this server has dropped out; it drops out when that fails.
    fn attempt<T>(&mut self, action: impl FnOnce() -> anyhow::Result<T>) -> Option<T> {
        if self.ending != Ending::Finished {
            return None;
        }
        match action() {
            Ok(value) => Some(value),
            Err(error) => {
                self.ending = Ending::Failed(format!("{error:#}"));
                None
            }
        }
    }
}

/// Asks a server once whether it has what the work needs.
fn ending_of_probe(peer: &Peer, needs: Needs, setup: &Setup) -> Ending {
    match needs {
        Needs::Streams => Ending::Finished,
        Needs::Idempotence => {
            let append = ["XADD", "probe", "IDMP", "producer", "iid", "*", "f", "v"];
            ending_of_question(peer, setup, &append, |reply| reply.is_ok())
        }
        Needs::Tls => ending_of_question(
            peer,
            setup,
            &["CONFIG", "GET", "tls-port"],
            |reply| matches!(reply, Ok(Value::Array(pair)) if !pair.is_empty()),
        ),
        Needs::SharedLog => match Peers::binary("nats215-server") {
            Ok(Some(_)) => Ending::Finished,
            Ok(None) => Ending::Unsupported,
            Err(error) => Ending::Failed(format!("{error:#}")),
        },
        Needs::Console => ending_of_question(
            peer,
            setup,
            &["CONFIG", "GET", "http-port"],
            |reply| matches!(reply, Ok(Value::Array(pair)) if !pair.is_empty()),
        ),
    }
}

/// Asks a server whether it has something.
fn ending_of_question(
    peer: &Peer,
    setup: &Setup,
    question: &[&str],
    has_it: impl FnOnce(Result<Value>) -> bool,
) -> Ending {
    let answer = setup.start(peer, Persistence::None, &[]).and_then(|node| {
        let mut control = node.control()?;
        Ok(has_it(control.ask(question)))
    });
    match answer {
        Ok(true) => Ending::Finished,
        Ok(false) => Ending::Unsupported,
        Err(error) => Ending::Failed(format!("{error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each server is at each place in these many rounds.
    fn places(servers: usize, rounds: u32) -> Vec<Vec<u32>> {
        let mut counts = vec![vec![0; servers]; servers];
        for round in 1..=rounds {
            for (place, index) in order(servers, round).enumerate() {
                counts[index][place] += 1;
            }
        }
        counts
    }

    #[test]
    fn every_server_is_as_often_at_each_place() {
        assert_eq!(places(2, 4), [[2, 2], [2, 2]]);
        assert_eq!(places(3, 6), [[2, 2, 2], [2, 2, 2], [2, 2, 2]]);
        assert_eq!(places(4, 8), vec![vec![2; 4]; 4]);
    }

    #[test]
    fn two_servers_take_turns_at_beginning() {
        let first: Vec<_> = (1..=4).filter_map(|round| order(2, round).next()).collect();
        assert_eq!(first, [1, 0, 1, 0]);
    }

    #[test]
    fn no_server_always_follows_the_same_other_one() {
        let before: Vec<Vec<usize>> = (1..=6).map(|round| order(3, round).collect()).collect();
        let follows = |first, second| {
            before
                .iter()
                .any(|it| it.windows(2).any(|w| w == [first, second]))
        };
        for first in 0..3 {
            for second in (0..3).filter(|it| *it != first) {
                assert!(follows(first, second), "{second} never follows {first}");
            }
        }
    }
}
