//! Several engines on a simulated replicated log. `SIM_SEEDS=10000` runs more seeds, `SIM_SEED=17`
//! one.

use sim::replication_run::{Bug, Counts, Drift, Plan, run};
use sim::seeds::seeds;

/// How many seeds a planted bug may take.
const SEEDS_OF_A_BUG: u64 = 150;

fn run_or_fail(plan: Plan) -> Counts {
    run(plan).unwrap_or_else(|error| panic!("{error:#}\nreproduce: SIM_SEED={}", plan.seed))
}

#[test]
fn nothing_that_was_acknowledged_is_lost_doubled_or_undone() {
    let mut sum = Counts::default();
    for seed in seeds(20) {
        sum += run_or_fail(Plan::drawn(seed));
    }
    // Without these, the runs would show nothing.
    if std::env::var("SIM_SEED").is_err() {
        let counts = [
            sum.acknowledged,
            sum.retries,
            sum.duplicates,
            sum.duplicates_of_others,
            sum.delivered,
            sum.claimed,
            sum.puts,
            sum.states_compared,
            sum.leader_reads,
            sum.follower_reads,
            sum.void,
            sum.epochs,
            sum.doubts,
            sum.depositions,
            sum.hand_overs,
            sum.losses,
            sum.resets,
            sum.proposals_lost,
            sum.acks_lost,
            sum.late_publishes,
            sum.doubled_publishes,
            sum.snapshots,
            sum.snapshots_refused,
            sum.snapshots_loaded,
            sum.trims,
            sum.damages,
            sum.stops,
        ];
        assert!(counts.iter().all(|&count| count > 0), "{sum:?}");
    }
}

#[test]
fn a_run_of_nodes_repeats_itself() {
    assert_eq!(run_or_fail(Plan::drawn(8)), run_or_fail(Plan::drawn(8)));
}

#[test]
fn planted_bugs_of_nodes_are_found() {
    for bug in Bug::ALL {
        let found = (0..SEEDS_OF_A_BUG).any(|seed| {
            run(Plan {
                seed,
                drift: Drift::WithinMargin,
                damage: bug.damage(),
                bug: Some(bug),
            })
            .is_err()
        });
        assert!(found, "{bug:?} was not found");
    }
}
