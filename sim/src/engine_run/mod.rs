//! Engine and journal together, on a simulated disk: producers, consumers and others at work, while
//! the process ends, the power fails, the disk fails and fills up, and replies get lost.
//!
//! A run is one seed. It drives the pieces that the server consists of ([`engine::Engine`],
//! [`journal::Commit`], [`persistence::read_log`], [`persistence::snapshot`]) by one loop instead
//! of by threads, and holds replies back as the server does. After each restart it checks that
//!
//! - each message is there exactly once, in the order in which its producer said it, if anybody was
//!   told of it, and at most once otherwise;
//! - a delayed message waits or was appended, one of them, and never before its time, unless it was
//!   taken back;
//! - each thing that was put into a list, set, sorted set, or hash is there or was taken out once,
//!   and things that are only moved are in one place;
//! - each entry of a stream of work is still to be delivered, pending, or a dead letter, in exactly
//!   one of these ways, and is not delivered more often than it may be;
//! - what a group still needs stays in a stream with bounds, and what nobody needs goes in the end;
//! - each entry of the streams that are read by a pattern was told to one reader as new, whatever
//!   streams came meanwhile, and in the end none was passed over;
//! - nobody is given an entry before its pause is over, or while another one holds it, and to renew
//!   a hold is no delivery;
//! - workers that have nothing to do go, and nothing that is pending goes with them;
//! - what a script or function has written is there wholly or not at all, also of one that takes
//!   long and was suspended in the middle when the crash came;
//! - libraries of functions are there wholly or not at all, and their functions are those of their
//!   texts;
//! - the journal includes every batch that any reply depended on;
//! - nobody waits for a journal that is not healthy: an error replaces each reply, and a request
//!   whose effect was not known to be durable may be sent again;
//! - reads that were answered before the crash are answered in the same way after it;
//! - the state is that of the batch at which the journal ends, and no effect is refused;
//!
//! and at times that a second engine, fed with the effects alone, has the same state as the first,
//! the same numbers, and the same answers to reads; and that whoever has the state after some batch
//! and reads the log from there comes to the same state. Where any key may be evicted
//! ([`Workload::AnyKeyMayGo`]), clients rely on none, and what was evicted must stay away all the
//! same. Now and then somebody else writes to the log: then everybody who waits gets an error,
//! nothing more is written, and the log is loaded again. In the end every group must have got
//! everything. Ways to break all this are planted by [`Bug`].

mod bystander;
mod client;
mod consumer;
mod counts;
mod crew;
mod delayer;
mod elements;
mod evictable;
mod follower;
mod functions;
mod holds;
mod kept;
mod ledger;
mod lists;
mod many;
mod numbered;
mod process;
mod producer;
mod request;
mod retries;
mod scripts;
mod setting;
mod things;
mod work;
mod world;

use anyhow::{Context, Result};

use crate::disk::SimDisk;
use crate::rng::Rng;

pub use counts::Counts;

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides everything else.
    pub seed: u64,
    /// How many steps the run has.
    pub steps: u64,
    /// A bug, for the checkers to find.
    pub bug: Option<Bug>,
    /// What clients do.
    pub workload: Workload,
}

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// They rely on what they were told. Only keys are evicted that expire.
    Relies,
    /// They rely on no key, and any key may be evicted.
    AnyKeyMayGo,
}

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Syncs report success and do nothing.
    SyncDropped,
    /// Replies leave at once.
    ReleasedEarly,
    /// Replies of reads leave at once.
    LookReleasedEarly,
    /// Snapshots are written without the remembered appends.
    IdempotenceForgotten,
    /// Snapshots are written without what was counted of producers.
    CountsForgotten,
    /// Snapshots are written without the numbers that producers have reached.
    NumbersForgotten,
    /// Snapshots are written without what groups were told.
    GroupSettingsForgotten,
    /// Snapshots are written without the pauses of pending entries.
    PausesForgotten,
    /// Snapshots are written without the libraries of functions.
    LibrariesForgotten,
    /// Snapshots are written without what waits to be appended.
    DelayedForgotten,
    /// Snapshots are written without the bounds of streams.
    BoundsForgotten,
    /// Streams with bounds are trimmed without asking their groups.
    NeededTrimmed,
    /// Workers go by themselves that have entries pending.
    LadenRemoved,
    /// Entries are taken from workers before their time.
    HeldTaken,
    /// A renewed hold counts as deliveries.
    TouchCounted,
    /// Streams know more producers than they may.
    ProducersUncapped,
    /// Streams keep more bytes than they may.
    BytesKept,
    /// Snapshots are written without how far readers by a pattern have come.
    DeliveriesForgotten,
    /// The log is not told of keys that are evicted.
    EvictedUnsaid,
    /// The last recovered batch is applied twice.
    AppliedTwice,
    /// Replies leave while the disk is full and their batches are in no file.
    ReleasedWhenFull,
    /// A rewrite takes the data as they are when a script is in the middle.
    RewrittenMidScript,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 22] = [
        Bug::SyncDropped,
        Bug::ReleasedEarly,
        Bug::LookReleasedEarly,
        Bug::IdempotenceForgotten,
        Bug::CountsForgotten,
        Bug::NumbersForgotten,
        Bug::GroupSettingsForgotten,
        Bug::PausesForgotten,
        Bug::LibrariesForgotten,
        Bug::DelayedForgotten,
        Bug::BoundsForgotten,
        Bug::NeededTrimmed,
        Bug::LadenRemoved,
        Bug::HeldTaken,
        Bug::TouchCounted,
        Bug::ProducersUncapped,
        Bug::BytesKept,
        Bug::DeliveriesForgotten,
        Bug::EvictedUnsaid,
        Bug::AppliedTwice,
        Bug::ReleasedWhenFull,
        Bug::RewrittenMidScript,
    ];

    /// The workload in which it shows.
    pub fn workload(self) -> Workload {
        if self == Bug::EvictedUnsaid {
            Workload::AnyKeyMayGo
        } else {
            Workload::Relies
        }
    }
}

/// Runs a plan.
///
/// # Errors
/// What the checkers found, with the plan and the end of the trace.
pub fn run(plan: Plan) -> Result<Counts> {
    let disk = SimDisk::new(Rng::new(!plan.seed));
    let ended = world::World::new(plan, disk.clone()).and_then(|mut world| world.run());
    ended.with_context(|| {
        let trace = disk.trace().join("\n");
        format!("{plan:?}\nthe end of the trace:\n{trace}\n")
    })
}
