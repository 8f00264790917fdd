//! The longest time without an answer while a snapshot is taken under load: ten million keys, and a
//! stream of 1 GB.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::timed::{EntryShape, Repeat, fill, xadd};
use super::{Rig, Schedule, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::pinger::{Gap, Pinger};
use crate::process::Placement;
use crate::request::{Piece, Template, Texts};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![
        Box::new(Snapshot(Data::Keys)),
        Box::new(Snapshot(Data::Stream)),
    ]
}

struct Snapshot(Data);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Keys,
    Stream,
}

impl Work for Snapshot {
    fn suite(&self) -> Suite {
        Suite::Durable
    }

    fn name(&self) -> String {
        match self.0 {
            Data::Keys => "snapshot-keys".to_owned(),
            Data::Stream => "snapshot-stream".to_owned(),
        }
    }

    fn lanes(&self) -> Vec<String> {
        vec![match self.0 {
            Data::Keys => "BGSAVE of 10,000,000 keys under load".to_owned(),
            Data::Stream => "BGSAVE of a 1 GB stream under load".to_owned(),
        }]
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 1 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start_at(peer, Persistence::None, Placement::Anywhere, &[])?;
        let texts = setup.texts.clone();
        match self.0 {
            Data::Keys => {
                let set = Template::new(
                    &[
                        &[Piece::Fixed(b"SET")],
                        &[Piece::Fixed(b"bench:key:"), Piece::Serial(9)],
                        &[Piece::Text(16)],
                    ],
                    0,
                );
                let keys = setup.scale.count(10_000_000, 1000);
                let mut source = Repeat::new(std::slice::from_ref(&set), &texts, 1, 100, keys);
                Load::connect(node.address(), 1)?.run(&mut source, Check::Shape)?;
            }
            Data::Stream => {
                let entries = setup.scale.count(1_000_000_000 / ENTRY_BYTES, 1000);
                fill(&node, b"bench:large", EntryShape::One64, entries, &texts)?;
            }
        }
        let quiet = Duration::from_millis(setup.scale.fixed(2000, 20));
        Ok(Box::new(Running {
            control: node.control()?,
            node,
            data: self.0,
            texts,
            quiet,
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    data: Data,
    texts: Texts,
    quiet: Duration,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        // Writes all over the data, so that copying on write shows: keys again, or entries at the
        // stream's end.
        let template = match self.data {
            Data::Keys => Template::new(
                &[
                    &[Piece::Fixed(b"SET")],
                    &[Piece::Fixed(b"bench:key:00"), Piece::Digits(7)],
                    &[Piece::Text(16)],
                ],
                0,
            ),
            Data::Stream => xadd(b"bench:large", &[&[Piece::Fixed(b"*")]], EntryShape::One64),
        };
        let mut writer = SteadyWriter::new(&self.node, template)?;
        let pinger = Pinger::start(self.node.address())?;
        let quiet_end = Instant::now() + self.quiet;
        while Instant::now() < quiet_end {
            writer.write_some(&self.texts)?;
        }
        let quiet = pinger.lap();
        let since = Instant::now();
        self.control.ask(&["BGSAVE"])?;
        let mut asked = Instant::now();
        loop {
            writer.write_some(&self.texts)?;
            if asked.elapsed() > ASK_INTERVAL {
                asked = Instant::now();
                if self
                    .control
                    .info_number("persistence", "rdb_bgsave_in_progress")?
                    == 0
                {
                    break;
                }
            }
        }
        let work = since.elapsed();
        let during = pinger.lap();
        pinger.stop()?;
        let status = self.control.info("persistence")?;
        ensure!(
            status
                .get("rdb_last_bgsave_status")
                .is_some_and(|status| status == "ok"),
            "the snapshot failed"
        );
        Ok(vec![sample(during, quiet, work)])
    }
}

fn sample(during: Gap, quiet: Gap, work: Duration) -> Sample {
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let figures = vec![
        (Metric::GapMs, millis(during.longest)),
        (Metric::RoundTripMs, millis(during.round_trip)),
        (Metric::QuietGapMs, millis(quiet.longest)),
        (Metric::WorkSeconds, work.as_secs_f64()),
    ];
    Sample {
        figures,
        digest: None,
    }
}

/// Writes in small batches with pauses: load that leaves the machine room to answer.
struct SteadyWriter {
    load: Load,
    template: Template,
    written: u64,
}

impl SteadyWriter {
    fn new(node: &Node, template: Template) -> Result<Self> {
        Ok(Self {
            load: Load::connect(node.address(), 1)?,
            template,
            written: 0,
        })
    }

    fn write_some(&mut self, texts: &Texts) -> Result<()> {
        let templates = std::slice::from_ref(&self.template);
        let mut batch = Repeat::new(templates, texts, 1, BATCH, BATCH).starting_at(self.written);
        self.load.run(&mut batch, Check::Shape)?;
        self.written += BATCH;
        thread::sleep(PAUSE);
        Ok(())
    }
}

/// Memory of an entry of one field with 64 bytes, roughly, in Redis.
const ENTRY_BYTES: u64 = 90;
const ASK_INTERVAL: Duration = Duration::from_millis(50);
const BATCH: u64 = 16;
const PAUSE: Duration = Duration::from_millis(1);
