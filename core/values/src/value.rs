//! What a key holds: one of the types.
//!
//! A type is a module of its own that says what it knows of itself (`Typed`). Here it takes one
//! line, in the list of them. Nobody else tells types apart by variant: code that works with
//! one type asks for it (`get`), and all other code asks the value.

use stream::Stream;
use triomphe::Arc;

use crate::ahead::{Ahead, Sought};
use crate::label::Label;
use crate::string::StringValue;
use crate::typed::{SizeKind, Typed};

/// Makes the enum of all types, and asks the type that a value is of.
macro_rules! types {
    (
        $(#[$doc:meta])*
        pub enum $value:ident { $($(#[$variant_doc:meta])* $variant:ident($kept:ty) of $typed:ty,)* }
    ) => {
        $(#[$doc])*
        pub enum $value { $($(#[$variant_doc])* $variant(Label, $kept),)* }

        impl $value {
            /// What its owner notes with it.
            #[inline]
            pub fn label(&self) -> &Label {
                match self { $($value::$variant(label, _))|* => label }
            }

            /// The type's name, as `TYPE` answers it.
            #[inline]
            pub fn type_name(&self) -> &'static str {
                match self { $($value::$variant(..) => <$typed>::NAME,)* }
            }

            /// How the value is kept under a key of this many bytes, as `OBJECT ENCODING` answers
            /// it.
            pub fn encoding(&self, key_len: usize) -> &'static str {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::encoding(kept, key_len),)* }
            }

            /// Memory outside of the value itself, in bytes; shared memory counts in full. Of a
            /// large value about `samples` parts are looked at, all of them if that is 0.
            pub fn heap_bytes(&self, samples: usize) -> usize {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::heap_bytes(kept, samples),)* }
            }

            /// Under which heading `INFO keysizes` counts the value, and its size there.
            #[inline]
            pub fn size(&self) -> Option<(SizeKind, usize)> {
                match self {
                    $($value::$variant(_, kept) => {
                        <$typed as Typed>::SIZE_KIND.map(|kind| (kind, <$typed as Typed>::size(kept)))
                    })*
                }
            }

            /// About how many bytes are freed with it, estimated without a walk over its parts.
            #[inline]
            pub fn weight(&self) -> usize {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::weight(kept),)* }
            }

            /// When something is due for the value itself, apart from its key's expiry, in
            /// milliseconds since the epoch. Inlined, since every change asks, mostly where the
            /// type is known.
            #[inline(always)]
            pub fn next_deadline_ms(&self) -> Option<u64> {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::next_deadline_ms(kept),)* }
            }

            /// Returns whether its key is gone at this time because all parts of it have expired.
            #[inline]
            pub fn is_over(&self, now_ms: u64) -> bool {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::is_over(kept, now_ms),)* }
            }

            /// Returns whether parts of it expire.
            #[inline]
            pub fn has_expiring_parts(&self) -> bool {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::has_expiring_parts(kept),)* }
            }

            /// Reads what a command on it will look at first, to have it in the processor's caches.
            #[inline]
            pub fn prefetch(&self) {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::prefetch(kept),)* }
            }

            /// Where it has what a request looks for, if it is so large that a look ahead helps.
            #[inline]
            pub fn ahead<'v>(&'v self, sought: Sought<'v>) -> Option<Ahead<'v>> {
                match self { $($value::$variant(_, kept) => <$typed as Typed>::ahead(kept, sought),)* }
            }
        }
    };
}

types! {
    /// The value of a key. A clone is a frozen view: it shares what is large, and a later write to
    /// either side copies what it touches. Beside it lies a label for its owner.
    #[derive(Clone, Debug)]
    pub enum Value {
        /// Bytes, or a number kept as one.
        String(StringValue) of StringValue,
        /// Elements in the order of their places.
        List(crate::List) of crate::List,
        /// Members in no order.
        Set(crate::Set) of crate::Set,
        /// Members with a score each.
        SortedSet(crate::SortedSet) of crate::SortedSet,
        /// Entries in the order of their IDs. Change it through `Arc::make_mut`.
        Stream(Arc<Stream>) of Stream,
        /// Fields and their values.
        Hash(crate::Hash) of crate::Hash,
    }
}

impl Value {
    /// The content, if it is of this type.
    #[inline]
    pub fn get<T: Typed>(&self) -> Option<&T> {
        T::of(self)
    }

    /// The content to be changed, if it is of this type. Copies what a frozen view shares of it.
    #[inline]
    pub fn get_mut<T: Typed>(&mut self) -> Option<&mut T> {
        T::of_mut(self)
    }
}

impl From<StringValue> for Value {
    #[inline]
    fn from(string: StringValue) -> Value {
        Value::String(Label::default(), string)
    }
}

impl From<Stream> for Value {
    #[inline]
    fn from(stream: Stream) -> Value {
        Value::Stream(Label::default(), Arc::new(stream))
    }
}

// A record holds one beside its key; a type's own state belongs behind a pointer.
const _: () = assert!(size_of::<Value>() == 24);

#[cfg(test)]
mod tests;
