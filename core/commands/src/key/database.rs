//! The number of a database as an argument.

use engine::command::Ctx;
use engine::error::CmdError;

/// A database that exists.
pub(crate) fn parse_database(number: i64, ctx: &Ctx<'_>) -> Result<u16, CmdError> {
    if i32::try_from(number).is_err() {
        return Err(CmdError::DbIndexTooLarge);
    }
    let count = match ctx.server.is_in_cluster() {
        true => 1,
        false => ctx.store.keyspace().database_count(),
    };
    let database = u16::try_from(number).ok().filter(|number| *number < count);
    database.ok_or(CmdError::DbIndex)
}
