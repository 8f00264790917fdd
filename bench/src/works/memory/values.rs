//! Bytes per value over a million small ones of each type, and per element of one value with a
//! million of them.

use anyhow::{Result, ensure};

use super::Held;
use crate::node::Persistence;
use crate::peer::Peer;
use crate::request::Piece::{self, Digits, Fixed, Serial, Text};
use crate::request::Template;
use crate::sample::{Metric, Sample};
use crate::works::timed::send_all;
use crate::works::{Rig, Schedule, Setup, Suite, Work};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let works = [
        ("memory-small-values", small_values()),
        ("memory-strings", strings()),
        ("memory-large-values", large_values()),
    ];
    let work = |(name, kinds): (&'static str, Vec<Kind>)| -> Box<dyn Work> {
        Box::new(Values { name, kinds })
    };
    works.into_iter().map(work).collect()
}

/// What is put in.
#[derive(Clone)]
struct Kind {
    title: String,
    /// A request for each item.
    request: Template,
    /// The last key that is made.
    last_key: fn(u64) -> String,
}

fn serial_key(items: u64) -> String {
    format!("bench:{:09}", items - 1)
}

fn one_key(_: u64) -> String {
    "bench:large".to_owned()
}

impl Kind {
    /// One value for each item, made by this command.
    fn small(title: impl Into<String>, command: &[u8], arguments: &[&[Piece<'_>]]) -> Kind {
        let name = [Fixed(command)];
        let all = [&[&name[..], &[Fixed(b"bench:"), Serial(9)]], arguments].concat();
        Kind {
            title: title.into(),
            request: Template::new(&all, 0),
            last_key: serial_key,
        }
    }

    /// One value, to which this command adds an element for each item.
    fn large(title: impl Into<String>, command: &[u8], arguments: &[&[Piece<'_>]]) -> Kind {
        let name = [Fixed(command)];
        let all = [&[&name[..], &[Fixed(b"bench:large")]], arguments].concat();
        Kind {
            title: title.into(),
            request: Template::new(&all, 0),
            last_key: one_key,
        }
    }
}

fn small_values() -> Vec<Kind> {
    let names: [[Piece<'_>; 2]; 5] =
        [b"a", b"b", b"c", b"d", b"e"].map(|name| [Fixed(name), Text(7)]);
    let members: Vec<&[Piece<'_>]> = names.iter().map(|name| &name[..]).collect();
    let integers: [[Piece<'_>; 2]; 5] =
        [b"1", b"2", b"3", b"4", b"5"].map(|digit| [Fixed(digit), Digits(5)]);
    let integers: Vec<&[Piece<'_>]> = integers.iter().map(|it| &it[..]).collect();
    let fields: [[Piece<'_>; 1]; 5] =
        [b"field-a", b"field-b", b"field-c", b"field-d", b"field-e"].map(|name| [Fixed(name)]);
    let fields = fields.iter().zip(&members);
    let fields: Vec<&[Piece<'_>]> = fields
        .flat_map(|(name, value)| [&name[..], *value])
        .collect();
    let scored = integers.iter().zip(&members);
    let scored: Vec<&[Piece<'_>]> = scored
        .flat_map(|(score, member)| [*score, *member])
        .collect();
    vec![
        Kind::small("lists of 5", b"RPUSH", &members),
        Kind::small("hashes of 5", b"HSET", &fields),
        Kind::small("sets of 5 integers", b"SADD", &integers),
        Kind::small("sets of 5 strings", b"SADD", &members),
        Kind::small("sorted sets of 5", b"ZADD", &scored),
        Kind::small("HyperLogLogs of 5", b"PFADD", &members),
    ]
}

fn strings() -> Vec<Kind> {
    let lengths = [1, 16, 64, 200, 1000];
    let plain =
        lengths.map(|len| Kind::small(format!("strings of {len} B"), b"SET", &[&[Text(len)]]));
    let expiring = lengths.map(|len| {
        let arguments: [&[Piece<'_>]; 3] =
            [&[Text(len)], &[Fixed(b"EX")], &[Fixed(b"1"), Digits(6)]];
        Kind::small(
            format!("strings of {len} B that expire"),
            b"SET",
            &arguments,
        )
    });
    plain.into_iter().chain(expiring).collect()
}

fn large_values() -> Vec<Kind> {
    let short = [Serial(7), Text(3)];
    let long = [Serial(7), Text(53)];
    let integer = [Fixed(b"1"), Digits(9)];
    let score = [Digits(6)];
    vec![
        Kind::large("list of 10 B", b"RPUSH", &[&short]),
        Kind::large("list of 60 B", b"RPUSH", &[&long]),
        Kind::large("hash of 10 B by 10 B", b"HSET", &[&short, &[Text(10)]]),
        Kind::large("hash of 60 B by 10 B", b"HSET", &[&short, &[Text(60)]]),
        Kind::large("set of integers", b"SADD", &[&integer]),
        Kind::large("set of 10 B", b"SADD", &[&short]),
        Kind::large("set of 60 B", b"SADD", &[&long]),
        Kind::large("sorted set of 10 B", b"ZADD", &[&score, &short]),
        Kind::large("sorted set of 60 B", b"ZADD", &[&score, &long]),
    ]
}

struct Values {
    name: &'static str,
    kinds: Vec<Kind>,
}

impl Work for Values {
    fn suite(&self) -> Suite {
        Suite::Memory
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn lanes(&self) -> Vec<String> {
        let kinds = self.kinds.iter().map(|kind| kind.title.clone());
        kinds.chain(["all of these".to_owned()]).collect()
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 1 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        Ok(Box::new(Running {
            peer: peer.clone(),
            setup: setup.clone(),
            kinds: self.kinds.clone(),
        }))
    }
}

struct Running {
    peer: Peer,
    setup: Setup,
    kinds: Vec<Kind>,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let kinds = self.kinds.iter();
        let mut samples = kinds
            .map(|kind| self.measure(kind))
            .collect::<Result<Vec<Sample>>>()?;
        samples.push(sum(&samples));
        Ok(samples)
    }
}

impl Running {
    /// Each kind has a server of its own, so that none finds what another left.
    fn measure(&self, kind: &Kind) -> Result<Sample> {
        let node = self.setup.start(&self.peer, Persistence::None, &[])?;
        let items = self.setup.scale.count(1_000_000, 100);
        let last_key = (kind.last_key)(items);
        let mut control = node.control()?;
        let before = Held::at_rest(&node, &mut control, &last_key, self.setup.scale)?;
        send_all(&node, &kind.request, items, &self.setup.texts)?;
        ensure!(
            control.ask_int(&["EXISTS", &last_key])? == 1,
            "{last_key} is not there"
        );
        let after = Held::at_rest(&node, &mut control, &last_key, self.setup.scale)?;
        Ok(after.per_item(&before, items))
    }
}

/// What all of them take, per item of each.
fn sum(samples: &[Sample]) -> Sample {
    let metrics = [Metric::UsedBytes, Metric::ResidentBytes];
    let of_all = |metric| samples.iter().filter_map(|it| it.value(metric)).sum();
    Sample {
        figures: metrics.map(|metric| (metric, of_all(metric))).to_vec(),
        digest: None,
    }
}
