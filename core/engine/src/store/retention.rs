//! Streams remove what is beyond the bounds in their settings.

use stream::Stream;

use crate::limits::RETAINED_WITH_APPEND_MAX;
use crate::store::apply::Store;
use crate::store::effect::{Effect, StreamChange, event};

impl Store<'_> {
    /// An append has made a stream longer than its bounds allow
    /// ([`Stream::trims_with_append`]): removes what is too much, if it is not very much.
    #[cold]
    pub fn retain_after_append(&mut self, key: &[u8]) {
        self.retain(key, RETAINED_WITH_APPEND_MAX);
    }

    /// Takes a step towards the bounds of a stream. Returns how many entries went with it, about
    /// `entries_max` at most, and no longer pending ones; 0 if there was nothing to remove.
    pub(crate) fn retain(&mut self, key: &[u8], entries_max: u64) -> u64 {
        let now_ms = self.now.stream_ms();
        let stream = self.get::<Stream>(key).ok().flatten();
        let step = stream.and_then(|stream| stream.plan_retention(now_ms, entries_max));
        let Some((cut, references)) = step else {
            return 0;
        };
        let trim = StreamChange::Trim {
            through: cut.through,
            references,
        };
        self.apply(&Effect::on(key, trim), event::XTRIM)
    }
}
