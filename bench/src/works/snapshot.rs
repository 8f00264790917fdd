//! The longest time without an answer while a snapshot is taken under load, or a journal rewritten:
//! ten million keys, strings or values of all types, and a stream of 1 GB.

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
        Box::new(Snapshot(Data::Mixed)),
        Box::new(Snapshot(Data::Journal)),
        Box::new(Snapshot(Data::Stream)),
    ]
}

struct Snapshot(Data);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Keys,
    /// Small values of all types.
    Mixed,
    /// The same with a journal, which is rewritten.
    Journal,
    Stream,
}

impl Data {
    /// What is done in the background, and what INFO says while it goes on and afterwards.
    fn background(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Data::Keys | Data::Mixed | Data::Stream => {
                ("BGSAVE", "rdb_bgsave_in_progress", "rdb_last_bgsave_status")
            }
            Data::Journal => (
                "BGREWRITEAOF",
                "aof_rewrite_in_progress",
                "aof_last_bgrewrite_status",
            ),
        }
    }
}

impl Work for Snapshot {
    fn suite(&self) -> Suite {
        Suite::Durable
    }

    fn name(&self) -> String {
        match self.0 {
            Data::Keys => "snapshot-keys".to_owned(),
            Data::Mixed => "snapshot-mixed".to_owned(),
            Data::Journal => "rewrite-mixed".to_owned(),
            Data::Stream => "snapshot-stream".to_owned(),
        }
    }

    fn lanes(&self) -> Vec<String> {
        vec![match self.0 {
            Data::Keys => "BGSAVE of 10,000,000 keys under load".to_owned(),
            Data::Mixed => "BGSAVE of 10,000,000 mixed keys under load".to_owned(),
            Data::Journal => "BGREWRITEAOF of 10,000,000 mixed keys under load".to_owned(),
            Data::Stream => "BGSAVE of a 1 GB stream under load".to_owned(),
        }]
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 1 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let persistence = match self.0 {
            Data::Keys | Data::Mixed | Data::Stream => Persistence::None,
            Data::Journal => Persistence::EverySecond,
        };
        let node = setup.start_at(peer, persistence, Placement::Anywhere, &[])?;
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
            Data::Mixed | Data::Journal => {
                let requests = mixed();
                let (count, keys) = (requests.len(), setup.scale.count(10_000_000, 1000));
                let mut source = Repeat::new(&requests, &texts, count, 100, keys);
                Load::connect(node.address(), count)?.run(&mut source, Check::Shape)?;
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
            Data::Keys | Data::Mixed | Data::Journal => Template::new(
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
        let (command, in_progress, status) = self.data.background();
        self.control.ask(&[command])?;
        let mut asked = Instant::now();
        loop {
            writer.write_some(&self.texts)?;
            if asked.elapsed() > ASK_INTERVAL {
                asked = Instant::now();
                if self.control.info_number("persistence", in_progress)? == 0 {
                    break;
                }
            }
        }
        let work = since.elapsed();
        let during = pinger.lap();
        pinger.stop()?;
        let figures = self.control.info("persistence")?;
        ensure!(
            figures.get(status).is_some_and(|status| status == "ok"),
            "{command} failed"
        );
        Ok(vec![sample(during, quiet, work)])
    }
}

/// Requests that make small values, a type each.
fn mixed() -> Vec<Template> {
    let key = [Piece::Fixed(b"bench:key:"), Piece::Serial(9)];
    let text = [Piece::Text(12)];
    let integer = [Piece::Digits(6)];
    let field = |name: &'static [u8]| [Piece::Fixed(name), Piece::Text(2)];
    let (a, b, c) = (field(b"a-"), field(b"b-"), field(b"c-"));
    let of = |command: &'static [u8], arguments: &[&[Piece<'_>]]| {
        let name = [Piece::Fixed(command)];
        Template::new(&[&[&name[..], &key], arguments].concat(), 0)
    };
    vec![
        of(b"SET", &[&text]),
        of(b"RPUSH", &[&text, &integer, &a, &b]),
        of(b"HSET", &[&a, &text, &b, &integer, &c, &text]),
        of(b"SADD", &[&integer, &integer, &integer]),
        of(b"SADD", &[&text, &a, &b]),
        of(b"ZADD", &[&integer, &a, &integer, &b, &integer, &c]),
    ]
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
