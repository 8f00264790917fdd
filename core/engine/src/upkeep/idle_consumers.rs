//! Consumers go that have not called for long, if their group wants that.
//!
//! Who goes is decided here, by the time and by who waits. That they go is an effect that names
//! them, and so is that others wait: a replay asks neither.

use stream::{Activity, IdleConsumers, Stream};

use crate::Engine;
use crate::limits::CONSUMER_LOOKS_PER_TURN_MAX;
use crate::store::apply::Store;
use crate::store::effect::{Effect, GroupChange, event};
use crate::store::keyspace::Due;
use crate::time::Now;

impl Engine {
    /// Looks at some consumers of a stream; then others get their turn.
    pub(super) fn look_for_idle_consumers(&mut self, due: Due, looks: &mut usize, now: Now) {
        let key = self.data.keyspace.find_due(due).name().clone();
        let mut turn = CONSUMER_LOOKS_PER_TURN_MAX.min(*looks);
        *looks -= turn;
        while let Some(found) = self.find_idle_consumers((due.database, &key), &mut turn, now) {
            let mut store = self.store_for(due.database, now);
            store.by_nobody(|store| let_go(&found, &key, store));
        }
        self.data.log.commit();
        self.data.keyspace.postpone(due, now.unix());
    }

    fn find_idle_consumers(
        &mut self,
        (database, key): (u16, &[u8]),
        looks: &mut usize,
        now: Now,
    ) -> Option<IdleConsumers> {
        let (keyspace, blocking) = (&mut self.data.keyspace, &self.data.blocking);
        let is_waiting =
            |group: &[u8], consumer: &[u8]| blocking.is_waiting_as(database, group, consumer);
        let hash = keyspace.hash(key);
        let found = keyspace.edit(database, hash, key, |record| {
            let stream = record.value.get_mut::<Stream>()?;
            stream.look_for_idle_consumers(now.stream_ms(), looks, is_waiting)
        });
        found.flatten()
    }
}

fn let_go(found: &IdleConsumers, key: &[u8], store: &mut Store<'_>) {
    for consumer in &found.waiting {
        let see = GroupChange::See {
            consumer,
            activity: Activity::Seen,
        };
        store.apply(&Effect::on_group(key, &found.group, see), event::UNHEARD);
    }
    if !found.gone.is_empty() {
        let consumers: Vec<&[u8]> = found.gone.iter().map(|name| &**name).collect();
        let delete = GroupChange::DeleteConsumers {
            consumers: &consumers,
        };
        let delete = Effect::on_group(key, &found.group, delete);
        store.apply(&delete, event::IDLE_CONSUMERS);
    }
}
