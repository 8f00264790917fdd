//! `ACL`: users, what they may do, and what they were denied.

mod cat;
mod deluser;
mod dryrun;
mod file;
mod genpass;
mod getuser;
mod list;
mod log;
mod setuser;
mod whoami;

use engine::command::{Entry, container, entry};
use engine::table::{Arity, Compat, Flags, Group, Spec};

use crate::help::{Help, Helped};

/// The row of `ACL`.
pub(super) const ACL: Entry = container(
    SPEC,
    &[
        entry::<cat::Cat>(),
        entry::<deluser::DelUser>(),
        entry::<dryrun::DryRun>(),
        entry::<genpass::GenPass>(),
        entry::<getuser::GetUser>(),
        entry::<Help<Acl>>(),
        entry::<list::List>(),
        entry::<file::Load>(),
        entry::<log::Log>(),
        entry::<file::Save>(),
        entry::<setuser::SetUser>(),
        entry::<list::Users>(),
        entry::<whoami::WhoAmI>(),
    ],
);

const SPEC: Spec = Spec {
    summary: "Holds the commands about users.",
    since: "6.0.0",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    arity: Arity::AtLeast(2),
    compat: Compat::Differs(
        "When a transaction runs, keys are checked again too, not only commands and channels. Of \
         two STORE options, the key that is written is checked. A first argument cannot have a \
         space in it (`+eval|return 1`), which ends Redis at the next ACL LIST; a selector whose \
         quotes do not match is refused, and is an empty one in Redis; so are words of a selector \
         that have quotes or end with a parenthesis, and empty names: a file of users could not \
         have them. Nothing can be added to `%RW~*`. Rules may name commands of Redis that weir does \
         not have. There are at most 65,536 users, and at most 4,096 rules of a kind for each.",
    ),
    ..Spec::named("acl")
};

/// What most of the commands are: for administrators.
const OF_ADMINISTRATORS: Flags = Flags::ADMIN
    .and(Flags::LOADING)
    .and(Flags::NO_SCRIPT)
    .and(Flags::STALE);

/// What commands have in common that are about all users.
const OF_ALL_USERS: Spec = Spec {
    since: "6.0.0",
    group: Group::Server,
    complexity: "O(N). Where N is the number of configured users.",
    arity: Arity::Exactly(2),
    flags: OF_ADMINISTRATORS,
    ..Spec::named("")
};

/// What the others are.
const OF_EVERYBODY: Flags = Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE);

struct Acl;

impl Helped for Acl {
    const SINCE: &'static str = "6.0.0";
    const GROUP: Group = Group::Server;
}
