//! Any records of a log, one behind another: each is refused, or is a record that encodes to the
//! same bytes; and a reader survives them all. Some are sealed first: they have the header, the
//! chain and the checksum that get them past the first checks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use replication::{Chain, DecodeError, Position, Reader, Record, Seq};

fuzz_target!(|records: Vec<(bool, Vec<u8>)>| {
    let mut reader = Reader::new(Position::default(), None);
    for (is_sealed, mut bytes) in records {
        if is_sealed {
            seal(&mut bytes, reader.at().chain);
        }
        if let Ok(record) = Record::decode(&bytes) {
            assert_eq!(record.encode(), bytes);
        }
        let next = Seq(reader.at().seq.0 + 1);
        if reader.read(next, Seq(1), &bytes).is_err() {
            return;
        }
    }
});

/// Makes a record of these bytes, which are its other fields and its body.
fn seal(bytes: &mut Vec<u8>, chain: Chain) {
    bytes.resize(bytes.len().max(96), 0);
    let body_bytes = u32::try_from(bytes.len() - 96).expect("inputs are short");
    bytes[..5].copy_from_slice(b"WEIR\x01");
    bytes[48..80].copy_from_slice(chain.as_bytes());
    bytes[88..92].copy_from_slice(&body_bytes.to_le_bytes());
    if let Err(DecodeError::Checksum { found, .. }) = Record::decode(bytes) {
        bytes[92..96].copy_from_slice(&found.to_le_bytes());
    }
}
