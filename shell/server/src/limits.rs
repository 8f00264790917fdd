//! Bounds on what a connection can take.

/// Bytes read from a socket at once.
pub const READ_BYTES: usize = 64 * 1024;

/// A large argument gets room for this many times what has arrived of it, or for all of it if that
/// is less: its length is only the client's claim, and making room again copies what is there.
pub const LARGE_GROWTH: usize = 16;

/// How many bytes of a large argument move at once where it needs more room, before others have
/// their turn. The system may take some milliseconds to find and clear so much memory.
pub const MOVED_BYTES: usize = 256 * 1024;

/// Replies are written when this many bytes have accumulated, even if there are more requests.
pub const REPLY_BATCH_BYTES: usize = 1 << 20;

/// Where long replies take their buffer with them, the next one begins with this much room at most.
pub const REPLY_ROOM_BYTES: usize = 256 * 1024;

/// Once this many bytes of requests have been read, they run under one hold of the shard's lock,
/// even if more connections are ready. A core's own cache can hold this much beside everything
/// else.
pub const CYCLE_BYTES: usize = 32 * 1024;

/// Fewer bytes of requests than this, about forty small ones, wait for what comes next to share
/// its sync, as long as something comes.
pub const SMALL_CYCLE_BYTES: usize = 4 * 1024;

/// Bytes that may wait for a client that does not read what others send to it, even if the settings
/// allow more.
pub const PUSHED_BYTES_MAX: usize = 32 << 20;

/// What others send to a client is appended by copying if it is shorter than this: to keep it
/// separately takes more memory.
pub const PUSHED_APART_BYTES_MIN: usize = 4096;

/// Bytes that are sent to a client at once, if its socket takes them, before others have their
/// turn.
pub const SEND_BYTES: usize = 1 << 20;

/// Bytes that may wait for the log before the engine is told of them.
pub const UNTOLD_BYTES_MAX: usize = 64 * 1024;

/// Memory that a connection keeps for its next bytes, in each direction, when it has none to keep.
pub const KEPT_BYTES_MAX: usize = 1024;

/// About how many bytes may wait for the thread that frees large values. Beyond this, other threads
/// free values themselves.
pub const DROPPER_BYTES_MAX: usize = 512 << 20;

/// Pieces of replies that a connection keeps room for when it has none to keep.
pub const KEPT_PIECES_MAX: usize = 16;

/// A command with a larger request or reply is measured on its own.
pub const LIGHT_BYTES_MAX: usize = 4096;

/// How much a thread's memory may grow or shrink before the server's figure is updated.
pub const UNTOLD_MEMORY_BYTES_MAX: u64 = 64 * 1024;

/// How long requests of one connection run under one hold of the shard's lock, in nanoseconds;
/// beyond that by what the last of them take.
pub const HOLD_NS_MAX: u64 = 4_000_000;

/// How many requests run at most, none of which is measured, before the clock is looked at.
pub const HOLD_LOOK_REQUESTS_MAX: u32 = 16;

/// Longest file of users, in bytes.
pub(crate) const USERS_FILE_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a TLS handshake that a client may send.
pub const TLS_HANDSHAKE_BYTES_MAX: usize = 128 * 1024;

/// How long a TLS handshake may take, in milliseconds.
pub const TLS_HANDSHAKE_MS_MAX: u64 = 10_000;

/// Bytes of replies that are encrypted before those before them have left.
pub const TLS_PENDING_BYTES: usize = 64 * 1024;

/// Encrypted bytes that a connection reads before what came of them runs.
pub const TLS_TURN_BYTES: usize = 128 * 1024;

/// Sessions that clients may resume take no more than this together.
pub const TLS_SESSIONS_BYTES_MAX: usize = 32 << 20;

/// A file with certificates or a key may be this long.
pub const TLS_FILE_BYTES_MAX: u64 = 4 << 20;

/// A folder with certificates of authorities may hold this many files.
pub const TLS_AUTHORITY_FILES_MAX: usize = 4096;

/// Keys that a migration sends before it reads the replies.
pub const MIGRATION_BATCH_KEYS_MAX: usize = 128;

/// About how many bytes it sends before, unless a single key takes more.
pub const MIGRATION_BATCH_BYTES: usize = 1 << 20;

/// Bytes that are written to the target of a migration in one step.
pub const MIGRATION_PIECE_BYTES: usize = 64 * 1024;

/// How long one step of a migration may take, whatever its request says, in milliseconds.
pub const MIGRATION_STEP_MS_MAX: u64 = 3_600_000;

/// About how long a reply of the target may be, in bytes: what it sends is one line.
pub const MIGRATION_REPLY_BYTES_MAX: usize = 4096;

/// Addresses of the target that are tried.
pub const MIGRATION_ADDRESSES_MAX: usize = 4;
