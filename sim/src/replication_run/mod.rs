//! Several machines on a simulated replicated log: producers that retry, consumers of groups and
//! others, and a log service that loses what it has not acknowledged, acknowledgements that get
//! lost, publishes that arrive late or twice, clocks that drift, pauses, crashes, partitions,
//! machines that are gone for good.
//!
//! A run is one seed. Each machine has an [`engine::Engine`] and a [`replication::Node`], driven as
//! a server would. While a run lasts and at its end it is checked that
//!
//! - each append that was acknowledged is in its stream exactly once, under the ID that its
//!   producer was told, however often and whichever leader it asked; any other is there at most
//!   once; and those of one producer are in the order in which it sent them;
//! - a read of the leader shows all that was acknowledged before it began, and what any read has
//!   shown, of a leader or a follower, is never taken back;
//! - each entry is given to one consumer of a group as new, is given to nobody after it was
//!   acknowledged, and is acknowledged in the end;
//! - values of other types hold what was acknowledged, once, and transactions wholly or not at all;
//! - once a leader of a later epoch has answered, none of an earlier one does;
//! - all machines come to the state of the log, as far as a client can ask for it, and so it was
//!   whenever one of them had a batch and nothing that was not in the log;
//! - a snapshot that counts can be loaded, and leads to the same state with what the log has behind
//!   it;
//! - a machine stops if the log has lost or damaged what it knew, and never otherwise;
//! - when faults are over, a leader is there and every append gets through.
//!
//! If clocks drift beyond the margin, reads may be stale and two may answer; all else holds.

mod audit;
mod clients;
mod machine;
mod replica;
mod service;
mod store;
mod world;

use std::ops::AddAssign;

use anyhow::{Context, Result};

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides everything else.
    pub seed: u64,
    /// How the clocks of the machines run.
    pub drift: Drift,
    /// What the log does that it must not.
    pub damage: Damage,
    /// A bug, for the checkers to find.
    pub bug: Option<Bug>,
}

impl Plan {
    /// The plan that a seed draws.
    pub fn drawn(seed: u64) -> Plan {
        Plan {
            seed,
            drift: match seed % 8 {
                7 => Drift::BeyondMargin,
                _ => Drift::WithinMargin,
            },
            damage: match seed % 10 {
                7 => Damage::SuffixLost,
                8 => Damage::RecordLost,
                9 => Damage::BitFlipped,
                _ => Damage::None,
            },
            bug: None,
        }
    }

    /// Returns whether what a leader shows is all that was acknowledged before.
    fn reads_are_current(&self) -> bool {
        self.drift == Drift::WithinMargin && !self.log_forgets()
    }

    /// Returns whether the log may lose what it has acknowledged, and nobody know of it.
    fn log_forgets(&self) -> bool {
        self.damage == Damage::SuffixLost
    }
}

/// How far the rates of two clocks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// By up to 22 percent, where the margin is 25.
    WithinMargin,
    /// By up to a factor of 2.3.
    BeyondMargin,
}

/// What a log does that it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing.
    None,
    /// It loses some of the last records, acknowledged ones among them.
    SuffixLost,
    /// It loses a record in the middle.
    RecordLost,
    /// It changes a bit of a record.
    BitFlipped,
}

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Records are published without the expected last sequence.
    ExpectationDropped,
    /// A record of an older epoch is applied.
    OlderEpochApplied,
    /// An acknowledgement counts for all that was sent before.
    AcksOutOfOrder,
    /// A leader answers after its lease.
    AnsweredAfterLease,
    /// What was not acknowledged is published again without looking.
    RepublishedBlindly,
    /// Reading goes on behind a gap.
    GapSkipped,
    /// A log that ends earlier than this machine has seen is taken as it is.
    LostSuffixAccepted,
    /// The lease counts from the acknowledgement.
    LeaseFromAck,
    /// A candidate does not wait for the lease of the leader.
    ImpatientCandidate,
    /// The log is trimmed behind a snapshot that nobody has read back.
    TrimmedUnchecked,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 10] = [
        Bug::ExpectationDropped,
        Bug::OlderEpochApplied,
        Bug::AcksOutOfOrder,
        Bug::AnsweredAfterLease,
        Bug::RepublishedBlindly,
        Bug::GapSkipped,
        Bug::LostSuffixAccepted,
        Bug::LeaseFromAck,
        Bug::ImpatientCandidate,
        Bug::TrimmedUnchecked,
    ];

    /// The damage without which the bug does not show.
    pub fn damage(self) -> Damage {
        match self {
            Bug::GapSkipped => Damage::RecordLost,
            Bug::LostSuffixAccepted => Damage::SuffixLost,
            Bug::ExpectationDropped
            | Bug::OlderEpochApplied
            | Bug::AcksOutOfOrder
            | Bug::AnsweredAfterLease
            | Bug::RepublishedBlindly
            | Bug::LeaseFromAck
            | Bug::ImpatientCandidate
            | Bug::TrimmedUnchecked => Damage::None,
        }
    }
}

