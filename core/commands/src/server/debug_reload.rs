//! `DEBUG RELOAD` and `DEBUG LOADAOF`: the databases as a restart would find them. The shell does
//! the work; no client is served until it is done.

use engine::clients::waiting::Wait;
use engine::command::{Ctx, Flow, Mode};
use engine::error::{CmdError, TopologyError};
use engine::server::{Conflicts, Order, Reload, ReloadInto, ReloadSource};
use resp::Argv;

/// Orders that the snapshot file be loaded.
pub(super) fn snapshot(ctx: &mut Ctx<'_>, options: Argv<'_>) -> Result<Flow, CmdError> {
    if ctx.server.topology().is_some() {
        // Others would not have what is loaded.
        return Err(TopologyError::DataIsInLog.into());
    }
    let mut reload = Reload {
        source: ReloadSource::NewSnapshot,
        before: ReloadInto::Emptied,
        conflicts: Conflicts::Refused,
    };
    for option in options.iter() {
        match option.to_ascii_uppercase().as_slice() {
            b"NOSAVE" => reload.source = ReloadSource::File,
            b"NOFLUSH" => reload.before = ReloadInto::Existing,
            b"MERGE" => reload.conflicts = Conflicts::Replaced,
            _ => return Err(CmdError::ReloadOption),
        }
    }
    if ctx.server.loading.is_some() {
        return Err(CmdError::Loading);
    }
    if ctx.server.is_snapshotting() {
        return Err(CmdError::SaveInProgress);
    }
    let waiting = ctx.session.id;
    order(ctx, Order::Reload { reload, waiting })
}

/// Orders that the journal be loaded.
pub(super) fn journal(ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    if ctx.server.loading.is_some() {
        return Err(CmdError::Loading);
    }
    if !ctx.server.shell.persistence.journalling {
        return Err(CmdError::NoJournal);
    }
    let waiting = ctx.session.id;
    order(ctx, Order::ReloadJournal { waiting })
}

fn order(ctx: &mut Ctx<'_>, order: Order) -> Result<Flow, CmdError> {
    if ctx.mode != Mode::Alone {
        return Err(CmdError::NotInTransaction);
    }
    if ctx.server.is_rewriting() {
        // Either exchanges the files that the other is at.
        return Err(CmdError::RewriteInProgress);
    }
    ctx.server.orders.push(order);
    ctx.wait = Some(Wait::for_shell(ctx.store.database, "DEBUG"));
    Ok(Flow::Block)
}
