//! A million delayed entries that are due at one moment, and a million producers of numbers: what
//! each takes in memory, and how long other clients wait meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::delayed::{Mover, waiting};
use super::{Way, numbered, unix_ms};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::pinger::{Gap, Pinger};
use crate::request::{Template, Texts};
use crate::sample::{Metric, Sample};
use crate::works::memory::Held;
use crate::works::timed::Repeat;
use crate::works::{Rig, Scale, Schedule, Setup, Suite, Work};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![
        Box::new(Million(What::DelayedEntries)),
        Box::new(Million(What::Producers)),
    ]
}

struct Million(What);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    DelayedEntries,
    Producers,
}

/// `DUE` stands for the time; a field and a value of 51 bytes together.
const DELAY: Way = Way {
    own: "XADD bench:stream AT DUE * payload @44",
    script: super::delayed::DELAY.script,
    arguments: "2 bench:waiting bench:count DUE @44",
};

/// The stream is kept short, so that what grows is what is known of producers.
const NUMBER: Way = Way {
    own: "XADD bench:stream MAXLEN ~ 1000 IDMP producer-#9 1 * f v",
    script: numbered::SCRIPT,
    arguments: "2 bench:stream bench:numbers producer-#9 1 MAXLEN ~ 1000 * f v",
};

impl Work for Million {
    fn suite(&self) -> Suite {
        Suite::Beyond
    }

    fn name(&self) -> String {
        match self.0 {
            What::DelayedEntries => "million-delayed".to_owned(),
            What::Producers => "million-producers".to_owned(),
        }
    }

    fn lanes(&self) -> Vec<String> {
        let lanes: &[&str] = match self.0 {
            What::DelayedEntries => &[
                "memory of a million delayed entries 1x44",
                "a million delayed entries coming",
                "a million delayed entries due at one moment",
            ],
            What::Producers => &[
                "memory of a million producers in IDMP-MODE MONOTONE",
                "a million producers coming",
            ],
        };
        lanes.iter().map(|lane| (*lane).to_owned()).collect()
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 3 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        Ok(Box::new(Running {
            control: node.control()?,
            node,
            texts: setup.texts.clone(),
            what: self.0,
            items: setup.scale.count(1_000_000, 800),
            scale: setup.scale,
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    texts: Texts,
    what: What,
    items: u64,
    scale: Scale,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let pinger = Pinger::start(self.node.address())?;
        thread::sleep(Duration::from_millis(self.scale.fixed(2000, 50)));
        let quiet = pinger.lap();
        let samples = match self.what {
            What::DelayedEntries => self.delayed_entries(&pinger, quiet)?,
            What::Producers => self.producers(&pinger, quiet)?,
        };
        pinger.stop()?;
        Ok(samples)
    }
}

impl Running {
    fn delayed_entries(&mut self, pinger: &Pinger, quiet: Gap) -> Result<Vec<Sample>> {
        let due = unix_ms()? + self.scale.fixed(40_000, 2_000);
        let line = DELAY.line(&mut self.control)?;
        let line = line.replace("DUE", &due.to_string());
        let (memory, coming) = self.add(&line, pinger)?;
        let waiting = waiting(&mut self.control)?;
        ensure!(
            waiting == self.items && unix_ms()? < due,
            "{waiting} entries wait, not {}",
            self.items
        );
        let mover = Mover::new(&mut self.control)?;
        thread::sleep(Duration::from_millis(due.saturating_sub(unix_ms()?)));
        pinger.lap();
        let since = Instant::now();
        mover.wait_for(self.items, &mut self.control)?;
        let mut all_due = gaps(pinger.lap(), quiet);
        let seconds = since.elapsed().as_secs_f64();
        all_due.figures.push((Metric::WorkSeconds, seconds));
        Ok(vec![memory, gaps(coming, quiet), all_due])
    }

    fn producers(&mut self, pinger: &Pinger, quiet: Gap) -> Result<Vec<Sample>> {
        numbered::prepare(&mut self.control)?;
        let line = NUMBER.line(&mut self.control)?;
        let (memory, coming) = self.add(&line, pinger)?;
        Ok(vec![memory, gaps(coming, quiet)])
    }

    /// Sends the request once for each item; what they take, and what others saw of that.
    fn add(&mut self, line: &str, pinger: &Pinger) -> Result<(Sample, Gap)> {
        let before = self.held()?;
        pinger.lap();
        let requests = [Template::parse(line)?];
        let mut load = Load::connect(self.node.address(), CONNECTIONS)?;
        let mut source = Repeat::new(&requests, &self.texts, CONNECTIONS, PIPELINE, self.items);
        ensure!(
            source.requests() == self.items,
            "the number of items must fit the batches"
        );
        load.run(&mut source, Check::Shape)?;
        let coming = pinger.lap();
        let after = self.held()?;
        Ok((after.per_item(&before, self.items), coming))
    }

    fn held(&mut self) -> Result<Held> {
        Held::at_rest(&self.node, &mut self.control, "bench:stream", self.scale)
    }
}

fn gaps(gap: Gap, quiet: Gap) -> Sample {
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    Sample {
        figures: vec![
            (Metric::GapMs, millis(gap.longest)),
            (Metric::RoundTripMs, millis(gap.round_trip)),
            (Metric::QuietGapMs, millis(quiet.longest)),
        ],
        digest: None,
    }
}

const CONNECTIONS: usize = 10;
const PIPELINE: u64 = 20;
