//! `WAIT` and `WAITAOF`: how many copies of the client's writes there are.

use engine::args::{Args, parse_i64};
use engine::clients::waiting::{Interest, Replicas, Ticket, TimeoutReply, Wait as Waiting};
use engine::command::{Command, Ctx, Flow, Mode, PlainCommand};
use engine::config::Fsync;
use engine::error::{CmdError, TopologyError};
use engine::table::{Arg, Arity, Categories, Compat, Flags, Group, Spec};

use crate::timeout::Timeout;

/// `WAIT numreplicas timeout`
pub(super) struct Wait;

impl PlainCommand for Wait {
    const SPEC: Spec = Spec {
        summary: "Waits until that many replicas have the client's writes.",
        since: "3.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::BLOCKING,
        categories: Categories::CONNECTION,
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        args: &[Arg::integer("numreplicas"), Arg::integer("timeout")],
        ..Spec::named("wait")
    };
    type Args<'a> = (i64, Timeout);

    fn execute((wanted, timeout): Self::Args<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if ctx.server.follows() {
            return Err(TopologyError::WaitOnReplica.into());
        }
        let replicas = replicas(wanted, ctx);
        let reply = TimeoutReply::Replicas(replicas);
        if !replicas.are_enough() && ctx.mode == Mode::Alone {
            return Ok(give_up_later(timeout, reply, ctx));
        }
        reply.write(ctx.reply);
        Ok(Flow::Done)
    }
}

/// How many followers have applied all that the client has written. What they have applied is in
/// the log for ever.
fn replicas(wanted: i64, ctx: &Ctx<'_>) -> Replicas {
    let written = ctx.session.depends_on;
    let topology = ctx.server.topology();
    let have = topology.map_or(0, |topology| topology.followers_with(written));
    Replicas {
        have: have as i64,
        wanted,
    }
}

/// `WAITAOF numlocal numreplicas timeout`
pub(super) struct WaitAof;

impl Command for WaitAof {
    const SPEC: Spec = Spec {
        summary: "Waits until the client's writes are on the disk, here and on that many replicas.",
        since: "7.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::BLOCKING,
        categories: Categories::CONNECTION,
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        args: &[
            Arg::integer("numlocal"),
            Arg::integer("numreplicas"),
            Arg::integer("timeout"),
        ],
        compat: Compat::Differs(
            "Writes are known to be on the disk with `appendfsync always` only; otherwise it waits in vain. In a group, the log that its nodes share counts as the disk of each.",
        ),
        ..Spec::named("waitaof")
    };
    type Parsed<'a> = (bool, i64, Timeout);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let local = match args.integer()? {
            0 => false,
            1 => true,
            _ => return Err(CmdError::LocalCopies),
        };
        let replicas = parse_i64(args.required()?).filter(|replicas| *replicas >= 0);
        let replicas = replicas.ok_or(CmdError::MustBePositive)?;
        Ok((local, replicas, Timeout::parse(args)?))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (local, wanted, timeout) = cmd;
        if ctx.server.follows() {
            return Err(TopologyError::WaitAofOnReplica.into());
        }
        // The log of a group is the journal of each of its nodes.
        let is_in_group = ctx.server.topology().is_some();
        let journalling = is_in_group || ctx.server.shell.persistence.journalling;
        if local && !journalling {
            return Err(CmdError::NoLocalCopies);
        }
        let syncs = is_in_group || ctx.server.config.fsync == Fsync::Always;
        let is_durable = journalling && syncs;
        if is_durable {
            // The reply leaves when all that was written is durable.
            ctx.store.depend_on_all();
        }
        let replicas = replicas(wanted, ctx);
        let reply = TimeoutReply::Copies {
            local: i64::from(is_durable),
            replicas,
        };
        let is_enough = replicas.are_enough() && (is_durable || !local);
        if !is_enough && ctx.mode == Mode::Alone {
            return Ok(give_up_later(timeout, reply, ctx));
        }
        reply.write(ctx.reply);
        Ok(Flow::Done)
    }
}

fn give_up_later(timeout: Timeout, reply: TimeoutReply, ctx: &mut Ctx<'_>) -> Flow {
    ctx.server.wait_for_replicas(ctx.session.id);
    ctx.wait = Some(Waiting {
        database: ctx.store.database,
        keys: Vec::new(),
        deadline: timeout.deadline(ctx.now.mono),
        retry_at: None,
        request: [b"WAIT".as_slice()].into_iter().collect(),
        on_timeout: reply,
        interest: Interest::Any,
        ticket: Ticket::default(),
    });
    Flow::Block
}
