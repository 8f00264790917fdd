//! The bounds of a stream's parts, in one place.

/// Bytes of encoded entries in a chunk. Only a chunk of one entry may be larger.
pub(crate) const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// A chunk's offsets are found by walking at most this many entries from a mark,
pub(crate) const MARK_ENTRIES_MAX: usize = 16;

/// or about this many bytes.
pub(crate) const MARK_BYTES: usize = 1024;

/// Chunks that share one copy-on-write node.
pub(crate) const BLOCK_CHUNKS_MAX: usize = 128;

/// How many bytes the fields and values of a delayed entry may have at most. It is appended while
/// others wait, and as many bytes take some milliseconds.
pub const DELAYED_BYTES_MAX: usize = 8 << 20;

/// Field-name sets that one table holds.
pub(crate) const SHAPES_MAX: usize = 62;

/// Names in a set that is kept once; wider entries carry their own names.
pub(crate) const SHAPE_FIELDS_MAX: usize = 256;

/// Bytes of names in a set that is kept once.
pub(crate) const SHAPE_NAME_BYTES_MAX: usize = 8 * 1024;

/// Bytes of encoded entries below which packing a chunk gives too little,
pub(crate) const PACKED_BYTES_MIN: usize = 1024;

/// and above which unpacking it would take too long: a chunk of one large entry.
pub(crate) const PACKED_BYTES_MAX: usize = 256 * 1024;

/// Chunks that are kept unpacked beside the packed ones, for clients that continue where they
/// stopped.
pub(crate) const UNPACKED_CHUNKS: usize = 4;

/// Chunks that are kept unpacked while many IDs in no order are looked up, some 8 MiB of them.
pub(crate) const LOOKUP_CHUNKS_MAX: usize = 512;

/// After this many bytes of entries in a reply, the rest is rendered when it is sent, so that no
/// other client waits for it. Most requests ask for less, and what is sent in one piece costs less:
/// a thousand entries of 200 bytes are.
pub(crate) const DEFERRED_BYTES_MIN: usize = 256 * 1024;

/// In a reply that is already long, this many entries are enough to be rendered when they are sent.
pub(crate) const DEFERRED_LATE_ENTRIES_MIN: u64 = 16;

/// The same for entries that are chosen one by one, in bytes: how many there will be is not known.
pub(crate) const DEFERRED_LATE_BYTES_MIN: usize = 4 * 1024;

/// Chosen entries that one run renders. This many are chosen before the reply counts them.
pub(crate) const CHOSEN_RUN_ENTRIES_MAX: usize = 4096;

/// Full chunks before the tail that stay plain, so that clients that read what was just written
/// never unpack.
pub(crate) const PLAIN_CHUNKS: usize = 2;

/// Chunks that one search for chunks to pack looks at.
pub(crate) const PACKING_LOOKS_MAX: usize = 4096;

/// If packing does not pay, at least one chunk in two to the power of this is tried.
pub(crate) const PACKING_BACKOFF_MAX: u16 = 6;

/// Chunks that are looked at to estimate how many bytes a stream takes.
pub(crate) const WEIGHED_CHUNKS: usize = 8;

/// About how many bytes a group, a consumer and a pending entry take.
pub(crate) const GROUP_BYTES: usize = 512;
pub(crate) const CONSUMER_BYTES: usize = 128;
pub(crate) const PENDING_BYTES: usize = 48;

/// Groups that are asked in turn about each entry. Where there are more, an index may answer.
pub(crate) const ASKED_GROUPS_MAX: usize = 16;

/// Pending entries that are walked over in search of one that every group has behind it. Where
/// there are more, an index notes how far it was.
pub(crate) const WALKED_PENDING_MAX: usize = 1024;

/// The longest key of a dead-letter stream, in bytes: it is part of the settings of a group, which
/// a snapshot has in one piece.
pub(crate) const DEAD_LETTER_KEY_BYTES_MAX: usize = 512;

/// Pending entries that one step of a stream towards its bounds forgets, in all groups together;
/// one of each group if there are more groups.
pub(crate) const RETAIN_REFERENCES_MAX: usize = 2000;

/// From this many entries too many on, a stream does not wait until it can remove a whole node.
pub(crate) const RETAIN_EXACT_FROM: u64 = 1000;

/// Entries that some group still needs which such a step looks past for others that may go.
pub(crate) const RETAIN_LOOKED_PAST_MAX: u64 = 1000;

/// How long a stream rests after its last step, in milliseconds: what grows too old in between goes
/// together.
pub(crate) const RETAIN_REST_MIN_MS: u64 = 100;

/// The longest rest of a stream whose groups still need everything. It doubles up to there.
pub(crate) const RETAIN_REST_MAX_MS: u64 = 10_000;

/// Between two looks at all its consumers a stream rests for this part of the time after which they
/// go,
pub(crate) const IDLE_RESTS: u64 = 8;

/// at least for this long,
pub(crate) const IDLE_REST_MIN_MS: u64 = 100;

/// and at most for this long, in milliseconds,
pub(crate) const IDLE_REST_MAX_MS: u64 = 60_000;

/// but for a millisecond for each so many that it has looked at.
pub(crate) const IDLE_LOOKS_PER_REST_MS: usize = 1000;

/// As many looks as a consumer costs that goes or waits, beside the one at it,
pub(crate) const LOOKS_PER_IDLE_CONSUMER: usize = 10;

/// the bytes of its name that cost another look,
pub(crate) const IDLE_NAME_BYTES_PER_LOOK: usize = 256;

/// and the places of consumers which have gone that do.
pub(crate) const IDLE_PLACES_PER_LOOK: usize = 64;
