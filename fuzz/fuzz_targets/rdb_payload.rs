//! Any bytes as the content of a payload whose checksum is right: it is refused, or it is a value
//! that dumps and restores to a payload as long as the first. (Not to the same: producers are in no
//! order.)
#![no_main]

use libfuzzer_sys::fuzz_target;
use rdb::{Context, restore};
use stream::Retention;
use values::Thresholds;

fn context() -> Context {
    let retention = Retention {
        duration_s: 100,
        maxsize: 100,
    };
    Context {
        now_ms: 1_700_000_000_000,
        hash_seed: 1,
        retention,
        thresholds: Thresholds::DEFAULT,
        packing: rdb::Packing::Later,
    }
}

fuzz_target!(|content: &[u8]| {
    let payload = rdb::sign(content.to_vec());
    let Ok(value) = restore(&payload, &context()) else {
        return;
    };
    let dumped = rdb::dump(&value);
    let again = restore(&dumped, &context()).expect("what was dumped can be restored");
    assert_eq!(rdb::dump(&again).len(), dumped.len());
});
