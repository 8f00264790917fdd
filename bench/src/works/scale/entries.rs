//! Against entries of the stream: XADD, XADD with XTRIM and with XDEL at a random place, and
//! XRANGE.
//!
//! A round changes the stream. It is filled again, unmeasured, before a fourth of it would be
//! another than at first.

use anyhow::{Result, ensure};

use super::{CONNECTIONS, Growth, Operation, PIPELINE, sizes};
use crate::control::Control;
use crate::load::{Check, Load, Source};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::request::{Piece, Template, Texts};
use crate::sample::Sample;
use crate::works::timed::{
    EntryShape, FIRST_MS_PREFIX, Repeat, SERIAL_DIGITS, Tally, expect_length, fill, xadd,
};
use crate::works::{Needs, Rig, Schedule, Setup, Sizes, range};

pub(super) fn appends(setup: &Setup) -> Growth {
    Growth {
        name: "scale-entries",
        of: "entries",
        operations: vec![
            Operation::cpu("xadd-by-entries", "XADD 1x64 P16 c50"),
            Operation::cpu(
                "xadd-xtrim-by-entries",
                "XADD 1x64 and XTRIM by one P16 c50",
            ),
            Operation::cpu(
                "xadd-xdel-by-entries",
                "XADD 1x64 and XDEL at random P16 c50",
            ),
        ],
        sizes: entry_counts(setup),
        needs: Needs::Streams,
        schedule: schedule(setup),
        begin: begin_appends,
    }
}

pub(super) fn ranges(setup: &Setup) -> Growth {
    Growth {
        name: "scale-entries-range",
        of: "entries",
        operations: vec![Operation::cpu(
            "xrange-by-entries",
            "XRANGE COUNT 100 at random 1x64 P1 c10",
        )],
        sizes: entry_counts(setup),
        needs: Needs::Streams,
        schedule: schedule(setup),
        begin: |peer, setup, size| range::begin_100(digits(size), peer, setup),
    }
}

/// Powers of ten, so that a random place can be written as random digits.
fn entry_counts(setup: &Setup) -> Vec<u64> {
    let mut counts = sizes(
        setup,
        &[10_000, 100_000, 1_000_000, 10_000_000],
        &[100, 1000],
    );
    if setup.sizes == Sizes::Large {
        counts.push(100_000_000);
    }
    counts
}

/// Two servers of large streams need not fit into memory together.
fn schedule(setup: &Setup) -> Schedule {
    match setup.sizes {
        Sizes::Usual => Schedule::SideBySide,
        Sizes::Large => Schedule::OneAtATime { rounds_max: 1 },
    }
}

fn digits(power_of_ten: u64) -> usize {
    power_of_ten.ilog10() as usize
}

fn begin_appends(peer: &Peer, setup: &Setup, size: u64) -> Result<Box<dyn Rig>> {
    let node = setup.start(peer, Persistence::None, &[])?;
    let mut running = Running {
        load: Load::connect(node.address(), CONNECTIONS)?,
        control: node.control()?,
        node,
        texts: setup.texts.clone(),
        size,
        operations: setup.scale.count(40_000, 800),
        length: 0,
        changed: 0,
        serial: 0,
    };
    running.refill()?;
    Ok(Box::new(running))
}

struct Running {
    node: Node,
    load: Load,
    control: Control,
    texts: Texts,
    size: u64,
    operations: u64,
    /// Entries now.
    length: u64,
    /// Entries appended, trimmed and deleted since the stream was filled.
    changed: u64,
    /// Operations so far, so that each draws another random place.
    serial: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    Trim,
    Delete,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        [Beside::Nothing, Beside::Trim, Beside::Delete]
            .into_iter()
            .map(|beside| self.lane(beside))
            .collect()
    }
}

impl Running {
    fn lane(&mut self, beside: Beside) -> Result<Sample> {
        let mut tally = Tally::new()?;
        let mut left = self.operations;
        while left > 0 {
            let slice = left.min((self.size / CHANGED_SHARE).max(1));
            let done = self.slice(beside, slice, &mut tally)?;
            left = left.saturating_sub(done);
        }
        Ok(tally.sample(if beside == Beside::Nothing { 1 } else { 2 }))
    }

