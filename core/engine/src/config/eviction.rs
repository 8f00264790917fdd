//! `maxmemory-policy` and what goes with it: which keys go when memory is used up.

use super::Settings;
use super::setting::Kind;

/// The words of `maxmemory-policy`, in the order in which Redis lists them, and what each means.
const POLICIES: [(&str, Option<Policy>); 10] = [
    ("volatile-lru", expiring(Preference::LeastRecentlyUsed)),
    ("volatile-lfu", expiring(Preference::LeastFrequentlyUsed)),
    ("volatile-random", expiring(Preference::Random)),
    ("volatile-ttl", expiring(Preference::EarliestExpiry)),
    ("volatile-lrm", expiring(Preference::LeastRecentlyModified)),
    ("allkeys-lru", all(Preference::LeastRecentlyUsed)),
    ("allkeys-lfu", all(Preference::LeastFrequentlyUsed)),
    ("allkeys-random", all(Preference::Random)),
    ("allkeys-lrm", all(Preference::LeastRecentlyModified)),
    ("noeviction", None),
];

/// Its values.
pub(super) const POLICY: Kind = Kind::Choice(&{
    let mut words = [""; POLICIES.len()];
    let mut index = 0;
    while index < POLICIES.len() {
        words[index] = POLICIES[index].0;
        index += 1;
    }
    words
});

const fn all(preference: Preference) -> Option<Policy> {
    Some(Policy {
        candidates: Candidates::All,
        preference,
    })
}

const fn expiring(preference: Preference) -> Option<Policy> {
    Some(Policy {
        candidates: Candidates::Expiring,
        preference,
    })
}

/// Which keys are evicted, and how a good one is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eviction {
    /// The policy's name.
    pub name: &'static str,
    /// What it says; `None` if no key is evicted.
    pub policy: Option<Policy>,
    /// How many keys are looked at for each that goes.
    pub samples: usize,
    /// The greater, the more uses it takes until a key counts as used more often.
    pub log_factor: u32,
    /// Minutes without a use after which a key counts as used a little less often; 0: never.
    pub decay_minutes: u32,
}

/// Which key goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Those that may go.
    pub candidates: Candidates,
    /// Which of them is best.
    pub preference: Preference,
}

/// Keys that may be evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidates {
    /// Every key.
    All,
    /// Keys that have an expiry.
    Expiring,
}

/// What makes a key a better one to evict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// That it was not used for long.
    LeastRecentlyUsed,
    /// That it is used seldom.
    LeastFrequentlyUsed,
    /// That it was not changed for long.
    LeastRecentlyModified,
    /// Nothing.
    Random,
    /// That it expires soon.
    EarliestExpiry,
}

/// What each key remembers of how it is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tracking {
    /// When it was last used.
    #[default]
    LastUse,
    /// How often it is used.
    Frequency,
    /// When it was last changed.
    LastChange,
}

impl Eviction {
    pub(super) fn of(settings: &Settings) -> Eviction {
        let word = settings.text("maxmemory-policy");
        let found = POLICIES.iter().find(|(name, _)| *name == word);
        let (name, policy) = *found.expect(super::CANONICAL);
        Eviction {
            name,
            policy,
            samples: settings.int("maxmemory-samples") as usize,
            log_factor: settings.int("lfu-log-factor") as u32,
            decay_minutes: settings.int("lfu-decay-time") as u32,
        }
    }

    /// What keys have to remember for the policy.
    pub fn tracking(&self) -> Tracking {
        match self.policy.map(|policy| policy.preference) {
            Some(Preference::LeastFrequentlyUsed) => Tracking::Frequency,
            Some(Preference::LeastRecentlyModified) => Tracking::LastChange,
            Some(
                Preference::LeastRecentlyUsed | Preference::Random | Preference::EarliestExpiry,
            )
            | None => Tracking::LastUse,
        }
    }

    /// Returns whether the policy looks at when keys were last used. Snapshots say it only then.
    pub fn is_by_last_use(&self) -> bool {
        self.policy
            .is_some_and(|policy| policy.preference == Preference::LeastRecentlyUsed)
    }
}
