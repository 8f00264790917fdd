//! Figures of the process for `INFO`.

use engine::node::ShellFigures;
use rustix::process::{self};

/// Reads memory and CPU time of the process.
pub(crate) fn update(figures: &mut ShellFigures, used_memory: u64) {
    figures.used_memory = used_memory;
    figures.used_memory_peak = figures.used_memory_peak.max(used_memory);
    if let Ok(statm) = std::fs::read_to_string("/proc/self/statm") {
        let pages = statm
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok());
        figures.resident_memory = pages.unwrap_or(0) * process_page_bytes();
    }
}

fn process_page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

/// The number of this process.
pub(crate) fn process_id() -> u32 {
    process::getpid().as_raw_nonzero().get().unsigned_abs()
}
