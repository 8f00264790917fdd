//! Values: a type code, and the body that belongs to it.
//!
//! What files, payloads and digests need of a type it says in a module of its own (`Stored`). Here
//! it takes one line, in the list of them.

use stream::Stream;
use values::{StringValue, Typed, Value};

use crate::code::name_of;
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::Hasher;
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::VERSION_WRITTEN;
use crate::source::{Sink, Source};
use crate::stream::Extras;

/// What files, payloads and digests need of a type of values.
pub(crate) trait Stored: Typed + Sized {
    /// The codes of the type that are read, whichever server and version wrote them.
    const CODES: &'static [u8];

    /// The code of the type that a value is written as.
    fn code(&self) -> u8;

    /// The version of the format that a reader must know for a value written as this code.
    fn version(_code: u8) -> u16 {
        VERSION_WRITTEN
    }

    /// Returns whether a payload of `DUMP` would lack something without the auxiliary fields.
    fn needs_extras(&self) -> bool {
        false
    }

    /// Writes auxiliary fields about a value, which go before everything about its key.
    fn write_extras<K: Sink>(&self, _out: &mut Encoder<K>) -> Result<(), K::Error> {
        Ok(())
    }

    /// About how many bytes are written for a large value; 0 if that depends on them.
    fn expected_bytes(&self) -> usize {
        self.weight()
    }

    /// Writes the body of a value.
    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error>;

    /// Puts the content of a value into a digest, as it is at that moment.
    fn add_to_digest(&self, now_ms: u64, out: &mut Encoder<Hasher>);

    /// Reads the body of a value of one of the codes. `extras` are what auxiliary fields said about
    /// it.
    fn read<S: Source>(
        code: u8,
        from: &mut Decoder<S>,
        context: &Context,
        extras: &Extras,
    ) -> Read<Value, S>;
}

/// Asks the type that a value or a code is of.
macro_rules! types {
    ($($variant:ident($typed:ty),)*) => {
        /// The code of the type that a value is written as.
        pub(crate) fn code_of(value: &Value) -> u8 {
            match value { $(Value::$variant(_, kept) => <$typed as Stored>::code(kept),)* }
        }

        /// The first code of the type, whichever a value is written as.
        pub(crate) fn first_code_of(value: &Value) -> u8 {
            let codes = match value { $(Value::$variant(..) => <$typed as Stored>::CODES,)* };
            codes.first().copied().unwrap_or_default()
        }

        /// Returns whether a payload of `DUMP` would lack something without the auxiliary fields.
        pub(crate) fn needs_extras(value: &Value) -> bool {
            match value { $(Value::$variant(_, kept) => <$typed as Stored>::needs_extras(kept),)* }
        }

        /// Writes auxiliary fields about a value, which go before everything about its key.
        pub(crate) fn write_extras<K: Sink>(
            value: &Value,
            out: &mut Encoder<K>,
        ) -> Result<(), K::Error> {
            match value { $(Value::$variant(_, kept) => <$typed as Stored>::write_extras(kept, out),)* }
        }

        /// About how many bytes are written for a large value; 0 if that depends on them.
        pub(crate) fn expected_bytes(value: &Value) -> usize {
            match value { $(Value::$variant(_, kept) => <$typed as Stored>::expected_bytes(kept),)* }
        }

        /// Writes the body of a value.
        pub(crate) fn write<K: Sink>(value: &Value, out: &mut Encoder<K>) -> Result<(), K::Error> {
            match value { $(Value::$variant(_, kept) => <$typed as Stored>::write(kept, out),)* }
        }

        /// Puts the content of a value into a digest, as it is at that moment.
        pub(crate) fn add_to_digest(value: &Value, now_ms: u64, out: &mut Encoder<Hasher>) {
            match value {
                $(Value::$variant(_, kept) => <$typed as Stored>::add_to_digest(kept, now_ms, out),)*
            }
        }

        /// Returns whether values of this code are read.
        pub(crate) fn is_read(code: u8) -> bool {
            $(<$typed as Stored>::CODES.contains(&code))||*
        }

        /// The version of the format that a reader must know for a value written as this code.
        pub(crate) fn version_of(code: u8) -> u16 {
            $(if <$typed as Stored>::CODES.contains(&code) {
                return <$typed as Stored>::version(code);
            })*
            VERSION_WRITTEN
        }

        /// Reads the body of a value whose type code was just read. `extras` are what auxiliary
        /// fields said about it.
        pub(crate) fn read<S: Source>(
            code: u8,
            key: &[u8],
            from: &mut Decoder<S>,
            context: &Context,
            extras: &Extras,
        ) -> Read<Value, S> {
            $(if <$typed as Stored>::CODES.contains(&code) {
                return <$typed as Stored>::read(code, from, context, extras);
            })*
            let (name, key) = (name_of(code), Box::from(key));
            Err(from.fault(Fault::UnsupportedType { code, name, key }))
        }
    };
}

types! {
    String(StringValue),
    List(values::List),
    Set(values::Set),
    SortedSet(values::SortedSet),
    Stream(Stream),
    Hash(values::Hash),
}
