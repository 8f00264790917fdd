//! Which seeds a test runs.

use std::ops::Range;

/// The first `default` ones, unless the environment says how many (`SIM_SEEDS`) or which one
/// (`SIM_SEED`).
pub fn seeds(default: u64) -> Range<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text: String| text.parse().ok())
    };
    match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(default),
    }
}
