//! A log that several nodes share, on one stream of NATS JetStream.
//!
//! `core/replication` has the protocol, as a state machine without a connection or a clock. Here
//! are the two things that it needs to run: a [`LogService`], which publishes and reads records,
//! and a [`Driver`], a thread that hands the answers of the service to the protocol, and does what
//! the protocol says. A [`SnapshotStore`] has the snapshots behind which the log is trimmed
//! ([`trim`]). What the records mean is the business of a [`Replica`], which the owner of the
//! driver brings. [`watch`] looks after the log in the background, and [`verify()`] reads all of it
//! at once. Beside the log, nodes tell one another that they are there ([`Presence`]).
//!
//! Not here: which records are valid, who leads and for how long (`core/replication`); engines,
//! clients and the command line. `docs/replication.md` says what is promised.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a test may fail by panicking")
)]

mod api;
mod assurance;
mod clock;
mod config;
mod connection;
mod driver;
mod error;
mod gathered;
mod guard;
pub mod limits;
mod opening;
mod pass;
mod presence;
mod publishing;
mod reading;
mod recovery;
mod replica;
mod rotation;
mod servers;
mod service;
mod snapshots;
mod stream;
mod trim;
mod verify;

pub use assurance::{Assurance, AssuranceError};
pub use clock::now as steady_now;
pub use config::{Credentials, GroupName, GroupNameError, ServiceConfig};
pub use driver::{Driver, DriverConfig, Lead, Standing, StartError};
pub use error::OpenError;
pub use guard::{Ward, watch};
pub use opening::check_again;
pub use pass::{Bounds, Judged};
pub use presence::Presence;
pub use recovery::{KeptRecord, RecoverError, begin_again, bounds, heard, kept, record};
pub use replica::{Beginning, Halt, Inapplicable, Replica};
pub use servers::{LogServer, LogServers};
pub use service::LogService;
pub use snapshots::{SnapshotFolder, SnapshotStore, StoreError, TakeError};
pub use trim::{TrimError, trim};
pub use verify::{LogReading, VerifyError, faults, verify};
