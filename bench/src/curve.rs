//! Curves: what a work found at several sizes, for each server, ready to be drawn.

use crate::runner::{Ending, WorkResult};
use crate::sample::{Metric, Spread};

/// The lanes of a work that show one thing against a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// Name of its file, without an ending; unique among all works.
    pub name: String,
    /// What is done.
    pub title: String,
    /// What the size counts.
    pub size_title: String,
    /// What is shown at each size.
    pub metric: Metric,
    /// Where it is found, from the least size to the greatest.
    pub points: Vec<Point>,
}

/// A size and the lane that measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The size; 0 is allowed.
    pub size: u64,
    /// Index of the lane within its work.
    pub lane: usize,
}

/// What one server showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The server's name.
    pub peer: String,
    /// The sizes that were measured, and what was found.
    pub values: Vec<(u64, Spread)>,
}

/// The lines of a curve, one for each server that finished.
pub fn lines(curve: &Curve, result: &WorkResult) -> Vec<Line> {
    let finished = result
        .peers
        .iter()
        .filter(|peer| peer.ending == Ending::Finished);
    finished
        .map(|peer| Line {
            peer: peer.peer.clone(),
            values: curve
                .points
                .iter()
                .filter_map(|point| Some((point.size, peer.spread(point.lane, curve.metric)?)))
                .collect(),
        })
        .filter(|line| !line.values.is_empty())
        .collect()
}

/// A round number as people write it: `0`, `500`, `10 k`, `1 M`; others with all their digits.
pub fn short_number(number: u64) -> String {
    match number {
        0 => "0".to_owned(),
        _ if number.is_multiple_of(1_000_000) => format!("{} M", number / 1_000_000),
        _ if number.is_multiple_of(1000) => format!("{} k", number / 1000),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_short() {
        let short: Vec<String> = [0, 1, 100, 1000, 1500, 10_000, 1_000_000, 100_000_000]
            .into_iter()
            .map(short_number)
            .collect();
        let expected = ["0", "1", "100", "1 k", "1500", "10 k", "1 M", "100 M"];
        assert_eq!(short, expected);
    }
}
