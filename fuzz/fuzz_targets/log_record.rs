//! Any bytes as records of a log, one behind another: each is refused, or is a record that encodes
//! to the same bytes; and a reader survives them all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use replication::{Position, Reader, Record, Seq};

fuzz_target!(|records: Vec<Vec<u8>>| {
    let mut reader = Reader::new(Position::default(), None);
    for bytes in &records {
        if let Ok(record) = Record::decode(bytes) {
            assert_eq!(&record.encode(), bytes);
        }
        let next = Seq(reader.at().seq.0 + 1);
        if reader.read(next, Seq(1), bytes).is_err() {
            return;
        }
    }
});
