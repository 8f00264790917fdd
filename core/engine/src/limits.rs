//! Bounds on what one client, file or call can make the engine do.

/// Longest string value, in bytes (Redis' 512 MB). Files with a longer one are not loaded, so that
/// no setting may allow one.
pub const STRING_BYTES_MAX: usize = 512 << 20;

/// Expired keys that one timer call removes at most.
pub const EXPIRED_PER_TIMER_MAX: usize = 200;

/// Timers of keys that one timer call looks at or moves down the wheel at most; tens of nanoseconds
/// each.
pub const LOOKS_PER_TIMER_MAX: usize = 2000;

/// Waits that one timer call ends, or tries to, at most.
pub const WAITS_PER_TIMER_MAX: usize = 200;

/// Longest part of an unknown command's name or arguments that its error repeats, in bytes.
pub const ERROR_ECHO_BYTES_MAX: usize = 128;

/// Delayed entries that one timer call appends at most; a few microseconds each if they are small.
pub const APPENDED_PER_TIMER_MAX: usize = 200;

/// About how many bytes of delayed entries one timer call appends, unless a single one has more.
pub const APPENDED_BYTES_PER_TIMER_MAX: usize = 1 << 20;

/// Producers that a stream forgets after an append at most, if it has too many: one for the
/// producer that may have come in, and one of those that a lower limit has left. Here and below,
/// one with many idempotent IDs counts as several; each takes about a microsecond.
pub const PRODUCERS_EVICTED_BY_APPEND_MAX: usize = 2;

/// Producers that a stream forgets at most when its limit is set: a small one keeps to it at once.
pub const PRODUCERS_EVICTED_BY_SETTING_MAX: usize = 100;

/// Producers that streams forget in one timer call at most, if they have too many.
pub const PRODUCERS_EVICTED_PER_TIMER_MAX: usize = 500;

/// Producers that a stream forgets before other keys get their turn.
pub const PRODUCERS_EVICTED_PER_TURN_MAX: usize = 100;

/// Looks at consumers that may be idle in one timer call at most. A consumer that goes, or as which
/// a client waits, counts as several.
pub const CONSUMER_LOOKS_PER_TIMER_MAX: usize = 5000;

/// Looks at those of one stream before other keys get their turn.
pub const CONSUMER_LOOKS_PER_TURN_MAX: usize = 1000;

/// How long a stream waits that has to change by itself and may not now, in milliseconds.
pub const HELD_RETRY_MS: i64 = 100;

/// Delayed entries of a stream that are appended before other keys get their turn.
pub const APPENDED_PER_TURN_MAX: usize = 50;

/// Entries that streams remove by themselves in one timer call at most, because of their bounds;
pub const RETAINED_PER_TIMER_MAX: u64 = 50_000;

/// how many of one stream go before others get their turn,
pub const RETAINED_PER_STEP_MAX: u64 = 10_000;

/// and with the append that makes them too many.
pub const RETAINED_WITH_APPEND_MAX: u64 = 1000;

/// Steps of work that one timer call spends on values at most, such as forgetting idempotent IDs;
/// about a microsecond each at worst.
pub const STEPS_PER_TIMER_MAX: usize = 500;

/// A pause remembers clients whose requests it holds back, even those that have gone: at most twice
/// the number of connected clients, plus this many.
pub(crate) const HELD_GONE_MAX: usize = 64;

/// From about this many bytes on, what is removed is freed where nobody waits for it. Freeing less
/// takes at most some ten microseconds.
pub const DROPPED_BYTES_MIN: usize = 1 << 20;

/// From this many bytes on, memory that a command is going to fill is made ready before it runs, by
/// a thread that nobody waits for. The system takes 0.1 to 1 ms to find and clear a megabyte.
pub const PREPARED_BYTES_MIN: usize = 8 << 20;

/// From about this many bytes on, the payload of a value is written by a thread that nobody waits
/// for. Writing less takes at most some milliseconds, where it is a stream that is unpacked.
pub const PAYLOAD_APART_BYTES_MIN: usize = 256 << 10;

/// About how many bytes may wait to be freed, unless a single value takes more.
pub const DROPPED_BYTES_MAX: usize = 256 << 20;

/// About how many bytes a key with a small value takes.
pub(crate) const RECORD_BYTES: usize = 128;

/// How often parts of a pattern are tried again before all places are tried at once.
pub(crate) const GLOB_RETRIES_MAX: usize = 1 << 20;

/// Longest pattern for which they are, in bytes; that takes some hundred bytes for each of them.
pub(crate) const GLOB_BYTES_MAX: usize = 1 << 20;

