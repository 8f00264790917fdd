//! Random commands have the same replies and effects on weir as on Redis.

use weir_tests::differential::{Focus, Outcome, Plan, run, run_waiting};
use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;

/// Commands of the run against Redis.
const COMMANDS: usize = 120_000;

/// Commands of the run with clients that wait: after each of them, all have to be looked at.
const COMMANDS_WITH_WAITING: usize = 6_000;

/// The seed unless `WEIR_SEED` names one; what it draws is the same on every machine.
const SEED: u64 = 86;

/// Runs random commands on Redis and weir, if Redis is available.
fn compare(
    focus: Focus,
    commands: usize,
    run: fn(&Plan) -> anyhow::Result<Outcome>,
) -> anyhow::Result<()> {
    let Some(redis) = Peers::binary("redis86-server")? else {
        return Ok(());
    };
    let (redis, weir) = (Server::start(&redis)?, Server::start(&peers::weir()?)?);
    let seed = std::env::var("WEIR_SEED").map_or(Ok(SEED), |seed| seed.parse())?;
    let plan = Plan {
        seed,
        focus,
        commands,
        reference: redis.address(),
        tested: weir.address(),
    };
    match run(&plan)? {
        Outcome::Same(_) => Ok(()),
        Outcome::Different(difference) => anyhow::bail!("{difference}"),
    }
}

#[test]
fn random_commands_have_the_same_replies_as_on_redis() {
    compare(Focus::All, COMMANDS, run).unwrap();
}

#[test]
fn random_commands_on_hashes_have_the_same_replies_as_on_redis() {
    compare(Focus::Hashes, COMMANDS, run).unwrap();
}

#[test]
fn random_commands_on_hyperloglogs_have_the_same_replies_as_on_redis() {
    compare(Focus::HyperLogLogs, COMMANDS, run).unwrap();
}

#[test]
fn sorted_sets_are_changed_and_combined_as_on_redis() {
    compare(Focus::SortedSets, COMMANDS, run).unwrap();
}

#[test]
fn lists_are_pushed_popped_and_moved_as_on_redis() {
    compare(Focus::Lists, COMMANDS, run).unwrap();
}

#[test]
fn sets_are_changed_drawn_from_and_combined_as_on_redis() {
    compare(Focus::Sets, COMMANDS, run).unwrap();
}

#[test]
fn places_are_found_as_on_redis() {
    compare(Focus::Places, COMMANDS, run).unwrap();
}

#[test]
fn values_are_sorted_as_on_redis() {
    compare(Focus::Sort, COMMANDS, run).unwrap();
}

#[test]
fn scripts_do_and_answer_the_same_as_on_redis() {
    compare(Focus::Scripts, COMMANDS / 2, run).unwrap();
}

#[test]
fn the_same_clients_are_woken_as_on_redis() {
    compare(Focus::All, COMMANDS_WITH_WAITING, run_waiting).unwrap();
}

#[test]
fn the_same_clients_are_given_elements_as_on_redis() {
    compare(Focus::Lists, COMMANDS_WITH_WAITING, run_waiting).unwrap();
    compare(Focus::SortedSets, COMMANDS_WITH_WAITING, run_waiting).unwrap();
}

#[test]
fn redis_agrees_with_itself_and_not_with_valkey() {
    let (Some(redis), Some(valkey)) = (
        Peers::binary("redis86-server").unwrap(),
        Peers::binary("valkey91-server").unwrap(),
    ) else {
        return;
    };
    let first = Server::start(&redis).unwrap();
    let agrees = |server: &Server, commands| {
        let plan = Plan {
            seed: SEED,
            focus: Focus::All,
            commands,
            reference: first.address(),
            tested: server.address(),
        };
        match run(&plan).unwrap() {
            Outcome::Same(_) => None,
            Outcome::Different(difference) => Some(difference.to_string()),
        }
    };
    assert_eq!(agrees(&Server::start(&redis).unwrap(), 20_000), None);
    assert!(agrees(&Server::start(&valkey).unwrap(), 20_000).is_some());
}
