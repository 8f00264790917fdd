//! Keyspace notifications: the names of events, on their way to those who subscribed to them.
//!
//! As long as nobody listens to any class, nothing is kept and nothing is copied. What the settings
//! name is published to channels after each request, so that no more waits than one request or
//! transaction causes.

use std::mem::{Discriminant, discriminant};

use values::Value;

use crate::clients::channels::Channels;
use crate::config::KeyspaceEvents;
use crate::limits::PUBLISHED_BYTES_MAX;
use crate::store::effect::event::{Class, Event, Name, Overwriting, Subject};
use crate::store::keyspace::Record;

/// Classes of notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Classes(u16);

impl Classes {
    /// None.
    pub const NONE: Classes = Classes(0);
    /// All that something happens in: a missing key is no change.
    pub const ALL: Classes = Classes(u16::MAX ^ (1 << Class::Missed as u16));

    /// Those that a setting names.
    fn of(events: KeyspaceEvents) -> Classes {
        let named = Class::ALL.into_iter();
        let named = named.filter(|class| events.has(class.letter()));
        Classes(named.fold(0, |bits, class| bits | (1 << class as u16)))
    }

    fn has(self, class: Class) -> bool {
        self.0 & (1 << class as u16) != 0
    }
}

/// An event of a class that has listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The database of the key.
    pub database: u16,
    /// The key that it is about.
    pub key: Vec<u8>,
    /// What happened to it.
    pub event: &'static str,
    /// The class of that.
    pub class: Class,
}

/// What is to be published.
#[derive(Debug, Default)]
pub(crate) struct Notifications {
    classes: Classes,
    /// What the settings say is published.
    published: KeyspaceEvents,
    waiting: Vec<Notification>,
    /// About how many bytes these take.
    waiting_bytes: usize,
    /// The key that the effect has put into the keyspace which is being applied.
    put: Option<Put>,
}

/// A key that was put into the keyspace.
#[derive(Debug)]
struct Put {
    database: u16,
    key: Vec<u8>,
    what: Replaced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replaced {
    /// The key was missing.
    Nothing,
    /// It held a value of the same type.
    SameType,
    /// It held a value of another type.
    OtherType,
}

const NEW: Name = Name::new("new", Class::New);
const OVERWRITTEN: Name = Name::new("overwritten", Class::Overwritten);
const MISSED: Name = Name::new("keymiss", Class::Missed);
const TYPE_CHANGED: Name = Name::new("type_changed", Class::TypeChanged);

impl Notifications {
    /// Returns whether anybody listens to any class.
    #[inline]
    pub(crate) fn is_anyone_listening(&self) -> bool {
        self.classes != Classes::NONE
    }

    /// Takes over what the settings say is published; nothing, if it goes to no channel.
    pub(crate) fn publish_as_said(&mut self, published: KeyspaceEvents) {
        if published != self.published {
            self.published = published;
            self.classes = match published.has('K') || published.has('E') {
                true => Classes::of(published),
                false => Classes::NONE,
            };
        }
    }

    /// Returns whether something is to be published.
    #[inline]
    pub(crate) fn has_some(&self) -> bool {
        !self.waiting.is_empty() && self.published != KeyspaceEvents::default()
    }

    /// Forgets what happened: nobody is to hear of it.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
    }

    /// Publishes what is to be published, to the channels that the settings name.
    pub(crate) fn publish_to(&mut self, channels: &mut Channels) {
        channels.news.are_of_keys();
        let (by_key, by_event) = (self.published.has('K'), self.published.has('E'));
        self.waiting_bytes = 0;
        for happened in self.waiting.drain(..) {
            // Events are told as far as there is room, as to a client that does not keep up.
            if channels.news.is_full() {
                continue;
            }
            let Notification {
                database,
                key,
                event,
                ..
            } = &happened;
            if by_key {
                let mut channel = format!("__keyspace@{database}__:").into_bytes();
                channel.extend_from_slice(key);
                channels.publish(&channel, event.as_bytes());
            }
            if by_event {
                let channel = format!("__keyevent@{database}__:{event}");
                channels.publish(channel.as_bytes(), key);
            }
        }
    }

