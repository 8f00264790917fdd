//! `weir cluster verify`: all that nodes check of the log and of those who keep it, at once, and
//! the snapshots of the group.
//!
//! Nothing is written. A group that runs is not disturbed, but for what reading costs.

use std::io::Write as _;

use anyhow::bail;
use cluster::{Bounds, Judged, LogReading, VerifyError};
use replication::{Entry, Position, Seq, StopReason, Verdict};

use super::named_log::{NamedLog, Told, beginning};

/// How often reading begins again because the log was trimmed meanwhile.
const ATTEMPTS: usize = 3;

/// Prints what was found, a line each, and fails if anything is not well.
pub(super) fn run(settings: &[String]) -> anyhow::Result<String> {
    let log = NamedLog::of(settings)?;
    let mut findings = Findings::default();
    keepers(&log, &mut findings)?;
    let snapshots = snapshots(&log, &mut findings);
    records(&log, &snapshots, &mut findings)?;
    let Findings { text, wrong } = findings;
    if wrong == 0 {
        return Ok(format!("{text}all is well\n"));
    }
    // A reader that closed the pipe has seen enough.
    std::io::stdout().write_all(text.as_bytes()).ok();
    bail!("not all is well: {wrong} of these lines say what is wrong");
}

/// What was found, a line each.
#[derive(Default)]
struct Findings {
    text: String,
    wrong: usize,
}

impl Findings {
    fn good(&mut self, line: &str) {
        self.text.push_str(&format!("{line}\n"));
    }

    fn wrong(&mut self, line: &str) {
        self.good(&format!("WRONG: {line}"));
        self.wrong += 1;
    }
}

/// The NATS servers and the stream.
fn keepers(log: &NamedLog, findings: &mut Findings) -> anyhow::Result<()> {
    let faults = cluster::faults(&log.service)?;
    for fault in &faults {
        findings.wrong(&fault.to_string());
    }
    if faults.is_empty() {
        findings.good("NATS servers and stream: as they must be");
    }
    Ok(())
}

/// Loads each snapshot. Returns where those are that can be loaded.
fn snapshots(log: &NamedLog, findings: &mut Findings) -> Vec<Position> {
    let mut loaded = Vec::new();
    let Some(store) = &log.store else {
        findings.good("snapshots: no place is named for them (log-snapshots)");
        return loaded;
    };
    let mut found = match store.snapshots() {
        Ok(found) => found,
        Err(error) => {
            findings.wrong(&error.to_string());
            return loaded;
        }
    };
    while let Some(seq) = found.newest() {
        found = found.without(seq);
        match store.take(seq, &mut log.empty(), log.clock.now()) {
            Ok(at) => {
                let (lsn, epoch) = (at.lsn, at.epoch.number);
                findings.good(&format!(
                    "snapshot of record {seq}: whole, LSN {lsn}, epoch {epoch}"
                ));
                loaded.push(at);
            }
            Err(error) => findings.wrong(&format!(
                "snapshot of record {seq}: {error}. Nodes leave it out; move it away, \
                 and a follower makes another one when it is due"
            )),
        }
    }
    loaded
}

/// What records turned out to be.
#[derive(Default)]
struct Tally {
    records: u64,
    bytes: u64,
    void: u64,
    groups: u64,
    /// Snapshots that were made of another log, and where in the log they should be.
    strangers: Vec<(Position, Position)>,
}

impl Tally {
    fn count(&mut self, record: &Judged, snapshots: &[Position]) {
        self.records += 1;
        self.bytes += record.bytes.len() as u64;
        match &record.verdict {
            Verdict::Void => self.void += 1,
            Verdict::Valid(Entry::Group(_)) => self.groups += 1,
            Verdict::Valid(Entry::Epoch(..) | Entry::Part | Entry::Beat | Entry::HandOver(_)) => {}
        }
        let here = snapshots.iter().filter(|at| at.seq == record.at.seq);
        let strange = here.filter(|at| **at != record.at);
        self.strangers.extend(strange.map(|at| (*at, record.at)));
    }
}

/// Reads the log from one end to the other.
fn records(log: &NamedLog, snapshots: &[Position], findings: &mut Findings) -> anyhow::Result<()> {
    let mut told = Told::begin();
    for attempt in 1..=ATTEMPTS {
        let mut tally = Tally::default();
        let reading = cluster::verify(
            &log.service,
            |log| beginning(log, snapshots),
            &mut |log: Bounds, record: Judged| {
                tally.count(&record, snapshots);
                told.at(record.at.seq, log);
            },
        );
        match reading {
            Ok(reading) => {
                let stop = reading.stop.map(|stop| stop.reason);
                if matches!(stop, Some(StopReason::Trimmed { .. })) && attempt < ATTEMPTS {
                    continue;
                }
                tell(&reading, &tally, snapshots, findings);
            }
            Err(VerifyError::NoBeginning { bounds }) => findings.wrong(&format!(
                "log, record {}: it is the first one that is left, and there is no whole snapshot \
                 of a record from {} on: find the snapshots that are missing (log-snapshots), or \
                 {RECOVER}",
                bounds.first,
                bounds.first.0.saturating_sub(1),
            )),
            // It was said before that there is no log.
            Err(VerifyError::Open(error)) => findings.wrong(&format!("log: {error}")),
            Err(error @ (VerifyError::Silent { .. } | VerifyError::System(_))) => {
                return Err(error.into());
            }
        }
        break;
    }
    Ok(())
}

/// What to do about a log that cannot be read to its end.
const RECOVER: &str = "stop all weirs of the group, and see what `weir cluster recover` says";

fn tell(reading: &LogReading, tally: &Tally, snapshots: &[Position], findings: &mut Findings) {
    let LogReading {
        bounds,
        whole,
        stop,
        differing,
    } = reading;
    let Tally {
        records,
        bytes,
        void,
        groups,
        strangers,
    } = tally;
    findings.good(&format!(
        "log: whole from record {} to {}, LSN {}, epoch {}: {records} records of {bytes} bytes, \
         {groups} groups, {void} void",
        bounds.first, whole.seq, whole.lsn, whole.epoch.number
    ));
    for odd in differing {
        findings.wrong(&format!(
            "log, record {}: one NATS server has something else there than the others ({}): the \
             logs of weirs name it; remove its store and let it copy that of the others",
            odd.seq, odd.reason
        ));
    }
    for (snapshot, here) in strangers {
        findings.wrong(&format!(
            "snapshot of record {}: made of another log, with LSN {} and epoch {} there, where this \
             one has {} and {}: move it away",
            snapshot.seq, snapshot.lsn, snapshot.epoch.number, here.lsn, here.epoch.number
        ));
    }
    let end = stop.map_or(bounds.last.max(whole.seq), |_| Seq(u64::MAX));
    for beyond in snapshots.iter().filter(|at| at.seq > end) {
        findings.wrong(&format!(
            "snapshot of record {}: the log ends at record {}, so it has lost its end: {RECOVER}",
            beyond.seq, bounds.last
        ));
    }
    if let Some(stop) = stop {
        findings.wrong(&format!(
            "log, record {}: {}. It follows LSN {} of epoch {}, and the log goes to record {}: \
             {RECOVER}",
            stop.seq, stop.reason, whole.lsn, whole.epoch.number, bounds.last
        ));
    }
}
