//! Libraries of functions: their texts, which are kept as keys are.
//!
//! A text says all of a library: which functions it registers follows from it alone, because what
//! registers them has neither clock, randomness nor keys. So the state, the journal and snapshots
//! have texts, a replay needs nothing that runs them, and what is known of their functions
//! ([`crate::scripting::Functions`]) is worked out again where it is needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use batch::Lsn;
use resp::Large;

use crate::error::CmdError;
use crate::scripting::Metadata;

/// The libraries that there are, by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Libraries {
    codes: Arc<BTreeMap<Box<[u8]>, Large>>,
    /// Bytes of names and texts.
    bytes: usize,
    /// How often they have changed.
    version: u64,
    /// The batch that changed them last.
    changed: Lsn,
}

impl Libraries {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Bytes of their names and texts.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The text of a library.
    pub fn get(&self, name: &[u8]) -> Option<&Large> {
        self.codes.get(name)
    }

    /// Names and texts, in the order of names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Large)> {
        self.codes.iter().map(|(name, code)| (&**name, code))
    }

    /// A number that is another one after each change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The batch that changed them last.
    pub(crate) fn changed(&self) -> Lsn {
        self.changed
    }

    /// Puts a library in, in the place of one of the same name.
    pub(crate) fn put(&mut self, name: &[u8], code: Large, changed: Lsn) {
        self.note(changed);
        self.bytes += name.len() + code.len();
        if let Some(old) = Arc::make_mut(&mut self.codes).insert(name.into(), code) {
            self.bytes -= name.len() + old.len();
        }
    }

    /// Removes a library. Returns whether it was there.
    pub(crate) fn remove(&mut self, name: &[u8], changed: Lsn) -> bool {
        let Some(old) = Arc::make_mut(&mut self.codes).remove(name) else {
            return false;
        };
        self.note(changed);
        self.bytes -= name.len() + old.len();
        true
    }

    /// Removes all.
    pub(crate) fn clear(&mut self, changed: Lsn) {
        self.note(changed);
        self.bytes = 0;
        self.codes = Arc::default();
    }

    /// Takes in a library of a file.
    ///
    /// # Errors
    /// Its first line does not say its name.
    pub(crate) fn load(&mut self, code: Vec<u8>, changed: Lsn) -> Result<(), CmdError> {
        let name = Metadata::parse(&code)?.name;
        self.put(&name, Large::new(code), changed);
        Ok(())
    }

    fn note(&mut self, changed: Lsn) {
        self.version += 1;
        self.changed = changed;
    }
}
