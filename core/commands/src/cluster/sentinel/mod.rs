//! What clients of Sentinels ask: each node of a group answers as a server and a Sentinel in one,
//! from what it knows of the others (`engine::topology`). The name of the master is the group's.

mod command;
mod instances;
mod master;
mod named;

pub(super) use command::Sentinel;
