//! `maxmemory`: when more memory is used than may be, keys are evicted, a bounded number at a time.

use crate::Engine;
use crate::limits::EVICTED_PER_TIMER_MAX;
use crate::server::{Room, Writes};
use crate::store::apply::{Access, Overdue, Store};
use crate::store::eviction::may_evict_any;
use crate::time::Now;

impl Engine {
    /// Evicts at most so many keys if memory is used up, and notes what that has achieved.
    #[cold]
    pub(crate) fn make_room(&mut self, keys_max: usize, now: Now) {
        self.server.room = self.evict(keys_max, now);
    }

    /// The same as part of what is due.
    pub(super) fn make_room_when_due(&mut self, now: Now) {
        if self.server.held_bytes > 0 && !self.is_view_held() {
            self.server.held_bytes = 0;
        }
        if self.server.is_memory_used_up() {
            self.make_room(EVICTED_PER_TIMER_MAX, now);
        }
    }

    /// Returns whether keys are still to be evicted, and may be now.
    pub(super) fn is_eviction_due(&self, now: Now) -> bool {
        self.server.is_memory_used_up() && self.server.room != Room::UsedUp && self.may_evict(now)
    }

    /// Returns whether a view of the keyspace may hold what is evicted.
    fn is_view_held(&self) -> bool {
        self.server.is_snapshotting() || self.server.is_rewriting()
    }

    /// Returns whether keys may be removed now. While a log is followed, it says which.
    fn may_evict(&self, now: Now) -> bool {
        self.server.pause.active(now).is_none()
            && !self.data.log.is_replaying()
            && self.server.loading.is_none()
            && !matches!(self.server.writes, Writes::Refused(_))
    }

    fn evict(&mut self, keys_max: usize, now: Now) -> Room {
        let eviction = self.server.config.eviction;
        let Some(policy) = eviction.policy else {
            return Room::UsedUp;
        };
        if !self.may_evict(now) {
            return Room::ToCome;
        }
        let surplus = self.server.surplus_bytes();
        let mut freed = 0;
        for _ in 0..keys_max {
            if freed > surplus {
                return Room::Enough;
            }
            let data = &mut self.data;
            let picked = data.pool.pick(
                (&mut data.keyspace, &data.usage),
                (&eviction, policy),
                &mut self.server.rng,
                now.unix(),
            );
            let Some(picked) = picked else {
                return match may_evict_any(&data.keyspace, policy) {
                    true => Room::ToCome,
                    false => Room::UsedUp,
                };
            };
            let (access, overdue) = (Access::NoTouch, Overdue::Kept);
            let mut store = Store::new(&mut self.data, picked.database, now, access, overdue);
            let bytes = store.evict(&picked.key);
            self.data.log.commit();
            freed += bytes;
            if self.is_view_held() {
                self.server.held_bytes += bytes;
            }
        }
        Room::ToCome
    }
}
