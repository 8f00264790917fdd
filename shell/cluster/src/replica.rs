//! What stands behind the log on one node: an engine, as the driver sees it.

use batch::Lsn;
use replication::{Deposed, Epoch, GroupError, Mark, Position, ReadGroup, Stop};

use crate::driver::{Lead, Standing};
use crate::presence::Presence;
use crate::servers::LogServers;

/// Where a replica begins to follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// What the replica has: the start of the log, or a snapshot.
    pub at: Position,
    /// What this node has once seen of the log, as it was kept on its disk.
    pub mark: Option<Mark>,
}

/// A state that is made of the batches of a log.
///
/// The thread of the driver calls these, one at a time and in the order in which things happen.
/// While one runs, this node neither sends nor receives; a leader that is held up for longer than
/// its lease loses the lead.
pub trait Replica: Send + 'static {
    /// Applies a group that another node has committed.
    ///
    /// # Errors
    /// It cannot be applied. The driver ends, and tells the replica to halt.
    fn apply(&mut self, group: ReadGroup) -> Result<(), Inapplicable>;

    /// Takes note that another node leads from here on, and of what that says of itself.
    fn begun(&mut self, epoch: Epoch, greeting: &[u8]);

    /// Takes note that everything up to here is in the log for ever.
    fn durable(&mut self, lsn: Lsn);

    /// Takes note of what the node is now, after each step of it. What a step means for the replica
    /// is told by the other calls, after this one.
    fn stands(&mut self, standing: &Standing);

    /// Takes note of what a node says of itself, this one included. It may be old or made up.
    fn heard(&mut self, presence: Presence);

    /// Takes note of the servers that keep the log. There are none if nobody tells.
    fn kept_by(&mut self, servers: LogServers);

    /// Begins to execute: this node leads, and the replica is at the end of the log. What it
    /// executes goes to `lead`.
    fn lead(&mut self, lead: Lead);

    /// The lead is not handed over after all: goes on executing.
    fn go_on(&mut self);

    /// Stops executing, as planned. The replica is at the end of the log, and goes on as that of a
    /// follower.
    fn hand_over(&mut self);

    /// Drops the state, which has what is not in the log, and says where it begins again. Clients
    /// that wait must be told that nothing is known of their requests.
    fn step_down(&mut self, deposed: Deposed) -> Beginning;

    /// The log was trimmed beyond where this node is: drops the state, and says where it begins
    /// again. It may have led, with what is not in the log. `None` if it has nothing to begin with;
    /// then the driver ends.
    fn left_behind(&mut self, stop: &Stop) -> Option<Beginning>;

    /// Serves nobody any more. The driver ends.
    fn halt(&mut self, why: Halt);
}

/// A group that the replica cannot apply, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("batches {first} to {last} of the log cannot be applied: {reason}")]
pub struct Inapplicable {
    /// The first batch of the group.
    pub first: Lsn,
    /// The last batch of the group.
    pub last: Lsn,
    /// What is wrong.
    pub reason: String,
}

/// Why a node serves nobody any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The log is not what it must be.
    #[error(transparent)]
    Log(#[from] Stop),
    /// What was executed can never be in the log.
    #[error("what this node has executed cannot be committed: {0}")]
    Group(#[from] GroupError),
    /// What is in the log cannot be executed here.
    #[error(transparent)]
    Inapplicable(#[from] Inapplicable),
}
