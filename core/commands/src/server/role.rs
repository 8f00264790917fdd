//! `ROLE`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arity, Categories, Compat, Flags, Group, Spec};
use engine::topology::{Node, Topology};

/// `ROLE`
pub(super) struct Role;

impl PlainCommand for Role {
    const SPEC: Spec = Spec {
        summary: "Tells the server's role in replication, and its position.",
        since: "2.8.12",
        group: Group::Server,
        complexity: "O(1)",
        arity: Arity::Exactly(1),
        flags: Flags::FAST
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        compat: Compat::Differs(
            "The position grows with each write; in Redis it is 0 while no replica has come.",
        ),
        ..Spec::named("role")
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let last = ctx.store.log().last().number().cast_signed();
        let reply = &mut *ctx.reply;
        let topology = ctx.server.topology();
        if let Some(topology) = topology.filter(|topology| !topology.leads()) {
            let leader = topology.leader();
            reply.array(5);
            reply.bulk(b"slave");
            reply.bulk(leader.map_or("?", |leader| &leader.host).as_bytes());
            reply.int(leader.map_or(0, |leader| i64::from(leader.port)));
            reply.bulk(match topology.current_at {
                None => b"sync",
                Some(_) if topology.is_led() => b"connected",
                Some(_) => b"connect",
            });
            reply.int(last);
            return Ok(Flow::Done);
        }
        reply.array(3);
        reply.bulk(b"master");
        reply.int(last);
        let followers = topology.into_iter().flat_map(Topology::followers);
        let followers: Vec<&Node> = followers.filter(|node| !node.is_down).collect();
        reply.array(followers.len());
        for node in followers {
            reply.array(3);
            reply.bulk(node.host.as_bytes());
            reply.bulk_int(node.port);
            reply.bulk_int(node.applied.number());
        }
        Ok(Flow::Done)
    }
}