    /// About this many operations, measured, on a stream of about the right size; returns how many
    /// they were.
    fn slice(&mut self, beside: Beside, operations: u64, tally: &mut Tally) -> Result<u64> {
        if self.changed + operations > self.size / CHANGED_SHARE {
            self.refill()?;
        }
        let append = xadd(KEY, &[&[Piece::Fixed(b"*")]], EntryShape::One64);
        let done = match beside {
            Beside::Nothing => {
                let templates = [append];
                let mut source =
                    Repeat::new(&templates, &self.texts, CONNECTIONS, PIPELINE, operations)
                        .starting_at(self.serial);
                tally.run(&self.node, &mut self.load, &mut source, Check::Shape)?;
                self.length += source.requests();
                source.requests()
            }
            Beside::Trim | Beside::Delete => {
                let second = self.second(beside);
                let mut source =
                    Pairs::new([&append, &second], &self.texts, operations, self.serial);
                tally.run(&self.node, &mut self.load, &mut source, Check::Shape)?;
                source.pairs()
            }
        };
        self.changed += done;
        self.serial += done;
        if beside == Beside::Delete {
            // How many were there to be deleted is chance, but the same for every peer.
            let length = self.control.ask_int::<&[u8]>(&[b"XLEN", KEY])? as u64;
            let appended = self.length + done;
            ensure!(
                (appended - done..appended).contains(&length),
                "of {appended} entries {length} are left"
            );
            tally.add_to_digest(length);
            self.length = length;
        } else {
            expect_length(&mut self.control, KEY, self.length)?;
        }
        Ok(done)
    }

    /// The request that follows each XADD.
    fn second(&self, beside: Beside) -> Template {
        if beside == Beside::Trim {
            let length = self.length.to_string();
            return Template::fixed(&[b"XTRIM", KEY, b"MAXLEN", length.as_bytes()]);
        }
        let digits = digits(self.size);
        let zeros = vec![b'0'; SERIAL_DIGITS - digits];
        let id = [
            Piece::Fixed(FIRST_MS_PREFIX),
            Piece::Fixed(&zeros),
            Piece::Digits(digits),
            Piece::Fixed(b"-0"),
        ];
        Template::new(&[&[Piece::Fixed(b"XDEL")], &[Piece::Fixed(KEY)], &id], 0)
    }

    fn refill(&mut self) -> Result<()> {
        self.control.ask::<&[u8]>(&[b"DEL", KEY])?;
        fill(&self.node, KEY, EntryShape::One64, self.size, &self.texts)?;
        (self.length, self.changed) = (self.size, 0);
        Ok(())
    }
}

/// Batches of [`PIPELINE`] requests on each connection, in which two requests take turns.
struct Pairs<'a> {
    templates: [&'a Template; 2],
    texts: &'a Texts,
    pairs_each: u64,
    done: Vec<u64>,
    first_serial: u64,
}

impl<'a> Pairs<'a> {
    /// Shares at least this many pairs evenly among the connections.
    fn new(templates: [&'a Template; 2], texts: &'a Texts, pairs: u64, first_serial: u64) -> Self {
        let pairs_each = pairs
            .div_ceil(CONNECTIONS as u64)
            .next_multiple_of(PIPELINE / 2);
        Self {
            templates,
            texts,
            pairs_each,
            done: vec![0; CONNECTIONS],
            first_serial,
        }
    }

    fn pairs(&self) -> u64 {
        self.pairs_each * self.done.len() as u64
    }
}

impl Source for Pairs<'_> {
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64 {
        let done = self.done[connection];
        if done == self.pairs_each {
            return 0;
        }
        self.done[connection] += PIPELINE / 2;
        for index in done..done + PIPELINE / 2 {
            let serial = self.first_serial + connection as u64 * self.pairs_each + index;
            for template in self.templates {
                template.write(serial, self.texts, out);
            }
        }
        PIPELINE
    }
}

const KEY: &[u8] = b"bench:entries";
/// At most one in this many of the entries is changed before the stream is filled again.
const CHANGED_SHARE: u64 = 4;
