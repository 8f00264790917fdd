//! Random sequences of commands, sent to two servers: every reply and the final state must agree.
//!
//! A run is a series of episodes. Each begins with empty servers, draws its commands from a seed, and ends by looking
//! at everything ([`generate`]). Replies are compared one by one with what is known to depend on the clock made equal
//! ([`compare`]). The first difference is cut down to a short sequence that still shows it ([`shrink`]), and printed
//! with its seed. What is left out on purpose stands at the head of [`generate`] and [`compare`].

pub mod command;
pub mod compare;
pub mod generate;
pub mod pair;
pub mod random;
pub mod shrink;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::client::Protocol;
use command::Command;
use pair::{Mismatch, Pair};
use random::Random;

/// How long cutting a difference down may take.
const SHRINK_TIME_MAX: Duration = Duration::from_secs(30);

/// Commands of an episode, before the look at the final state.
const EPISODE_COMMANDS: usize = 1500;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Everything that is drawn depends on it.
    pub seed: u64,
    /// Commands in all; the last episode may be shorter than the others.
    pub commands: usize,
    /// The server whose replies are taken as right.
    pub reference: SocketAddr,
    /// The server that is tested.
    pub tested: SocketAddr,
}

/// What a run without a difference did.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// Commands whose replies were compared.
    pub commands: usize,
    /// Replies that were errors.
    pub errors: usize,
    /// Episodes.
    pub episodes: usize,
    /// How long it took.
    pub took: Duration,
}

/// A difference, cut down.
#[derive(Debug)]
pub struct Difference {
    seed: u64,
    episode: usize,
    protocol: Protocol,
    /// Commands that the episode had sent when it showed.
    sent: usize,
    clock_id: bool,
    /// A short sequence whose last reply differs.
    commands: Vec<Command>,
    mismatch: Mismatch,
}

/// What a run found.
#[derive(Debug)]
pub enum Outcome {
    /// Both servers agree.
    Same(Summary),
    /// They do not.
    Different(Box<Difference>),
}

/// Runs a plan to its end or to the first difference.
///
/// # Errors
/// When a server cannot be reached or closes its connection.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let began = Instant::now();
    let mut random = Random::new(plan.seed);
    let mut summary = Summary {
        commands: 0,
        errors: 0,
        episodes: 0,
        took: Duration::ZERO,
    };
    while summary.commands < plan.commands {
        let protocol = if summary.episodes.is_multiple_of(2) {
            Protocol::Resp2
        } else {
            Protocol::Resp3
        };
        let wanted = EPISODE_COMMANDS.min(plan.commands - summary.commands);
        let commands = generate::episode(random.split(), wanted);
        let mut pair = Pair::connect(plan.reference, plan.tested, protocol)?;
        let played = pair.play(&commands)?;
        summary.commands += played.compared;
        summary.errors += played.errors;
        if let Some(mismatch) = played.mismatch {
            let deadline = Instant::now() + SHRINK_TIME_MAX;
            let sent = played.compared;
            let first = commands[..sent].to_vec();
            let (commands, mismatch) = shrink::shrink(first, mismatch, deadline, |candidate| {
                let mut pair = Pair::connect(plan.reference, plan.tested, protocol)?;
                pair.play(candidate)
            });
            return Ok(Outcome::Different(Box::new(Difference {
                seed: plan.seed,
                episode: summary.episodes,
                protocol,
                sent,
                clock_id: played.clock_id,
                commands,
                mismatch,
            })));
        }
        summary.episodes += 1;
    }
    summary.took = began.elapsed();
    Ok(Outcome::Same(summary))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, episode {}, {:?}: a difference after {} commands, shown by these {}:",
            self.seed,
            self.episode,
            self.protocol,
            self.sent,
            self.commands.len()
        )?;
        if self.clock_id {
            writeln!(
                f,
                "(the clock has made an ID: the generator must not let it)"
            )?;
        }
        for command in &self.commands {
            writeln!(f, "> {command}")?;
        }
        writeln!(f, "reference: {}", self.mismatch.reference)?;
        write!(f, "tested:    {}", self.mismatch.tested)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} commands in {} episodes, {} of them refused, no difference, {:.1} s",
            self.commands,
            self.episodes,
            self.errors,
            self.took.as_secs_f64()
        )
    }
}
