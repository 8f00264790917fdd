//! XRANGE from a random place in a stream of 100,000 entries.

use anyhow::Result;

use super::timed::{EntryShape, FIRST_MS_PREFIX, Repeat, SERIAL_DIGITS, fill, measure};
use super::{Rig, Setup, Suite, Work};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::Sample;

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let range = |shape, count, pipeline| -> Box<dyn Work> {
        Box::new(Range {
            shape,
            count,
            pipeline,
        })
    };
    vec![
        range(EntryShape::One64, 100, 1),
        range(EntryShape::One64, 100, 16),
        range(EntryShape::One64, 1000, 1),
        range(EntryShape::Five16, 100, 1),
        range(EntryShape::Five16, 100, 16),
        range(EntryShape::Five16, 1000, 1),
    ]
}

/// XRANGE COUNT 100 on a stream of ten to the power of `digits` entries with one value of 64
/// characters.
pub(super) fn begin_100(digits: usize, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
    let range = Range {
        shape: EntryShape::One64,
        count: 100,
        pipeline: 1,
    };
    Ok(Box::new(range.begin_with(digits, peer, setup)?))
}

struct Range {
    shape: EntryShape,
    count: u64,
    pipeline: u64,
}

impl Work for Range {
    fn suite(&self) -> Suite {
        Suite::Streams
    }

    fn name(&self) -> String {
        let (shape, count, pipeline) = (self.shape.name(), self.count, self.pipeline);
        format!("xrange-{shape}-{count}-p{pipeline}")
    }

    fn lanes(&self) -> Vec<String> {
        vec![format!(
            "XRANGE COUNT {} {} P{} c{CONNECTIONS}",
            self.count,
            self.shape.name(),
            self.pipeline
        )]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let digits = setup.scale.fixed(5, 2) as usize;
        Ok(Box::new(self.begin_with(digits, peer, setup)?))
    }
}

impl Range {
    /// Starts on a stream of ten to the power of `digits` entries, and those that the last of the
    /// ranges needs: the first entry of a range is drawn from a power of ten, so that it can be
    /// written as random digits.
    fn begin_with(&self, digits: usize, peer: &Peer, setup: &Setup) -> Result<Running> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let texts = setup.texts.clone();
        let entries = 10_u64.pow(digits as u32) + self.count;
        fill(&node, KEY, self.shape, entries, &texts)?;
        let zeros = vec![b'0'; SERIAL_DIGITS - digits];
        let start = [
            Piece::Fixed(FIRST_MS_PREFIX),
            Piece::Fixed(&zeros),
            Piece::Digits(digits),
        ];
        let count = self.count.to_string();
        let template = Template::new(
            &[
                &[Piece::Fixed(b"XRANGE")],
                &[Piece::Fixed(KEY)],
                &start,
                &[Piece::Fixed(b"+")],
                &[Piece::Fixed(b"COUNT")],
                &[Piece::Fixed(count.as_bytes())],
            ],
            0,
        );
        Ok(Running {
            load: Load::connect(node.address(), CONNECTIONS)?,
            node,
            texts,
            template,
            requests: setup.scale.count(600_000 / self.count, 20),
            pipeline: self.pipeline,
        })
    }
}

struct Running {
    node: Node,
    load: Load,
    texts: Texts,
    template: Template,
    requests: u64,
    pipeline: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let templates = std::slice::from_ref(&self.template);
        let (texts, pipeline) = (&self.texts, self.pipeline);
        let mut source = Repeat::new(templates, texts, CONNECTIONS, pipeline, self.requests);
        Ok(vec![measure(
            &self.node,
            &mut self.load,
            &mut source,
            Check::Bytes,
        )?])
    }
}

const KEY: &[u8] = b"bench:range";
const CONNECTIONS: usize = 10;
