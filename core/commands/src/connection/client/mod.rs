//! `CLIENT`: the connected clients, and how the server treats this one.

mod caching;
mod getname;
mod getredir;
mod id;
mod info;
mod kill;
mod kind;
mod list;
mod no_evict;
mod no_touch;
mod pause;
mod reply;
mod setinfo;
mod setname;
mod switch;
mod tracking;
mod trackinginfo;
mod unblock;
mod unpause;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Flags, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `CLIENT`.
pub(super) const CLIENT: Entry = container(
    SPEC,
    &[
        entry::<caching::Caching>(),
        entry::<getname::GetName>(),
        entry::<getredir::GetRedir>(),
        entry::<Help<Client>>(),
        entry::<id::Id>(),
        entry::<info::Info>(),
        entry::<kill::Kill>(),
        entry::<list::List>(),
        entry::<no_evict::NoEvict>(),
        entry::<no_touch::NoTouch>(),
        entry::<pause::Pause>(),
        entry::<reply::Reply>(),
        entry::<setinfo::SetInfo>(),
        entry::<setname::SetName>(),
        entry::<tracking::Tracking>(),
        entry::<trackinginfo::TrackingInfo>(),
        entry::<unblock::Unblock>(),
        entry::<unpause::Unpause>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands about clients.",
    since: "2.4.0",
    group: Group::Connection,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    flags: Flags::KEEPS_CACHING,
    ..Spec::named("client")
};

struct Client;

impl Helped for Client {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Connection;
}
