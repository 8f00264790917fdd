//! weir answers as recorded: one test for each file of cases, each with a server of its own.

use weir_tests::server::Server;
use weir_tests::{case, known, peers, scenario};

macro_rules! files {
    ($($test:ident: $file:literal,)*) => {
        const FILES: &[&str] = &[$($file),*];

        $(
            #[test]
            fn $test() {
                check($file).unwrap();
            }
        )*
    };
}

files! {
    users: "acl",
    beyond_redis_8_6: "beyond",
    bits_of_strings: "bitmap",
    channels: "channels",
    connections: "connection",
    eviction: "eviction",
    expiring_keys: "expire",
    counters_and_references_of_groups: "groups",
    idempotent_appends: "idempotence",
    keys_of_any_type: "keys",
    memory: "memory",
    words_of_weir_alone: "own",
    bytes_on_the_wire: "protocol",
    replies_that_are_wanted: "replies",
    notifications_of_keys: "notifications",
    scripts_that_run: "scripting",
    libraries_of_scripts: "scripting-libraries",
    functions_of_libraries: "functions",
    the_server_itself: "server",
    sorted_sets: "sorted-sets",
    clients_that_wait_for_sorted_sets: "sorted-sets-block",
    edges_of_streams: "streams-edges",
    errors_of_stream_commands: "stream-errors",
    hash_fields: "hash-fields",
    hashes: "hashes",
    places: "places",
    estimates: "hyperloglog",
    lists: "lists",
    waiting_for_lists: "lists-block",
    sets: "sets",
    sorting: "sort",
    strings: "strings",
    strings_compared: "strings-compare",
    tracking: "tracking",
    transactions: "transactions",
    acknowledging_and_claiming: "xack",
    appending: "xadd",
    groups: "xgroup",
    looking_at_streams: "xinfo",
    ranges_and_reads: "xrange",
    blocking_reads: "xread-block",
    trimming_and_deleting: "xtrim",
}

fn check(file: &str) -> anyhow::Result<()> {
    let cases = case::load(file)?;
    let known = known::load(file)?;
    let server = Server::start(&peers::weir()?)?;
    let failures = scenario::run_all(server.address(), &cases, &known);
    let shown: Vec<String> = failures
        .iter()
        .map(|failure| format!("{file}: {failure}"))
        .collect();
    anyhow::ensure!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        shown.join("\n")
    );
    Ok(())
}

#[test]
fn every_file_of_cases_has_its_test() {
    let mut tested = FILES.to_vec();
    tested.sort_unstable();
    assert_eq!(tested, case::names().unwrap());
}

#[test]
fn a_wrong_reply_fails_a_case() {
    // The cases for what weir has beyond Redis must fail on Redis, or the runner notices nothing.
    let Some(redis) = peers::Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let server = Server::start(&redis).unwrap();
    let cases = case::load("beyond").unwrap();
    let failures = scenario::run_all(server.address(), &cases, &[]);
    assert_eq!(
        failures.len(),
        cases.len(),
        "each of them needs what Redis 8.6 does not have"
    );
}
