//! Payloads to test with.

/// Payloads made by Redis 8.6.3: a name, a blank, and the payload in hex on each line.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let lines = include_str!("../../fixtures/payloads.txt").lines();
    let hex = lines
        .filter_map(|line| line.split_once(' '))
        .find_map(|(of, hex)| (of == name).then_some(hex))
        .unwrap_or_else(|| panic!("no fixture {name}"));
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}
