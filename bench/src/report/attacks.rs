//! The table of attacks: for each server the longest wait of a second client and the memory gained.

use std::fmt::Write as _;

use crate::peer::REFERENCE;
use crate::runner::{PeerResult, WorkResult};
use crate::sample::Metric;

/// A second client may wait so long for whatever a first one does, in milliseconds.
const WAIT_MS_MAX: f64 = 50.0;

/// How much longer than the reference's a wait may be and still count as the same: both are
/// measured only once or a few times.
const NOISE: f64 = 1.5;

/// The table in Markdown.
pub(super) fn markdown(results: &[&WorkResult]) -> String {
    let mut text = String::from("| attack |");
    let peers = results.first().map_or(&[][..], |result| &result.peers);
    for peer in peers {
        // Writing to a String cannot fail.
        let _ = write!(text, " {0}: wait ms | {0}: gained MB |", peer.peer);
    }
    text.push_str(" |\n| --- |");
    text.push_str(&" ---: | ---: |".repeat(peers.len()));
    text.push_str(" --- |\n");
    for result in results {
        for (lane, title) in result.lanes.iter().enumerate() {
            let _ = write!(text, "| {} |", title.replace('|', "\\|"));
            for peer in &result.peers {
                text.push_str(&cells(peer, lane));
            }
            let _ = writeln!(text, " {} |", verdict(result, lane));
        }
    }
    text
}

fn cells(peer: &PeerResult, lane: usize) -> String {
    let median = |metric| peer.spread(lane, metric).map(|spread| spread.median);
    let (Some(wait), Some(gained)) = (median(Metric::RoundTripMs), median(Metric::GainedMb)) else {
        return " - | - |".to_owned();
    };
    let refused = match median(Metric::Refused) {
        Some(refused) if refused > 0.0 => " (refused)",
        _ => "",
    };
    format!(" {wait:.0}{refused} | {gained:.0} |")
}

/// What there is to say of a lane: a server that lets others wait longer than it may, and longer
/// than the reference.
fn verdict(result: &WorkResult, lane: usize) -> String {
    let wait = |peer: &PeerResult| Some(peer.spread(lane, Metric::RoundTripMs)?.median);
    let refused = |peer: &PeerResult| {
        let refused = peer.spread(lane, Metric::Refused);
        refused.is_some_and(|refused| refused.median > 0.0)
    };
    // If the reference does not do it, there is nothing to compare with.
    if result
        .peers
        .iter()
        .any(|peer| peer.peer == REFERENCE && refused(peer))
    {
        return String::new();
    }
    let reference = result.peers.iter().find(|peer| peer.peer == REFERENCE);
    let allowed = reference
        .and_then(wait)
        .map_or(WAIT_MS_MAX, |ms| WAIT_MS_MAX.max(ms * NOISE));
    let slow = result
        .peers
        .iter()
        .filter(|peer| wait(peer).is_some_and(|ms| ms > allowed));
    let names: Vec<&str> = slow.map(|peer| peer.peer.as_str()).collect();
    match names[..] {
        [] => String::new(),
        _ => format!("{}: too long", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::Ending;
    use crate::sample::Sample;
    use crate::works::Suite;

    fn peer(name: &str, wait_ms: f64, refused: f64) -> PeerResult {
        let figures = vec![
            (Metric::RoundTripMs, wait_ms),
            (Metric::GainedMb, 3.2),
            (Metric::Refused, refused),
        ];
        let sample = Sample {
            figures,
            digest: None,
        };
        PeerResult {
            peer: name.to_owned(),
            ending: Ending::Finished,
            rounds: vec![vec![sample]],
        }
    }

    #[test]
    fn a_wait_is_too_long_that_the_reference_does_not_have() {
        let result = |weir: f64, redis: f64, refused: f64| WorkResult {
            suite: Suite::Attacks,
            name: "attacks-x".to_owned(),
            lanes: vec!["KEYS *".to_owned()],
            curves: Vec::new(),
            rounds: 1,
            peers: vec![peer("weir", weir, 0.0), peer(REFERENCE, redis, refused)],
            foreign_load: 0.0,
        };
        let fine = result(49.0, 1.0, 1.0);
        let expected = "\
| attack | weir: wait ms | weir: gained MB | redis86: wait ms | redis86: gained MB | |
| --- | ---: | ---: | ---: | ---: | --- |
| KEYS * | 49 | 3 | 1 (refused) | 3 |  |
";
        assert_eq!(markdown(&[&fine]), expected);
        assert_eq!(verdict(&result(140.0, 100.0, 0.0), 0), "");
        assert_eq!(verdict(&result(160.0, 100.0, 0.0), 0), "weir: too long");
    }
}
