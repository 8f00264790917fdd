//! One XADD wakes many readers that are blocked in XREAD, which then block again.
//!
//! The figure is the server's CPU time of a whole cycle (one XADD, all the XREADs) divided by the
//! number of readers.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::timed::{
    EntryShape, FIRST_MS_PREFIX, SERIAL_DIGITS, entry_ms, expect_length, percentiles, xadd,
};
use super::{Rig, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load, new_histogram};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::process::own_cpu_time;
use crate::request::{Piece, Template, Texts, encode};
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![
        Box::new(FanOut { readers: 50 }),
        Box::new(FanOut { readers: 100 }),
    ]
}

struct FanOut {
    readers: usize,
}

impl Work for FanOut {
    fn suite(&self) -> Suite {
        Suite::Streams
    }

    fn name(&self) -> String {
        format!("fan-out-{}", self.readers)
    }

    fn lanes(&self) -> Vec<String> {
        vec![format!(
            "XREAD BLOCK, {} readers woken by one XADD",
            self.readers
        )]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        begin_with(self.readers, 40_000, peer, setup)
    }
}

/// Starts with this many readers, who together are woken about `wake_ups` times in a round.
pub(super) fn begin_with(
    readers: usize,
    wake_ups: u64,
    peer: &Peer,
    setup: &Setup,
) -> Result<Box<dyn Rig>> {
    let node = setup.start(peer, Persistence::None, &[])?;
    let id = [
        Piece::Fixed(FIRST_MS_PREFIX),
        Piece::Serial(SERIAL_DIGITS),
        Piece::Fixed(b"-0"),
    ];
    Ok(Box::new(Running {
        load: Load::connect(node.address(), readers + 1)?,
        control: node.control()?,
        node,
        texts: setup.texts.clone(),
        append: xadd(KEY, &[&id], EntryShape::One64),
        readers,
        cycles: setup.scale.count(wake_ups / readers as u64, 3),
        entries: 0,
    }))
}

struct Running {
    node: Node,
    /// The readers, and the producer as the last one.
    load: Load,
    control: Control,
    texts: Texts,
    append: Template,
    readers: usize,
    cycles: u64,
    entries: u64,
}

impl Rig for Running {
    fn round(&mut self, round: u32) -> Result<Vec<Sample>> {
        let mut latency = new_histogram()?;
        let (mut append, mut read) = (Vec::new(), Vec::new());
        self.load.reset_digest();
        let before = self.node.process().cpu_time_at_rest()?;
        let (started, client_cpu) = (Instant::now(), own_cpu_time()?);
        for cycle in 0..self.cycles {
            // The last ID instead of `$`: a reader that came late would be served at once instead
            // of never.
            let last = if self.entries == 0 {
                "0".to_owned()
            } else {
                entry_ms(self.entries - 1).to_string()
            };
            read.clear();
            encode(
                &[b"XREAD", b"BLOCK", b"0", b"STREAMS", KEY, last.as_bytes()],
                &mut read,
            );
            for reader in 0..self.readers {
                self.load.send(reader, &read, 1)?;
            }
            if round == 0 && cycle == 0 {
                self.wait_until_blocked()?;
            }
            append.clear();
            self.append.write(self.entries, &self.texts, &mut append);
            let sent = Instant::now();
            self.load.send(self.readers, &append, 1)?;
            self.load.settle(Check::Bytes)?;
            latency.saturating_record(sent.elapsed().as_nanos() as u64);
            self.entries += 1;
        }
        let elapsed = started.elapsed();
        let client_cpu = own_cpu_time()?.saturating_sub(client_cpu);
        let cpu = self
            .node
            .process()
            .cpu_time_at_rest()?
            .saturating_sub(before);
        expect_length(&mut self.control, KEY, self.entries)?;
        let wake_ups = (self.cycles * self.readers as u64) as f64;
        let mut figures = vec![
            (Metric::WakeUpCpuNs, cpu.as_nanos() as f64 / wake_ups),
            (Metric::Throughput, wake_ups / elapsed.as_secs_f64()),
        ];
        figures.extend(percentiles(&latency));
        let busy = client_cpu.as_secs_f64() / elapsed.as_secs_f64();
        figures.push((Metric::ClientPercent, busy * 100.0));
        Ok(vec![Sample {
            figures,
            digest: Some(self.load.digest(Check::Bytes)),
        }])
    }
}

impl Running {
    /// Shows once that readers do block: the server itself counts them.
    fn wait_until_blocked(&mut self) -> Result<()> {
        let since = Instant::now();
        loop {
            let blocked = self.control.info_number("clients", "blocked_clients")?;
            if blocked == self.readers as u64 {
                return Ok(());
            }
            ensure!(
                since.elapsed().as_secs() < 10,
                "{blocked} of {} readers are blocked",
                self.readers
            );
        }
    }
}

const KEY: &[u8] = b"bench:fan-out";
