//! `MEMORY STATS`, `MALLOC-STATS` and `PURGE`: what the allocator says.

use std::fmt::Write;

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::server::{Order, ShellFigures};
use engine::table::{Arity, Group, Spec};
use resp::Reply;

/// What the rows of these commands share.
const FAMILY: Spec = Spec {
    since: "4.0.0",
    group: Group::Server,
    arity: Arity::Exactly(2),
    tips: &[
        "nondeterministic_output",
        "request_policy:all_shards",
        "response_policy:special",
    ],
    ..Spec::named("")
};

/// What commands cost that look at all of the allocator's memory.
const COMPLEXITY: &str = "Depends on how much memory is allocated, could be slow";

/// `MEMORY STATS`
pub(super) struct Stats;

impl PlainCommand for Stats {
    const SPEC: Spec = Spec {
        name: "stats",
        summary: "Tells what the memory is used for.",
        complexity: "O(1)",
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let sessions = ctx.server.sessions.iter().chain([&*ctx.session]);
        let clients: usize = sessions.map(|session| session.memory_bytes()).sum();
        let log = ctx.store.log().encoded().len() as u64;
        ctx.read_libraries();
        let code_bytes = ctx.store.libraries().bytes();
        let keyspace = ctx.store.keyspace();
        let databases = 0..keyspace.database_count();
        let keys = databases
            .map(|database| {
                (
                    database,
                    keyspace.len(database),
                    keyspace.expiring(database),
                )
            })
            .filter(|(_, keys, _)| *keys > 0);
        let sizes = Sizes {
            clients: clients as u64,
            log: ctx.server.shell.persistence.journal.backlog_bytes + log,
            databases: keys.collect(),
            scripts: ctx.server.scripts.bytes() as u64,
            functions: (code_bytes + ctx.server.functions.bytes()) as u64,
            machines: ctx.server.scripts.host_bytes() + ctx.server.functions.host_bytes(),
        };
        sizes.write(&ctx.server.shell, ctx.reply);
        Ok(Flow::Done)
    }
}

/// What the engine knows of what the memory is used for.
struct Sizes {
    clients: u64,
    log: u64,
    /// The databases that have keys: how many, and how many of them expire.
    databases: Vec<(u16, usize, usize)>,
    /// Scripts that are known.
    scripts: u64,
    /// Libraries, and what is known of their functions.
    functions: u64,
    /// What runs both.
    machines: u64,
}

impl Sizes {
    fn write(&self, figures: &ShellFigures, reply: &mut Reply) {
        let startup = figures.used_memory_startup;
        let used = figures.used_memory;
        let of_databases: u64 = self.databases.iter().map(Sizes::of_database).sum();
        let overhead = (startup + self.clients + self.log + of_databases).min(used);
        let dataset = used - overhead;
        let keys: usize = self.databases.iter().map(|(_, keys, _)| keys).sum();
        let net = used.saturating_sub(startup);
        let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
        let (allocated, active, resident) = (
            figures.allocator_allocated,
            figures.allocator_active,
            figures.allocator_resident,
        );
        let process = figures.resident_memory;
        let mut map = Map::begin(reply);
        map.count("peak.allocated", figures.used_memory_peak);
        map.count("total.allocated", used);
        map.count("startup.allocated", startup);
        map.count("replication.backlog", 0);
        map.count("replica.fullsync.buffer", 0);
        map.count("clients.slaves", 0);
        map.count("clients.normal", self.clients);
        map.count("cluster.links", 0);
        map.count("aof.buffer", self.log);
        map.count("lua.caches", self.scripts);
        map.count("functions.caches", self.functions);
        map.count("script.VMs", self.machines);
        for database in &self.databases {
            map.database(database);
        }
        map.count("overhead.db.hashtable.lut", of_databases);
        map.count("overhead.db.hashtable.rehashing", 0);
        map.count("overhead.total", overhead);
        map.count("db.dict.rehashing.count", 0);
        map.count("keys.count", keys as u64);
        map.count(
            "keys.bytes-per-key",
            net.checked_div(keys as u64).unwrap_or(0),
        );
        map.count("dataset.bytes", dataset);
        map.double("dataset.percentage", percent(dataset, net));
        map.double("peak.percentage", percent(used, figures.used_memory_peak));
        map.count("allocator.allocated", allocated);
        map.count("allocator.active", active);
        map.count("allocator.resident", resident);
        map.count("allocator.muzzy", 0);
        map.excess("allocator-fragmentation", active, allocated);
        map.excess("allocator-rss", resident, active);
        map.excess("rss-overhead", process, resident);
        map.double("fragmentation", process as f64 / used.max(1) as f64);
        map.int("fragmentation.bytes", difference(process, used));
        map.end();
    }

