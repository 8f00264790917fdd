//! Commands of a user whose rights are ten key patterns, of which the last one fits, beside the
//! same commands of the default user on the same server.

use anyhow::Result;

use super::timed::{Repeat, measure};
use super::{Rig, Setup, Suite, Work};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts, encode};
use crate::sample::Sample;

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let connections = setup.connections;
    let works = [1, 16, 64].into_iter();
    works
        .map(|pipeline| -> Box<dyn Work> {
            Box::new(Users {
                pipeline,
                connections,
            })
        })
        .collect()
}

struct Users {
    pipeline: u64,
    connections: usize,
}

/// Title, request, and how replies are compared.
const COMMANDS: [(&str, &str, Check); 3] = [
    ("SET 64 B", "SET bench:key:%5 @64", Check::Bytes),
    ("GET 64 B", "GET bench:fixed", Check::Bytes),
    (
        "XADD 1x64",
        "XADD bench:stream MAXLEN ~ 1000 * payload @64",
        Check::Shape,
    ),
];

const WHO: [&str; 2] = ["default user", "user with ten patterns"];

const USER: &str = "ACL SETUSER bench on >bench +@all ~one:* ~two:* ~three:* ~four:* ~five:* \
                    ~six:* ~seven:* ~eight:* ~nine:* ~bench:*";

impl Work for Users {
    fn suite(&self) -> Suite {
        Suite::Users
    }

    fn name(&self) -> String {
        format!("users-p{}", self.pipeline)
    }

    fn lanes(&self) -> Vec<String> {
        let Self {
            pipeline,
            connections,
        } = self;
        let rows = |(title, _, _): (&str, &str, Check)| {
            WHO.map(|who| format!("{title} P{pipeline} c{connections}, {who}"))
        };
        COMMANDS.into_iter().flat_map(rows).collect()
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let words: Vec<&str> = USER.split_ascii_whitespace().collect();
        node.control()?.ask(&words)?;
        let value = "v".repeat(64);
        node.control()?.ask(&["SET", "bench:fixed", &value])?;
        let mut auth = Vec::new();
        encode(&[b"AUTH", b"bench", b"bench"], &mut auth);
        let mut restricted = Load::connect(node.address(), self.connections)?;
        for client in 0..self.connections {
            restricted.send(client, &auth, 1)?;
        }
        restricted.settle(Check::Bytes)?;
        let full = match self.pipeline {
            1 => 40_000,
            16 => 160_000,
            _ => 320_000,
        };
        Ok(Box::new(Running {
            loads: [Load::connect(node.address(), self.connections)?, restricted],
            node,
            texts: setup.texts.clone(),
            pipeline: self.pipeline,
            requests: setup.scale.count(full, 200),
        }))
    }
}

struct Running {
    node: Node,
    /// Those of the default user, then those of the other one.
    loads: [Load; 2],
    texts: Texts,
    pipeline: u64,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for (_, line, check) in COMMANDS {
            let template = Template::parse(line)?;
            for load in &mut self.loads {
                let templates = std::slice::from_ref(&template);
                let (texts, pipeline) = (&self.texts, self.pipeline);
                let mut source = Repeat::new(templates, texts, load.len(), pipeline, self.requests);
                samples.push(measure(&self.node, load, &mut source, check)?);
            }
        }
        Ok(samples)
    }
}
