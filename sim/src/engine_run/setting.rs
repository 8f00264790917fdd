//! What a seed decides once for a whole run.

use anyhow::Result;
use engine::config::Settings;
use engine::{Engine, Now};
use journal::SyncPolicy;
use script::LuaHost;

use super::{Bug, Plan, Workload};
use crate::rng::Rng;

/// The setting of a run.
pub(super) struct Setting {
    settings: Settings,
    changed_settings: Settings,
    engine_seed: u64,
    pub(super) policy: SyncPolicy,
    /// The journal's reserve for when the disk is full.
    pub(super) reserve_bytes: u64,
    pub(super) bug: Option<Bug>,
    evicts: bool,
}

/// How much memory may be used where keys are evicted.
pub(super) const MEMORY_BYTES_MAX: u64 = 1_000_000;

/// Those by which only keys go that expire: nobody relies on these.
const POLICIES: [&str; 5] = [
    "volatile-lru",
    "volatile-lfu",
    "volatile-lrm",
    "volatile-random",
    "volatile-ttl",
];

/// Those by which any key goes.
const POLICIES_OF_ALL: [&str; 4] = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-lrm",
    "allkeys-random",
];

/// How long appends are remembered, in seconds.
pub(super) const IDEMPOTENCE_S: u64 = 300;

/// How long a producer tries to get an answer before it gives a message up, in milliseconds.
pub(super) const PATIENCE_MS: u64 = (IDEMPOTENCE_S - 100) * 1000;

impl Setting {
    pub(super) fn draw(rng: &mut Rng, plan: Plan) -> Result<Setting> {
        let bug = plan.bug;
        let mut settings = Settings::default();
        settings.set("databases", "2")?;
        settings.set("stream-idmp-duration", &IDEMPOTENCE_S.to_string())?;
        settings.set("busy-reply-threshold", "100")?;
        // Then expired keys stay until somebody meets them.
        if rng.once_in(2) {
            settings.set("active-expire", "no")?;
        }
        let evicts_any = plan.workload == Workload::AnyKeyMayGo;
        let evicts = evicts_any || rng.once_in(2);
        if evicts_any {
            settings.set("maxmemory", &MEMORY_BYTES_MAX.to_string())?;
            let policy = POLICIES_OF_ALL[rng.index(POLICIES_OF_ALL.len())];
            settings.set("maxmemory-policy", policy)?;
        } else if evicts {
            settings.set("maxmemory", &MEMORY_BYTES_MAX.to_string())?;
            settings.set("maxmemory-policy", POLICIES[rng.index(POLICIES.len())])?;
        }
        let mut changed_settings = settings.clone();
        for (name, value) in [
            ("stream-idmp-duration", "1"),
            ("stream-idmp-maxsize", "1"),
            ("stream-node-max-entries", "3"),
            ("stream-compress", "no"),
            ("proto-max-bulk-len", "1mb"),
            ("maxmemory", "1"),
        ] {
            changed_settings.set(name, value)?;
        }
        // With the weaker policies the power stays on: they promise only to survive the process.
        let policy = match rng.below(6) {
            0 => SyncPolicy::EverySecond,
            1 => SyncPolicy::Never,
            _ => SyncPolicy::Always,
        };
        let reserve_bytes = [0, 3000, 30_000][rng.index(3)];
        let needs_power_cuts = bug == Some(Bug::SyncDropped);
        Ok(Setting {
            settings,
            changed_settings,
            engine_seed: rng.number(),
            reserve_bytes,
            policy: if needs_power_cuts {
                SyncPolicy::Always
            } else {
                policy
            },
            bug,
            evicts,
        })
    }

    /// Returns whether keys may be evicted.
    pub(super) fn evicts(&self) -> bool {
        self.evicts
    }

    /// Returns whether the power may go away.
    pub(super) fn has_power_cuts(&self) -> bool {
        self.policy == SyncPolicy::Always
    }

    /// An empty engine.
    pub(super) fn engine(&self, now: Now) -> Engine {
        self.with_scripts(self.settings.clone(), now)
    }

    /// An engine with what runs scripts: the same calls give the same answers, as in everything
    /// else of a run.
    fn with_scripts(&self, settings: Settings, now: Now) -> Engine {
        let mut engine = Engine::new(settings, self.engine_seed, now, &commands::TABLE);
        engine.server.scripts.set_host(Box::new(LuaHost::new()));
        engine.server.functions.set_host(Box::new(LuaHost::new()));
        engine
    }

    /// An empty engine under other settings: what is replayed must not depend on them.
    pub(super) fn changed_engine(&self, now: Now) -> Engine {
        let mut engine = self.with_scripts(self.changed_settings.clone(), now);
        // More than `maxmemory`.
        engine.server.shell.used_memory = 2;
        engine
    }
}
