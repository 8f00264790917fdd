//! Any bytes as the content of a payload of libraries whose checksum is right: they are refused, or
//! they are libraries within the bounds that dump and restore to the same ones.
#![no_main]

use libfuzzer_sys::fuzz_target;

const BOUNDS: (usize, usize) = (100, 1 << 20);

fuzz_target!(|content: &[u8]| {
    let payload = rdb::sign(content.to_vec());
    let Ok(libraries) = rdb::restore_libraries(&payload, BOUNDS) else {
        return;
    };
    assert!(libraries.len() <= BOUNDS.0);
    assert!(libraries.iter().map(Vec::len).sum::<usize>() <= BOUNDS.1);
    let dumped = rdb::dump_libraries(libraries.iter().map(Vec::as_slice));
    let again = rdb::restore_libraries(&dumped, BOUNDS).expect("what was dumped can be restored");
    assert_eq!(again, libraries);
});
