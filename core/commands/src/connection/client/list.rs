//! `CLIENT LIST`.

use std::collections::BTreeMap;

use engine::args::{Args, parse_i64};
use engine::clients::line::line;
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::table::{Arg, Arity, Flags, Group, Spec};
use resp::Reply;

use super::kind::Kind;

/// `CLIENT LIST [TYPE type | ID id …]`
pub(super) struct List;

pub(super) enum Filter {
    All,
    Kind(Kind),
    Ids(Vec<i64>),
}

impl Command for List {
    const SPEC: Spec = Spec {
        summary: "Tells what the server knows of all connections.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of client connections",
        arity: Arity::AtLeast(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        tips: &["nondeterministic_output"],
        history: &[
            ("2.8.12", "The field id was added."),
            ("5.0.0", "TYPE was added."),
            ("6.0.0", "The field user was added."),
            ("6.2.0", "ID and the field laddr were added."),
            ("7.0.0", "Fields on the protocol and memory were added."),
            ("7.0.3", "Ended connections are left out."),
            ("7.2.0", "Fields on the library were added."),
            ("7.4.0", "Several numbers can follow ID."),
            ("8.0.0", "The field io-thread was added."),
        ],
        args: &[
            Arg::one_of(
                "client-type",
                &[
                    Arg::word("normal", "NORMAL"),
                    Arg::word("master", "MASTER"),
                    Arg::word("replica", "REPLICA"),
                    Arg::word("pubsub", "PUBSUB"),
                ],
            )
            .token("TYPE")
            .since("5.0.0")
            .optional(),
            Arg::integer("client-id")
                .token("ID")
                .since("6.2.0")
                .optional()
                .multiple(),
        ],
        ..Spec::named("list")
    };
    type Parsed<'a> = Filter;

    fn parse(args: &mut Args<'_>) -> Result<Filter, CmdError> {
        if args.left() == 0 {
            return Ok(Filter::All);
        }
        if args.left() == 2 && args.keyword("TYPE") {
            return Ok(Filter::Kind(Kind::parse(args.required()?)?));
        }
        if args.left() >= 2 && args.keyword("ID") {
            let ids = args.rest();
            let ids = ids
                .iter()
                .map(|id| parse_i64(id).ok_or(CmdError::Client(ClientError::InvalidClientId)));
            return Ok(Filter::Ids(ids.collect::<Result<_, _>>()?));
        }
        Err(CmdError::Syntax)
    }

    fn execute(filter: Filter, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let watches = ctx.store.watches();
        let clients = ctx.server.sessions.iter().chain([&*ctx.session]);
        let clients: BTreeMap<i64, _> = clients
            .map(|session| (session.id.client as i64, session))
            .collect();
        let now = ctx.now;
        let write = |reply: &mut Reply, session: &&_| {
            reply.raw(line(session, watches, now).as_bytes());
        };
        let start = ctx.reply.begin();
        match filter {
            Filter::All => ctx.reply.each(clients.values(), write),
            Filter::Kind(kind) => {
                let wanted = clients.values().filter(|session| kind.fits(session));
                ctx.reply.each(wanted, write)
            }
            Filter::Ids(ids) => {
                let wanted = ids.iter().filter_map(|id| clients.get(id));
                ctx.reply.each(wanted, write)
            }
        };
        ctx.reply.verbatim_since(start, "txt");
        Ok(Flow::Done)
    }
}
