//! `CLIENT TRACKINGINFO`.

use engine::clients::line::redirect;
use engine::clients::session::Session;
use engine::clients::tracking::TrackedReads;
use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Flags, Group, Spec};

/// `CLIENT TRACKINGINFO`
pub(super) struct TrackingInfo;

impl PlainCommand for TrackingInfo {
    const SPEC: Spec = Spec {
        summary: "Tells of which keys the connection is told, and how.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::NO_SCRIPT).and(Flags::STALE),
        ..Spec::named("trackinginfo")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let flags = flags(ctx.session);
        let prefixes = ctx.session.tracking.iter();
        let prefixes = prefixes.flat_map(|tracking| tracking.prefixes());
        let reply = &mut *ctx.reply;
        reply.map(3);
        reply.bulk(b"flags");
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
        reply.bulk(b"redirect");
        reply.int(redirect(ctx.session));
        reply.bulk(b"prefixes");
        reply.array(prefixes.clone().count());
        prefixes.for_each(|prefix| reply.bulk(prefix));
        Ok(Flow::Done)
    }
}

fn flags(session: &Session) -> Vec<&'static str> {
    let Some(tracking) = &session.tracking else {
        return vec!["off"];
    };
    let options = tracking.options;
    let is_caching_said = tracking.is_caching_said(session.requests);
    let (reads, caching) = match options.reads {
        TrackedReads::All => ("", ""),
        TrackedReads::ChosenIn => ("optin", "caching-yes"),
        TrackedReads::ChosenOut => ("optout", "caching-no"),
        TrackedReads::Broadcast => ("bcast", ""),
    };
    let flags = [
        (true, "on"),
        (!reads.is_empty(), reads),
        (is_caching_said && !caching.is_empty(), caching),
        (options.no_loop, "noloop"),
        (tracking.redirect_is_broken, "broken_redirect"),
    ];
    let set = flags.into_iter().filter(|(set, _)| *set);
    set.map(|(_, flag)| flag).collect()
}
