//! What a run prints: a table per lane as soon as it is there, a summary at the end, also as
//! Markdown, and everything as JSON.

mod attacks;
mod page;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::peer::{Peer, WEIR};
use crate::runner::{Ending, PeerResult, WorkResult};
use crate::sample::{Better, Metric, Spread};
use crate::works::{Scale, Setup, Suite};

pub use page::with_table;

/// The tables of a work, one per lane.
pub fn tables(result: &WorkResult) -> String {
    let mut text = String::new();
    let differing = result.differing_lanes();
    for (lane, title) in result.lanes.iter().enumerate() {
        let agree = if differing.contains(&title.as_str()) {
            "REPLIES DIFFER"
        } else if compared(result, lane) {
            "replies agree"
        } else {
            "replies not compared"
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{title}  [{}: {} rounds, {agree}, others used {:.0}% of the machine]",
            result.name,
            result.rounds,
            result.foreign_load * 100.0
        );
        text.push_str(&table(result, lane));
        text.push('\n');
    }
    text
}

/// One line per lane: the first metric of each server, and its ratio to the reference.
pub fn summary(results: &[WorkResult]) -> String {
    let rows = summary_rows(&results.iter().collect::<Vec<_>>());
    let cells: Vec<Vec<String>> = rows.into_iter().map(|row| row.cells).collect();
    align(&cells)
}

/// The summary as a table in Markdown, with one of its own for attacks. Rows where weir loses come
/// first.
pub fn markdown(results: &[WorkResult]) -> String {
    let (suffered, others): (Vec<_>, Vec<_>) = results
        .iter()
        .partition(|result| result.suite == Suite::Attacks);
    let mut text = String::new();
    if !suffered.is_empty() {
        text.push_str(&attacks::markdown(&suffered));
        if others.is_empty() {
            return text;
        }
        text.push('\n');
    }
    let mut rows = summary_rows(&others);
    // Where weir loses comes first, the worst at the top; the sort keeps the others in order.
    rows[1..].sort_by(|a, b| b.loss().total_cmp(&a.loss()));
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| cell.replace('|', "\\|"))
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if index == 0 {
            let numbers = "---: | ".repeat(cells.len().saturating_sub(2));
            let _ = writeln!(text, "| --- | --- | {}", numbers.trim_end());
        }
    }
    text
}

/// A line of the summary.
struct Row {
    cells: Vec<String>,
    /// How many times as bad as the reference's weir's figure is, if weir took part.
    worse_than_reference: Option<f64>,
}

impl Row {
    /// What weir loses by, to the hundredth that is shown; 1 where it does not lose.
    fn loss(&self) -> f64 {
        let times = self.worse_than_reference.unwrap_or(1.0);
        ((times * 100.0).round() / 100.0).max(1.0)
    }
}

fn summary_rows(results: &[&WorkResult]) -> Vec<Row> {
    let mut head = vec!["work".to_owned(), "measure".to_owned()];
    if let Some(first) = results.first() {
        head.extend(
            first
                .peers
                .iter()
                .flat_map(|peer| [peer.peer.clone(), "ratio".to_owned()]),
        );
    }
    let mut rows = vec![Row {
        cells: head,
        worse_than_reference: None,
    }];
    for result in results {
        for (lane, title) in result.lanes.iter().enumerate() {
            let Some(reference) = result.reference() else {
                continue;
            };
            let Some(metric) = reference.metrics(lane).first().copied() else {
                continue;
            };
            let mut cells = vec![title.clone(), metric.title().to_owned()];
            for peer in &result.peers {
                cells.push(number(peer.spread(lane, metric), metric));
                cells.push(ratio(peer, lane, metric, reference));
            }
            let weir = result.peers.iter().find(|peer| peer.peer == WEIR);
            let ratio = weir.and_then(|peer| peer.ratio(lane, metric, reference));
            rows.push(Row {
                cells,
                worse_than_reference: ratio.map(|ratio| match metric.better() {
                    Better::Lower => ratio.median,
                    Better::Higher => 1.0 / ratio.median,
                }),
            });
        }
    }
    rows
}

