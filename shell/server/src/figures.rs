//! Figures of the process for `INFO`.

use std::net::SocketAddr;
use std::path::Path;

use engine::Now;
use engine::server::ShellFigures;
use rustix::process;

use crate::memory::Allocator;

/// Notes what does not change while the server runs.
pub(crate) fn begin(figures: &mut ShellFigures, used_memory: u64) {
    figures.process_id = process::getpid().as_raw_nonzero().get().unsigned_abs();
    figures.used_memory_startup = used_memory;
    figures.system_memory = system_memory();
    let system = rustix::system::uname();
    figures.system = [system.sysname(), system.release(), system.machine()]
        .map(|part| part.to_string_lossy().into_owned())
        .join(" ");
    if let Ok(path) = std::env::current_exe() {
        figures.executable = path.display().to_string();
    }
}

/// Reads memory and CPU time of the process, and that of the calling thread.
pub(crate) fn update(figures: &mut ShellFigures, used_memory: u64, allocator: Allocator, now: Now) {
    (figures.allocator_active, figures.allocator_resident) = (allocator.pages)();
    figures.used_memory = used_memory;
    figures.used_memory_peak = figures.used_memory_peak.max(used_memory);
    if figures.used_memory_peak > figures.used_memory_peak_noted {
        figures.used_memory_peak_noted = figures.used_memory_peak;
        figures.used_memory_peak_at_s = now.unix().0 / 1000;
    }
    if let Ok(statm) = std::fs::read_to_string("/proc/self/statm") {
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        figures.resident_memory = pages.unwrap_or(0) * rustix::param::page_size() as u64;
    }
    if let Some((user_s, system_s)) = cpu_times("/proc/self/stat") {
        figures.cpu_user_s = user_s;
        figures.cpu_system_s = system_s;
    }
    if let Some((user_s, system_s)) = cpu_times("/proc/thread-self/stat") {
        figures.cpu_user_main_s = user_s;
        figures.cpu_system_main_s = system_s;
    }
}

/// Returns where clients can connect, as `INFO` tells it.
pub(crate) fn listeners(addresses: &[SocketAddr], unix: Option<&Path>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(first) = addresses.first() {
        let binds = addresses
            .iter()
            .map(|address| format!("bind={},", address.ip()));
        let binds: String = binds.collect();
        lines.push(format!("name=tcp,{binds}port={}", first.port()));
    }
    if let Some(path) = unix {
        lines.push(format!("name=unix,bind={}", path.display()));
    }
    lines
}

/// User and system seconds. The system has them in fields 14 and 15; the second field, in
/// parentheses, may contain spaces.
fn cpu_times(path: &str) -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string(path).ok()?;
    let after_name = stat.rsplit_once(") ")?.1;
    let mut fields = after_name.split(' ').skip(11);
    let mut seconds = || -> Option<f64> {
        let ticks: u64 = fields.next()?.parse().ok()?;
        Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    };
    Some((seconds()?, seconds()?))
}

#[cfg(target_os = "linux")]
fn system_memory() -> u64 {
    let system = rustix::system::sysinfo();
    system.totalram * u64::from(system.mem_unit)
}

#[cfg(not(target_os = "linux"))]
fn system_memory() -> u64 {
    0
}
