//! Which key is evicted next.
//!
//! A few keys are drawn, and the best of them go into a small pool of good ones that were seen but
//! not yet evicted. So what is picked is nearly the best of all, without an order of all keys.

use values::Key;

use crate::config::{Candidates, Eviction, Policy, Preference};
use crate::rng::Rng;
use crate::store::keyspace::{Keyspace, Record, Usage};
use crate::time::UnixMs;

/// How many good keys are remembered.
const POOL_LEN_MAX: usize = 16;

/// Keys that are good to evict, the best one last.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// What they are good for.
    policy: Option<Policy>,
    good: Vec<Candidate>,
}

/// A key that may be evicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// How good it is to evict, compared with others.
    score: u64,
    /// Its database.
    pub(crate) database: u16,
    /// Its name.
    pub(crate) key: Key,
}

impl Pool {
    /// The key to evict next; `None` if there is none that may be, or if the few that may
    /// ([`may_evict_any`]) were not found among all others yet.
    pub(crate) fn pick(
        &mut self,
        (keyspace, usage): (&mut Keyspace, &Usage),
        (eviction, policy): (&Eviction, Policy),
        rng: &mut Rng,
        now: UnixMs,
    ) -> Option<Candidate> {
        if self.policy != Some(policy) {
            self.policy = Some(policy);
            self.good.clear();
        }
        let mut sampler = Sampler {
            keyspace,
            usage,
            policy,
            now,
        };
        if policy.preference == Preference::Random {
            return sampler.draw(rng);
        }
        for _ in 0..eviction.samples {
            self.add(sampler.draw(rng)?);
        }
        while let Some(best) = self.good.pop() {
            match sampler.score_now(&best) {
                Some(score) if score >= best.score => return Some(best),
                // It was used, changed or removed since it was drawn.
                Some(_) | None => {}
            }
        }
        sampler.draw(rng)
    }

    /// Remembers a key if it is good enough.
    fn add(&mut self, drawn: Candidate) {
        let is_same =
            |other: &Candidate| other.database == drawn.database && other.key == drawn.key;
        self.good.retain(|other| !is_same(other));
        let at = self.good.partition_point(|other| other.score < drawn.score);
        self.good.insert(at, drawn);
        if self.good.len() > POOL_LEN_MAX {
            self.good.remove(0);
        }
    }
}

/// Returns whether a policy lets any key be evicted.
pub(crate) fn may_evict_any(keyspace: &Keyspace, policy: Policy) -> bool {
    (0..keyspace.database_count()).any(|database| count(keyspace, policy, database) > 0)
}

/// How many keys of a database may be evicted.
fn count(keyspace: &Keyspace, policy: Policy, database: u16) -> usize {
    match policy.candidates {
        Candidates::All => keyspace.len(database),
        Candidates::Expiring => keyspace.expiring(database),
    }
}

/// Draws keys that may be evicted.
struct Sampler<'a> {
    keyspace: &'a mut Keyspace,
    usage: &'a Usage,
    policy: Policy,
    now: UnixMs,
}

impl Sampler<'_> {
    /// Some key of any database; each has about the same chance.
    fn draw(&mut self, rng: &mut Rng) -> Option<Candidate> {
        let databases = || 0..self.keyspace.database_count();
        let count = |database| count(self.keyspace, self.policy, database);
        let all: usize = databases().map(count).sum();
        let mut index = (rng.next() % (all as u64).max(1)) as usize;
        let database = databases().find(|database| {
            let count = count(*database);
            let is_here = index < count;
            index = index.saturating_sub(count);
            is_here
        })?;
        let random = rng.next();
        let (usage, policy, now) = (self.usage, self.policy, self.now);
        let record = match policy.candidates {
            Candidates::All => self.keyspace.random(database, random),
            Candidates::Expiring => self.keyspace.random_expiring(database, random),
        }?;
        Some(Candidate {
            score: score(record, usage, policy, now)?,
            database,
            key: record.name(),
        })
    }

    /// How good it is to evict a key that was drawn before; `None` if it may not be any more.
    fn score_now(&self, drawn: &Candidate) -> Option<u64> {
        let hash = self.keyspace.hash(&drawn.key);
        let found = self.keyspace.find(drawn.database, hash, &drawn.key)?;
        score(found, self.usage, self.policy, self.now)
    }
}

/// How good it is to evict a key; `None` if it may not be.
fn score(record: &Record, usage: &Usage, policy: Policy, now: UnixMs) -> Option<u64> {
    let expires_at = record.expires_at();
    if policy.candidates == Candidates::Expiring && expires_at.is_none() {
        return None;
    }
    Some(match policy.preference {
        Preference::Random => 0,
        Preference::LeastRecentlyUsed | Preference::LeastRecentlyModified => {
            u64::from(record.idle_s(now))
        }
        Preference::LeastFrequentlyUsed => u64::from(u8::MAX - usage.frequency(record, now)),
        Preference::EarliestExpiry => expires_at.map_or(0, |at| i64::MAX.abs_diff(at.0)),
    })
}
