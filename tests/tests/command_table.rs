//! COMMAND INFO and COMMAND DOCS of each command that weir has say what Redis says.

use weir_tests::peers::{self, Peers};
use weir_tests::server::Server;
use weir_tests::table::{Version, differences, known};

#[test]
fn the_recorded_table_is_that_of_redis() {
    let Some(redis) = Peers::binary("redis86-server").unwrap() else {
        return;
    };
    let server = Server::start(&redis).unwrap();
    let found = differences(server.address(), Version::Recorded).unwrap();
    assert!(found.is_empty(), "{}", list(&found));
}

#[test]
fn weir_s_table_is_the_recorded_one() {
    let server = Server::start(&peers::weir().unwrap()).unwrap();
    let mut found = differences(server.address(), Version::WithAdditions).unwrap();
    let mut stale = Vec::new();
    for known in known().unwrap() {
        let about = |difference: &weir_tests::table::Difference| {
            difference.command == known.command && difference.field == known.field
        };
        match found
            .iter()
            .position(|difference| about(difference) && difference.said == known.said)
        {
            Some(at) => drop(found.remove(at)),
            None => stale.push(format!(
                "{} {} ({})",
                known.command, known.field, known.reason
            )),
        }
    }
    assert!(
        found.is_empty(),
        "{} differences:\n{}",
        found.len(),
        list(&found)
    );
    assert!(
        stale.is_empty(),
        "known differences that are none any more: {stale:#?}"
    );
}

fn list(found: &[weir_tests::table::Difference]) -> String {
    found
        .iter()
        .map(|difference| format!("{difference}\n"))
        .collect()
}