/// Everything that was measured, round by round.
pub fn json(results: &[WorkResult], peers: &[Peer], setup: &Setup, rounds: u32) -> Value {
    json!({
        "machine": machine(),
        "setup": {
            "rounds": rounds,
            "scale": match setup.scale { Scale::Full(factor) => json!(factor), Scale::Quick => json!("quick") },
            "io_threads": setup.io_threads,
            "server_core": setup.cores.server,
            "load_core": setup.cores.load,
        },
        "peers": peers.iter()
            .map(|peer| json!({ "name": peer.name, "version": peer.version }))
            .collect::<Vec<_>>(),
        "works": results.iter().flat_map(lanes_json).collect::<Vec<_>>(),
    })
}

/// Processor, cores, kernel and load average, as the head of a run shows them.
pub fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("");
    json!({
        "cpu": model.trim_start_matches(['\t', ' ', ':']),
        "cores": crate::process::core_count(),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_average": read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
    })
}

fn lanes_json(result: &WorkResult) -> Vec<Value> {
    let differing = result.differing_lanes();
    let lane_json = |(lane, title): (usize, &String)| {
        let peers: Vec<Value> = result
            .peers
            .iter()
            .map(|peer| peer_json(peer, lane, result.reference()))
            .collect();
        json!({
            "suite": result.suite.name(),
            "work": result.name,
            "lane": title,
            "rounds": result.rounds,
            "replies_differ": differing.contains(&title.as_str()),
            "foreign_load": result.foreign_load,
            "reference": result.reference().map(|peer| peer.peer.as_str()),
            "peers": peers,
        })
    };
    result.lanes.iter().enumerate().map(lane_json).collect()
}

fn peer_json(peer: &PeerResult, lane: usize, reference: Option<&PeerResult>) -> Value {
    let spread_json = |spread: Option<Spread>| {
        spread
            .map(|spread| json!({ "median": spread.median, "min": spread.min, "max": spread.max }))
    };
    let figures: serde_json::Map<String, Value> = peer
        .metrics(lane)
        .into_iter()
        .map(|metric| {
            let figure = json!({
                "better": match metric.better() { Better::Lower => "lower", Better::Higher => "higher" },
                "spread": spread_json(peer.spread(lane, metric)),
                "ratio": spread_json(reference.and_then(|reference| peer.ratio(lane, metric, reference))),
                "rounds": peer.values(lane, metric),
            });
            (metric.title().to_owned(), figure)
        })
        .collect();
    let ending = match &peer.ending {
        Ending::Finished => "finished".to_owned(),
        Ending::Unsupported => "unsupported".to_owned(),
        Ending::Failed(error) => format!("failed: {error}"),
    };
    json!({ "peer": peer.peer, "ending": ending, "figures": figures })
}

fn table(result: &WorkResult, lane: usize) -> String {
    let Some(reference) = result.reference() else {
        return endings(result);
    };
    let metrics = reference.metrics(lane);
    let Some(first) = metrics.first().copied() else {
        return endings(result);
    };
    let mut head = vec![
        "".to_owned(),
        first.title().to_owned(),
        "min..max".to_owned(),
    ];
    head.extend([format!("to {}", reference.peer), "min..max".to_owned()]);
    head.extend(metrics[1..].iter().map(|metric| metric.title().to_owned()));
    let mut rows = vec![head];
    for peer in result
        .peers
        .iter()
        .filter(|peer| peer.ending == Ending::Finished)
    {
        let ratios = peer.ratio(lane, first, reference);
        let mut row = vec![
            peer.peer.clone(),
            number(peer.spread(lane, first), first),
            range(peer.spread(lane, first), first.decimals()),
            ratio(peer, lane, first, reference),
            range(ratios, 2),
        ];
        row.extend(
            metrics[1..]
                .iter()
                .map(|metric| number(peer.spread(lane, *metric), *metric)),
        );
        rows.push(row);
    }
    align(&rows) + &endings(result)
}

/// A line for each server that did not finish.
fn endings(result: &WorkResult) -> String {
    let line = |peer: &PeerResult| match &peer.ending {
        Ending::Finished => String::new(),
        Ending::Unsupported => format!("  {}: does not support this\n", peer.peer),
        Ending::Failed(error) => format!("  {}: FAILED: {error}\n", peer.peer),
    };
    result.peers.iter().map(line).collect()
}

fn compared(result: &WorkResult, lane: usize) -> bool {
    let with_digest = result.peers.iter().filter(|peer| {
        peer.rounds
            .first()
            .and_then(|samples| samples.get(lane))
            .is_some_and(|s| s.digest.is_some())
    });
    with_digest.count() > 1
}

fn number(spread: Option<Spread>, metric: Metric) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |spread| format!("{:.*}", metric.decimals(), spread.median),
    )
}

