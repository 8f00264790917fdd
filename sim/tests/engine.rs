//! Engine and journal on the simulated disk. `SIM_SEEDS=1000` runs more seeds, `SIM_SEED=17` one.

use std::panic::resume_unwind;
use std::thread;

use sim::engine_run::{Bug, Counts, Plan, Workload, run};

fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        steps: 1500,
        bug: None,
        workload: Workload::Relies,
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run_or_fail(plan: Plan) -> Counts {
    run(plan).unwrap_or_else(|error| panic!("{error:#}\nreproduce: SIM_SEED={}", plan.seed))
}

#[test]
fn nothing_that_was_told_is_lost_or_doubled() {
    if let Some(seed) = number("SIM_SEED") {
        run_or_fail(plan(seed));
        return;
    }
    let mut sum = Counts::default();
    for seed in 0..number("SIM_SEEDS").unwrap_or(12) {
        sum.add(&run_or_fail(plan(seed)));
    }
    // Without these, the runs would show nothing.
    assert!(
        sum.crashes > 100 && sum.rewrites > 0 && sum.poisonings > 0 && sum.cuts > 0,
        "{sum:?}"
    );
    assert!(
        sum.retries > 100 && sum.batches_lost > 0 && sum.looks_repeated > 0 && sum.refused > 0,
        "{sum:?}"
    );
    assert!(
        sum.packed > 0 && sum.not_durable > 0 && sum.conflicts > 20 && sum.fenced > 20,
        "{sum:?}"
    );
    assert!(
        sum.counted > 10 && sum.stale > 10 && sum.visits > 10 && sum.together > 20,
        "{sum:?}"
    );
    assert!(sum.delayed > 50 && sum.undelayed > 5, "{sum:?}");
    assert!(sum.retained_away > 20, "{sum:?}");
    assert!(sum.followed > 100 && sum.overtaken > 5, "{sum:?}");
    assert!(
        sum.given_by_pattern > 200 && sum.streams_found > 40,
        "{sum:?}"
    );
    assert!(sum.evicted > 2 && sum.idle_gone > 5, "{sum:?}");
    assert!(
        sum.dead_lettered > 40 && sum.redriven > 5 && sum.rested > 2 && sum.renewed > 10,
        "{sum:?}"
    );
    assert!(
        sum.scripts > 20 && sum.functions > 5 && sum.suspended > 20 && sum.busy > 10,
        "{sum:?}"
    );
}

#[test]
fn what_was_evicted_by_any_policy_does_not_come_back() {
    let mut sum = Counts::default();
    for seed in 0..number("SIM_SEEDS").unwrap_or(12) {
        sum.add(&run_or_fail(Plan {
            workload: Workload::AnyKeyMayGo,
            ..plan(seed)
        }));
    }
    assert!(
        sum.evicted > 200 && sum.crashes > 100 && sum.followed > 100,
        "{sum:?}"
    );
}

#[test]
fn a_run_repeats_itself() {
    assert_eq!(run_or_fail(plan(5)), run_or_fail(plan(5)));
}

#[test]
fn several_nodes_in_one_process_do_not_know_of_one_another() {
    let seeds = [5, 6, 7];
    let alone = seeds.map(|seed| run_or_fail(plan(seed)));
    let together = thread::scope(|scope| {
        let runs = seeds.map(|seed| scope.spawn(move || run_or_fail(plan(seed))));
        runs.map(|run| run.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    assert_eq!(alone, together);
}

#[test]
fn planted_bugs_are_found() {
    for bug in Bug::ALL {
        let found = (0..60).any(|seed| {
            let plan = Plan {
                bug: Some(bug),
                workload: bug.workload(),
                ..plan(seed)
            };
            run(plan).is_err()
        });
        assert!(found, "{bug:?} was not found");
    }
}
