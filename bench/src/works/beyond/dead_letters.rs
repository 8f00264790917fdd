//! Entries that were delivered often enough become dead letters. Beside a script that copies them
//! to another stream and acknowledges them.

use anyhow::{Result, bail};

use super::{PIPELINE, Way, cpu_per_operation, has_own_commands};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::Sample;
use crate::works::timed::{EntryShape, Repeat, expect_length, fill, flush};
use crate::works::{Rig, Setup, Suite, Work};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![Box::new(DeadLetters)]
}

/// Looks at a hundred entries.
const TAKE: Way = Way {
    own: "XREADGROUP GROUP group worker COUNT 100 CLAIM 0 STREAMS bench:stream >",
    script: "local pending = redis.call('XPENDING', KEYS[1], 'group', '-', '+', 100) \
             local ids = {} \
             for i = 1, #pending do \
               local id, consumer, deliveries = pending[i][1], pending[i][2], pending[i][4] \
               if deliveries >= 1 then \
                 local entry = redis.call('XRANGE', KEYS[1], id, id)[1] \
                 redis.call('XADD', KEYS[2], '*', 'origin', KEYS[1], 'group', 'group', \
                            'id', id, 'deliveries', deliveries, 'consumer', consumer, \
                            unpack(entry[2])) \
                 ids[#ids + 1] = id \
               end \
             end \
             if #ids > 0 then redis.call('XACK', KEYS[1], 'group', unpack(ids)) end \
             return #ids",
    arguments: "2 bench:stream bench:dead",
};

struct DeadLetters;

impl Work for DeadLetters {
    fn suite(&self) -> Suite {
        Suite::Beyond
    }

    fn name(&self) -> String {
        format!("dead-letters-p{PIPELINE}")
    }

    fn lanes(&self) -> Vec<String> {
        vec![format!(
            "an entry 1x64 that becomes a dead letter P{PIPELINE} c1"
        )]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let mut control = node.control()?;
        Ok(Box::new(Running {
            take: TAKE.templates(&mut control, 1)?,
            load: Load::connect(node.address(), 1)?,
            control,
            node,
            texts: setup.texts.clone(),
            entries: setup.scale.count(100_000, 2_000),
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    load: Load,
    texts: Texts,
    take: Vec<Template>,
    entries: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        self.deliver()?;
        let before = self.node.process().cpu_time_at_rest()?;
        let mut left = self.entries;
        while left > 0 {
            let requests = left.div_ceil(100);
            let mut source = Repeat::new(&self.take, &self.texts, 1, PIPELINE, requests);
            self.load.run(&mut source, Check::Shape)?;
            let dead = self.control.ask_int(&["XLEN", "bench:dead"])? as u64;
            match self.entries.checked_sub(dead) {
                Some(still) if still < left => left = still,
                _ => bail!("{dead} dead letters of {} entries", self.entries),
            }
        }
        let sample = cpu_per_operation(self.node.process(), before, self.entries)?;
        expect_length(&mut self.control, b"bench:stream", self.entries)?;
        Ok(vec![sample])
    }
}

impl Running {
    /// Fills the stream, and delivers each entry once.
    fn deliver(&mut self) -> Result<()> {
        flush(&mut self.control)?;
        let (key, shape) = (b"bench:stream", EntryShape::One64);
        fill(&self.node, key, shape, self.entries, &self.texts)?;
        let control = &mut self.control;
        control.ask(&["XGROUP", "CREATE", "bench:stream", "group", "0"])?;
        let read =
            Template::parse("XREADGROUP GROUP group first COUNT 1000 STREAMS bench:stream >")?;
        let reads = [read];
        let requests = self.entries.div_ceil(1000);
        let mut source = Repeat::new(&reads, &self.texts, 1, 1, requests);
        self.load.run(&mut source, Check::Shape)?;
        if has_own_commands(control)? {
            control.ask(&[
                "XGROUP",
                "SETCFG",
                "bench:stream",
                "group",
                "MAXDELIVERIES",
                "1",
                "DEADLETTER",
                "bench:dead",
            ])?;
        }
        Ok(())
    }
}
