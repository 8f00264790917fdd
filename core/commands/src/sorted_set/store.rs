//! Putting a sorted set that a command has made in the place of what a key held.

use engine::command::Ctx;
use engine::store::effect::sorted_set::SortedSetChange;
use engine::store::effect::{Effect, Event, KeyChange, event};
use resp::{Argv, LARGE_BYTES_MIN};
use values::{SortedSet, Value};

/// How the journal tells of the set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told<'a> {
    /// By the command, which makes the same set of the same keys wherever it runs.
    ByCommand(Argv<'a>),
    /// As it is.
    Itself,
}

/// Stores a set, and answers how many members it has. One without members is no key.
pub(crate) fn store(
    to: &[u8],
    set: SortedSet,
    told: Told<'_>,
    event: &'static Event,
    ctx: &mut Ctx<'_>,
) {
    let len = set.len();
    match told {
        _ if len == 0 => {
            if ctx.store.peek(to).is_some() {
                let delete = Effect::on(to, KeyChange::Delete);
                ctx.store.apply(&delete, event::DEL);
            }
        }
        Told::ByCommand(command) => {
            let store = SortedSetChange::Store { set: &set, command };
            ctx.store.apply(&Effect::on(to, store), event);
        }
        Told::Itself => put(to, set, event, ctx),
    }
    ctx.reply.count(len);
}

fn put(to: &[u8], set: SortedSet, event: &'static Event, ctx: &mut Ctx<'_>) {
    let value = Value::from(set);
    let dumped = rdb::dump(&value);
    let (made, copied);
    let payload = if dumped.len() < LARGE_BYTES_MIN {
        copied = dumped;
        copied.as_slice()
    } else {
        made = ctx.store.make_large(dumped);
        made.as_slice()
    };
    let put = KeyChange::Restore {
        value,
        payload,
        at: None,
    };
    ctx.store.apply(&Effect::on(to, put), event);
}
