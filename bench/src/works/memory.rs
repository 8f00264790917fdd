//! What is kept in memory, per item: by resident memory, by what the server counts as used, and by
//! what MEMORY USAGE says.

mod entries;
mod values;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Scale, Work};
use crate::control::{Control, Value};
use crate::node::Node;
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    entries::works()
        .into_iter()
        .chain(values::works())
        .collect()
}

/// What a server holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    used: u64,
    resident: u64,
    reported: u64,
}

impl Held {
    /// What it holds once that no longer changes: a server may compress or free in the background.
    /// Of one key is asked what MEMORY USAGE says.
    pub(super) fn at_rest(
        node: &Node,
        control: &mut Control,
        key: &str,
        scale: Scale,
    ) -> Result<Held> {
        // Memory that stays the same for this long no longer changes.
        let steady = Duration::from_millis(scale.fixed(1500, 5));
        let since = Instant::now();
        let mut used = control.info_number("memory", "used_memory")?;
        loop {
            thread::sleep(steady);
            let now = control.info_number("memory", "used_memory")?;
            if now.abs_diff(used) <= used / 1000 || since.elapsed() > STEADY_MAX {
                break;
            }
            used = now;
        }
        let reported = match control.ask(&["MEMORY", "USAGE", key, "SAMPLES", "0"])? {
            Value::Int(bytes) => bytes as u64,
            _ => 0,
        };
        Ok(Held {
            used: control.info_number("memory", "used_memory")?,
            resident: node.process().resident_bytes()?,
            reported,
        })
    }

    /// What each of so many items took that have come since `before`.
    pub(super) fn per_item(&self, before: &Held, items: u64) -> Sample {
        let per_item = |after: u64, before: u64| (after as f64 - before as f64) / items as f64;
        let figures = vec![
            (Metric::UsedBytes, per_item(self.used, before.used)),
            (
                Metric::ResidentBytes,
                per_item(self.resident, before.resident),
            ),
            (
                Metric::ReportedBytes,
                per_item(self.reported, before.reported),
            ),
        ];
        Sample {
            figures,
            digest: None,
        }
    }
}

const STEADY_MAX: Duration = Duration::from_secs(20);