    /// What a database takes for its keys to be found.
    fn of_database((_, keys, _): &(u16, usize, usize)) -> u64 {
        *keys as u64 * DIRECTORY_BYTES
    }
}

/// About what the directory takes for each key, beside the key's record.
const DIRECTORY_BYTES: u64 = 8;

fn difference(left: u64, right: u64) -> i64 {
    left.cast_signed().wrapping_sub(right.cast_signed())
}

/// The reply, of which the length is known in the end.
struct Map<'a> {
    reply: &'a mut Reply,
    begun: resp::Mark,
    len: usize,
}

impl<'a> Map<'a> {
    fn begin(reply: &'a mut Reply) -> Map<'a> {
        let begun = reply.begin();
        Map {
            reply,
            begun,
            len: 0,
        }
    }

    fn name(&mut self, name: &str) {
        self.reply.bulk(name.as_bytes());
        self.len += 1;
    }

    fn int(&mut self, name: &str, value: i64) {
        self.name(name);
        self.reply.int(value);
    }

    fn count(&mut self, name: &str, value: u64) {
        self.int(name, value.cast_signed());
    }

    fn double(&mut self, name: &str, value: f64) {
        self.name(name);
        self.reply.double(value);
    }

    /// How much more the first is than the second, as a ratio and in bytes.
    fn excess(&mut self, name: &str, whole: u64, part: u64) {
        self.double(&format!("{name}.ratio"), whole as f64 / part.max(1) as f64);
        self.int(&format!("{name}.bytes"), difference(whole, part));
    }

    fn database(&mut self, database: &(u16, usize, usize)) {
        self.name(&format!("db.{}", database.0));
        self.reply.map(2);
        self.reply.bulk(b"overhead.hashtable.main");
        self.reply.int(Sizes::of_database(database).cast_signed());
        self.reply.bulk(b"overhead.hashtable.expires");
        self.reply.count(0);
    }

    fn end(self) {
        self.reply.map_since(self.begun, self.len);
    }
}

/// `MEMORY MALLOC-STATS`
pub(super) struct MallocStats;

impl PlainCommand for MallocStats {
    const SPEC: Spec = Spec {
        name: "malloc-stats",
        summary: "Says what the allocator has.",
        complexity: COMPLEXITY,
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let figures = &ctx.server.shell;
        let mut text = String::new();
        for (name, bytes) in [
            ("Allocated", figures.allocator_allocated),
            ("active", figures.allocator_active),
            ("resident", figures.allocator_resident),
        ] {
            let separator = if text.is_empty() { "" } else { ", " };
            write!(text, "{separator}{name}: {bytes}").ok();
        }
        text.push('\n');
        ctx.reply.verbatim("txt", text.as_bytes());
        Ok(Flow::Done)
    }
}

/// `MEMORY PURGE`
pub(super) struct Purge;

impl PlainCommand for Purge {
    const SPEC: Spec = Spec {
        name: "purge",
        summary: "Gives memory that is free back to the system.",
        complexity: COMPLEXITY,
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..FAMILY
    };
    type Args<'a> = ();

    fn execute((): (), ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let orders = &mut ctx.server.orders;
        if !orders.contains(&Order::GiveBackMemory) {
            orders.push(Order::GiveBackMemory);
        }
        ctx.reply.ok();
        Ok(Flow::Done)
    }
}
