//! Changes of HyperLogLogs, which are strings. Most are changes of strings; this is the one that is
//! shorter.

use resp::Argv;
use values::hyperloglog::{self, Register, SparseBytesMax};

use super::encode::{Line, Out};
use super::string::Expiry;
use super::{Changed, Family, StringChange};
use crate::store::apply::Store;

/// Elements are added to a HyperLogLog.
#[derive(Debug, Clone)]
pub struct HyperLogLogChange<'a> {
    /// `PFADD key element ...`: the elements. A HyperLogLog that is missing is made.
    pub elements: Argv<'a>,
    /// What that makes of it.
    pub added: Added<'a>,
}

/// What elements make of a HyperLogLog.
#[derive(Debug, Clone, Copy)]
pub enum Added<'a> {
    /// It is dense: it has the same form afterwards, and registers are raised.
    Dense,
    /// It is sparse, and has these bytes afterwards. One that becomes dense is set as a whole: a
    /// replay does not know the setting that decided.
    Sparse(&'a [u8]),
}

/// What changes of this family mean to others.
pub mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    /// Elements were added, or those of others.
    pub const PFADD: &Event = &Event::named(&[Name::new("pfadd", Class::String)], Touch::ALL);
    /// The estimate was kept.
    pub const ESTIMATED: &Event = &Event::named(&[], Touch::READERS);
}

impl Family for HyperLogLogChange<'_> {}

impl HyperLogLogChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        Changed::by_event(match self.added {
            Added::Dense => store.edit_string(key, |string| {
                let bytes = string.edit();
                for element in self.elements {
                    let raised =
                        hyperloglog::raise(bytes, Register::of(element), SparseBytesMax::NONE);
                    debug_assert!(raised.is_ok(), "decided by a look at the same bytes");
                }
                hyperloglog::make_stale(bytes);
            }),
            Added::Sparse(after) => store.put_string_bytes(key, after),
        })
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        let mut line = Line::new(out, 2 + self.elements.len(), "PFADD");
        line.arg(key);
        for element in self.elements {
            line.arg(element);
        }
        line.end()
    }
}

/// The change that makes a string of other bytes out of one, or of a missing one, and lets it keep
/// its expiry.
pub fn changed_bytes<'a>(old: &[u8], new: &'a [u8]) -> StringChange<'a> {
    if new.len() < old.len() {
        let expiry = Expiry::Keep;
        return StringChange::Set { value: new, expiry };
    }
    let same = |(old, new): &(&u8, &u8)| old == new;
    let start = old.iter().zip(new).take_while(same).count();
    // What is not changed at all is written all the same, as others are to hear of it.
    let start = start.min(new.len().saturating_sub(1));
    let end = match new.len() == old.len() {
        true => {
            let (old, new) = (&old[start..], &new[start..]);
            let tail = old.iter().rev().zip(new.iter().rev());
            (start + new.len() - tail.take_while(same).count()).max(start + 1)
        }
        false => new.len(),
    };
    StringChange::SetRange {
        offset: start as u32,
        value: &new[start..end],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use values::StringValue;

    use super::*;

    proptest! {
        #[test]
        fn a_string_becomes_another_by_what_differs(
            old in prop::collection::vec(0_u8..3, 0..12),
            new in prop::collection::vec(0_u8..3, 1..12),
        ) {
            let mut string = StringValue::from_bytes(&old);
            match changed_bytes(&old, &new) {
                StringChange::Set { value, expiry } => {
                    prop_assert_eq!(expiry, Expiry::Keep);
                    string = StringValue::from_bytes(value);
                }
                StringChange::SetRange { offset, value } => {
                    prop_assert!(!value.is_empty());
                    string.set_range(offset as usize, value);
                }
                StringChange::Append { .. } => prop_assert!(false, "it may be missing"),
            }
            prop_assert_eq!(string.to_vec(), new);
        }
    }
}
