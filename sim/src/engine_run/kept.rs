//! Three streams that keep to bounds. One has a group that needs what it has not finished, another
//! is only not to become long, and one not to become large.
//!
//! What was added and nobody has asked to acknowledge is there, however old and however much it is.
//! In the end, when time has passed, nothing else is.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use engine::Engine;
use stream::{Stream, StreamId};

use super::Bug;
use super::bystander::stream_of;
use super::counts::Counts;
use super::request::{Purpose, Request, request};
use crate::answer::Answer;
use crate::rng::Rng;

const NEEDED: &str = "kept:needed";
const GROUP: &str = "keepers";
const CAPPED: &str = "kept:capped";
const LIGHT: &str = "kept:light";

const NEEDED_LEN_MAX: u64 = 30;
const NEEDED_AGE_MS_MAX: u64 = 5000;
const CAPPED_LEN_MAX: u64 = 50;
const LIGHT_BYTES_MAX: u64 = 20_000;

/// Bytes of each value, and at most as many of its entry.
const VALUE_BYTES: usize = 500;
const ENTRY_BYTES_MAX: u64 = 600;

/// Bytes of a chunk: so many more may be left.
const CHUNK_BYTES: u64 = 16 * 1024;

/// Entries of a node: so many more may be left.
const NODE_ENTRIES: u64 = 100;

/// Entries that are added together.
const TOGETHER: usize = 40;

/// What the reply to a request about these streams tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// That the streams have their bounds.
    Set,
    /// The IDs of new entries.
    Added,
}

/// What is known of them.
pub(super) struct Kept {
    /// `RETAIN-REFS` of the first stream, which a planted bug changes.
    references: &'static str,
    /// `RETAIN-BYTES` of the last one, which another one changes.
    light_bytes_max: u64,
    is_set: bool,
    /// Entries that somebody was told of.
    added: BTreeSet<StreamId>,
    /// Somebody asked to acknowledge these.
    acknowledged: BTreeSet<StreamId>,
}

impl Kept {
    pub(super) fn new(bug: Option<Bug>) -> Kept {
        Kept {
            references: match bug {
                Some(Bug::NeededTrimmed) => "KEEPREF",
                _ => "ACKED",
            },
            light_bytes_max: match bug {
                Some(Bug::BytesKept) => 0,
                _ => LIGHT_BYTES_MAX,
            },
            is_set: false,
            added: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
        }
    }

    /// Draws what somebody does.
    pub(super) fn requests(&mut self, engine: &Engine, rng: &mut Rng) -> Vec<Request> {
        if !self.is_set {
            return self.set_up();
        }
        (0..1 + rng.below(4))
            .map(|_| self.request(engine, rng))
            .collect()
    }

    fn request(&mut self, engine: &Engine, rng: &mut Rng) -> Request {
        let count = 1 + rng.below(60);
        match rng.below(8) {
            0..2 => append(NEEDED, short, Purpose::Kept(Told::Added)),
            2 if count.is_multiple_of(2) => append(CAPPED, short, Purpose::Any),
            2 => append(LIGHT, || unpackable(rng), Purpose::Any),
            3 => request!(Purpose::Look, "XLEN", CAPPED),
            4..6 => request!(
                Purpose::Any,
                "XREADGROUP",
                "GROUP",
                GROUP,
                "c",
                "COUNT",
                count,
                "STREAMS",
                NEEDED,
                ">"
            ),
            _ => {
                // Some are left out, so that others go past them.
                let ids = pending(engine).into_iter().filter(|_| !rng.once_in(20));
                let ids: Vec<StreamId> = ids.take(count as usize).collect();
                self.acknowledged.extend(&ids);
                let mut words = ["XACK", NEEDED, GROUP].map(String::from).to_vec();
                words.extend(ids.iter().map(StreamId::to_string));
                match ids.is_empty() {
                    true => request!(Purpose::Look, "XPENDING", NEEDED, GROUP),
                    false => Request::new(&words, Purpose::Any),
                }
            }
        }
    }

    /// Takes in what somebody was told.
    pub(super) fn told(&mut self, told: Told, answer: &Answer) -> Result<()> {
        match (told, answer) {
            (_, Answer::Error(error)) if error.starts_with("MISCONF") => Ok(()),
            (Told::Set, Answer::Text(_)) => {
                self.is_set = true;
                Ok(())
            }
            (Told::Added, answer) => {
                for entry in answer.list().context("no entries")? {
                    let id = entry.list().and_then(|pair| pair.first()?.id());
                    self.added.insert(id.context("no ID")?);
                }
                Ok(())
            }
            (Told::Set, answer) => bail!("bounds are answered {answer:?}"),
        }
    }

