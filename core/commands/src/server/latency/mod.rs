//! `LATENCY`: what took long, and how long commands take.

mod doctor;
mod graph;
mod histogram;
mod history;
mod latest;
mod reset;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `LATENCY`.
pub(super) const LATENCY: Entry = container(
    SPEC,
    &[
        entry::<doctor::Doctor>(),
        entry::<graph::Graph>(),
        entry::<Help<Latency>>(),
        entry::<histogram::Histogram>(),
        entry::<history::History>(),
        entry::<latest::Latest>(),
        entry::<reset::Reset>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands about latency.",
    since: "2.8.13",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    ..Spec::named("latency")
};

struct Latency;

impl Helped for Latency {
    const SINCE: &'static str = "2.8.13";
    const GROUP: Group = Group::Server;
}
