//! `CLIENT KILL`.

use engine::Now;
use engine::args::{Args, parse_i64};
use engine::clients::session::Session;
use engine::command::{Command, Ctx, Flow};
use engine::error::{ClientError, CmdError};
use engine::server::Afterwards;
use engine::table::{Arg, Arity, Flags, Group, Spec};

use super::kind::Kind;

/// `CLIENT KILL ip:port | filter …`
pub(super) struct Kill;

pub(super) enum Parsed<'a> {
    /// One client, which must be there.
    Address(&'a [u8]),
    /// All that match.
    Filter(Filter<'a>),
}

#[derive(Default)]
pub(super) struct Filter<'a> {
    id: Option<u64>,
    kind: Option<Kind>,
    user: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    age_s_min: Option<u64>,
    self_too: bool,
}

impl Command for Kill {
    const SPEC: Spec = Spec {
        summary: "Closes connections.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of client connections",
        arity: Arity::AtLeast(3),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        history: &[
            ("2.8.12", "Filters were added."),
            ("2.8.12", "ID was added."),
            ("3.2.0", "TYPE accepts master."),
            ("5.0.0", "TYPE accepts replica besides slave."),
            ("6.2.0", "LADDR was added."),
            ("7.4.0", "MAXAGE was added."),
        ],
        args: &[Arg::one_of(
            "filter",
            &[
                Arg::string("old-format")
                    .display("ip:port")
                    .deprecated_since("2.8.12"),
                Arg::one_of(
                    "new-format",
                    &[
                        Arg::integer("client-id")
                            .token("ID")
                            .since("2.8.12")
                            .optional(),
                        Arg::one_of(
                            "client-type",
                            &[
                                Arg::word("normal", "NORMAL"),
                                Arg::word("master", "MASTER").since("3.2.0"),
                                Arg::word("slave", "SLAVE"),
                                Arg::word("replica", "REPLICA").since("5.0.0"),
                                Arg::word("pubsub", "PUBSUB"),
                            ],
                        )
                        .token("TYPE")
                        .since("2.8.12")
                        .optional(),
                        Arg::string("username").token("USER").optional(),
                        Arg::string("addr")
                            .token("ADDR")
                            .display("ip:port")
                            .optional(),
                        Arg::string("laddr")
                            .token("LADDR")
                            .display("ip:port")
                            .since("6.2.0")
                            .optional(),
                        Arg::one_of("skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
                            .token("SKIPME")
                            .optional(),
                        Arg::integer("maxage")
                            .token("MAXAGE")
                            .since("7.4.0")
                            .optional(),
                    ],
                )
                .multiple(),
            ],
        )],
        ..Spec::named("kill")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        if args.left() == 1 {
            return Ok(Parsed::Address(args.required()?));
        }
        let mut filter = Filter::default();
        while args.left() > 0 {
            if args.keyword_with_value("ID") {
                let id = parse_i64(args.required()?).filter(|id| *id > 0);
                filter.id =
                    Some(id.ok_or(CmdError::Client(ClientError::ClientIdNotPositive))? as u64);
            } else if args.keyword_with_value("MAXAGE") {
                let age = parse_i64(args.required()?)
                    .ok_or(CmdError::Client(ClientError::MaxAgeNotAnInteger))?;
                if age <= 0 {
                    return Err(CmdError::Client(ClientError::MaxAgeNotPositive));
                }
                filter.age_s_min = Some(age as u64);
            } else if args.keyword_with_value("TYPE") {
                filter.kind = Some(Kind::parse(args.required()?)?);
            } else if args.keyword_with_value("ADDR") {
                filter.address = Some(args.required()?);
            } else if args.keyword_with_value("LADDR") {
                filter.local_address = Some(args.required()?);
            } else if args.keyword_with_value("USER") {
                let user = args.required()?;
                filter.user = Some(user);
            } else if args.keyword_with_value("SKIPME") {
                filter.self_too = args.keyword("NO");
                if !filter.self_too && !args.keyword("YES") {
                    return Err(CmdError::Syntax);
                }
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(Parsed::Filter(filter))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match cmd {
            Parsed::Address(address) => {
                let filter = Filter {
                    address: Some(address),
                    self_too: true,
                    ..Filter::default()
                };
                if kill(&filter, ctx) == 0 {
                    return Err(CmdError::Client(ClientError::NoSuchClient));
                }
                ctx.reply.ok();
            }
            Parsed::Filter(filter) => {
                if let Some(user) = filter.user
                    && ctx.server.users.find(user).is_none()
                {
                    let user = String::from_utf8_lossy(user).into_owned();
                    return Err(CmdError::Client(ClientError::NoSuchUser(user)));
                }
                let killed = kill(&filter, ctx);
                ctx.reply.int(killed);
            }
        }
        Ok(Flow::Done)
    }
}

/// Closes the connections that match, and returns how many.
fn kill(filter: &Filter<'_>, ctx: &mut Ctx<'_>) -> i64 {
    let mut killed = 0;
    if filter.self_too && filter.fits(ctx.session, ctx.now) {
        ctx.session.closing = true;
        killed += 1;
    }
    let others = ctx.server.sessions.iter();
    let others = others.filter(|session| filter.fits(session, ctx.now));
    for other in others {
        ctx.server.afterwards.push(Afterwards::Disconnect(other.id));
        killed += 1;
    }
    killed
}

impl Filter<'_> {
    fn fits(&self, session: &Session, now: Now) -> bool {
        let age_s = now.mono.0.saturating_sub(session.connected.0) / 1000;
        let address = session.address.as_bytes();
        let local_address = session.local_address.as_bytes();
        self.id.is_none_or(|id| id == session.id.client)
            && self.kind.is_none_or(|kind| kind.fits(session))
            && self.user.is_none_or(|user| user == session.user().name())
            && self.address.is_none_or(|wanted| wanted == address)
            && self
                .local_address
                .is_none_or(|wanted| wanted == local_address)
            && self.age_s_min.is_none_or(|least| age_s >= least)
    }
}