/// What happened in runs that found nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Appends that were acknowledged to their producers.
    pub acknowledged: u64,
    /// Appends that were sent again.
    pub retries: u64,
    /// Appends that were there already when they came.
    pub duplicates: u64,
    /// Those of them that another leader had executed.
    pub duplicates_of_others: u64,
    /// Entries that groups have given to consumers.
    pub delivered: u64,
    /// Those of them that others had left.
    pub claimed: u64,
    /// Changes of other values that were acknowledged.
    pub puts: u64,
    /// Reads that a leader answered.
    pub leader_reads: u64,
    /// Reads that a follower answered.
    pub follower_reads: u64,
    /// States of machines that were compared with the log, beside those at the end.
    pub states_compared: u64,
    /// Records in the logs.
    pub records: u64,
    /// Those of them that are void.
    pub void: u64,
    /// Epochs that began.
    pub epochs: u64,
    /// How often a leader was in doubt of what it had sent.
    pub doubts: u64,
    /// How often a leader found that another had taken its place.
    pub depositions: u64,
    /// How often the lead was handed over as planned.
    pub hand_overs: u64,
    /// Machines that crashed.
    pub crashes: u64,
    /// Machines that were replaced by empty ones.
    pub losses: u64,
    /// Machines that paused.
    pub pauses: u64,
    /// Links that were cut, in one direction or both.
    pub partitions: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// How often the log service changed its own leader.
    pub service_failovers: u64,
    /// Records that were lost then, all of them not acknowledged.
    pub proposals_lost: u64,
    /// Acknowledgements that did not arrive.
    pub acks_lost: u64,
    /// Publishes that arrived more than a second late.
    pub late_publishes: u64,
    /// Publishes that arrived twice.
    pub doubled_publishes: u64,
    /// Snapshots that were checked and count.
    pub snapshots: u64,
    /// Those that were damaged on their way, which was noticed.
    pub snapshots_refused: u64,
    /// How often a machine began with one.
    pub snapshots_loaded: u64,
    /// How often a machine that ran had to begin with one, because the log was trimmed.
    pub left_behind: u64,
    /// How often the log was trimmed.
    pub trims: u64,
    /// Logs that were damaged.
    pub damages: u64,
    /// Machines that stopped because of damage.
    pub stops: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.acknowledged += other.acknowledged;
        self.retries += other.retries;
        self.duplicates += other.duplicates;
        self.duplicates_of_others += other.duplicates_of_others;
        self.delivered += other.delivered;
        self.claimed += other.claimed;
        self.puts += other.puts;
        self.leader_reads += other.leader_reads;
        self.follower_reads += other.follower_reads;
        self.states_compared += other.states_compared;
        self.records += other.records;
        self.void += other.void;
        self.epochs += other.epochs;
        self.doubts += other.doubts;
        self.depositions += other.depositions;
        self.hand_overs += other.hand_overs;
        self.crashes += other.crashes;
        self.losses += other.losses;
        self.pauses += other.pauses;
        self.partitions += other.partitions;
        self.resets += other.resets;
        self.service_failovers += other.service_failovers;
        self.proposals_lost += other.proposals_lost;
        self.acks_lost += other.acks_lost;
        self.late_publishes += other.late_publishes;
        self.doubled_publishes += other.doubled_publishes;
        self.snapshots += other.snapshots;
        self.snapshots_refused += other.snapshots_refused;
        self.snapshots_loaded += other.snapshots_loaded;
        self.left_behind += other.left_behind;
        self.trims += other.trims;
        self.damages += other.damages;
        self.stops += other.stops;
    }
}

/// Runs a plan.
///
/// # Errors
/// What the checkers found, with the plan and the end of the trace.
pub fn run(plan: Plan) -> Result<Counts> {
    let mut world = world::World::new(plan);
    let ended = world.run();
    ended.with_context(|| {
        let trace = world.trace().join("\n");
        format!("{plan:?}\nthe end of the trace:\n{trace}\n")
    })
}
