//! XADD IDMP against the producers that the stream remembers, each append by one of them at random.

use anyhow::Result;

use super::{CONNECTIONS, Growth, Operation, PIPELINE, sizes};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::Sample;
use crate::works::timed::{EntryShape, Repeat, expect_length, measure, send_all, xadd};
use crate::works::{Needs, Rig, Schedule, Setup};

pub(super) fn growth(setup: &Setup) -> Growth {
    Growth {
        name: "scale-producers",
        of: "tracked producers",
        operations: vec![Operation::cpu(
            "xadd-idmp-by-producers",
            "XADD IDMP 1x64 P16 c50",
        )],
        // Powers of ten, so that a producer can be written as random digits.
        sizes: sizes(setup, &[1, 1000, 100_000, 1_000_000], &[1, 100]),
        needs: Needs::Idempotence,
        schedule: Schedule::SideBySide,
        begin,
    }
}

fn begin(peer: &Peer, setup: &Setup, size: u64) -> Result<Box<dyn Rig>> {
    // So long that no producer is forgotten before the last round.
    let flags = [("stream-idmp-duration", "86400".to_owned())];
    let node = setup.start(peer, Persistence::None, &flags)?;
    let digits = size.ilog10() as usize;
    let append = |digits: Piece<'_>| {
        let producer = [Piece::Fixed(b"producer-"), digits];
        let arguments: [&[Piece<'_>]; 4] = [
            &[Piece::Fixed(b"IDMP")],
            &producer,
            &[Piece::Serial(16)],
            &[Piece::Fixed(b"*")],
        ];
        xadd(KEY, &arguments, EntryShape::One64)
    };
    send_all(&node, &append(Piece::Serial(digits)), size, &setup.texts)?;
    Ok(Box::new(Running {
        load: Load::connect(node.address(), CONNECTIONS)?,
        control: node.control()?,
        node,
        texts: setup.texts.clone(),
        append: append(Piece::Digits(digits)),
        requests: setup.scale.count(80_000, 800),
        appended: size,
    }))
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    append: Template,
    requests: u64,
    /// Entries so far; the number of the next iid, so that none comes twice.
    appended: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let templates = std::slice::from_ref(&self.append);
        let mut source = Repeat::new(templates, &self.texts, CONNECTIONS, PIPELINE, self.requests)
            .starting_at(self.appended);
        let sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
        self.appended += source.requests();
        expect_length(&mut self.control, KEY, self.appended)?;
        Ok(vec![sample])
    }
}

const KEY: &[u8] = b"bench:producers";
