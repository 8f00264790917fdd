//! The simulated world and its checkers.
//!
//! One seed gives one run: [`rng`] is the only source of randomness, [`clock`] the only source of
//! time, and [`disk`] the only place where bytes outlive a crash. [`journal_run`] drives the
//! journal alone, [`engine_run`] engine and journal with clients of many kinds,
//! [`replication_run`] several engines on a log that they share.

mod answer;
pub mod clock;
pub mod disk;
pub mod engine_run;
pub mod journal_run;
mod picture;
pub mod replication_run;
pub mod rng;
pub mod seeds;
