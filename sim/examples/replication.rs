//! Runs many seeds of several nodes on a simulated replicated log, and says what happened.
//!
//! `cargo run --profile checked -p sim --example replication -- FIRST_SEED SEEDS`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::Instant;

use anyhow::Result;
use sim::replication_run::{Counts, Plan, run};

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let first = numbers.next().transpose()?.unwrap_or(0);
    let seeds = numbers.next().transpose()?.unwrap_or(1000);
    let begin = Instant::now();
    let mut sum = Counts::default();
    for seed in first..first + seeds {
        sum += run(Plan::drawn(seed))?;
    }
    println!(
        "{seeds} seeds from {first}, {:.0?}: {sum:#?}",
        begin.elapsed()
    );
    Ok(())
}