    /// What a group needs is there, and what is only to be short is.
    ///
    /// # Errors
    /// Something went too early, or did not go.
    pub(super) fn audit(&self, engine: &Engine) -> Result<()> {
        let there = ids(engine, NEEDED);
        let mut needed = self.added.difference(&self.acknowledged);
        let lost = needed.find(|id| !there.contains(id));
        ensure!(lost.is_none(), "{lost:?} went, and a group needs it");
        let lost = pending(engine).into_iter().find(|id| !there.contains(id));
        ensure!(lost.is_none(), "{lost:?} went while it is pending");
        let len = stream_of(engine, CAPPED).map_or(0, Stream::len);
        ensure!(
            !self.is_set || len < CAPPED_LEN_MAX + NODE_ENTRIES,
            "{len} entries are too many"
        );
        let light = stream_of(engine, LIGHT).filter(|_| self.is_set);
        light.map_or(Ok(()), ensure_light)
    }

    /// The same when more time has passed than anything waits.
    ///
    /// # Errors
    /// Something did not go that may.
    pub(super) fn audit_at_rest(
        &self,
        engine: &Engine,
        now_ms: u64,
        counts: &mut Counts,
    ) -> Result<()> {
        self.audit(engine)?;
        let Some(stream) = stream_of(engine, NEEDED).filter(|_| self.is_set) else {
            return Ok(());
        };
        let pending: BTreeSet<StreamId> = pending(engine).into_iter().collect();
        let group = stream.groups().find(GROUP.as_bytes());
        let delivered = group.context("the group is gone")?.last_delivered();
        let is_old = |id: &StreamId| id.ms + NEEDED_AGE_MS_MAX <= now_ms;
        let is_needed = |id: &StreamId| *id > delivered || pending.contains(id);
        let mut there = ids(engine, NEEDED).into_iter();
        let stays = there.find(|id| is_old(id) && !is_needed(id));
        ensure!(stays.is_none(), "{stays:?} is too old, and nobody needs it");
        for key in [NEEDED, CAPPED, LIGHT] {
            let stream = stream_of(engine, key);
            counts.retained_away += stream.map_or(0, |it| it.entries_added() - it.len());
        }
        Ok(())
    }

    fn set_up(&self) -> Vec<Request> {
        let make = |key: &str| {
            let words = ["XGROUP", "CREATE", key, GROUP, "0", "MKSTREAM"];
            Request::new(&words, Purpose::Any)
        };
        let bound =
            |key: &str, word: &str, bound: u64| request!(Purpose::Any, "XCFGSET", key, word, bound);
        vec![
            make(NEEDED),
            make(CAPPED),
            make(LIGHT),
            bound(CAPPED, "RETAIN-MAXLEN", CAPPED_LEN_MAX),
            bound(LIGHT, "RETAIN-BYTES", self.light_bytes_max),
            request!(
                Purpose::Kept(Told::Set),
                "XCFGSET",
                NEEDED,
                "RETAIN-MAXLEN",
                NEEDED_LEN_MAX,
                "RETAIN-AGE",
                NEEDED_AGE_MS_MAX,
                "RETAIN-REFS",
                self.references
            ),
        ]
    }
}

/// A stream is as large as it may be, and not smaller than it has to be.
fn ensure_light(stream: &Stream) -> Result<()> {
    let bytes = stream.entries().chunk_bytes();
    ensure!(
        bytes < LIGHT_BYTES_MAX + CHUNK_BYTES,
        "{bytes} bytes are too many"
    );
    let (len, fits) = (stream.len(), LIGHT_BYTES_MAX / ENTRY_BYTES_MAX);
    ensure!(
        len >= fits.min(stream.entries_added()),
        "{len} entries are left, and {fits} fit"
    );
    Ok(())
}

fn append(key: &str, mut value: impl FnMut() -> String, purpose: Purpose) -> Request {
    let mut words = ["XADDM", key, "ENTRIES"].map(String::from).to_vec();
    words.push(TOGETHER.to_string());
    for _ in 0..TOGETHER {
        words.extend(["1".to_owned(), "f".to_owned(), value()]);
    }
    Request::new(&words, purpose)
}

fn short() -> String {
    "v".to_owned()
}

/// A value that packing makes hardly smaller.
fn unpackable(rng: &mut Rng) -> String {
    let parts = (0..VALUE_BYTES / 16).map(|_| format!("{:016x}", rng.number()));
    parts.collect()
}

fn ids(engine: &Engine, key: &str) -> BTreeSet<StreamId> {
    let entries = stream_of(engine, key).into_iter();
    let entries = entries.flat_map(|stream| stream.entries().iter());
    entries.map(|entry| entry.id()).collect()
}

fn pending(engine: &Engine) -> Vec<StreamId> {
    let stream = stream_of(engine, NEEDED);
    let group = stream.and_then(|stream| stream.groups().find(GROUP.as_bytes()));
    let pending = group.into_iter();
    let pending = pending.flat_map(|group| group.pending_range(StreamId::MIN, StreamId::MAX));
    pending.map(|entry| entry.id).collect()
}
