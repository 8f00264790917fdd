//! Appends that are remembered for ever: the number of each producer's last message is kept. Beside
//! a script that keeps it in a hash.

use anyhow::Result;

use super::{PIPELINE, Way, has_own_commands};
use crate::control::Control;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::Sample;
use crate::works::timed::{Repeat, expect_length, flush, measure};
use crate::works::{Rig, Setup, Suite, Work};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    vec![Box::new(Numbered {
        connections: setup.connections,
    })]
}

/// Appends unless the producer's number is not above its last one. Arguments: the producer, the
/// number, and those of XADD.
pub(super) const SCRIPT: &str = "local last = redis.call('HGET', KEYS[2], ARGV[1]) \
                                 if last then \
                                   local number, id = last:match('(%d+) (.+)') \
                                   if tonumber(ARGV[2]) <= tonumber(number) then return id end \
                                 end \
                                 local id = redis.call('XADD', KEYS[1], unpack(ARGV, 3)) \
                                 redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. id) \
                                 return id";

/// Ten producers for each connection, whose numbers grow.
const APPEND: Way = Way {
    own: "XADD bench:stream IDMP producer-CLIENT-#1 1#9 * payload @64",
    script: SCRIPT,
    arguments: "2 bench:stream bench:numbers producer-CLIENT-#1 1#9 * payload @64",
};

/// Makes the stream of a server that has commands of its own one of numbers.
pub(super) fn prepare(control: &mut Control) -> Result<()> {
    if has_own_commands(control)? {
        control.ask(&["XGROUP", "CREATE", "bench:stream", "group", "0", "MKSTREAM"])?;
        control.ask(&["XCFGSET", "bench:stream", "IDMP-MODE", "MONOTONE"])?;
        control.ask(&["XGROUP", "DESTROY", "bench:stream", "group"])?;
    }
    Ok(())
}

struct Numbered {
    connections: usize,
}

impl Work for Numbered {
    fn suite(&self) -> Suite {
        Suite::Beyond
    }

    fn name(&self) -> String {
        format!("numbered-p{PIPELINE}")
    }

    fn lanes(&self) -> Vec<String> {
        let connections = self.connections;
        vec![format!(
            "XADD in IDMP-MODE MONOTONE 1x64 P{PIPELINE} c{connections}"
        )]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let mut control = node.control()?;
        Ok(Box::new(Running {
            templates: APPEND.templates(&mut control, self.connections)?,
            load: Load::connect(node.address(), self.connections)?,
            control,
            node,
            texts: setup.texts.clone(),
            requests: setup.scale.count(160_000, 200),
        }))
    }
}

struct Running {
    node: Node,
    control: Control,
    load: Load,
    texts: Texts,
    templates: Vec<Template>,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        flush(&mut self.control)?;
        prepare(&mut self.control)?;
        let connections = self.load.len();
        let (templates, texts) = (&self.templates, &self.texts);
        let mut source = Repeat::new(templates, texts, connections, PIPELINE, self.requests);
        let mut sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
        sample.digest = None;
        expect_length(&mut self.control, b"bench:stream", source.requests())?;
        Ok(vec![sample])
    }
}
