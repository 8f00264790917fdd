//! What one client can do to the others: the longest wait of a second client, and the memory that
//! the server gains, while a client does its worst with legal requests.
//!
//! Attacks that need the same data share a server. Each attack is a row of [`list`]: what is done
//! before, what the attacker sends, and who sends besides without reading. The second client sends
//! PING after PING.

mod list;

use std::thread;
use std::time::Duration;

use anyhow::Result;

use self::list::{Attack, Ground};
use super::{Rig, Scale, Schedule, Setup, Suite, Work};
use crate::attacker::{self, Deaf};
use crate::node::{Node, Persistence};
use crate::peer::Peer;
use crate::pinger::Pinger;
use crate::sample::{Metric, Sample};
use crate::script;

pub(super) fn works() -> Vec<Box<dyn Work>> {
    let work = |ground| -> Box<dyn Work> { Box::new(Attacks(ground)) };
    list::GROUNDS.iter().map(work).collect()
}

struct Attacks(&'static Ground);

impl Work for Attacks {
    fn suite(&self) -> Suite {
        Suite::Attacks
    }

    fn name(&self) -> String {
        format!("attacks-{}", self.0.name)
    }

    fn lanes(&self) -> Vec<String> {
        let title = |attack: &Attack| attack.title.to_owned();
        self.0.attacks.iter().map(title).collect()
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 4 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let flags: Vec<_> = self
            .0
            .flags
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let node = setup.start(peer, Persistence::None, &flags)?;
        attacker::send(node.address(), &script::parse(self.0.data, setup.scale)?)?;
        Ok(Box::new(Running {
            node,
            ground: self.0,
            scale: setup.scale,
        }))
    }
}

struct Running {
    node: Node,
    ground: &'static Ground,
    scale: Scale,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let attacks = self.ground.attacks.iter();
        attacks.map(|attack| self.suffer(attack)).collect()
    }
}

impl Running {
    /// Waits until the server does nothing, where figures are wanted.
    fn rest(&self) -> Result<()> {
        match self.scale {
            Scale::Full(_) => self.node.process().cpu_time_at_rest().map(drop),
            Scale::Quick => Ok(()),
        }
    }

    fn suffer(&self, attack: &Attack) -> Result<Sample> {
        let (address, process) = (self.node.address(), self.node.process());
        attacker::send(address, &script::parse(attack.before, self.scale)?)?;
        let requests = script::parse(attack.requests, self.scale)?;
        let (deaf_count, deaf_lines) = attack.deaf;
        let deaf_requests = script::parse(deaf_lines, self.scale)?;
        let hold = match self.scale {
            Scale::Full(_) if deaf_count > 0 => HOLD,
            Scale::Full(_) | Scale::Quick => Duration::from_millis(20),
        };
        self.rest()?;
        let before = process.resident_bytes()?;
        process.reset_peak()?;
        let pinger = Pinger::start(address)?;
        let deaf = Deaf::start(address, deaf_count, &deaf_requests)?;
        let answers = attacker::send(address, &requests)?;
        thread::sleep(hold);
        drop(deaf);
        attacker::settle(address)?;
        self.rest()?;
        let wait = pinger.lap().round_trip;
        pinger.stop()?;
        let gained = process.peak_bytes()?.saturating_sub(before);
        attacker::send(address, &script::parse(attack.after, self.scale)?)?;
        let refused = f64::from(u8::from(answers.refusal.is_some()));
        Ok(Sample {
            figures: vec![
                (Metric::RoundTripMs, wait.as_secs_f64() * 1e3),
                (Metric::GainedMb, gained as f64 / 1e6),
                (Metric::Refused, refused),
            ],
            digest: None,
        })
    }
}

/// How long clients that do not read are kept.
const HOLD: Duration = Duration::from_secs(2);