/// Chunks of a stream that are packed at once; some 20 microseconds each.
pub const PACKING_BATCH_CHUNKS_MAX: usize = 16;

/// Chunks that are held to be packed; as many take some 80 milliseconds. Beyond that, streams wait
/// until some are packed.
pub const PACKING_CHUNKS_MAX: usize = 4096;

/// How long packing a chunk takes at most, in microseconds.
pub const PACKING_CHUNK_US: u64 = 20;

/// How long a stream waits at least that finds so many chunks, in milliseconds.
pub const PACKING_RETRY_MS: u64 = 100;

/// How long a full chunk stays plain at least, in milliseconds.
pub const PACKING_DELAY_MS: u64 = 1000;

/// Bytes of a snapshot, and of a journal, that are loaded before streams are packed. A small load
/// does not wait for packing, and a large one takes only this much plain data of each in memory.
pub const LOADED_PLAIN_BYTES_MAX: u64 = 128 << 20;

/// How many pending entries that are gone from the stream one `XREADGROUP … CLAIM` finds and
/// clears; the next call clears the next ones.
pub const CLAIM_GONE_MAX: usize = 10_000;

/// How many pending entries one `XREADGROUP` takes from consumers that have held them for too long,
/// so that their pause begins; the next call takes the next ones.
pub const CLAIM_PAUSED_MAX: usize = 1000;

/// Pending entries that are looked at to find when a waiting reader may claim one.
pub const CLAIM_LOOKS_MAX: usize = 100;

/// How many entries one command moves to a dead-letter stream; the next command moves the next
/// ones, which nobody is given meanwhile.
pub const DEAD_LETTERS_MAX: usize = 1000;

/// After how many bytes of entries it moves no more of them.
pub const DEAD_LETTERS_BYTES_MAX: usize = 1 << 20;

/// Dead letters that one `XREDRIVE` looks at, for each that it may put back.
pub const REDRIVE_LOOKS_PER_LETTER: u64 = 10;

/// The greatest `COUNT` of `XREDRIVE`.
pub const REDRIVE_COUNT_MAX: u64 = 10_000;

/// Reads by patterns (`XREADGROUP … PATTERN`) that are known at a time, those with the same words
/// counted once. Whoever changes a stream compares its key with the patterns of all.
pub const PATTERN_READS_MAX: usize = 32;

/// How long the pattern and the name of the group of such a read may be each, in bytes.
pub const PATTERN_READ_BYTES_MAX: usize = 512;

/// The longest name of a stream that such a read finds, in bytes.
pub const PATTERN_READ_NAME_BYTES_MAX: usize = 1024;

/// Streams that such a read knows to have something; others are looked for again. Each takes some
/// 200 bytes beside its name.
pub const PATTERN_STREAMS_MAX: usize = 1 << 16;

/// How long a read by a pattern is remembered after its last call, in milliseconds.
pub const PATTERN_READ_IDLE_MS: u64 = 300_000;

/// Keys that one call, or one call of the timer, looks at to find those that match a pattern; about
/// a tenth of a microsecond each.
pub const PATTERN_KEYS_PER_STEP_MAX: usize = 2000;

/// Streams that one call of such a read looks at; about a microsecond each where there is nothing.
pub const PATTERN_TURNS_PER_CALL_MAX: usize = 500;

/// How far the time of a consumer's last call may lag behind in the journal, in milliseconds, if
/// the call brought nothing: a consumer that polls is written this seldom.
pub const SEEN_UNLOGGED_MS_MAX: u64 = 10_000;

/// How deep commands call one another: a transaction runs a command that calls others.
pub const CALL_DEPTH_MAX: u8 = 2;

/// Keys that `HOTKEYS` counts for each that it is asked to tell.
pub const HOT_KEYS_COUNTED_PER_ASKED: usize = 16;

/// Keys that it can be asked to tell, as many as in Redis.
pub const HOT_KEYS_ASKED_MAX: i64 = 64;

/// The longest key that it counts, in bytes.
pub const HOT_KEY_BYTES_MAX: usize = 1024;

/// Codes of errors that are counted separately, as many as in Redis.
pub const ERROR_CODES_MAX: usize = 128;

/// Events in the history of one kind of latency, as many as in Redis.
pub const LATENCY_EVENTS_MAX: usize = 160;

/// Arguments of a request that the slow log keeps, the last of which may say how many are left out.
pub const SLOW_LOG_ARGS_MAX: usize = 32;

