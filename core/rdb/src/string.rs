//! Strings: a string.

use values::{StringValue, Value};

use crate::code;
use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::Hasher;
use crate::encode::Encoder;
use crate::limits::STRING_BYTES_MAX;
use crate::source::{Sink, Source};
use crate::stream::Extras;
use crate::value::Stored;

impl Stored for StringValue {
    const CODES: &'static [u8] = &[code::STRING];

    fn code(&self) -> u8 {
        code::STRING
    }

    /// It may compress well.
    fn expected_bytes(&self) -> usize {
        0
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        self.with_bytes(|bytes| out.string(bytes));
        Ok(())
    }

    fn add_to_digest(&self, _now_ms: u64, out: &mut Encoder<Hasher>) {
        let Ok(()) = self.write(out);
    }

    fn read<S: Source>(
        _code: u8,
        from: &mut Decoder<S>,
        _context: &Context,
        _extras: &Extras,
    ) -> Read<Value, S> {
        let string = from.with_string(STRING_BYTES_MAX, "a string", StringValue::from_bytes);
        string.map(Value::from)
    }
}
