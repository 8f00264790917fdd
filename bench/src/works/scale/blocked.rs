//! XADD against readers that are blocked on streams of their own, and that it does not wake.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{CONNECTIONS, Growth, Operation, PIPELINE, sizes};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts, encode};
use crate::sample::Sample;
use crate::works::timed::{EntryShape, Repeat, measure, xadd};
use crate::works::{Needs, Rig, Schedule, Setup};

pub(super) fn growth(setup: &Setup) -> Growth {
    Growth {
        name: "scale-blocked",
        of: "blocked readers of other streams",
        operations: vec![Operation::cpu(
            "xadd-by-blocked-readers",
            "XADD 1x64 P16 c50",
        )],
        sizes: sizes(setup, &[0, 1000, 10_000], &[0, 20]),
        needs: Needs::Streams,
        // The connections to two servers at once would be more than many machines let a process
        // have.
        schedule: Schedule::OneAtATime { rounds_max: 3 },
        begin,
    }
}

fn begin(peer: &Peer, setup: &Setup, size: u64) -> Result<Box<dyn Rig>> {
    let flags = [("maxclients", (size + 1000).to_string())];
    let node = setup.start(peer, Persistence::None, &flags)?;
    let mut readers = Load::connect(node.address(), usize::try_from(size)?)
        .context("opening connections; is the limit of open files high enough?")?;
    let mut request = Vec::new();
    for reader in 0..readers.len() {
        request.clear();
        let key = format!("bench:other:{reader}");
        encode(
            &[b"XREAD", b"BLOCK", b"0", b"STREAMS", key.as_bytes(), b"0"],
            &mut request,
        );
        readers.send(reader, &request, 1)?;
    }
    let mut running = Running {
        load: Load::connect(node.address(), CONNECTIONS)?,
        control: node.control()?,
        node,
        readers,
        texts: setup.texts.clone(),
        append: xadd(KEY, &[&[Piece::Fixed(b"*")]], EntryShape::One64),
        requests: setup.scale.count(80_000, 800),
    };
    let since = Instant::now();
    while running.blocked()? < size {
        ensure!(
            since.elapsed().as_secs() < 10,
            "not all readers are blocked"
        );
    }
    Ok(Box::new(running))
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    readers: Load,
    texts: Texts,
    append: Template,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let templates = std::slice::from_ref(&self.append);
        let mut source = Repeat::new(templates, &self.texts, CONNECTIONS, PIPELINE, self.requests);
        let sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
        let blocked = self.blocked()?;
        ensure!(
            blocked == self.readers.len() as u64,
            "{blocked} readers are blocked"
        );
        Ok(vec![sample])
    }
}

impl Running {
    fn blocked(&mut self) -> Result<u64> {
        self.control.info_number("clients", "blocked_clients")
    }
}

const KEY: &[u8] = b"bench:not-blocked";
