//! SET and GET of 64 bytes over 100,000 keys: what a plain cache does, as a measure of the path
//! around the stream; in the clear, and by TLS.

use anyhow::Result;

use super::timed::{Repeat, measure};
use super::{Needs, Rig, Setup, Suite, Work};
use crate::load::{Check, Load};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::Sample;
use crate::tls::Certificate;

pub(super) fn works(setup: &Setup) -> Vec<Box<dyn Work>> {
    let connections = setup.connections;
    let strings = |by_tls, pipeline| -> Box<dyn Work> {
        Box::new(Strings {
            by_tls,
            pipeline,
            connections,
        })
    };
    let kinds = [false, true].into_iter();
    kinds
        .flat_map(|by_tls| [1, 16, 64].map(|pipeline| strings(by_tls, pipeline)))
        .collect()
}

struct Strings {
    by_tls: bool,
    pipeline: u64,
    connections: usize,
}

impl Work for Strings {
    fn suite(&self) -> Suite {
        match self.by_tls {
            true => Suite::Tls,
            false => Suite::Streams,
        }
    }

    fn name(&self) -> String {
        let by = if self.by_tls { "tls-" } else { "" };
        format!("{by}set-get-p{}", self.pipeline)
    }

    fn needs(&self) -> Needs {
        match self.by_tls {
            true => Needs::Tls,
            false => Needs::Streams,
        }
    }

    fn lanes(&self) -> Vec<String> {
        let Self {
            by_tls,
            pipeline,
            connections,
        } = self;
        let by = if *by_tls { " TLS" } else { "" };
        vec![
            format!("SET 64 B{by} P{pipeline} c{connections}"),
            format!("GET 64 B{by} P{pipeline} c{connections}"),
        ]
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let certificate = match self.by_tls {
            true => Some(Certificate::new(&setup.data_dir)?),
            false => None,
        };
        let flags = certificate.as_ref().map(Certificate::flags).transpose()?;
        let node = setup.start(peer, Persistence::None, &flags.unwrap_or_default())?;
        let mut address = node.address();
        if let Some(certificate) = &certificate {
            address.set_port(certificate.port());
        }
        let client = certificate.as_ref().map(Certificate::client);
        let texts = setup.texts.clone();
        let digits = setup.scale.fixed(5, 2) as usize;
        let serial_key = [Piece::Fixed(b"bench:key:"), Piece::Serial(digits)];
        let value = [Piece::Serial(digits), Piece::Text(64 - digits)];
        let set = Template::new(&[&[Piece::Fixed(b"SET")], &serial_key, &value], 0);
        let random_key = [Piece::Fixed(b"bench:key:"), Piece::Digits(digits)];
        let get = Template::new(&[&[Piece::Fixed(b"GET")], &random_key], 0);
        let full = match self.pipeline {
            1 => 40_000,
            16 => 160_000,
            _ => 320_000,
        };
        // Every key once, so that a GET finds each, with the value that only its number decides.
        let keys = 10_u64.pow(digits as u32);
        let mut every_key = Repeat::new(std::slice::from_ref(&set), &texts, 1, 100, keys);
        Load::connect(node.address(), 1)?.run(&mut every_key, Check::Shape)?;
        Ok(Box::new(Running {
            load: Load::connect_by(client, address, self.connections)?,
            _certificate: certificate,
            node,
            keys,
            texts,
            lanes: [set, get],
            requests: setup.scale.count(full, 200),
            pipeline: self.pipeline,
        }))
    }
}

struct Running {
    node: Node,
    /// Its files, which go with it.
    _certificate: Option<Certificate>,
    load: Load,
    texts: Texts,
    lanes: [Template; 2],
    keys: u64,
    requests: u64,
    pipeline: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for template in &self.lanes {
            let templates = std::slice::from_ref(template);
            let connections = self.load.len();
            let mut source = Repeat::new(
                templates,
                &self.texts,
                connections,
                self.pipeline,
                self.requests,
            )
            .wrapping_at(self.keys);
            samples.push(measure(
                &self.node,
                &mut self.load,
                &mut source,
                Check::Bytes,
            )?);
        }
        Ok(samples)
    }
}
