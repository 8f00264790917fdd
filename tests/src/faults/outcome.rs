//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::exactly_once::audit::Audited;
use crate::faults::fault::Fault;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// How long no append was accepted, by fault, sorted.
    pub gaps: BTreeMap<Fault, Vec<Duration>>,
    /// What was compared with what clients were told.
    pub audited: Audited,
    /// Libraries of the real clients.
    pub libraries: Vec<&'static str>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| fault | times | no append for (median) | at most |")?;
        writeln!(f, "|---|---|---|---|")?;
        for (fault, gaps) in &self.gaps {
            let (count, longest) = (gaps.len(), gaps.last().copied().unwrap_or_default());
            let median = gaps.get(count / 2).copied().unwrap_or_default();
            writeln!(f, "| {fault:?} | {count} | {median:.2?} | {longest:.2?} |")?;
        }
        let libraries = self.libraries.join(", ");
        write!(f, "real clients: {libraries}\n{}", self.audited)
    }
}