    /// A key was looked for and is missing.
    #[inline]
    pub(crate) fn missed(&mut self, database: u16, key: &[u8]) {
        if self.is_anyone_listening() {
            self.note_missed(database, key);
        }
    }

    #[cold]
    fn note_missed(&mut self, database: u16, key: &[u8]) {
        self.note(MISSED, database, key);
    }

    /// From now on these classes have listeners, and no others.
    pub(crate) fn listen_to(&mut self, classes: Classes) {
        self.classes = classes;
    }

    /// What happened since it was asked last.
    pub(crate) fn take(&mut self) -> Vec<Notification> {
        self.waiting_bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    /// A record is put into the keyspace, in the place of another or of none.
    #[cold]
    pub(crate) fn put(&mut self, database: u16, old: Option<&Record>, new: &Record) {
        let kind = |record: &Record| -> Discriminant<Value> { discriminant(record.value()) };
        let what = match old {
            None => Replaced::Nothing,
            Some(old) if kind(old) == kind(new) => Replaced::SameType,
            Some(_) => Replaced::OtherType,
        };
        self.note_put(database, new.key(), what);
    }

    /// The value of a key took the place of another of the same type.
    #[inline]
    pub(crate) fn overwritten(&mut self, database: u16, key: &[u8]) {
        if self.is_anyone_listening() {
            self.note_put(database, key, Replaced::SameType);
        }
    }

    #[cold]
    fn note_put(&mut self, database: u16, key: &[u8], what: Replaced) {
        let key = key.to_vec();
        self.put = Some(Put {
            database,
            key,
            what,
        });
    }

    /// Publishes an event that concerns a key and maybe another, with what follows from the key
    /// that it has put into the keyspace.
    #[cold]
    pub(crate) fn publish(
        &mut self,
        event: &'static Event,
        first: (u16, &[u8]),
        other: Option<(u16, &[u8])>,
    ) {
        let put = self.put.take();
        let replaced: &[Name] = match put.as_ref().map(|put| put.what) {
            None | Some(Replaced::Nothing) => &[],
            Some(Replaced::SameType) => &[OVERWRITTEN],
            Some(Replaced::OtherType) => &[OVERWRITTEN, TYPE_CHANGED],
        };
        let is_new =
            |put: &&Put| put.what == Replaced::Nothing || event.overwriting == Overwriting::After;
        if let Some(put) = put.as_ref().filter(is_new) {
            self.note(NEW, put.database, &put.key);
        }
        if let Some(put) = &put
            && event.overwriting == Overwriting::Before
        {
            replaced
                .iter()
                .for_each(|name| self.note(*name, put.database, &put.key));
        }
        for name in event.names {
            let subject = match name.of {
                Subject::Key => Some(first),
                Subject::Other => other,
            };
            if let Some((database, key)) = subject {
                self.note(*name, database, key);
            }
        }
        if let Some(put) = &put
            && event.overwriting == Overwriting::After
        {
            replaced
                .iter()
                .for_each(|name| self.note(*name, put.database, &put.key));
        }
    }

    fn note(&mut self, name: Name, database: u16, key: &[u8]) {
        // As many as can be published before any of it is sent; more would not be told.
        if self.classes.has(name.class) && self.waiting_bytes < PUBLISHED_BYTES_MAX {
            self.waiting_bytes += size_of::<Notification>() + key.len();
            self.waiting.push(Notification {
                database,
                key: key.to_vec(),
                event: name.text,
                class: name.class,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_events_wait_than_are_told() {
        let mut notifications = Notifications::default();
        notifications.listen_to(Classes::ALL);
        let key = vec![b'k'; 1 << 20];
        let fit = PUBLISHED_BYTES_MAX >> 20;
        for _ in 0..2 {
            for _ in 0..2 * fit {
                notifications.note(OVERWRITTEN, 0, &key);
            }
            // There is room again once they were taken.
            assert_eq!(notifications.take().len(), fit);
        }
    }
}
