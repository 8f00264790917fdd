//! Figures of the process for `INFO`.

use std::path::Path;

use engine::Now;
use engine::server::ShellFigures;
use rustix::process;

use crate::listen::{Place, Transport};
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

/// What the system knows of the process, read without the shard's lock.
pub(crate) struct ProcessFigures {
    resident_memory: Option<u64>,
    cpu_s: Option<(f64, f64)>,
    cpu_main_s: Option<(f64, f64)>,
}

impl ProcessFigures {
    /// Reads them. `main` is where the system tells of the thread that counts as the main one; none
    /// before it runs.
    pub(crate) fn read(main: Option<&Path>) -> ProcessFigures {
        let pages = std::fs::read_to_string("/proc/self/statm").ok();
        let pages = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<u64>().ok());
        ProcessFigures {
            resident_memory: pages.map(|pages| pages * rustix::param::page_size() as u64),
            cpu_s: cpu_times(Path::new("/proc/self/stat")),
            cpu_main_s: main.and_then(|main| cpu_times(&main.join("stat"))),
        }
    }

    /// Tells them to the engine.
    pub(crate) fn tell(&self, figures: &mut ShellFigures) {
        if let Some(bytes) = self.resident_memory {
            figures.resident_memory = bytes;
        }
        if let Some((user_s, system_s)) = self.cpu_s {
            figures.cpu_user_s = user_s;
            figures.cpu_system_s = system_s;
        }
        if let Some((user_s, system_s)) = self.cpu_main_s {
            figures.cpu_user_main_s = user_s;
            figures.cpu_system_main_s = system_s;
        }
    }
}

/// Updates the figure with what the allocator says is allocated. `dropped` bytes of that wait to be
/// freed and count as free; if it is unknown how many, the figure that the threads keep stays.
pub(crate) fn update_memory(
    figures: &mut ShellFigures,
    allocator: Allocator,
    allocated: u64,
    dropped: Option<u64>,
    now: Now,
) {
    figures.allocator_allocated = allocated;
    (figures.allocator_active, figures.allocator_resident) = (allocator.pages)();
    if let Some(dropped) = dropped {
        figures.used_memory = allocated.saturating_sub(dropped);
    }
    figures.used_memory_peak = figures.used_memory_peak.max(figures.used_memory);
    if figures.used_memory_peak > figures.used_memory_peak_noted {
        figures.used_memory_peak_noted = figures.used_memory_peak;
        figures.used_memory_peak_at_s = now.unix().0 / 1000;
    }
}

/// Returns where clients can connect, as `INFO` tells it.
pub(crate) fn listeners(places: &[Place], unix: Option<&Path>) -> Vec<String> {
    let tcp = line("tcp", Transport::Plain, places);
    let unix = unix.map(|path| format!("name=unix,bind={}", path.display()));
    let tls = line("tls", Transport::Tls, places);
    tcp.into_iter().chain(unix).chain(tls).collect()
}

/// The line of the listeners whose clients speak like this, if there are some.
fn line(name: &str, transport: Transport, places: &[Place]) -> Option<String> {
    let of_it = places.iter().filter(|(other, _)| *other == transport);
    let mut addresses = of_it.map(|(_, address)| address).peekable();
    let port = addresses.peek()?.port();
    let binds: String = addresses
        .map(|address| format!("bind={},", address.ip()))
        .collect();
    Some(format!("name={name},{binds}port={port}"))
}

/// User and system seconds. The system has them in fields 14 and 15; the second field, in
/// parentheses, may contain spaces.
fn cpu_times(path: &Path) -> Option<(f64, f64)> {
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
