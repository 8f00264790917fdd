//! A script of three calls, by EVALSHA and as a function by FCALL.

use anyhow::{Result, bail};

use super::timed::{Repeat, measure};
use super::{Rig, Setup, Suite, Work};
use crate::control::Value;
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::Sample;

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let connections = setup.connections;
    let works = [1, 16, 64].into_iter();
    works
        .map(|pipeline| -> Box<dyn Work> {
            Box::new(Scripts {
                pipeline,
                connections,
            })
        })
        .collect()
}

struct Scripts {
    pipeline: u64,
    connections: usize,
}

const SCRIPT: &str = "redis.call('HINCRBY', KEYS[1], 'count', 1) \
                      redis.call('SET', KEYS[2], ARGV[1]) \
                      return redis.call('GET', KEYS[2])";

impl Work for Scripts {
    fn suite(&self) -> Suite {
        Suite::Scripts
    }

    fn name(&self) -> String {
        format!("scripts-p{}", self.pipeline)
    }

    fn lanes(&self) -> Vec<String> {
        let Self {
            pipeline,
            connections,
        } = self;
        ["EVALSHA", "FCALL"]
            .map(|command| format!("{command} of three calls P{pipeline} c{connections}"))
            .to_vec()
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let mut control = node.control()?;
        let Value::Bulk(sha) = control.ask(&["SCRIPT", "LOAD", SCRIPT])? else {
            bail!("SCRIPT LOAD did not give a digest")
        };
        let library = format!(
            "#!lua name=bench\nredis.register_function('three', function(KEYS, ARGV) {SCRIPT} end)"
        );
        control.ask(&["FUNCTION", "LOAD", &library])?;
        let arguments = "2 bench:hash:%3 bench:key:%5 @64";
        let sha = String::from_utf8_lossy(&sha);
        let full = match self.pipeline {
            1 => 20_000,
            16 => 60_000,
            _ => 120_000,
        };
        Ok(Box::new(Running {
            load: Load::connect(node.address(), self.connections)?,
            node,
            texts: setup.texts.clone(),
            lanes: [
                Template::parse(&format!("EVALSHA {sha} {arguments}"))?,
                Template::parse(&format!("FCALL three {arguments}"))?,
            ],
            pipeline: self.pipeline,
            requests: setup.scale.count(full, 200),
        }))
    }
}

struct Running {
    node: Node,
    load: Load,
    texts: Texts,
    lanes: [Template; 2],
    pipeline: u64,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let Self {
            node, load, texts, ..
        } = self;
        let lanes = self.lanes.iter().map(std::slice::from_ref);
        lanes
            .map(|template| {
                let connections = load.len();
                let mut source =
                    Repeat::new(template, texts, connections, self.pipeline, self.requests);
                measure(node, load, &mut source, Check::Bytes)
            })
            .collect()
    }
}
