//! Many entries at once: as a pipeline of XADD, and atomically, by XADDM or in a transaction where
//! there is no such command; plain ones, and each with an idempotent ID.

use anyhow::Result;

use super::{cpu_per_operation, has_own_commands, templates};
use crate::control::Control;
use crate::load::{Check, Load, Source};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Texts, encode};
use crate::sample::{Metric, Sample};
use crate::works::timed::{Repeat, expect_length, flush};
use crate::works::{Needs, Rig, Setup, Suite, Work};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let connections = setup.connections;
    let sizes = [16, 64].into_iter();
    sizes
        .map(|entries| -> Box<dyn Work> {
            Box::new(Many {
                entries,
                connections,
            })
        })
        .collect()
}

struct Many {
    /// Entries that come at once.
    entries: u64,
    connections: usize,
}

/// What an entry is: plain, or the next message of the connection's producer.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    Idempotent,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Plain, Kind::Idempotent];

    fn xadd(self) -> &'static str {
        match self {
            Kind::Plain => "XADD bench:stream * payload @64",
            Kind::Idempotent => "XADD bench:stream IDMP producer-CLIENT #16 * payload @64",
        }
    }

    fn xaddm(self, entries: u64) -> String {
        match self {
            Kind::Plain => {
                format!("XADDM bench:stream ENTRIES {entries} {{{entries} x 1 payload @64}}")
            }
            Kind::Idempotent => format!(
                "XADDM bench:stream IDMP producer-CLIENT ENTRIES {entries} \
                 {{{entries} x &#14 1 payload @64}}"
            ),
        }
    }
}

impl Work for Many {
    fn suite(&self) -> Suite {
        Suite::Beyond
    }

    fn name(&self) -> String {
        format!("many-{}", self.entries)
    }

    fn lanes(&self) -> Vec<String> {
        let Self {
            entries,
            connections,
        } = self;
        let of_kind = |kind| {
            let idmp = match kind {
                Kind::Plain => "",
                Kind::Idempotent => " IDMP",
            };
            [
                format!("XADD{idmp} 1x64 P{entries} c{connections}"),
                format!("XADDM{idmp} of {entries} 1x64 (MULTI and XADD in Redis) c{connections}"),
            ]
        };
        Kind::ALL.into_iter().flat_map(of_kind).collect()
    }

    fn needs(&self) -> Needs {
        Needs::Idempotence
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let mut control = node.control()?;
        Ok(Box::new(Running {
            has_xaddm: has_own_commands(&mut control)?,
            load: Load::connect(node.address(), self.connections)?,
            control,
            node,
            texts: setup.texts.clone(),
            entries_each: self.entries,
            entries: setup.scale.count(160_000, 1_000),
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    load: Load,
    texts: Texts,
    has_xaddm: bool,
    entries_each: u64,
    entries: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for kind in Kind::ALL {
            let plain = self.one_by_one(kind)?;
            let mut atomic = if self.has_xaddm {
                self.by_xaddm(kind)?
            } else {
                self.in_transactions(kind)?
            };
            let cpu = |sample: &Sample| sample.value(Metric::CpuNs).unwrap_or(f64::NAN);
            let ratio = cpu(&atomic) / cpu(&plain);
            atomic.figures.push((Metric::OverPlain, ratio));
            samples.extend([plain, atomic]);
        }
        Ok(samples)
    }
}

impl Running {
    fn one_by_one(&mut self, kind: Kind) -> Result<Sample> {
        let (connections, texts) = (self.load.len(), self.texts.clone());
        let requests = templates(kind.xadd(), connections)?;
        let mut source = Repeat::new(
            &requests,
            &texts,
            connections,
            self.entries_each,
            self.entries,
        );
        let entries = source.requests();
        self.run(&mut source, entries)
    }

    fn by_xaddm(&mut self, kind: Kind) -> Result<Sample> {
        let (connections, texts) = (self.load.len(), self.texts.clone());
        let requests = templates(&kind.xaddm(self.entries_each), connections)?;
        let calls = self.entries / self.entries_each;
        let mut source = Repeat::new(&requests, &texts, connections, 1, calls);
        let entries = source.requests() * self.entries_each;
        self.run(&mut source, entries)
    }

    fn in_transactions(&mut self, kind: Kind) -> Result<Sample> {
        let (connections, texts) = (self.load.len(), self.texts.clone());
        let requests = templates(kind.xadd(), connections)?;
        let inner = Repeat::new(
            &requests,
            &texts,
            connections,
            self.entries_each,
            self.entries,
        );
        let entries = inner.requests();
        self.run(&mut Transactions(inner), entries)
    }

    fn run(&mut self, source: &mut dyn Source, entries: u64) -> Result<Sample> {
        flush(&mut self.control)?;
        let before = self.node.process().cpu_time_at_rest()?;
        self.load.run(source, Check::Shape)?;
        let sample = cpu_per_operation(self.node.process(), before, entries)?;
        expect_length(&mut self.control, b"bench:stream", entries)?;
        Ok(sample)
    }
}

/// Each batch between MULTI and EXEC.
struct Transactions<'a>(Repeat<'a>);

impl Source for Transactions<'_> {
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64 {
        let start = out.len();
        encode(&[b"MULTI"], out);
        match self.0.next_batch(connection, out) {
            0 => {
                out.truncate(start);
                0
            }
            requests => {
                encode(&[b"EXEC"], out);
                requests + 2
            }
        }
    }
}
