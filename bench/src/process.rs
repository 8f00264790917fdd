//! What the kernel knows about a process: CPU time, memory, the cores it may use.
//!
//! CPU time comes from the process' CPU clock, which counts the nanoseconds that all its threads
//! ran; the times in `/proc/PID/stat` have steps of 10 ms, too coarse for rounds of half a second.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use nix::time::ClockId;
use nix::unistd::Pid;

/// Another process, watched from outside.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    pid: Pid,
    clock: ClockId,
}

impl Process {
    /// The process with this id.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn new(pid: u32) -> Result<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).context("process id")?);
        let clock = ClockId::pid_cpu_clock_id(pid).context("CPU clock of the process")?;
        Ok(Self { pid, clock })
    }

    /// CPU time of all its threads so far, those that ended included, in user and kernel mode.
    ///
    /// The kernel books the time of a thread when it stops running, or else at the next tick: of a
    /// thread that runs right now, up to a tick is missing.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_time(&self) -> Result<Duration> {
        Ok(Duration::from(
            self.clock.now().context("CPU time of the process")?,
        ))
    }

    /// The same, once the process has nothing to do: what a server does after its last reply, or in
    /// the background, belongs to the work. Waits two seconds at most.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_time_at_rest(&self) -> Result<Duration> {
        let since = Instant::now();
        let mut last = self.cpu_time()?;
        loop {
            thread::sleep(REST_INTERVAL);
            let now = self.cpu_time()?;
            if now.saturating_sub(last) < REST_CPU_MAX || since.elapsed() > REST_WAIT_MAX {
                return Ok(now);
            }
            last = now;
        }
    }

    /// CPU time of each of its threads so far, in user and kernel mode, to the nanosecond.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn thread_cpu_times(&self) -> Result<Vec<ThreadCpu>> {
        let mut found = Vec::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let task = task?.path();
            let read = |file: &str| fs::read_to_string(task.join(file));
            // A thread may have ended since the list was made.
            let (Ok(name), Ok(times)) = (read("comm"), read("schedstat")) else {
                continue;
            };
            let ran = times.split_whitespace().next();
            let ran = ran.context("an empty schedstat")?.parse()?;
            found.push(ThreadCpu {
                name: name.trim_end().to_owned(),
                cpu: Duration::from_nanos(ran),
            });
        }
        Ok(found)
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_bytes(&self) -> Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The most resident memory since [`Process::reset_peak`], in bytes.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn peak_bytes(&self) -> Result<u64> {
        self.status_bytes("VmHWM:")
    }

    /// Starts to track the most resident memory again.
    ///
    /// # Errors
    /// When the process is gone or belongs to somebody else.
    pub fn reset_peak(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").context("clear_refs")
    }

    fn status_bytes(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let kib: u64 = status
            .lines()
            .find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_suffix(" kB")?
                    .trim()
                    .parse()
                    .ok()
            })
            .with_context(|| format!("{name} in /proc/PID/status"))?;
        Ok(kib * 1024)
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }
}

/// What a thread of a process has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadCpu {
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: String,
    /// The time that it ran.
    pub cpu: Duration,
}

/// The cores that a process may run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// One core, by its number.
    Core(usize),
    /// Every core of this machine.
    Anywhere,
}

/// Which core is whose. The load client never shares the server's core, if there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// The core that a pinned server runs on.
    pub server: usize,
    /// The core of the load client and of the pinger.
    pub load: usize,
}

impl Cores {
    /// The first and the last core that this process may use.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn of_this_machine() -> Result<Self> {
        let set = sched_getaffinity(Pid::this()).context("sched_getaffinity")?;
        let usable: Vec<usize> = (0..CpuSet::count())
            .filter(|core| set.is_set(*core).unwrap_or(false))
            .collect();
        match usable[..] {
            [] => anyhow::bail!("no usable core"),
            [server, .., load] => Ok(Self { server, load }),
            [only] => Ok(Self {
                server: only,
                load: only,
            }),
        }
    }
}

/// Moves the calling thread; threads and processes that it starts from now on inherit the
/// placement.
///
/// # Errors
/// When the kernel refuses.
pub fn place_this_thread(placement: Placement) -> Result<()> {
    let mut set = CpuSet::new();
    match placement {
        Placement::Core(core) => set.set(core)?,
        Placement::Anywhere => {
            let last = last_online_core().context("list of online cores")?;
            for core in 0..=last {
                set.set(core)?;
            }
        }
    }
    sched_setaffinity(Pid::from_raw(0), &set).context("sched_setaffinity")
}

/// Lets this process and those that it starts hold as many files as the hard limit allows; returns
/// that number.
///
/// # Errors
/// When the kernel refuses.
pub fn raise_open_files() -> Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// Busy time of all cores so far, whoever used them.
///
/// # Errors
/// When `/proc/stat` is not readable.
pub fn machine_busy() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("first line of /proc/stat")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    // user, nice, system, idle, iowait, irq, softirq, steal: all but the two that mean waiting. One
    // tick is 10 ms.
    let busy: u64 = ticks
        .iter()
        .take(8)
        .enumerate()
        .filter(|(i, _)| *i != 3 && *i != 4)
        .map(|(_, t)| t)
        .sum();
    Ok(Duration::from_millis(busy * 10))
}

/// CPU time of this process and of all its children that ended so far.
///
/// # Errors
/// When the kernel does not say.
pub fn family_cpu_time() -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            sum += Duration::from_micros(u64::try_from(time.num_microseconds())?);
        }
    }
    Ok(sum)
}

/// Number of cores of this machine.
pub fn core_count() -> usize {
    last_online_core().map_or(1, |last| last + 1)
}

/// CPU time of this very process so far.
///
/// # Errors
/// When the kernel does not say.
pub fn own_cpu_time() -> Result<Duration> {
    Ok(Duration::from(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?))
}

const REST_INTERVAL: Duration = Duration::from_millis(10);
/// More than a server's own timers use in an interval.
const REST_CPU_MAX: Duration = Duration::from_micros(300);
const REST_WAIT_MAX: Duration = Duration::from_secs(2);

/// The highest core number in a list such as `0-1` or `0,2-3`.
fn last_online_core() -> Option<usize> {
    let list = fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
    list.trim().rsplit([',', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_of_a_process_grows_while_it_computes() {
        let process = Process::new(std::process::id()).unwrap();
        let before = process.cpu_time().unwrap();
        let sum = (0..2_000_000_u64).fold(0, |sum: u64, number| sum ^ number.wrapping_mul(31));
        assert_ne!(sum, 1);
        assert!(process.cpu_time().unwrap() > before);
        assert!(process.resident_bytes().unwrap() > 100_000);
        let threads = process.thread_cpu_times().unwrap();
        let here = std::thread::current();
        let name = here.name().unwrap();
        let this = |thread: &&ThreadCpu| name.starts_with(&thread.name);
        let this = threads.iter().find(this).unwrap();
        assert!(this.cpu > Duration::ZERO);
        assert!(this.cpu <= process.cpu_time().unwrap());
    }

    #[test]
    fn a_thread_can_be_moved_and_freed_again() {
        std::thread::spawn(|| {
            let cores = Cores::of_this_machine().unwrap();
            place_this_thread(Placement::Core(cores.load)).unwrap();
            place_this_thread(Placement::Anywhere).unwrap();
        })
        .join()
        .unwrap();
    }
}