fn range(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |spread| format!("{:.decimals$}..{:.decimals$}", spread.min, spread.max),
    )
}

fn ratio(peer: &PeerResult, lane: usize, metric: Metric, reference: &PeerResult) -> String {
    let ratio = peer.ratio(lane, metric, reference);
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.2}", ratio.median))
}

/// Columns of equal width: the first to the left, the others to the right.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            // Writing to a String cannot fail.
            let _ = if column == 0 {
                write!(line, " {cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::sample::Sample;

    pub(crate) fn result() -> WorkResult {
        let peer = |name: &str, values: &[f64], digest| PeerResult {
            peer: name.to_owned(),
            ending: Ending::Finished,
            rounds: values
                .iter()
                .map(|value| {
                    let figures = vec![(Metric::CpuNs, *value), (Metric::P50Us, 7.0)];
                    vec![Sample {
                        figures,
                        digest: Some(digest),
                    }]
                })
                .collect(),
        };
        WorkResult {
            suite: Suite::Streams,
            name: "xadd".to_owned(),
            lanes: vec!["XADD".to_owned()],
            curves: Vec::new(),
            rounds: 3,
            peers: vec![
                peer("weir", &[500.0, 510.0, 490.0], 1),
                peer("redis86", &[2000.0, 2040.0, 1900.0], 1),
                PeerResult {
                    peer: "old".to_owned(),
                    ending: Ending::Unsupported,
                    rounds: Vec::new(),
                },
            ],
            foreign_load: 0.25,
        }
    }

    #[test]
    fn a_table_shows_medians_spread_and_the_ratio_to_the_reference() {
        let expected = "\
XADD  [xadd: 3 rounds, replies agree, others used 25% of the machine]
           CPU ns/op    min..max  to redis86    min..max  p50 us
  weir           500    490..510        0.25  0.25..0.26       7
  redis86       2000  1900..2040        1.00  1.00..1.00       7
  old: does not support this

";
        assert_eq!(tables(&result()), expected);
    }

    #[test]
    fn different_replies_are_shouted() {
        let mut result = result();
        result.peers[0].rounds[1][0].digest = Some(2);
        assert!(tables(&result).contains("REPLIES DIFFER"));
    }

    #[test]
    fn json_has_every_round() {
        let value = Value::Array(lanes_json(&result()));
        assert_eq!(
            value[0]["peers"][0]["figures"]["CPU ns/op"]["rounds"][1],
            510.0
        );
        assert_eq!(
            value[0]["peers"][0]["figures"]["CPU ns/op"]["ratio"]["median"],
            0.25
        );
        assert_eq!(value[0]["peers"][2]["ending"], "unsupported");
    }

    #[test]
    fn the_summary_is_a_table_of_markdown_too() {
        let mut result = result();
        result.lanes[0] = "XADD a|b".to_owned();
        let expected = "\
| work | measure | weir | ratio | redis86 | ratio | old | ratio |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
| XADD a\\|b | CPU ns/op | 500 | 0.25 | 2000 | 1.00 | - | - |
";
        assert_eq!(markdown(&[result]), expected);
        assert_eq!(markdown(&[]).lines().count(), 2);
    }

    #[test]
    fn rows_where_weir_loses_come_first_in_markdown() {
        let of = |title: &str, weir: &[f64]| {
            let mut result = result();
            result.lanes[0] = title.to_owned();
            for (samples, value) in result.peers[0].rounds.iter_mut().zip(weir) {
                samples[0].figures[0].1 = *value;
            }
            result
        };
        let results = [
            of("won", &[500.0, 510.0, 490.0]),
            of("level", &[2000.0, 2040.0, 1900.0]),
            of("lost", &[2200.0, 2300.0, 2100.0]),
            of("lost by more", &[4000.0, 4100.0, 3900.0]),
        ];
        let text = markdown(&results);
        let titles: Vec<&str> = text
            .lines()
            .skip(2)
            .filter_map(|line| line.split(" | ").next()?.strip_prefix("| "))
            .collect();
        assert_eq!(titles, ["lost by more", "lost", "won", "level"]);
        assert_eq!(
            summary(&results).lines().nth(1).unwrap().trim_start()[..3],
            *"won"
        );
    }

    #[test]
    fn the_summary_has_a_line_per_lane() {
        let text = summary(&[result()]);
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("0.25"));
    }
}
