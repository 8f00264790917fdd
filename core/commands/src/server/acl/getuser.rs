//! `ACL GETUSER`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Group, Spec};
use engine::users::Selector;
use resp::Reply;

use super::OF_ADMINISTRATORS;

/// `ACL GETUSER username`
pub(super) struct GetUser;

impl PlainCommand for GetUser {
    const SPEC: Spec = Spec {
        summary: "Tells the rules of a user.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
        arity: Arity::Exactly(3),
        flags: OF_ADMINISTRATORS,
        history: &[
            ("6.2.0", "The channel patterns were added."),
            (
                "7.0.0",
                "Selectors were added, and patterns are told as rules.",
            ),
        ],
        args: &[Arg::string("username").secret()],
        ..Spec::named("getuser")
    };
    type Args<'a> = &'a [u8];

    fn execute(name: &[u8], ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let reply = &mut *ctx.reply;
        let Some(user) = ctx.server.users.find(name) else {
            reply.null();
            return Ok(Flow::Done);
        };
        reply.map(6);
        reply.bulk(b"flags");
        reply.set(user.flags().count());
        for flag in user.flags() {
            reply.bulk(flag.as_bytes());
        }
        reply.bulk(b"passwords");
        reply.array(user.passwords().len());
        for password in user.passwords() {
            reply.bulk(password.hex().as_bytes());
        }
        tell(reply, user.root());
        reply.bulk(b"selectors");
        reply.array(user.selectors().len());
        for selector in user.selectors() {
            reply.map(3);
            tell(reply, selector);
        }
        Ok(Flow::Done)
    }
}

fn tell(reply: &mut Reply, selector: &Selector) {
    reply.bulk(b"commands");
    reply.bulk(&selector.commands.text());
    reply.bulk(b"keys");
    reply.bulk(&selector.keys_text());
    reply.bulk(b"channels");
    reply.bulk(&selector.channels_text());
}
