//! Strings in replies: copied if they are short, referred to if they are long.

use std::ops::Range;

use resp::{Bytes, Kept, Reply};
use values::StringValue;

/// Answers a string, or null for a key without one.
#[inline]
pub(crate) fn reply_string(string: Option<&StringValue>, reply: &mut Reply) {
    match string {
        Some(string) if reply.refers_to(string.len()) => refer(string, 0..string.len(), reply),
        Some(string) => string.with_bytes(|bytes| reply.bulk(bytes)),
        None => reply.null(),
    }
}

/// Replies with a part of a string of this many bytes.
pub(super) fn reply_range(string: &StringValue, range: Range<usize>, reply: &mut Reply) {
    if reply.refers_to(range.len()) {
        refer(string, range, reply);
    } else {
        string.with_bytes(|bytes| reply.bulk(&bytes[range]));
    }
}

#[cold]
fn refer(string: &StringValue, range: Range<usize>, reply: &mut Reply) {
    let string = string.clone();
    reply.bulk_shared(Box::new(Part { string, range }));
}

/// A part of a string as it was when it was asked for: a write to the key leaves these bytes alone.
#[derive(Debug)]
struct Part {
    string: StringValue,
    range: Range<usize>,
}

impl Bytes for Part {
    fn bytes(&self) -> &[u8] {
        let bytes = self.string.heap();
        &bytes.expect("a string that is referred to is too long to be kept inline")
            [self.range.clone()]
    }

    fn kept(&self) -> Kept {
        let bytes = self.string.heap().unwrap_or_default();
        Kept {
            address: bytes.as_ptr().addr(),
            bytes: bytes.len(),
            holders: self.string.holders(),
        }
    }
}
