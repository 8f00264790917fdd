//! The table: its names, and how they are found.

use commands::{COMMANDS, TABLE};
use engine::table::{CommandIndex, Row};

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
