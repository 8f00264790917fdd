//! The same work on weir and on real peers, in one run.
//!
//! A [`works::Work`] is one piece of work (say, XADD at pipeline 16). The [`runner`] starts every
//! peer's server on this machine, gives each the same bytes in turn, round after round, and
//! compares what came back, so that a server cannot look fast by doing something else. What is
//! measured first of all is the CPU time of the server's process per operation: on a shared machine
//! it is far steadier than throughput.
//!
//! Where to read on: [`load`] is the load client, [`node`] a running server, [`works`] the work
//! itself, [`report`] what is printed, [`curve`] and [`plot`] what is drawn.

pub mod attacker;
pub mod control;
pub mod curve;
pub mod load;
pub mod node;
pub mod peer;
pub mod pinger;
pub mod plot;
pub mod process;
pub mod reply;
pub mod report;
pub mod request;
pub mod runner;
pub mod sample;
pub mod script;
pub mod tls;
pub mod watchers;
mod wire;
pub mod works;
