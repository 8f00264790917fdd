//! What a key holds: one of the types.

use crate::string::StringValue;

/// The value of a key. A clone is a frozen view: it shares what is large, and a later write to
/// either side copies what it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Bytes, or a number kept as one.
    String(StringValue),
}

impl Value {
    /// The type's name, as `TYPE` answers it.
    #[inline]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
        }
    }
}

impl From<StringValue> for Value {
    #[inline]
    fn from(string: StringValue) -> Value {
        Value::String(string)
    }
}

// A record holds one beside its key; a type's own state belongs behind a pointer.
const _: () = assert!(size_of::<Value>() == 24);
