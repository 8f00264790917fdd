//! Requests of files of Redis that are about what weir does not have.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::command::CommandTable;
use engine::config::Settings;
use engine::recover::replay::Run;
use engine::table::CommandIndex;
use engine::{Engine, Now, OnUnknown, Unknown};
use resp::ArgvBuf;

/// Reads requests, a line each, and what was left out by then, a line each.
fn read(on_unknown: OnUnknown, lines: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
    let commands = CommandIndex::new(commands::TABLE.rows());
    let mut unknown = Unknown::new(on_unknown);
    let mut run = Vec::new();
    for line in lines {
        let argv: ArgvBuf = line.split(' ').collect();
        let row = commands.find_for(argv.as_argv());
        let verdict = unknown.request(argv.as_argv(), row);
        match verdict.map_err(|refused| refused.to_string())? {
            Run::AsItIs => run.push((*line).to_owned()),
            Run::Instead(requests) => run.extend(requests.iter().map(|request| {
                let words = request.as_argv().iter();
                let words = words.map(|word| word.escape_ascii().to_string());
                words.collect::<Vec<_>>().join(" ")
            })),
        }
    }
    let nothing = Engine::new(Settings::default(), 1, Now::default(), &CommandTable::EMPTY);
    let left_out = unknown.finish(nothing.keyspace());
    let keys = left_out.keys();
    let keys = keys.map(|at| format!("{} {} {}", at.database, at.key.escape_ascii(), at.type_name));
    let others = left_out.others();
    let others = others.map(|(what, times)| format!("{what} {times}"));
    Ok((run, keys.chain(others).collect()))
}

#[track_caller]
fn check(lines: &[&str], run: &[&str], left_out: &[&str]) {
    let (found_run, found_left_out) = read(OnUnknown::Skip, lines).unwrap();
    assert_eq!(found_run, run);
    assert_eq!(found_left_out, left_out);
}

#[test]
fn commands_that_weir_does_not_have_leave_out_the_keys_that_they_write() {
    check(
        &["VADD v VALUES 1 1 e", "XADD s 1-1 f v", "LNEW m e"],
        &["DEL v", "XADD s 1-1 f v", "DEL m"],
        &["0 m list", "0 v vector set"],
    );
    // What was there is gone in Redis too.
    check(
        &[
            "SET k v",
            "VADD k VALUES 1 1 e",
            "VADD m VALUES 1 1 e",
            "SORT l STORE m",
        ],
        &["SET k v", "DEL k", "DEL m", "SORT l STORE m"],
        &["0 k vector set"],
    );
    check(
        &["FCALL x 0", "EVAL x 0", "EVAL y 0", "JSON.SET j $ 1"],
        &[],
        &["0 j value of a module", "command EVAL 2", "command FCALL 1"],
    );
}

#[test]
fn keys_that_were_left_out_are_followed_where_they_go() {
    check(
        &[
            "VADD h VALUES 1 1 e",
            "RENAME h s",
            "EXPIRE s 100",
            "XADD t 1-1 f v",
            "RENAME t u",
        ],
        &[
            "DEL h",
            "DEL s",
            "EXPIRE s 100",
            "XADD t 1-1 f v",
            "RENAME t u",
        ],
        &["0 s vector set"],
    );
    check(
        &[
            "VADD h VALUES 1 1 e",
            "COPY h k",
            "COPY h k DB 2",
            "MOVE h 3",
            "SELECT 2",
            "DEL k",
        ],
        &[
            "DEL h", "DEL k", "SELECT 2", "DEL k", "SELECT 0", "SELECT 3", "DEL h", "SELECT 0",
            "SELECT 2", "DEL k",
        ],
        &["0 k vector set", "3 h vector set"],
    );
    check(
        &[
            "VADD h VALUES 1 1 e",
            "VADD i VALUES 1 1 e",
            "SET h v",
            "SWAPDB 0 1",
            "SELECT 1",
            "COPY x i REPLACE",
        ],
        &[
            "DEL h",
            "DEL i",
            "SET h v",
            "SWAPDB 0 1",
            "SELECT 1",
            "COPY x i REPLACE",
        ],
        &[],
    );
    check(
        &[
            "VADD h VALUES 1 1 e",
            "SELECT 1",
            "VADD i VALUES 1 1 e",
            "FLUSHDB",
        ],
        &["DEL h", "SELECT 1", "DEL i", "FLUSHDB"],
        &["0 h vector set"],
    );
    check(
        &["VADD h VALUES 1 1 e", "FLUSHALL"],
        &["DEL h", "FLUSHALL"],
        &[],
    );
    // The first byte of the payload is the type.
    check(
        &[
            "RESTORE r 0 \u{7}payload REPLACE",
            "RESTORE s 0 \u{0}payload",
        ],
        &["DEL r", "RESTORE s 0 \u{0}payload"],
        &["0 r module value"],
    );
}

#[test]
fn a_load_that_may_not_leave_anything_out_names_what_it_met() {
    for (line, told) in [
        ("VADD h VALUES 1 1 e", "command VADD of key \"h\""),
        ("FCALL x 0", "command FCALL"),
        ("RESTORE r 0 \u{7}payload", "key \"r\" (module value)"),
    ] {
        let refused = read(OnUnknown::Refuse, &["SET k v", line]).unwrap_err();
        assert_eq!(
            refused,
            format!("it holds {told}, which weir does not have")
        );
    }
}
