//! Any bytes as a script, its arguments behind it, a line each: it cannot be compiled, fails, or
//! ends; after a while it is killed, and the host runs the next.
#![no_main]

#[path = "../shared/run.rs"]
mod run;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0);
    let body = parts.next().unwrap_or_default();
    let arguments: Vec<&[u8]> = parts.collect();
    run::script(body, &arguments);
});
