//! Bytes per entry and per pending entry, over a million of them: by resident memory, by what the
//! server counts as used, and by what MEMORY USAGE says.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::timed::{EntryShape, Repeat, fill};
use super::{Rig, Schedule, Setup, Suite, Work};
use crate::control::{Control, Value};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let shapes = [
        EntryShape::One64,
        EntryShape::Five16,
        EntryShape::Five16Json,
        EntryShape::One200Json,
    ];
    let entries = shapes
        .into_iter()
        .map(|shape| -> Box<dyn Work> { Box::new(Memory(What::Entries(shape))) });
    entries
        .chain([Box::new(Memory(What::Pending)) as Box<dyn Work>])
        .collect()
}

struct Memory(What);

#[derive(Debug, Clone, Copy)]
enum What {
    Entries(EntryShape),
    /// Pending entries of one group with ten consumers.
    Pending,
}

impl Work for Memory {
    fn suite(&self) -> Suite {
        Suite::Streams
    }

    fn name(&self) -> String {
        match self.0 {
            What::Entries(shape) => format!("memory-{}", shape.name()),
            What::Pending => "memory-pending".to_owned(),
        }
    }

    fn lanes(&self) -> Vec<String> {
        vec![match self.0 {
            What::Entries(shape) => format!("memory of a million entries {}", shape.name()),
            What::Pending => "memory of a million pending entries".to_owned(),
        }]
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 1 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let entries = setup.scale.count(1_000_000, 1000);
        let steady = Duration::from_millis(setup.scale.fixed(1500, 5));
        Ok(Box::new(Running {
            control: node.control()?,
            texts: setup.texts.clone(),
            node,
            what: self.0,
            entries,
            steady,
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    texts: Texts,
    what: What,
    entries: u64,
    /// Memory that stays the same for this long no longer changes.
    steady: Duration,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let (before, after) = match self.what {
            What::Entries(shape) => {
                let before = self.memory()?;
                fill(&self.node, KEY.as_bytes(), shape, self.entries, &self.texts)?;
                (before, self.memory()?)
            }
            What::Pending => {
                fill(
                    &self.node,
                    KEY.as_bytes(),
                    EntryShape::One64,
                    self.entries,
                    &self.texts,
                )?;
                self.control.ask(&["XGROUP", "CREATE", KEY, "group", "0"])?;
                let before = self.memory()?;
                self.read_all()?;
                (before, self.memory()?)
            }
        };
        let per_item =
            |after: u64, before: u64| (after as f64 - before as f64) / self.entries as f64;
        let figures = vec![
            (Metric::UsedBytes, per_item(after.used, before.used)),
            (
                Metric::ResidentBytes,
                per_item(after.resident, before.resident),
            ),
            (
                Metric::ReportedBytes,
                per_item(after.reported, before.reported),
            ),
        ];
        Ok(vec![Sample {
            figures,
            digest: None,
        }])
    }
}

impl Running {
    fn read_all(&mut self) -> Result<()> {
        let count = (self.entries / CONSUMERS as u64).clamp(1, 100);
        let count_text = count.to_string();
        let template = |consumer: usize| {
            let consumer = format!("consumer-{consumer}");
            Template::fixed(&[
                b"XREADGROUP",
                b"GROUP",
                b"group",
                consumer.as_bytes(),
                b"COUNT",
                count_text.as_bytes(),
                b"STREAMS",
                KEY.as_bytes(),
                b">",
            ])
        };
        let templates: Vec<Template> = (0..CONSUMERS).map(template).collect();
        let requests = self.entries.div_ceil(count);
        let mut load = Load::connect(self.node.address(), CONSUMERS)?;
        load.run(
            &mut Repeat::new(&templates, &self.texts, CONSUMERS, 1, requests),
            Check::Shape,
        )?;
        let Value::Array(pending) = self.control.ask(&["XPENDING", KEY, "group"])? else {
            anyhow::bail!("XPENDING did not give a list")
        };
        ensure!(
            pending.first() == Some(&Value::Int(self.entries as i64)),
            "pending: {pending:?}"
        );
        Ok(())
    }

    /// Memory once it no longer changes: a server may compress or free in the background.
    fn memory(&mut self) -> Result<Held> {
        let since = Instant::now();
        let mut used = self.control.info_number("memory", "used_memory")?;
        loop {
            thread::sleep(self.steady);
            let now = self.control.info_number("memory", "used_memory")?;
            if now.abs_diff(used) <= used / 1000 || since.elapsed() > STEADY_MAX {
                break;
            }
            used = now;
        }
        let reported = match self
            .control
            .ask(&["MEMORY", "USAGE", KEY, "SAMPLES", "0"])?
        {
            Value::Int(bytes) => bytes as u64,
            _ => 0,
        };
        let used = self.control.info_number("memory", "used_memory")?;
        Ok(Held {
            used,
            resident: self.node.process().resident_bytes()?,
            reported,
        })
    }
}

struct Held {
    used: u64,
    resident: u64,
    reported: u64,
}

const KEY: &str = "bench:memory";
const CONSUMERS: usize = 10;
const STEADY_MAX: Duration = Duration::from_secs(20);