/// Bytes of an argument that the slow log keeps.
pub const SLOW_LOG_ARG_BYTES_MAX: usize = 128;

/// Most cells of the table that `LCS` fills, the product of the lengths of both strings. Redis
/// takes four bytes for each, weir one bit.
pub const LCS_CELLS_MAX: usize = (512 << 20) / 4;

/// How many elements and keys one `SORT` looks at and makes at most. As many take one or two
/// seconds.
pub const SORT_LOOKS_MAX: usize = 4 << 20;

/// How many bytes there are at most in all that one `SORT` compares, looks up and stores.
pub const SORT_BYTES_MAX: usize = 512 << 20;

/// Requests of a client that are looked ahead at once; each costs tens of nanoseconds, whether it
/// helps or not.
pub const LOOK_AHEAD_REQUESTS_MAX: usize = 16;

/// The number of keys from which on the tables of a database do not fit into the processor's nearer
/// caches.
pub const LOOK_AHEAD_KEYS_MIN: usize = 10_000;

/// How many bytes of `MONITOR` lines, or of messages to the same clients, are collected before they
/// are sent, without the last of them.
pub const GATHERED_BYTES_MAX: usize = 256 * 1024;

/// Channels that one client may listen to, those of shards among them. When it goes, it leaves all
/// of them at once, which takes less than a microsecond each.
pub const CLIENT_CHANNELS_MAX: usize = 1 << 18;

/// Patterns that one client may listen to.
pub const CLIENT_PATTERNS_MAX: usize = 1 << 12;

/// How long the names of the channels and patterns that one client listens to may be in all, in
/// bytes, those of a request included.
pub const CLIENT_SUBSCRIPTIONS_BYTES_MAX: usize = 64 << 20;

/// Patterns of all clients, those with the same text counted once. Each message is compared with
/// all of them, which takes some tens of nanoseconds each if they are short.
pub const PATTERNS_MAX: usize = 1 << 14;

/// Channels and patterns of all clients together, counted for each client.
pub const SUBSCRIPTIONS_MAX: usize = 1 << 23;

// A snapshot has an entry in a node of its own if need be, and what was accepted must be read
// again.
const _: () = assert!(rdb::limits::NODE_BYTES_READ_MAX > resp::REQUEST_BYTES_MAX as u64);

/// Keys that are evicted before one request at most. Each takes a few microseconds.
pub const EVICTED_PER_REQUEST_MAX: usize = 32;

/// Keys that one call of the timer evicts at most.
pub const EVICTED_PER_TIMER_MAX: usize = 200;

/// How many parts of a large value that is evicted are looked at, to estimate what that frees.
pub(crate) const EVICTION_SAMPLES: usize = 5;

/// Keys that `DEBUG POPULATE` makes at most. They are one batch, and nobody else is served
/// meanwhile; to have more, it is called again with another prefix.
pub const POPULATED_KEYS_MAX: u64 = 1_000_000;

/// What they take in all at most, in bytes. The log gets as much.
pub const POPULATED_BYTES_MAX: u64 = 512 << 20;

/// How many elements a collection may have to be listed before many of them are drawn, some of them
/// several times. An element of the list takes 32 bytes.
pub const LISTED_MAX: usize = 1 << 20;

/// Scripts that came with `EVAL` and are kept, as many as in Redis.
pub const CACHED_SCRIPTS_MAX: usize = 500;

/// How long their texts may be in all, in bytes, unless there is only one. What the interpreter
/// makes of a text takes up to ten times as much.
pub const CACHED_SCRIPTS_BYTES_MAX: usize = 8 << 20;

/// How many bytes scripts may take that were loaded to stay.
pub const LOADED_SCRIPTS_BYTES_MAX: usize = 64 << 20;

/// Libraries of functions.
pub const LIBRARIES_MAX: usize = 1024;

/// How many bytes libraries may take: their texts, and what is known of their functions.
pub const LIBRARIES_BYTES_MAX: usize = 64 << 20;

/// Functions that one library may register.
pub const LIBRARY_FUNCTIONS_MAX: usize = 8192;

/// How many bytes names and descriptions of the functions of one library may take.
pub const LIBRARY_FUNCTIONS_BYTES_MAX: usize = 1 << 20;

/// Signs of life that a library gives before it must have registered its functions: ten million
/// instructions, some tens of milliseconds.
pub const LIBRARY_LOAD_TICKS_MAX: usize = 1000;

/// Signs of life that all libraries of one `FUNCTION RESTORE` give before.
pub const LIBRARIES_RESTORE_TICKS_MAX: usize = 10 * LIBRARY_LOAD_TICKS_MAX;

