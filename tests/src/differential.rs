//! Random sequences of commands, sent to two servers: every reply and the final state must agree.
//!
//! A run is a series of episodes. Each begins with empty servers, draws its commands from a seed,
//! and ends by looking at everything ([`generate`]). Replies are compared one by one with what is
//! known to depend on the clock made equal ([`compare`]). The first difference is cut down to a
//! short sequence that still shows it ([`shrink`]), and printed with its seed. In a second kind of
//! run some clients block, and who is woken by what is compared as well ([`crowd`]). The heads of
//! [`generate`] and [`compare`] say what is left out on purpose.

pub mod command;
pub mod compare;
pub mod crowd;
pub mod generate;
pub mod pair;
pub mod random;
pub mod shrink;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::client::Protocol;
use crowd::Crowd;
pub use generate::Focus;
use pair::{Mismatch, Pair, Played};
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
    /// What is drawn most.
    pub focus: Focus,
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
    /// Clients that waited, and then got a reply.
    pub woken: usize,
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
    /// The command at which it showed, and the replies to it: what is cut down may show another.
    first: (String, Mismatch),
    /// A short sequence whose last reply differs, as lines of a case script.
    script: Vec<String>,
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

/// Runs a plan with one client, in pipelines.
///
/// # Errors
/// When a server cannot be reached or closes its connection.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let draw = |random, count| generate::episode(random, plan.focus, count);
    episodes(plan, draw, |protocol, commands| {
        Pair::connect(plan.reference, plan.tested, protocol)?.play(commands)
    })
}

/// Runs a plan with one client that works, and others that wait for what it does.
///
/// # Errors
/// When a server cannot be reached or closes its connection.
pub fn run_waiting(plan: &Plan) -> Result<Outcome> {
    let draw = |random, count| generate::waiting_episode(random, plan.focus, count);
    episodes(plan, draw, |protocol, steps| {
        Crowd::gather(plan.reference, plan.tested, protocol)?.play(steps)
    })
}

fn episodes<T: Clone + fmt::Display>(
    plan: &Plan,
    draw: impl Fn(Random, usize) -> Vec<T>,
    play: impl Fn(Protocol, &[T]) -> Result<Played>,
) -> Result<Outcome> {
    let began = Instant::now();
    let mut random = Random::new(plan.seed);
    let mut summary = Summary {
        commands: 0,
        errors: 0,
        woken: 0,
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
        let steps = draw(random.split(), wanted);
        let played = play(protocol, &steps)?;
        summary.commands += played.compared;
        summary.errors += played.errors;
        summary.woken += played.woken;
        if let Some(mismatch) = played.mismatch {
            let deadline = Instant::now() + SHRINK_TIME_MAX;
            let sent = played.compared;
            let until = steps[..sent.min(steps.len())].to_vec();
            let last = until.last().map(T::to_string).unwrap_or_default();
            let first = (last, mismatch.clone());
            let (steps, mismatch) = shrink::shrink(until, mismatch, deadline, |candidate| {
                play(protocol, candidate)
            });
            return Ok(Outcome::Different(Box::new(Difference {
                seed: plan.seed,
                episode: summary.episodes,
                protocol,
                sent,
                clock_id: played.clock_id,
                first,
                script: steps.iter().map(T::to_string).collect(),
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
            self.script.len()
        )?;
        if self.clock_id {
            writeln!(
                f,
                "(the clock has made an ID: the generator must not let it)"
            )?;
        }
        for line in &self.script {
            writeln!(f, "{line}")?;
        }
        self.mismatch.fmt(f)?;
        let (command, mismatch) = &self.first;
        writeln!(f, "\nat first it was shown by {command}")?;
        mismatch.fmt(f)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} commands in {} episodes, {} of them refused, {} clients woken, no difference, {:.1} s",
            self.commands,
            self.episodes,
            self.errors,
            self.woken,
            self.took.as_secs_f64()
        )
    }
}
