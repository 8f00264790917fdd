//! `XINFO`: what is known of a stream, its groups and their consumers, and its producers.

mod consumers;
mod groups;
mod help;
mod producers;
mod stream;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Group, Spec};
use resp::Reply;

use super::write_id;
use crate::help::Help;

/// The row of `XINFO`.
pub(super) const XINFO: Entry = container(
    SPEC,
    &[
        entry::<consumers::Consumers>(),
        entry::<groups::Groups>(),
        entry::<Help<help::XInfo>>(),
        entry::<producers::Producers>(),
        entry::<stream::Info>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands that look at streams.",
    since: "5.0.0",
    group: Group::Stream,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    ..Spec::named("xinfo")
};

/// Writes a field's name and a count.
pub(super) fn count(reply: &mut Reply, name: &str, count: u64) {
    reply.bulk(name.as_bytes());
    reply.int(i64::try_from(count).unwrap_or(i64::MAX));
}

/// Writes a field's name and an ID.
fn id(reply: &mut Reply, name: &str, id: ::stream::StreamId) {
    reply.bulk(name.as_bytes());
    write_id(reply, id);
}

/// Writes the read counter and the lag of a group.
fn progress(reply: &mut Reply, stream: &::stream::Stream, group: &::stream::Group) {
    reply.bulk(b"entries-read");
    match group.entries_read() {
        Some(read) => reply.int(i64::try_from(read).unwrap_or(i64::MAX)),
        None => reply.null(),
    }
    reply.bulk(b"lag");
    reply.int(stream.lag(group) as i64);
}