/// How much may be published before any of it is sent, in bytes as clients get it: a script or a
/// transaction sends nothing before it ends. It is twice what may wait for one client that listens,
/// by default.
pub const PUBLISHED_BYTES_MAX: usize = 64 << 20;

/// How much a script or transaction may write before it ends, in bytes of the log: all of it is
/// handed over at once. When it has written as much, its next command that writes is refused.
pub const BATCH_BYTES_MAX: usize = 512 << 20;

/// How many bytes the reply of a command may have that a script runs.
pub const CALLED_REPLY_BYTES_MAX: usize = 256 << 20;

/// Lines that one script may write to the log; what comes then is left out.
pub const SCRIPT_LOG_LINES_MAX: usize = 1000;

/// Longest line that a script may write to the log, in bytes.
pub const SCRIPT_LOG_BYTES_MAX: usize = 1024;

/// What a script has used up, in units of about ten nanoseconds, when its host gives the engine a
/// sign of life.
pub const UNITS_PER_TICK: u64 = 10_000;

/// What a script uses up that runs a command, beside what it does itself.
pub const UNITS_PER_CALL: u64 = 200;

/// What it uses up beyond that for a command that may look at much.
pub const UNITS_PER_HEAVY_CALL: u64 = 2_000;

/// What it uses up for each change that its command makes.
pub const UNITS_PER_CHANGE: u64 = 50;

/// How much of a command and of its reply makes up one unit, in bytes.
pub const CALLED_BYTES_PER_UNIT: u64 = 4;

/// What a script may use up before others are served: some milliseconds.
pub const SCRIPT_SLICE_UNITS: u64 = 500_000;

/// What a script may use up within a transaction, which cannot be suspended: some seconds. It is
/// ended then.
pub const UNSUSPENDED_SCRIPT_UNITS_MAX: u64 = 500_000_000;

/// Users that there are at most.
pub const USERS_MAX: usize = 65_536;

/// Passwords and selectors that a user has at most, and rules, key patterns, channel patterns and
/// first arguments that a selector has.
pub const USER_ITEMS_MAX: usize = 4096;

/// How many bytes a user may take, in rules, patterns and selectors.
pub const USER_BYTES_MAX: usize = 8 << 20;

/// Bytes that the log of denials keeps of a key, a channel, a user's name or a client.
pub const DENIAL_TEXT_BYTES_MAX: usize = 1024;

/// How long after the last one a denial counts as the same, in milliseconds.
pub const DENIAL_SAME_MS_MAX: u64 = 60_000;

/// Entries of the log of denials that are compared with a new one.
pub const DENIALS_LOOKED_AT_MAX: usize = 10;

/// Bits that `ACL GENPASS` makes at most.
pub const PASSWORD_BITS_MAX: u32 = 4096;

/// Pairs of a key that was read and a client that tracks it; as many take some hundred megabytes.
pub const TRACKED_ITEMS_MAX: usize = 1 << 24;

/// Bytes of the names of keys that were read by clients that track them, without short names.
pub const TRACKED_NAME_BYTES_MAX: usize = 256 << 20;

/// How many bytes may be kept of keys that have changed and that clients with `CLIENT TRACKING` are
/// not told of yet. If it is more, they are told that anything may have changed.
pub const UNTOLD_BYTES_MAX: usize = 16 << 20;

/// Keys that a read takes out of the table of tracked keys at most, if the table is full.
pub const UNTRACKED_PER_READ_MAX: usize = 16;

/// Keys that one call of the timer takes out of that table at most.
pub const UNTRACKED_PER_TIMER_MAX: usize = 1000;

/// Percentiles of `latency-tracking-info-percentiles`, all of which INFO tells for each command.
pub(crate) const PERCENTILES_MAX: usize = 100;

/// Prefixes of `CLIENT TRACKING` that one client may have. New ones are compared with all of them.
pub const CLIENT_PREFIXES_MAX: usize = 512;

/// Prefixes of all clients, those with the same text counted once.
pub const PREFIXES_MAX: usize = 1 << 14;

/// Longest prefix, in bytes. A key that changes is looked up by each length that there is.
pub const PREFIX_BYTES_MAX: usize = 512;

/// Migrations (`MIGRATE`) that wait or run. They are done one after the other.
pub const MIGRATIONS_MAX: usize = 64;

/// About how many bytes the values of all of them may take, as much as a request may bring to where
/// they go. Until they are sent, they share the memory of the keyspace.
pub const MIGRATED_BYTES_MAX: usize = 512 << 20;
