//! XADD against the number of streams, each append to one of them at random.

use anyhow::{Result, ensure};

use super::{CONNECTIONS, Growth, Operation, PIPELINE, sizes};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::Sample;
use crate::works::timed::{EntryShape, Repeat, measure, send_all, xadd_to};
use crate::works::{Needs, Rig, Schedule, Setup};

pub(super) fn growth(setup: &Setup) -> Growth {
    Growth {
        name: "scale-streams",
        of: "streams",
        operations: vec![Operation::cpu(
            "xadd-by-streams",
            "XADD 1x64 P16 c50 to a random stream",
        )],
        // Powers of ten, so that a name can be written as random digits.
        sizes: sizes(setup, &[1, 1000, 100_000, 1_000_000], &[1, 100]),
        needs: Needs::Streams,
        schedule: Schedule::SideBySide,
        begin,
    }
}

fn begin(peer: &Peer, setup: &Setup, size: u64) -> Result<Box<dyn Rig>> {
    let node = setup.start(peer, Persistence::None, &[])?;
    let digits = size.ilog10() as usize;
    let append = |digits: Piece<'_>| {
        let key = [Piece::Fixed(b"bench:stream:"), digits];
        xadd_to(&key, &[&[Piece::Fixed(b"*")]], EntryShape::One64)
    };
    send_all(&node, &append(Piece::Serial(digits)), size, &setup.texts)?;
    Ok(Box::new(Running {
        load: Load::connect(node.address(), CONNECTIONS)?,
        control: node.control()?,
        node,
        texts: setup.texts.clone(),
        append: append(Piece::Digits(digits)),
        streams: size,
        requests: setup.scale.count(80_000, 800),
        serial: 0,
    }))
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    append: Template,
    streams: u64,
    requests: u64,
    serial: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let templates = std::slice::from_ref(&self.append);
        let mut source = Repeat::new(templates, &self.texts, CONNECTIONS, PIPELINE, self.requests)
            .starting_at(self.serial);
        let sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
        self.serial += source.requests();
        let streams = self.control.ask_int(&["DBSIZE"])? as u64;
        ensure!(streams == self.streams, "there are {streams} streams");
        Ok(vec![sample])
    }
}
