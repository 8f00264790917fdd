//! Any bytes after the head of a snapshot, in pieces of any size: the reader neither panics nor
//! reads anything else because of where the pieces end.
#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use rdb::{Context, Item, SnapshotReader, Source};
use stream::Retention;
use values::Thresholds;

/// Bytes that come in pieces of one size.
struct Pieces<'a> {
    rest: &'a [u8],
    piece_bytes: usize,
    left_in_piece: usize,
}

impl Source for Pieces<'_> {
    type Error = Infallible;

    fn fill(&mut self) -> Result<&[u8], Infallible> {
        if self.left_in_piece == 0 {
            self.left_in_piece = self.piece_bytes;
        }
        Ok(&self.rest[..self.left_in_piece.min(self.rest.len())])
    }

    fn consume(&mut self, len: usize) {
        self.rest = &self.rest[len..];
        self.left_in_piece -= len;
    }
}

/// The keys and items of a snapshot, and the error that ended it.
fn read(bytes: &[u8], piece_bytes: usize) -> (Vec<String>, Option<String>) {
    let retention = Retention {
        duration_s: 100,
        maxsize: 100,
    };
    let context = Context {
        now_ms: 1_700_000_000_000,
        hash_seed: 1,
        retention,
        thresholds: Thresholds::DEFAULT,
        packing: rdb::Packing::BeyondBytes(0),
    };
    let source = Pieces {
        rest: bytes,
        piece_bytes,
        left_in_piece: 0,
    };
    let mut items = Vec::new();
    let mut reader = match SnapshotReader::new(source, context) {
        Ok(reader) => reader,
        Err(error) => return (items, Some(error.to_string())),
    };
    loop {
        match reader.next() {
            Ok(Some(Item::Record(record))) => items.push(format!("{:?}", record.key)),
            Ok(Some(item)) => items.push(format!("{item:?}")),
            Ok(None) => return (items, None),
            Err(error) => return (items, Some(error.to_string())),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [piece_bytes, input @ ..] = data else {
        return;
    };
    let mut bytes = b"REDIS0013".to_vec();
    bytes.extend_from_slice(input);
    let whole = read(&bytes, usize::MAX);
    assert_eq!(read(&bytes, usize::from(*piece_bytes).max(1)), whole);
});
