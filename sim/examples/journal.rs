//! Runs many seeds of the journal on the simulated disk, and says how many.
//!
//! For each seed: one run without faults, the same run with a power cut at each operation of the
//! disk, and one run that draws faults of its own.
//! `cargo run --profile checked -p sim --example journal -- FIRST_SEED SEEDS`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::Instant;

use anyhow::Result;
use sim::journal_run::{Chaos, Outcome, Plan, run};

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let first = numbers.next().transpose()?.unwrap_or(0);
    let seeds = numbers.next().transpose()?.unwrap_or(100);
    let begin = Instant::now();
    let (mut power_cuts, mut drawn) = (0, Outcome::default());
    for seed in first..first + seeds {
        let plan = Plan {
            seed,
            steps: 120,
            power_cut_at: None,
            chaos: Chaos::Planned,
            bug: None,
        };
        let operations = run(plan)?.operations;
        for operation in 1..=operations {
            run(Plan {
                power_cut_at: Some(operation),
                ..plan
            })?;
        }
        power_cuts += operations;
        let outcome = run(Plan {
            chaos: Chaos::Drawn,
            steps: 300,
            ..plan
        })?;
        drawn.crashes += outcome.crashes;
        drawn.rewrites += outcome.rewrites;
        drawn.poisonings += outcome.poisonings;
        drawn.cuts += outcome.cuts;
    }
    println!(
        "{seeds} seeds from {first}: {power_cuts} power cuts, one at each operation of the disk; \
         drawn: {} crashes, {} torn ends, {} logs not trusted, {} rewrites; {:.0?}; nothing lost",
        drawn.crashes,
        drawn.cuts,
        drawn.poisonings,
        drawn.rewrites,
        begin.elapsed(),
    );
    Ok(())
}
