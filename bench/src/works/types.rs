//! The data types: what redis-benchmark sends by default, and what is typical of each type, in
//! pipelines of 1, 16 and 64.
//!
//! A [`Ground`] is data and the lanes that are measured on it, one after the other, by one server.

mod grounds;
mod hand_over;

use anyhow::{Context, Result};

use super::timed::{Repeat, measure, send_all};
use super::{Rig, Setup, Suite, Work};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Template, Texts};
use crate::sample::Sample;

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let connections = setup.connections;
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    for ground in grounds::ALL {
        works.extend(PIPELINES.map(|pipeline| -> Box<dyn Work> {
            Box::new(Types {
                ground,
                pipeline,
                connections,
            })
        }));
    }
    works.extend(hand_over::works());
    works
}

/// Data, and what is measured on it.
struct Ground {
    /// What the works are called after.
    name: &'static str,
    /// So many times each of these requests; see `request::line`.
    data: &'static [(u64, &'static str)],
    lanes: &'static [Lane],
}

/// What is measured.
struct Lane {
    title: &'static str,
    request: Request,
    /// One request costs as much as so many ordinary ones, so that there are fewer.
    weight: u64,
    check: Check,
    /// Sent as often as the request beforehand, not measured.
    before: Option<&'static str>,
    /// Sent as often as the request afterwards, not measured.
    after: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Request {
    /// See `request::line`.
    Line(&'static str),
    /// Without an array around its words.
    Inline(&'static str),
}

impl Lane {
    /// A lane whose replies are known to the byte.
    const fn of(title: &'static str, line: &'static str) -> Lane {
        Lane {
            title,
            request: Request::Line(line),
            weight: 1,
            check: Check::Bytes,
            before: None,
            after: None,
        }
    }

    /// The same, with replies that depend on the order in which connections are served, on the
    /// clock, or on a server's own draw.
    const fn loosely(self) -> Lane {
        Lane {
            check: Check::Shape,
            ..self
        }
    }

    const fn weighing(self, weight: u64) -> Lane {
        Lane { weight, ..self }
    }

    const fn after(self, line: &'static str) -> Lane {
        Lane {
            before: Some(line),
            ..self
        }
    }

    const fn then(self, line: &'static str) -> Lane {
        Lane {
            after: Some(line),
            ..self
        }
    }

    fn template(&self) -> Result<Template> {
        match self.request {
            Request::Line(line) => Template::parse(line),
            Request::Inline(line) => Ok(Template::inline(line)),
        }
    }
}

struct Types {
    ground: &'static Ground,
    pipeline: u64,
    connections: usize,
}

impl Work for Types {
    fn suite(&self) -> Suite {
        Suite::Types
    }

    fn name(&self) -> String {
        format!("types-{}-p{}", self.ground.name, self.pipeline)
    }

    fn lanes(&self) -> Vec<String> {
        let title =
            |lane: &Lane| format!("{} P{} c{}", lane.title, self.pipeline, self.connections);
        self.ground.lanes.iter().map(title).collect()
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let node = setup.start(peer, Persistence::None, &[])?;
        let texts = setup.texts.clone();
        for (count, line) in self.ground.data {
            let count = setup.scale.count(*count, (*count).min(QUICK_ITEMS));
            send_all(&node, &Template::parse(line)?, count, &texts).context(*line)?;
        }
        let full = match self.pipeline {
            1 => 30_000,
            16 => 100_000,
            _ => 200_000,
        };
        Ok(Box::new(Running {
            load: Load::connect(node.address(), self.connections)?,
            node,
            texts,
            ground: self.ground,
            pipeline: self.pipeline,
            requests: setup.scale.count(full, 200),
        }))
    }
}

struct Running {
    node: Node,
    load: Load,
    texts: Texts,
    ground: &'static Ground,
    pipeline: u64,
    requests: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let lanes = self.ground.lanes.iter();
        lanes
            .map(|lane| self.measure(lane).context(lane.title))
            .collect()
    }
}

impl Running {
    fn measure(&mut self, lane: &Lane) -> Result<Sample> {
        let template = lane.template()?;
        let mut source = Repeat::new(
            std::slice::from_ref(&template),
            &self.texts,
            self.load.len(),
            self.pipeline,
            self.requests / lane.weight,
        );
        let requests = source.requests();
        let send = |line: Option<&str>| match line {
            Some(line) => send_all(&self.node, &Template::parse(line)?, requests, &self.texts),
            None => Ok(()),
        };
        send(lane.before)?;
        let sample = measure(&self.node, &mut self.load, &mut source, lane.check)?;
        send(lane.after)?;
        Ok(sample)
    }
}

/// The lengths of pipelines that are compared.
const PIPELINES: [u64; 3] = [1, 16, 64];

/// Items of a ground where nothing is measured.
const QUICK_ITEMS: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_request() {
        for ground in grounds::ALL {
            for (_, line) in ground.data {
                Template::parse(line).unwrap();
            }
            for lane in ground.lanes {
                lane.template().unwrap();
                for line in lane.before.iter().chain(&lane.after) {
                    Template::parse(line).unwrap();
                }
            }
        }
    }
}
