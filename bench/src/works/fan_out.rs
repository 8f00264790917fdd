//! One XADD wakes many readers that are blocked in XREAD, which then block again.
//!
//! The figure is the server's CPU time of a whole cycle (one XADD, all the XREADs) divided by the
//! number of readers.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::timed::{
    EntryShape, FIRST_MS_PREFIX, SERIAL_DIGITS, entry_ms, expect_length, measure_cycles, xadd,
};
use super::{Rig, Setup, Suite, Work};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
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
        let Self {
            node,
            load,
            control,
            texts,
            append,
            readers,
            ..
        } = self;
        let readers = *readers;
        let (mut bytes, mut read) = (Vec::new(), Vec::new());
        let first = self.entries;
        let operation = (Metric::WakeUpCpuNs, readers as u64);
        let cycle = |load: &mut Load, cycle: u64| {
            let entry = first + cycle;
            // The last ID instead of `$`: a reader that came late would be served at once instead
            // of never.
            let last = entry
                .checked_sub(1)
                .map_or("0".to_owned(), |last| entry_ms(last).to_string());
            read.clear();
            encode(
                &[b"XREAD", b"BLOCK", b"0", b"STREAMS", KEY, last.as_bytes()],
                &mut read,
            );
            for reader in 0..readers {
                load.send(reader, &read, 1)?;
            }
            if round == 0 && cycle == 0 {
                wait_until_blocked(control, readers)?;
            }
            bytes.clear();
            append.write(entry, texts, &mut bytes);
            let sent = Instant::now();
            load.send(readers, &bytes, 1)?;
            Ok(sent)
        };
        let sample = measure_cycles(node, load, Check::Bytes, self.cycles, operation, cycle)?;
        self.entries += self.cycles;
        expect_length(&mut self.control, KEY, self.entries)?;
        Ok(vec![sample])
    }
}

/// Shows once that clients do block: the server itself counts them.
pub(super) fn wait_until_blocked(control: &mut Control, clients: usize) -> Result<()> {
    let since = Instant::now();
    loop {
        let blocked = control.info_number("clients", "blocked_clients")?;
        if blocked == clients as u64 {
            return Ok(());
        }
        ensure!(
            since.elapsed().as_secs() < 10,
            "{blocked} of {clients} clients are blocked"
        );
    }
}

const KEY: &[u8] = b"bench:fan-out";
