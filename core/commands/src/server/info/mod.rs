//! `INFO`: what the server knows of itself, in sections of `name:value` lines.

mod counters;
mod replication;
mod sections;
mod sheet;

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Categories, Compat, Flags, Group, Spec};
use resp::Argv;

use self::sheet::Sheet;

/// `INFO [section …]`
pub(super) struct Info;

/// A section: its name, whether it is shown by default, and what writes it.
struct Section {
    name: &'static str,
    shown: Shown,
    write: fn(&mut Sheet, &mut Ctx<'_>),
}

/// When a section is shown.
#[derive(PartialEq, Eq)]
enum Shown {
    ByDefault,
    WithAll,
}

const fn section(name: &'static str, shown: Shown, write: fn(&mut Sheet, &mut Ctx<'_>)) -> Section {
    Section { name, shown, write }
}

/// The sections in the order in which they are shown.
static SECTIONS: &[Section] = &[
    section("server", Shown::ByDefault, sections::server),
    section("clients", Shown::ByDefault, sections::clients),
    section("memory", Shown::ByDefault, sections::memory),
    section("persistence", Shown::ByDefault, sections::persistence),
    section("threads", Shown::ByDefault, sections::threads),
    section("stats", Shown::ByDefault, counters::stats),
    section("replication", Shown::ByDefault, replication::replication),
    section("group", Shown::ByDefault, replication::group),
    section("sentinel", Shown::WithAll, replication::sentinel),
    section("cpu", Shown::ByDefault, sections::cpu),
    section("modules", Shown::ByDefault, sections::modules),
    section("commandstats", Shown::WithAll, counters::commandstats),
    section("errorstats", Shown::ByDefault, counters::errorstats),
    section("latencystats", Shown::WithAll, counters::latencystats),
    section("cluster", Shown::ByDefault, sections::cluster),
    section("keyspace", Shown::ByDefault, sections::keyspace),
    section("keysizes", Shown::ByDefault, sections::keysizes),
];

impl PlainCommand for Info {
    const SPEC: Spec = Spec {
        summary: "Answers facts and counters about the server.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::DANGEROUS,
        tips: &[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ],
        history: &[("7.0.0", "Several sections can be asked for.")],
        args: &[Arg::string("section").optional().multiple()],
        compat: Compat::Differs(
            "Fields that mean nothing here are left out. `avg_ttl` is exact, not a sample.",
        ),
        ..Spec::named("info")
    };
    type Args<'a> = Argv<'a>;

    fn execute(names: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let named = |word: &str| {
            let mut names = names.iter();
            names.any(|name| name.eq_ignore_ascii_case(word.as_bytes()))
        };
        let all = named("all") || named("everything");
        let default = names.is_empty() || named("default");
        // Figures are not promises, and they must be available while the journal cannot be written:
        // so they do not depend on what it has not taken yet.
        let mut sheet = Sheet::default();
        for section in SECTIONS {
            if all || (default && section.shown == Shown::ByDefault) || named(section.name) {
                (section.write)(&mut sheet, ctx);
            }
        }
        ctx.reply.verbatim("txt", sheet.text().as_bytes());
        Ok(Flow::Done)
    }
}
