//! XREADGROUP and XACK of what was read, against entries that others of the group left pending.
//!
//! Connections share one group. In turn all of them read, then all of them acknowledge a share of
//! what was read, so that the number of pending entries stays about the same.

use anyhow::{Result, ensure};

use super::{Growth, Operation, PIPELINE, sizes};
use crate::control::{Control, Value};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts, encode};
use crate::sample::Sample;
use crate::works::timed::{EntryShape, Prepared, Repeat, Tally, entry_ms, fill, send_all};
use crate::works::{Needs, Rig, Schedule, Setup};

pub(super) fn growth(setup: &Setup) -> Growth {
    Growth {
        name: "scale-pending",
        of: "pending entries",
        operations: vec![Operation::cpu(
            "xreadgroup-xack-by-pending",
            "XREADGROUP COUNT 10 and XACK of 10 P16 c10",
        )],
        sizes: sizes(setup, &[0, 10_000, 100_000, 1_000_000], &[0, 1000]),
        needs: Needs::Streams,
        schedule: Schedule::SideBySide,
        begin,
    }
}

fn begin(peer: &Peer, setup: &Setup, size: u64) -> Result<Box<dyn Rig>> {
    let node = setup.start(peer, Persistence::None, &[])?;
    let texts = setup.texts.clone();
    let slices = setup.scale.count(20, 1);
    let entries = size + slices * SLICE_ENTRIES;
    fill(&node, KEY, EntryShape::One64, entries, &texts)?;
    let mut control = node.control()?;
    control.ask::<&[u8]>(&[b"XGROUP", b"CREATE", KEY, GROUP, b"0"])?;
    let leave = [
        &[Piece::Fixed(b"XREADGROUP")][..],
        &[Piece::Fixed(b"GROUP")],
        &[Piece::Fixed(GROUP)],
        &[Piece::Fixed(b"away-"), Piece::Serial(1)],
        &[Piece::Fixed(b"COUNT")],
        &[Piece::Fixed(b"100")],
        &[Piece::Fixed(b"STREAMS")],
        &[Piece::Fixed(KEY)],
        &[Piece::Fixed(b">")],
    ];
    send_all(&node, &Template::new(&leave, 0), size / 100, &texts)?;
    let reads = (0..CONNECTIONS).map(|connection| {
        let consumer = format!("consumer-{connection}");
        Template::fixed(&[
            b"XREADGROUP",
            b"GROUP",
            GROUP,
            consumer.as_bytes(),
            b"COUNT",
            b"10",
            b"STREAMS",
            KEY,
            b">",
        ])
    });
    Ok(Box::new(Running {
        load: Load::connect(node.address(), CONNECTIONS)?,
        control,
        node,
        texts,
        reads: reads.collect(),
        pending: size,
        slices,
    }))
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    reads: Vec<Template>,
    pending: u64,
    slices: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        // Back to behind the entries that stay pending: what was acknowledged is read again.
        let last = match self.pending {
            0 => "0".to_owned(),
            pending => format!("{}-0", entry_ms(pending - 1)),
        };
        self.control
            .ask::<&[u8]>(&[b"XGROUP", b"SETID", KEY, GROUP, last.as_bytes()])?;
        let mut acks: Vec<Prepared> = (0..self.slices).map(|slice| self.acks(slice)).collect();
        let mut tally = Tally::new()?;
        let before = self.node.process().cpu_time_at_rest()?;
        for acks in &mut acks {
            let mut reads = Repeat::new(
                &self.reads,
                &self.texts,
                CONNECTIONS,
                PIPELINE,
                CONNECTIONS as u64 * PIPELINE,
            );
            tally.add(&self.load.run(&mut reads, Check::Shape)?)?;
            // Each ID is acknowledged once, whoever read it, so that every reply is 10.
            tally.add(&self.load.run(acks, Check::Bytes)?)?;
        }
        let after = self.node.process().cpu_time_at_rest()?;
        tally.add_cpu(after.saturating_sub(before));
        let Value::Array(parts) = self.control.ask::<&[u8]>(&[b"XPENDING", KEY, GROUP])? else {
            anyhow::bail!("XPENDING did not give a list")
        };
        ensure!(
            parts.first() == Some(&Value::Int(self.pending as i64)),
            "pending entries: {parts:?}"
        );
        Ok(vec![tally.sample(2)])
    }
}

impl Running {
    /// The IDs are known without reading replies, because the stream was filled with known ones.
    fn acks(&self, slice: u64) -> Prepared {
        let of_connection = |connection: u64| {
            let mut bytes = Vec::new();
            let first = self.pending + slice * SLICE_ENTRIES + connection * PIPELINE * COUNT;
            for request in 0..PIPELINE {
                let first = first + request * COUNT;
                let ids: Vec<String> = (first..first + COUNT)
                    .map(|entry| format!("{}-0", entry_ms(entry)))
                    .collect();
                let mut arguments: Vec<&[u8]> = vec![b"XACK", KEY, GROUP];
                arguments.extend(ids.iter().map(String::as_bytes));
                encode(&arguments, &mut bytes);
            }
            vec![(bytes, PIPELINE)]
        };
        Prepared::new((0..CONNECTIONS as u64).map(of_connection).collect())
    }
}

const KEY: &[u8] = b"bench:pending";
const GROUP: &[u8] = b"group";
const CONNECTIONS: usize = 10;
/// Entries per XREADGROUP and IDs per XACK.
const COUNT: u64 = 10;
/// Entries that are read before they are acknowledged.
const SLICE_ENTRIES: u64 = CONNECTIONS as u64 * PIPELINE * COUNT;
