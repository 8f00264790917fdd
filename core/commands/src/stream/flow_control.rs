//! How many entries a consumer may have pending (`XGROUP SETCFG … MAXPENDING n`).

use engine::store::effect::{Event, event};
use stream::{ConsumerHandle, Group};

/// How many more entries a consumer may be given; it need not exist yet.
pub(super) fn room(group: &Group, consumer: Option<ConsumerHandle>) -> u64 {
    let Some(pending_max) = group.pending_max() else {
        return u64::MAX;
    };
    let consumer = consumer.and_then(|consumer| group.consumer_at(consumer));
    let pending = consumer.map_or(0, |consumer| consumer.pending_count() as u64);
    pending_max.saturating_sub(pending)
}

/// What it means to others that entries of a group are acknowledged: who has as many as it may
/// waits for that.
#[inline]
pub(super) fn acknowledged(group: &Group) -> &'static Event {
    match group.pending_max() {
        None => event::PENDING,
        Some(_) => event::ROOM,
    }
}
