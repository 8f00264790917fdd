//! Runs many seeds of engine and journal on the simulated disk, and says what happened.
//!
//! `cargo run --profile checked -p sim --example engine -- FIRST_SEED SEEDS [STEPS]`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::Instant;

use anyhow::{Context, Result};
use sim::engine_run::{Bug, Counts, Plan, Workload, run};

/// Seeds in which a planted bug must be found.
const BUG_SEEDS: u64 = 100;

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let first = numbers.next().transpose()?.unwrap_or(0);
    let seeds = numbers.next().transpose()?.unwrap_or(100);
    let steps = numbers.next().transpose()?.unwrap_or(2000);
    let begin = Instant::now();
    let plan = |seed, bug: Option<Bug>| Plan {
        seed,
        steps,
        bug,
        workload: bug.map_or(Workload::Relies, Bug::workload),
    };
    for bug in Bug::ALL {
        let mut runs = (first..first + BUG_SEEDS).map(|seed| (seed, run(plan(seed, Some(bug)))));
        let found = runs.find_map(|(seed, result)| Some((seed, result.err()?)));
        let (seed, error) = found.with_context(|| format!("{bug:?} was not found"))?;
        println!(
            "planted {bug:?}, found by seed {seed}: {}",
            error.root_cause()
        );
    }
    let mut sum = Counts::default();
    for seed in first..first + seeds {
        sum.add(&run(plan(seed, None))?);
        if (seed - first + 1).is_multiple_of(1000) {
            println!(
                "{} seeds, {} crash points, {:.0?}",
                seed - first + 1,
                sum.crashes,
                begin.elapsed()
            );
        }
    }
    println!(
        "{seeds} seeds from {first} of {steps} steps: nothing lost, nothing doubled, in {:.0?}\n{sum:#?}",
        begin.elapsed()
    );
    Ok(())
}
