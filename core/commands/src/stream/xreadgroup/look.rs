//! What a stream has for the readers of a group, found without changing anything.

use engine::Now;
use engine::clients::pattern_reads::When;
use stream::{Group, IdleAtLeast, Stream, StreamId};

/// What a stream has for a group.
pub(super) enum Look {
    /// Entries to be delivered, or to be taken over.
    Something,
    /// Nothing now; entries to be taken over from that time on, if any.
    Nothing(When),
}

impl Look {
    /// Looks at a stream. With `CLAIM`, entries are taken over that are idle for so long.
    pub(super) fn at(stream: &Stream, group: &Group, claim: Option<u64>, now: Now) -> Look {
        let last = group.last_delivered();
        let new = last.next().filter(|_| last < stream.last_id());
        // What was appended may be gone again.
        if new.is_some_and(|from| stream.entries().range(from, StreamId::MAX).next().is_some()) {
            return Look::Something;
        }
        let Some(idle_ms_min) = claim.or(group.claim_idle_ms()) else {
            return Look::Nothing(When::Never);
        };
        let now_ms = now.stream_ms();
        let idle = IdleAtLeast {
            idle_ms_min,
            now_ms,
        };
        if group.pending_by_age(idle).next().is_some() {
            return Look::Something;
        }
        let in_ms = group
            .next_idle_ms(idle)
            .map(|at| at.saturating_sub(now_ms).max(1));
        Look::Nothing(in_ms.map_or(When::Never, |ms| When::At(now.mono.plus(ms))))
    }
}
