//! Entries that wait for their time: what it takes to put them there, and what it takes until they
//! are in the stream. Beside a sorted set, from which a program moves what is due into a stream.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{PIPELINE, Way, cpu_per_operation, has_own_commands, templates, unix_ms};
use crate::control::{Control, Value};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::Texts;
use crate::sample::Sample;
use crate::works::timed::{Repeat, flush, measure};
use crate::works::{Rig, Setup, Suite, Work};

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    vec![Box::new(Delayed {
        connections: setup.connections,
    })]
}

/// `DUE` stands for the time.
pub(super) const DELAY: Way = Way {
    own: "XADD bench:stream AT DUE * payload @64",
    script: "local number = redis.call('INCR', KEYS[2]) \
             redis.call('ZADD', KEYS[1], ARGV[1], number .. ' ' .. ARGV[2]) \
             return number",
    arguments: "2 bench:waiting bench:count DUE @64",
};

/// Moves up to a hundred that are due.
const MOVE: &str = "local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], \
                                           'LIMIT', 0, 100) \
                    for i = 1, #due do \
                      redis.call('XADD', KEYS[2], '*', 'payload', due[i]) \
                    end \
                    if #due > 0 then redis.call('ZREM', KEYS[1], unpack(due)) end \
                    return #due";

/// Brings what is due into the stream, on a server that does not do so by itself.
pub(super) struct Mover(Option<Vec<u8>>);

impl Mover {
    pub(super) fn new(control: &mut Control) -> Result<Self> {
        if has_own_commands(control)? {
            return Ok(Self(None));
        }
        match control.ask(&["SCRIPT", "LOAD", MOVE])? {
            Value::Bulk(sha) => Ok(Self(Some(sha))),
            other => anyhow::bail!("SCRIPT LOAD replied {other:?}"),
        }
    }

    /// Moves all that is due now.
    fn move_due(&self, control: &mut Control) -> Result<()> {
        let Some(sha) = &self.0 else { return Ok(()) };
        let now = unix_ms()?.to_string();
        let request: [&[u8]; 6] = [
            b"EVALSHA",
            sha,
            b"2",
            b"bench:waiting",
            b"bench:stream",
            now.as_bytes(),
        ];
        while control.ask_int(&request)? > 0 {}
        Ok(())
    }

    /// Waits until the stream has this many entries.
    pub(super) fn wait_for(&self, entries: u64, control: &mut Control) -> Result<()> {
        while control.ask_int(&["XLEN", "bench:stream"])? as u64 != entries {
            self.move_due(control)?;
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }
}

/// How many entries wait.
pub(super) fn waiting(control: &mut Control) -> Result<u64> {
    if has_own_commands(control)? {
        control.stream_number("bench:stream", "delayed")
    } else {
        Ok(control.ask_int(&["ZCARD", "bench:waiting"])? as u64)
    }
}

struct Delayed {
    connections: usize,
}

impl Work for Delayed {
    fn suite(&self) -> Suite {
        Suite::Beyond
    }

    fn name(&self) -> String {
        format!("delayed-p{PIPELINE}")
    }

    fn lanes(&self) -> Vec<String> {
        let connections = self.connections;
        vec![
            format!("XADD with AT 1x64 P{PIPELINE} c{connections}"),
            format!("XADD with AT 1x64 P{PIPELINE} c{connections}, until it is in the stream"),
        ]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let mut control = node.control()?;
        Ok(Box::new(Running {
            line: DELAY.line(&mut control)?,
            mover: Mover::new(&mut control)?,
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
    line: String,
    mover: Mover,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        // Within a quarter of an hour, in the year 2033.
        let (waits, entries) = self.add("2000000%6")?;
        let waiting = waiting(&mut self.control)?;
        ensure!(waiting == entries, "{waiting} entries wait, not {entries}");

        let before = self.node.process().cpu_time_at_rest()?;
        let soon = unix_ms()? / 1000 + 2;
        let (_, entries) = self.add(&format!("{soon}%3"))?;
        self.mover.wait_for(entries, &mut self.control)?;
        let arrives = cpu_per_operation(self.node.process(), before, entries)?;
        Ok(vec![waits, arrives])
    }
}

impl Running {
    /// Adds entries that are due then to an empty server, and says how many.
    fn add(&mut self, due: &str) -> Result<(Sample, u64)> {
        flush(&mut self.control)?;
        let templates = templates(&self.line.replace("DUE", due), 1)?;
        let connections = self.load.len();
        let mut source = Repeat::new(
            &templates,
            &self.texts,
            connections,
            PIPELINE,
            self.requests,
        );
        let mut sample = measure(&self.node, &mut self.load, &mut source, Check::Shape)?;
        sample.digest = None;
        Ok((sample, source.requests()))
    }
}

const LOOK_INTERVAL: Duration = Duration::from_millis(10);
