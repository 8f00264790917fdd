//! Keyspace notifications: the names of events, on their way to those who subscribed to them.
//!
//! As long as nobody listens to any class, nothing is kept and nothing is copied. Whoever makes
//! them listen takes what there is after each request, so that no more waits than one request or
//! transaction causes.

use std::mem::{Discriminant, discriminant};

use values::Value;

use crate::store::effect::event::{Class, Event, Name, Overwriting, Subject};
use crate::store::keyspace::Record;

/// Classes of notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Classes(u16);

impl Classes {
    /// None.
    pub const NONE: Classes = Classes(0);
    /// All of them.
    pub const ALL: Classes = Classes(u16::MAX);

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
    waiting: Vec<Notification>,
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
const TYPE_CHANGED: Name = Name::new("type_changed", Class::TypeChanged);

impl Notifications {
    /// Returns whether anybody listens to any class.
    #[inline]
    pub(crate) fn is_anyone_listening(&self) -> bool {
        self.classes != Classes::NONE
    }

    /// From now on these classes have listeners, and no others.
    pub(crate) fn listen_to(&mut self, classes: Classes) {
        self.classes = classes;
    }

    /// What happened since it was asked last.
    pub(crate) fn take(&mut self) -> Vec<Notification> {
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
        if self.classes.has(name.class) {
            self.waiting.push(Notification {
                database,
                key: key.to_vec(),
                event: name.text,
                class: name.class,
            });
        }
    }
}
