//! What `contrib/` has for Prometheus and Grafana fits what a server exports.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use weir_tests::left_out;

fn contrib(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../contrib")).join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(contrib(file)).unwrap()
}

/// Names of samples that `docs/metrics.md` promises.
fn exported() -> BTreeSet<String> {
    let page = read("../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let (name, rest) = row.split_once('`').unwrap();
        let suffixes: &[&str] = match rest.split(" | ").nth(1) {
            Some("counter") => &["_total"],
            Some("histogram") => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        let names = suffixes.iter().map(move |suffix| format!("{name}{suffix}"));
        names.collect::<Vec<_>>()
    })
    .collect()
}

/// Metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter(|word| word.starts_with("weir_"));
    names.map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_name_metrics_that_there_are() {
    let exported = exported();
    for file in ["alerts.yml", "alerts-test.yml", "grafana-dashboard.json"] {
        let named = named(&read(file));
        assert!(named.len() > 10, "{file}");
        let unknown: Vec<_> = named.difference(&exported).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}

#[test]
fn panels_of_the_dashboard_do_not_overlap_and_each_asks_for_something() {
    let dashboard: Value = serde_json::from_str(&read("grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(x < 24 && taken.insert((x, y)), "{}", panel["title"]);
            }
        }
        if panel["type"] != "row" {
            let targets = panel["targets"].as_array().unwrap();
            assert!(targets.iter().all(|target| target["expr"].is_string()));
            assert!(!targets.is_empty());
        }
    }
}

#[test]
fn each_alert_is_triggered_once() {
    let rules = read("alerts.yml");
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let tests = read("alerts-test.yml");
    for alert in alerts {
        let is_triggered = tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n"));
        assert!(is_triggered, "{alert}");
    }
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts-test.yml"],
    ] {
        let mut promtool = Command::new("promtool");
        let Ok(output) = promtool.args(arguments).current_dir(contrib(".")).output() else {
            left_out::note("WEIR_REQUIRE_CLIENTS", "no promtool here").unwrap();
            return;
        };
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }
}
