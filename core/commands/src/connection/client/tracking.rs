//! `CLIENT TRACKING`.

use engine::args::{Args, parse_i64};
use engine::clients::session::SessionId;
use engine::clients::tracking::{TrackedReads, TrackingOptions};
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, TrackingError};
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};

/// `CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX prefix …] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`
pub(super) struct Tracking;

pub(super) struct Parsed<'a> {
    /// The client of the first `REDIRECT`.
    redirect: Option<i64>,
    /// The rest, or what is wrong with it: that the client is not there is told before.
    rest: Result<Switch<'a>, CmdError>,
}

pub(super) enum Switch<'a> {
    On(Options<'a>),
    Off,
}

#[derive(Default)]
pub(super) struct Options<'a> {
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
    prefixes: Vec<&'a [u8]>,
}

impl Command for Tracking {
    const SPEC: Spec = Spec {
        summary: "Turns on or off that the connection is told when keys change.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1). Some options may introduce additional complexity.",
        arity: Arity::AtLeast(3),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        args: &[
            Arg::one_of("status", &[Arg::word("on", "ON"), Arg::word("off", "OFF")]),
            Arg::integer("client-id").token("REDIRECT").optional(),
            Arg::string("prefix")
                .token("PREFIX")
                .optional()
                .multiple_token(),
            Arg::word("bcast", "BCAST").optional(),
            Arg::word("optin", "OPTIN").optional(),
            Arg::word("optout", "OPTOUT").optional(),
            Arg::word("noloop", "NOLOOP").optional(),
        ],
        compat: Compat::Differs(
            "Prefixes that overlap are refused with one reply; Redis answers twice, and keeps them, if the overlap is \
             not with the first of them. `SWAPDB` tells clients that all keys may have changed; Redis tells nothing. \
             In `BCAST` mode, a client is told only of keys that its user may read; with `NOLOOP`, it is also told of \
             keys that it and another client have changed. A client that is told for several others is told once. \
             What goes to it is in the protocol that it speaks.",
        ),
        ..Spec::named("tracking")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut redirect = None;
        let rest = parse(args, &mut redirect);
        args.rest();
        Ok(Parsed { redirect, rest })
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let redirect = match cmd.redirect {
            None => None,
            Some(id) => {
                Some(find(id, ctx).ok_or(CmdError::Tracking(TrackingError::NoClientToRedirectTo))?)
            }
        };
        match cmd.rest? {
            Switch::Off => ctx.store.tracking_mut().turn_off(ctx.session),
            Switch::On(options) => {
                let reads = options.reads(ctx)?;
                let tracking = TrackingOptions {
                    reads,
                    no_loop: options.no_loop,
                    redirect,
                };
                let prefixes = &options.prefixes;
                let all = ctx.store.tracking_mut();
                all.turn_on(ctx.session, tracking, prefixes)?;
            }
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}

fn parse<'a>(args: &mut Args<'a>, redirect: &mut Option<i64>) -> Result<Switch<'a>, CmdError> {
    let status: &[u8] = args.required()?;
    let mut options = Options::default();
    while args.left() > 0 {
        if args.keyword_with_value("REDIRECT") {
            let id = parse_i64(args.required()?).ok_or(CmdError::NotAnInteger)?;
            if redirect.is_some() {
                return Err(CmdError::Tracking(TrackingError::RedirectedTwice));
            }
            *redirect = Some(id);
        } else if args.keyword_with_value("PREFIX") {
            options.prefixes.push(args.required()?);
        } else if args.keyword("BCAST") {
            options.broadcast = true;
        } else if args.keyword("OPTIN") {
            options.opt_in = true;
        } else if args.keyword("OPTOUT") {
            options.opt_out = true;
        } else if args.keyword("NOLOOP") {
            options.no_loop = true;
        } else {
            return Err(CmdError::Syntax);
        }
    }
    if status.eq_ignore_ascii_case(b"ON") {
        Ok(Switch::On(options))
    } else if status.eq_ignore_ascii_case(b"OFF") {
        Ok(Switch::Off)
    } else {
        Err(CmdError::Syntax)
    }
}

/// The connected client of this number.
fn find(id: i64, ctx: &Ctx<'_>) -> Option<SessionId> {
    let id = u64::try_from(id).ok()?;
    let all = ctx.server.sessions.iter().chain([&*ctx.session]);
    let mut ids = all.map(|session| session.id);
    ids.find(|session| session.client == id)
}

impl Options<'_> {
    /// Which keys are meant. What the client asked for before decides which error comes first.
    fn reads(&self, ctx: &Ctx<'_>) -> Result<TrackedReads, CmdError> {
        if !self.prefixes.is_empty() && !self.broadcast {
            return Err(CmdError::Tracking(TrackingError::PrefixWithoutBroadcast));
        }
        if let Some(tracking) = &ctx.session.tracking {
            tracking.options.check_broadcast(self.broadcast)?;
        }
        match (self.broadcast, self.opt_in, self.opt_out) {
            (true, false, false) => Ok(TrackedReads::Broadcast),
            (true, _, _) => Err(CmdError::Tracking(TrackingError::ChoiceWithBroadcast)),
            (false, true, true) => Err(CmdError::Tracking(TrackingError::ChosenInAndOut)),
            (false, true, false) => Ok(TrackedReads::ChosenIn),
            (false, false, true) => Ok(TrackedReads::ChosenOut),
            (false, false, false) => Ok(TrackedReads::All),
        }
    }
}
