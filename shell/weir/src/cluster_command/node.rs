//! What a node says of itself and of its group.

use std::collections::BTreeMap;

use anyhow::Context;

use super::arguments::Arguments;
use super::peer::{Login, Peer};

/// The lines of `INFO group`, by name.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<String, String>);

/// A node, and what it says or why it does not.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) address: String,
    pub(super) told: anyhow::Result<Told>,
}

impl Told {
    fn read(info: &str) -> Told {
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        Told(
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// A figure; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    pub(super) fn leads(&self) -> bool {
        self.text("group_role") == "leader"
    }

    /// Lines that are called `nameN`, each with its parts.
    pub(super) fn listed(&self, name: &str) -> impl Iterator<Item = BTreeMap<&str, &str>> {
        let count = self.number(&format!("{name}s")).unwrap_or_default();
        (0..count).map(move |number| {
            let line = self.text(&format!("{name}{number}"));
            line.split(',')
                .filter_map(|part| part.split_once('='))
                .collect()
        })
    }

    /// Where the nodes are that this one knows of.
    fn addresses(&self) -> Vec<String> {
        let nodes = self.listed("group_node");
        let address = |node: BTreeMap<&str, &str>| {
            let (host, port) = (node.get("host")?, node.get("port")?);
            Some(match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            })
        };
        nodes.filter_map(address).collect()
    }
}

impl Node {
    pub(super) fn ask(address: &str, login: Option<&Login>) -> Node {
        Node {
            address: address.to_owned(),
            told: ask(address, login),
        }
    }

    /// What it says, if it answers.
    pub(super) fn told(&self) -> Option<&Told> {
        self.told.as_ref().ok()
    }
}

fn ask(address: &str, login: Option<&Login>) -> anyhow::Result<Told> {
    let told = Told::read(&Peer::connect(address, login)?.ask(&["INFO", "group"])?);
    let is_in_group = told.0.contains_key("group_role");
    is_in_group
        .then_some(told)
        .context("it shares no log, or has not read it yet")
}

/// Asks the nodes that the arguments name, and then those that they know of.
///
/// # Errors
/// None of them says anything; why the first does not.
pub(super) fn all(arguments: &Arguments) -> anyhow::Result<Vec<Node>> {
    let login = arguments.login.as_ref();
    let named = arguments
        .nodes
        .iter()
        .map(|address| Node::ask(address, login));
    let named: Vec<Node> = named.collect();
    let known = named
        .iter()
        .filter_map(Node::told)
        .flat_map(Told::addresses);
    let mut known: Vec<String> = known.collect();
    known.sort();
    known.dedup();
    if known.is_empty() {
        let first = named.into_iter().next().context("no node is named")?;
        let why = first.told.err().context("it knows of no node")?;
        return Err(why.context(format!(
            "{} tells of no group (--nodes names others)",
            first.address
        )));
    }
    // By the name under which its group knows it, each once.
    Ok(known
        .iter()
        .map(|address| Node::ask(address, login))
        .collect())
}
