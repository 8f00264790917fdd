//! `DEBUG DIGEST` and `DEBUG DIGEST-VALUE`: whether two servers hold the same.

use engine::command::Ctx;
use engine::store::keyspace::Record;
use rdb::Digest;
use resp::Argv;

/// Answers the digest of all keys of all databases.
pub(super) fn of_everything(ctx: &mut Ctx<'_>) {
    ctx.store.depend_on_all();
    let now = ctx.now;
    let keyspace = ctx.store.keyspace();
    let mut sum = Digest::default();
    for database in 0..keyspace.database_count() {
        let records = keyspace.records(database);
        for record in records.filter(|record| !record.is_expired(now.unix())) {
            let value = of_value(record, now.stream_ms());
            sum = sum.and(value.under(database, record.key()));
        }
    }
    ctx.reply.simple(&sum.to_hex());
}

/// Answers the digest of the value and expiry of each key; zeros for a key that is missing.
pub(super) fn of_values(ctx: &mut Ctx<'_>, keys: Argv<'_>) {
    let now_ms = ctx.now.stream_ms();
    ctx.reply.array(keys.len());
    ctx.reply.each(keys.iter(), |reply, key| {
        let record = ctx.store.peek(key);
        let digest = record.map_or(Digest::default(), |record| of_value(record, now_ms));
        reply.simple(&digest.to_hex());
    });
}

fn of_value(record: &Record, now_ms: u64) -> Digest {
    let expires_at_ms = record.expires_at().map(|at| at.0);
    Digest::of_value(record.value(), expires_at_ms, now_ms)
}
