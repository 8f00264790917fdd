//! The protocol by which several nodes share one replicated log: one of them leads and appends,
//! the others follow, and whoever reads the log comes to the same state.
//!
//! The log is somebody else's: a service that keeps numbered records on several machines, and
//! appends one if the last number is what the caller expects. That alone is no fence, because a
//! record that was sent long ago fits as soon as its number does. So each record says under which
//! [`Epoch`] it was written and what came before it ([`Chain`]), and every reader judges it by the
//! same rule ([`Reader`]). Leadership is a record in that log, too.
//!
//! A [`Node`] is a state machine: it is told what happened ([`Event`]) and says what to do
//! ([`Action`]). It has no clock, no randomness and no connection, so a simulation runs what a
//! server runs. What a batch means is not known here, and neither is which service keeps the log.
//! `docs/replication.md` says what is promised, and why.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a test may fail by panicking")
)]

mod action;
mod chain;
mod claiming;
mod following;
mod group;
mod leading;
mod lease;
pub mod limits;
mod node;
mod place;
mod reader;
mod record;
mod recovery;
mod settings;
mod snapshots;

pub use action::{Action, Deposed, Event, Publish, Read, Source, Ticket};
pub use chain::Chain;
pub use group::{Group, GroupError, ReadGroup};
pub use node::{Identity, Node, Status};
pub use place::{Epoch, Mark, NodeId, Position, PositionError, PositionFields, Seq, Steady};
pub use reader::{Entry, Reader, Stop, StopReason, Verdict};
pub use record::{DecodeError, Kind, Record};
pub use settings::{Settings, SettingsError};
pub use snapshots::Snapshots;
