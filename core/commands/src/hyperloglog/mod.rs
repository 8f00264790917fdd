//! HyperLogLogs, which are strings: estimates of how many different elements were added.

mod pfadd;
mod pfcount;
mod pfdebug;
mod pfmerge;
mod pfselftest;

use engine::command::{Ctx, Entry, entry};
use engine::store::effect::Effect;
use engine::store::effect::event::Event;
use engine::store::effect::hyperloglog::changed_bytes;
use values::StringValue;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<pfadd::PfAdd>(),
    entry::<pfcount::PfCount>(),
    entry::<pfdebug::PfDebug>(),
    entry::<pfmerge::PfMerge>(),
    entry::<pfselftest::PfSelfTest>(),
];

/// Makes of a string, or of a missing one, a HyperLogLog of these bytes.
fn replace(
    key: &[u8],
    old: Option<&StringValue>,
    new: &[u8],
    event: &'static Event,
    ctx: &mut Ctx<'_>,
) {
    let change = match old {
        Some(old) => old.with_bytes(|old| changed_bytes(old, new)),
        None => changed_bytes(b"", new),
    };
    ctx.store.apply(&Effect::on(key, change), event);
}

/// Tells the bytes of dense HyperLogLogs apart as long as none changes: what was merged once adds
/// nothing when it is named again.
fn place(bytes: &[u8]) -> (usize, usize) {
    (bytes.as_ptr().addr(), bytes.len())
}
