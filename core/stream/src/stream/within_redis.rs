//! A stream as Redis can hold it, and what it loses by that.

use super::Stream;
use crate::StreamId;
use crate::group::Group;
use crate::pending::{CountChange, Holder, Missing};
use crate::settings::{Configured, GroupSettings, Settings};

/// Something of a stream that Redis 8.6 has no place for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// A setting of the stream, by its word and the text of its value. With it goes what was kept
    /// because of it.
    Setting {
        /// The word.
        word: &'static str,
        /// The value.
        value: Vec<u8>,
    },
    /// The same of a group.
    GroupSetting {
        /// The group's name.
        group: Vec<u8>,
        /// The word.
        word: &'static str,
        /// The value.
        value: Vec<u8>,
    },
    /// The last numbers of so many producers, of a stream where iids are numbers.
    Numbers(usize),
    /// The epochs of so many producers.
    Epochs(usize),
    /// So many entries that wait to be appended.
    Delayed(usize),
    /// Entries that a group was given back.
    GivenBack {
        /// The group's name.
        group: Vec<u8>,
        /// How many entries.
        entries: usize,
    },
}

/// The consumer that holds what was given back, where a group cannot have such entries.
pub const GIVEN_BACK: &[u8] = b"given-back";

impl Stream {
    /// The stream with nothing in it that Redis 8.6 has no place for, and what it had of that.
    /// Entries that were given back to a group are not lost: the consumer [`GIVEN_BACK`], which is
    /// made at `now_ms` if need be, holds them as delivered at time 0, so that any claim finds them
    /// idle.
    pub fn within_redis(&self, now_ms: u64) -> (Stream, Vec<Beyond>) {
        let mut stream = self.clone();
        let mut beyond = Vec::new();
        texts_of(&self.settings, |word, value| {
            beyond.push(Beyond::Setting { word, value });
        });
        let mut note = |count: usize, what: fn(usize) -> Beyond| {
            beyond.extend((count > 0).then(|| what(count)));
        };
        note(self.idempotence.all_reached().count(), Beyond::Numbers);
        note(self.idempotence.epochs().count(), Beyond::Epochs);
        note(self.delayed().map_or(0, |d| d.len()), Beyond::Delayed);
        stream.settings = Configured::default();
        stream.idempotence.forget_own();
        stream.delayed = None;
        stream.retaining = None;
        stream.idle_looks = None;
        for (name, group) in self.groups.iter() {
            if group.settings().is_empty() && group.given_back_count() == 0 {
                continue;
            }
            texts_of(group.settings(), |word, value| {
                let group = name.to_vec();
                beyond.push(Beyond::GroupSetting { group, word, value });
            });
            let entries = group.given_back_count();
            if entries > 0 {
                let group = name.to_vec();
                beyond.push(Beyond::GivenBack { group, entries });
            }
            stream.groups.edit(name, |group| {
                group.set_settings(&GroupSettings::default());
                hold_what_was_given_back(group, now_ms);
            });
        }
        (stream, beyond)
    }
}

