//! What happened in a run, to see whether it showed anything.

/// What happened in a run, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Restarts after a crash of the machine or of the process, those during a recovery included.
    pub crashes: u64,
    /// Of those, the ones in which the power failed.
    pub power_cuts: u64,
    /// Restarts after a proper stop.
    pub stops: u64,
    /// Batches that a crash took back; no reply had told of them.
    pub batches_lost: u64,
    /// Torn ends that were cut off.
    pub cuts: u64,
    /// Snapshots that became the start of the journal.
    pub rewrites: u64,
    /// Batches of chunks that were packed.
    pub packed: u64,
    /// How often the journal was not trusted.
    pub poisonings: u64,
    /// Requests that ran.
    pub requests: u64,
    /// Messages whose append was acknowledged.
    pub acknowledged: u64,
    /// Appends that were sent again.
    pub retries: u64,
    /// Answers to appends of several messages at once.
    pub together: u64,
    /// Other messages that were refused because their idempotent ID was used.
    pub conflicts: u64,
    /// Appends that were refused because their epoch was not the latest.
    pub fenced: u64,
    /// How often a producer looked at what was counted of it.
    pub counted: u64,
    /// Appends that were refused because their number is lower than the last.
    pub stale: u64,
    /// Entries of producers that were seen once, in streams that know few of them.
    pub visits: u64,
    /// Messages that got a ticket, to be appended later.
    pub delayed: u64,
    /// Those of them that were taken back.
    pub undelayed: u64,
    /// Entries that went because of the bounds of their stream.
    pub retained_away: u64,
    /// Workers that were gone in the end because they had nothing to do.
    pub idle_gone: u64,
    /// Appends that were refused because the journal took none.
    pub refused: u64,
    /// Requests that got an error instead of their reply, because it was not known to be durable.
    pub not_durable: u64,
    /// Messages that a producer gave up.
    pub given_up: u64,
    /// Entries delivered to consumers, repeated ones included.
    pub delivered: u64,
    /// Entries that consumers acknowledged.
    pub consumed: u64,
    /// Entries that readers by a pattern were given, repeated ones included.
    pub given_by_pattern: u64,
    /// Streams that they had found in the end.
    pub streams_found: u64,
    /// Dead letters that were there after restarts.
    pub dead_lettered: u64,
    /// Entries that got a pause without an end.
    pub rested: u64,
    /// Holds on entries that were renewed.
    pub renewed: u64,
    /// Dead letters that went back.
    pub redriven: u64,
    /// Reads whose reply left, and that were repeated after a crash that took later batches back.
    pub looks_repeated: u64,
    /// Batches that were followed from the midst of a log.
    pub followed: u64,
    /// How often somebody else wrote to the log.
    pub overtaken: u64,
    /// Keys that were evicted.
    pub evicted: u64,
    /// Scripts whose reply said what they had done.
    pub scripts: u64,
    /// The same of functions.
    pub functions: u64,
    /// Scripts and functions that were suspended when they had written, and went on.
    pub suspended: u64,
    /// Requests that were refused because a script was not finished.
    pub busy: u64,
    /// Operations of the disk that changed something.
    pub disk_operations: u64,
}

impl Counts {
    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Counts) {
        let mut other = *other;
        for (mine, theirs) in self.all().into_iter().zip(other.all()) {
            *mine += *theirs;
        }
    }

    fn all(&mut self) -> [&mut u64; 41] {
        let Counts {
            crashes,
            power_cuts,
            stops,
            batches_lost,
            cuts,
            rewrites,
            packed,
            poisonings,
            requests,
            acknowledged,
            retries,
            together,
            conflicts,
            fenced,
            counted,
            stale,
            visits,
            delayed,
            undelayed,
            retained_away,
            idle_gone,
            refused,
            not_durable,
            given_up,
            delivered,
            consumed,
            given_by_pattern,
            streams_found,
            dead_lettered,
            rested,
            renewed,
            redriven,
            looks_repeated,
            followed,
            overtaken,
            evicted,
            scripts,
            functions,
            suspended,
            busy,
            disk_operations,
        } = self;
        [
            crashes,
            power_cuts,
            stops,
            batches_lost,
            cuts,
            rewrites,
            packed,
            poisonings,
            requests,
            acknowledged,
            retries,
            together,
            conflicts,
            fenced,
            counted,
            stale,
            visits,
            delayed,
            undelayed,
            retained_away,
            idle_gone,
            refused,
            not_durable,
            given_up,
            delivered,
            consumed,
            given_by_pattern,
            streams_found,
            dead_lettered,
            rested,
            renewed,
            redriven,
            looks_repeated,
            followed,
            overtaken,
            evicted,
            scripts,
            functions,
            suspended,
            busy,
            disk_operations,
        ]
    }
}
