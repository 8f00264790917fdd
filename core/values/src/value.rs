//! What a key holds: one of the types.

use stream::Stream;
use triomphe::Arc;

use crate::string::StringValue;

/// The value of a key. A clone is a frozen view: it shares what is large, and a later write to
/// either side copies what it touches.
#[derive(Clone, Debug)]
pub enum Value {
    /// Bytes, or a number kept as one.
    String(StringValue),
    /// Entries in the order of their IDs. Change it through `Arc::make_mut`.
    Stream(Arc<Stream>),
}

impl Value {
    /// The type's name, as `TYPE` answers it.
    #[inline]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
            Value::Stream(_) => "stream",
        }
    }
}

impl Value {
    /// About how many bytes it takes, estimated without a walk over its parts.
    pub fn weight(&self) -> usize {
        match self {
            Value::String(string) => string.heap_bytes(),
            Value::Stream(stream) => stream.weight(),
        }
    }
}

impl From<StringValue> for Value {
    #[inline]
    fn from(string: StringValue) -> Value {
        Value::String(string)
    }
}

impl From<Stream> for Value {
    #[inline]
    fn from(stream: Stream) -> Value {
        Value::Stream(Arc::new(stream))
    }
}

// A record holds one beside its key; a type's own state belongs behind a pointer.
const _: () = assert!(size_of::<Value>() == 24);
