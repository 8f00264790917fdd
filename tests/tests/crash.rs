//! A short run of `cargo xtask crash`: killed under load and restarted, weir loses and doubles
//! nothing.

use std::process::Command;

use weir_tests::peers;
use weir_tests::programs::run;

#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed() {
    let server = peers::weir().unwrap();
    let mut crash = Command::new(env!("CARGO_BIN_EXE_crash"));
    crash.arg("--server").arg(server).args(["--cycles", "8"]);
    // It fails where its audit finds something lost or doubled.
    let said = run(&mut crash).unwrap();
    assert!(said.starts_with("8 kills, "), "{said}");
}