/// Calls `f` with the word and the text of each setting that is not as by default.
fn texts_of<S: Settings>(settings: &Configured<S>, mut f: impl FnMut(&'static str, Vec<u8>)) {
    settings.for_each(|row, value| f(row.word, row.form.text_of(value).into_owned()));
}

fn hold_what_was_given_back(group: &mut Group, now_ms: u64) {
    let given_back: Vec<StreamId> = group.given_back().collect();
    if given_back.is_empty() {
        return;
    }
    let holder = Holder {
        consumer: group.create_consumer(GIVEN_BACK, now_ms).handle(),
        delivered_ms: 0,
    };
    group.claim(holder, &given_back, CountChange::Keep, Missing::Skip);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delayed::DelayedOptions;
    use crate::settings::{IidMode, StreamSettings};
    use crate::{Acknowledgement, Reached, References, Retention};

    fn id(seq: u64) -> StreamId {
        StreamId::new(1, seq)
    }

    /// A stream with a group, whose consumer holds two entries of one delivery.
    fn plain() -> Stream {
        let retention = Retention {
            duration_s: 100,
            maxsize: 100,
        };
        let mut stream = Stream::new(retention, 1);
        let mut group = Group::new(StreamId::MIN, None);
        let reader = group.create_consumer(b"reader", 5).handle();
        group.deliver(reader, &[id(1), id(2)], 5, Acknowledgement::Awaited, None);
        stream.insert_group(b"group", group);
        stream.insert_group(b"other", Group::new(StreamId::MIN, None));
        stream.idempotence_mut().record(b"p", b"iid", id(1), 5);
        stream
    }

    #[test]
    fn a_stream_of_redis_loses_nothing() {
        let (within, beyond) = plain().within_redis(9);
        assert_eq!(beyond, []);
        let group = within.groups().find(b"group").unwrap();
        assert_eq!(group.pending_count(), 2);
        assert!(group.consumer(GIVEN_BACK).is_none());
        assert_eq!(within.idempotence().lookup(b"p", b"iid", 9), Some(id(1)));
    }

    #[test]
    fn what_only_weir_has_is_taken_out_and_told() {
        let mut stream = plain();
        let settings = StreamSettings {
            iid_mode: IidMode::Monotone,
            ..StreamSettings::default()
        };
        drop(stream.set_settings(&settings));
        let of_group = GroupSettings {
            claim_idle_ms: 30_000,
            dead_letter_key: b"dead".to_vec(),
            ..GroupSettings::default()
        };
        assert_eq!(stream.set_group_settings(b"other", &of_group), Some(true));
        let idempotence = stream.idempotence_mut();
        let (number, id) = (7, id(1));
        idempotence.restore_reached(b"q", Reached { number, id });
        idempotence.set_epoch(b"p", 3);
        let ticket = stream.next_ticket(50).unwrap();
        let options = DelayedOptions {
            references: References::Keep,
            trim: None,
            idempotent: None,
        };
        stream.delay(ticket, &options, [&b"f"[..], b"v"].into_iter());
        assert!(stream.is_beyond_redis());

        let (within, beyond) = stream.within_redis(9);
        assert!(!within.is_beyond_redis());
        let group_setting = |word, value: &[u8]| Beyond::GroupSetting {
            group: b"other".to_vec(),
            word,
            value: value.to_vec(),
        };
        assert_eq!(
            beyond,
            [
                Beyond::Setting {
                    word: "IDMP-MODE",
                    value: b"MONOTONE".to_vec()
                },
                Beyond::Numbers(1),
                Beyond::Epochs(1),
                Beyond::Delayed(1),
                group_setting("CLAIM", b"30000"),
                group_setting("DEADLETTER", b"dead"),
            ]
        );
        assert_eq!(within.idempotence().lookup(b"p", b"iid", 9), Some(id));
        assert!(stream.is_beyond_redis(), "the stream itself is as it was");
    }

    #[test]
    fn what_was_given_back_is_held_by_a_consumer_that_any_claim_finds_idle() {
        let mut stream = plain();
        stream
            .groups_mut()
            .edit(b"group", |group| group.give_back(id(2), 4));
        let (within, beyond) = stream.within_redis(9);
        let (group, entries) = (b"group".to_vec(), 1);
        assert_eq!(beyond, [Beyond::GivenBack { group, entries }]);
        let group = within.groups().find(b"group").unwrap();
        assert_eq!((group.given_back_count(), group.pending_count()), (0, 2));
        let entry = group.pending(id(2)).unwrap();
        let holder = entry.holder.unwrap();
        assert_eq!(Some(holder.consumer), group.consumer(GIVEN_BACK));
        assert_eq!((holder.delivered_ms, entry.delivery_count), (0, 4));
    }
}
