//! Changes of the libraries of functions.

use resp::Large;

use super::Changed;
use super::encode::{Line, Out};
use crate::store::apply::Store;

/// A library comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryChange<'a> {
    /// It is there, with this text, whatever was there under its name (`FUNCTION LOAD REPLACE`).
    /// The text has the name too.
    Load {
        /// The name of the library.
        name: &'a [u8],
        /// Its whole text.
        code: &'a Large,
    },
    /// It is gone (`FUNCTION DELETE`).
    Delete {
        /// The name of the library.
        name: &'a [u8],
    },
    /// All are gone (`FUNCTION FLUSH`).
    Flush,
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{self, Event};

    /// A library has come or gone: no key has changed.
    pub const LIBRARY: &Event = event::UNHEARD;
}

impl LibraryChange<'_> {
    pub(super) fn apply(self, store: &mut Store<'_>) -> Changed {
        let lsn = store.data.log.open();
        let libraries = &mut store.data.libraries;
        match self {
            LibraryChange::Load { name, code } => {
                libraries.put(name, code.clone(), lsn);
                Changed::by_event(1)
            }
            LibraryChange::Delete { name } => {
                Changed::by_event(u64::from(libraries.remove(name, lsn)))
            }
            LibraryChange::Flush => {
                let removed = libraries.len() as u64;
                if removed > 0 {
                    libraries.clear(lsn);
                }
                Changed::by_event(removed)
            }
        }
    }

    pub(super) fn encode(self, out: &mut Out<'_>) -> u32 {
        match self {
            LibraryChange::Load { code, .. } => Line::new(out, 4, "FUNCTION")
                .arg(b"LOAD")
                .arg(b"REPLACE")
                .shared_arg(code)
                .end(),
            LibraryChange::Delete { name } => {
                Line::new(out, 3, "FUNCTION").arg(b"DELETE").arg(name).end()
            }
            LibraryChange::Flush => Line::new(out, 2, "FUNCTION").arg(b"FLUSH").end(),
        }
    }
}
