//! How long other clients wait while many idempotent IDs expire at once.
//!
//! A PING every millisecond on a separate connection sees each stall as a gap between replies. The
//! gap of a quiet phase is shown beside it: no server can avoid what the machine itself causes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::timed::Repeat;
use super::{Needs, Rig, Schedule, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::pinger::Pinger;
use crate::request::{Piece, Template, Texts};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![
        Box::new(PingGap(Layout::OneStream)),
        Box::new(PingGap(Layout::StreamEach)),
    ]
}

struct PingGap(Layout);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A million producers on one stream.
    OneStream,
    /// 300,000 streams with one producer each.
    StreamEach,
}

impl Work for PingGap {
    fn suite(&self) -> Suite {
        Suite::Steady
    }

    fn name(&self) -> String {
        match self.0 {
            Layout::OneStream => "ping-gap".to_owned(),
            Layout::StreamEach => "ping-gap-streams".to_owned(),
        }
    }

    fn lanes(&self) -> Vec<String> {
        let what = match self.0 {
            Layout::OneStream => "1,000,000 producers of one stream",
            Layout::StreamEach => "300,000 streams with a producer each",
        };
        vec![
            format!("{what} appending"),
            format!("{what} held"),
            format!("{what} expiring"),
        ]
    }

    fn needs(&self) -> Needs {
        Needs::Idempotence
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 3 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let duration_s = setup.scale.fixed(20, 1);
        let flags = [("stream-idmp-duration", duration_s.to_string())];
        let full = match self.0 {
            Layout::OneStream => 1_000_000,
            Layout::StreamEach => 300_000,
        };
        Ok(Box::new(Running {
            node: setup.start(peer, Persistence::None, &flags)?,
            texts: setup.texts.clone(),
            layout: self.0,
            producers: setup.scale.count(full, 500),
            duration: Duration::from_secs(duration_s),
        }))
    }
}

struct Running {
    node: Node,
    texts: Texts,
    layout: Layout,
    producers: u64,
    duration: Duration,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut control = self.node.control()?;
        let pinger = Pinger::start(self.node.address())?;
        thread::sleep(QUIET.min(self.duration / 4));
        let quiet = pinger.lap();

        let began = Instant::now();
        self.append()?;
        let appending = pinger.lap();
        let append_span = began.elapsed();
        ensure!(
            append_span < self.duration,
            "the server took {append_span:?} to append; the first IDs expired meanwhile"
        );
        self.expect_producers(&mut control, Some(self.producers))?;
        // Asking may itself have stalled the server, and that gap does not count.
        pinger.lap();
        thread::sleep(self.duration.saturating_sub(began.elapsed()));
        let held = pinger.lap();
        // Redis looks once a second; what is left after that is found by the check below.
        thread::sleep(append_span + EXPIRY_SPAN.min(self.duration / 4));
        let expiring = pinger.lap();
        self.expect_producers(&mut control, None)?;
        pinger.stop()?;

        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let sample = |gap: crate::pinger::Gap| Sample {
            figures: vec![
                (Metric::GapMs, millis(gap.longest)),
                (Metric::RoundTripMs, millis(gap.round_trip)),
                (Metric::QuietGapMs, millis(quiet.longest)),
            ],
            digest: None,
        };
        Ok(vec![sample(appending), sample(held), sample(expiring)])
    }
}

impl Running {
    fn append(&self) -> Result<()> {
        let value = [Piece::Fixed(b"v")];
        let field = [Piece::Fixed(b"f")];
        let key = match self.layout {
            Layout::OneStream => vec![Piece::Fixed(b"bench:gap")],
            Layout::StreamEach => vec![Piece::Fixed(b"bench:gap:"), Piece::Serial(9)],
        };
        let template = Template::new(
            &[
                &[Piece::Fixed(b"XADD")],
                &key,
                &[Piece::Fixed(b"IDMP")],
                &[Piece::Fixed(b"producer-"), Piece::Serial(9)],
                &[Piece::Fixed(b"iid-1")],
                &[Piece::Fixed(b"*")],
                &field,
                &value,
            ],
            2,
        );
        let mut load = Load::connect(self.node.address(), CONNECTIONS)?;
        let pipeline = (self.producers / CONNECTIONS as u64).min(50);
        let mut source = Repeat::new(
            std::slice::from_ref(&template),
            &self.texts,
            CONNECTIONS,
            pipeline,
            self.producers,
        );
        ensure!(
            source.requests() == self.producers,
            "the number of producers must fit the batches"
        );
        load.run(&mut source, Check::Shape)?;
        Ok(())
    }

    /// Fails unless the stream tracks `expected` producers, or none any more. Where each producer
    /// has a stream of its own, the last stream stands for all.
    fn expect_producers(&self, control: &mut Control, expected: Option<u64>) -> Result<()> {
        let (key, expected) = match (self.layout, expected) {
            (Layout::OneStream, expected) => ("bench:gap".to_owned(), expected.unwrap_or(0)),
            (Layout::StreamEach, expected) => (
                format!("bench:gap:{:09}", self.producers - 1),
                u64::from(expected.is_some()),
            ),
        };
        let since = Instant::now();
        loop {
            let tracked = control.stream_number(&key, "pids-tracked")?;
            if tracked == expected {
                return Ok(());
            }
            if since.elapsed() > LATE_MAX {
                bail!("{key} tracks {tracked} producers, not {expected}");
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

const CONNECTIONS: usize = 10;
const QUIET: Duration = Duration::from_secs(2);
/// IDs expire for as long as appending them took; this is how much longer is listened.
const EXPIRY_SPAN: Duration = Duration::from_secs(3);
/// How much later than that the last ID may be forgotten.
const LATE_MAX: Duration = Duration::from_secs(10);
