//! The table: its names, and how they are found.

use commands::{COMMANDS, TABLE};
use engine::table::{CommandIndex, Flags, KeyFlags, Row, keys_of, only_key, redacted};
use resp::ArgvBuf;

#[test]
fn every_name_finds_its_row_in_any_case_of_letters() {
    let index = CommandIndex::new(TABLE.rows());
    for (number, row) in TABLE.rows().iter().enumerate() {
        assert_eq!(usize::from(row.number), number);
        let full_name = row.full_name();
        for name in [full_name.clone(), full_name.to_ascii_uppercase()] {
            let found = index.find_full(name.as_bytes()).unwrap();
            assert_eq!(found.number, row.number, "{name}");
        }
        let wrong = full_name.replace(|letter: char| letter.is_ascii_alphabetic(), "\u{1}");
        assert!(index.find_full(wrong.as_bytes()).is_none(), "{full_name}");
    }
}

#[test]
fn a_letter_is_told_from_every_other_byte() {
    let index = CommandIndex::new(TABLE.rows());
    for name in ["get", "XADD", "no-evict", "xreadgroup"] {
        for at in 0..name.len() {
            for byte in 0..=u8::MAX {
                let mut changed = name.as_bytes().to_vec();
                changed[at] = byte;
                let same = changed.eq_ignore_ascii_case(name.as_bytes());
                let container = index.find(b"client");
                let found = match name {
                    "no-evict" => index.subcommand(container.unwrap(), &changed),
                    _ => index.find(&changed),
                };
                let found = found.is_some_and(|row| row.spec.name.eq_ignore_ascii_case(name));
                assert_eq!(found, same, "{}", changed.escape_ascii());
            }
        }
    }
}

#[test]
fn names_are_lower_case_sorted_within_a_family_and_unique() {
    let mut names: Vec<String> = TABLE.rows().iter().map(Row::full_name).collect();
    for family in COMMANDS {
        assert!(family.is_sorted_by(|a, b| a.spec.name < b.spec.name));
        for entry in *family {
            assert!(
                entry
                    .subcommands
                    .is_sorted_by(|a, b| a.spec.name < b.spec.name)
            );
        }
    }
    assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn secrets_are_not_shown() {
    let index = CommandIndex::new(TABLE.rows());
    for (request, expected) in [
        ("auth secret", "auth (redacted)"),
        ("AUTH default secret", "AUTH (redacted) (redacted)"),
        (
            "AUTH auth auth auth",
            "AUTH (redacted) (redacted) (redacted)",
        ),
        (
            "HELLO 3 AUTH default secret SETNAME me",
            "HELLO 3 AUTH (redacted) (redacted) SETNAME me",
        ),
        (
            "HELLO 3 setname me auth auth",
            "HELLO 3 setname me auth (redacted)",
        ),
        (
            "CONFIG SET timeout 1 RequirePass secret",
            "CONFIG SET timeout 1 RequirePass (redacted)",
        ),
        (
            "CONFIG SET requirepass requirepass timeout 1",
            "CONFIG SET requirepass (redacted) timeout 1",
        ),
        (
            "CONFIG GET requirepass timeout",
            "CONFIG GET requirepass timeout",
        ),
        ("SET AUTH x", "SET AUTH x"),
    ] {
        let request: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let (row, _) = index.find_request(request.as_argv()).unwrap();
        let shown = redacted(row.spec, request.as_argv());
        let shown: Vec<&[u8]> = shown.collect();
        assert_eq!(String::from_utf8_lossy(&shown.join(&b' ')), expected);
    }
}

#[test]
fn the_only_key_of_a_command_is_the_one_that_a_search_finds() {
    let mut with_only_one = 0;
    for row in TABLE.rows() {
        let words = ["x", "y", "1", "2", "3", "4"];
        let argv: ArgvBuf = std::iter::once(row.spec.name).chain(words).collect();
        if let Some(found) = only_key(row.spec, argv.as_argv()) {
            let all: Vec<_> = keys_of(row.spec, argv.as_argv()).collect();
            assert_eq!(all, [Ok(found)], "{}", row.spec.name);
            with_only_one += 1;
        }
        let without = ArgvBuf::from_iter([row.spec.name]);
        assert_eq!(only_key(row.spec, without.as_argv()), None);
    }
    assert!(with_only_one > 100, "{with_only_one}");
}

#[test]
fn a_command_with_flags_of_keys_that_vary_says_how() {
    for row in TABLE.rows() {
        let mut keys = row.spec.keys.iter();
        let vary = keys.any(|keys| keys.flags.has(KeyFlags::VARIABLE_FLAGS));
        assert_eq!(vary, row.spec.key_flags.is_some(), "{}", row.full_name());
    }
}

#[test]
fn what_runs_at_once_within_a_transaction_is_what_is_about_it() {
    let rows = TABLE.rows().iter();
    let mut names: Vec<String> = rows
        .filter(|row| row.spec.flags.has(Flags::CONTROLS_MULTI))
        .map(Row::full_name)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["discard", "exec", "multi", "quit", "reset", "watch"]
    );
}

#[test]
fn flags_of_weir_alone_are_not_told_to_clients() {
    let own = Flags::LIGHT
        .and(Flags::CONTROLS_MULTI)
        .and(Flags::RUNS_QUEUE);
    assert_eq!(own.names().count(), 0);
    assert_eq!(own.and(Flags::FAST).names().collect::<Vec<_>>(), ["fast"]);
}
