//! `weir cluster status`: a table of the nodes and of the servers that keep the log, and what is
//! not well.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::bail;

use super::arguments::Arguments;
use super::node::{self, Node, Told};

/// Prints what there is, and fails if anything is not well.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<String> {
    let nodes = node::all(arguments)?;
    let table = table(&nodes)?;
    let problems = problems(&nodes);
    if problems.is_empty() {
        return Ok(format!("{table}\nall is well\n"));
    }
    // A reader that closed the pipe has seen enough.
    std::io::stdout().write_all(table.as_bytes()).ok();
    bail!("not all is well: {}", problems.join("; "));
}

/// Who knows most: the leader, or any node that answers.
fn source(nodes: &[Node]) -> Option<&Told> {
    let told = || nodes.iter().filter_map(Node::told);
    told().find(|told| told.leads()).or_else(|| told().next())
}

fn table(nodes: &[Node]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let Some(source) = source(nodes) else {
        return Ok(text);
    };
    writeln!(
        text,
        "group {}, epoch {}, LSN {}, record {}, log {}\n",
        source.text("group_name"),
        source.text("group_epoch"),
        source.text("group_durable_lsn"),
        source.text("group_log_sequence"),
        source.text("group_log"),
    )?;
    let mut rows = vec![["NODE", "ROLE", "LSN", "LEASE", "STALE", "LOG"].map(str::to_owned)];
    for node in nodes {
        let address = node.address.clone();
        let dash = || "-".to_owned();
        rows.push(match &node.told {
            Err(why) => [
                address,
                format!("({why:#})"),
                dash(),
                dash(),
                dash(),
                dash(),
            ],
            Ok(told) => {
                let ms = |name, is_known: bool| match told.number(name) {
                    Some(ms) if is_known && ms >= 0 => format!("{ms} ms"),
                    _ => dash(),
                };
                [
                    address,
                    told.text("group_role").to_owned(),
                    told.text("group_durable_lsn").to_owned(),
                    ms("group_lease_ms", told.leads()),
                    ms("group_staleness_ms", !told.leads()),
                    told.text("group_log").to_owned(),
                ]
            }
        });
    }
    text.push_str(&columns(&rows));
    let mut rows = vec![["LOG SERVER", "ROLE", "STATE", "BEHIND"].map(str::to_owned)];
    for server in source.listed("group_log_server") {
        let part = |name| server.get(name).copied().unwrap_or_default().to_owned();
        let state = match part("current").as_str() {
            "1" => "current",
            _ => "not current",
        };
        rows.push([part("name"), part("role"), state.to_owned(), part("lag")]);
    }
    text.push('\n');
    text.push_str(&columns(&rows));
    Ok(text)
}

/// Rows in columns that are as wide as what is in them.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max();
            let gap = if column == 0 { "" } else { "  " };
            line.push_str(&format!("{gap}{cell:width$}", width = width.unwrap_or(0)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What is not well, in words that say where.
fn problems(nodes: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    for node in nodes {
        let address = &node.address;
        match &node.told {
            Err(why) => found.push(format!("{address} does not answer ({why:#})")),
            Ok(told) => {
                let health = told.text("group_log");
                if health != "good" {
                    found.push(format!("the log is {health} to {address}"));
                }
                if told.leads() && told.number("group_lease_ms") == Some(0) {
                    found.push(format!("the lease of {address} has run out"));
                }
                if told.number("group_staleness_ms") == Some(-1) {
                    found.push(format!("{address} has not read the log yet"));
                }
                if told.text("group_snapshot_status") == "err" {
                    let error = told.text("group_snapshot_error");
                    found.push(format!("snapshots fail on {address} ({error})"));
                }
            }
        }
    }
    let leaders = nodes
        .iter()
        .filter_map(Node::told)
        .filter(|told| told.leads());
    match leaders.count() {
        1 => {}
        0 => found.push("no node leads".to_owned()),
        // One of them has not been told yet that its lead is over, and answers nobody.
        _ => found.push("several nodes say that they lead".to_owned()),
    }
    let Some(source) = source(nodes) else {
        return found;
    };
    let servers: Vec<_> = source.listed("group_log_server").collect();
    if servers.is_empty() {
        found.push("nobody tells which servers keep the log".to_owned());
    }
    for server in servers {
        if server.get("current") != Some(&"1") {
            let name = server.get("name").copied().unwrap_or("?");
            found.push(format!("log server {name} does not have everything"));
        }
    }
    found
}
