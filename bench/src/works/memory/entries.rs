//! Bytes per entry and per pending entry, over a million of them.

use anyhow::{Result, ensure};

use super::Held;
use crate::control::{Control, Value};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::Sample;
use crate::works::timed::{EntryShape, Repeat, fill};
use crate::works::{Rig, Scale, Schedule, Setup, Suite, Work};

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
        Ok(Box::new(Running {
            control: node.control()?,
            texts: setup.texts.clone(),
            node,
            what: self.0,
            entries,
            scale: setup.scale,
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    texts: Texts,
    what: What,
    entries: u64,
    scale: Scale,
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
        Ok(vec![after.per_item(&before, self.entries)])
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

    fn memory(&mut self) -> Result<Held> {
        Held::at_rest(&self.node, &mut self.control, KEY, self.scale)
    }
}

const KEY: &str = "bench:memory";
const CONSUMERS: usize = 10;
