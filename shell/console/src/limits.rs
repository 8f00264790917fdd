//! Bounds on what those who call by HTTP can take.

use std::time::Duration;

/// Connections at once; the next is told to come back.
pub(crate) const CONNECTIONS_MAX: usize = 64;

/// Bytes of the head of a request: its line and its headers.
pub(crate) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Headers of a request.
pub(crate) const HEADERS_MAX: usize = 64;

/// Bytes of the body of a request.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// How long a connection may take to send the head of a request, a silent one included.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(15);

/// How long a request may take, with its body and its answer, before it is given up.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(15);

/// How long a connection may last: then it is closed between two requests, or cut off soon after.
/// So one who reads nothing holds an answer no longer than that.
pub(crate) const CONNECTION_TIME: Duration = Duration::from_secs(10 * 60);

/// How long connections have to end when they are asked to.
pub(crate) const END_TIME: Duration = Duration::from_secs(2);

/// Bytes of a reply of the server to a command of the console.
pub(crate) const REPLY_BYTES_MAX: usize = 16 << 20;

/// How deep arrays of a reply may be within one another.
pub(crate) const REPLY_DEPTH_MAX: usize = 16;

/// Streams, and groups, that the metrics tell of unless they are asked for more or fewer.
pub(crate) const METRICS_ROWS_DEFAULT: usize = 50;

/// Streams, and groups, that the metrics tell of at most.
pub(crate) const METRICS_ROWS_MAX: usize = 1000;

/// Bytes of a name that the metrics show as it is.
pub(crate) const LABEL_BYTES_MAX: usize = 96;

/// Pending entries of a group that are looked at to count those that were delivered again.
pub(crate) const PENDING_LOOKED_AT_MAX: usize = 1000;

/// Streams of which a walk through the keyspace keeps a row; of others it keeps sums only.
pub(crate) const SURVEY_ROWS_MAX: usize = 200_000;

/// A walk through the keyspace is made again when this many times its own duration has passed, so
/// that walking takes no more than a twentieth of a core.
pub(crate) const SURVEY_PAUSE: u32 = 20;

/// A walk through more keys than that is not waited for where there is an older one, nor by a
/// scrape of metrics. One through as many takes some 25 ms.
pub(crate) const SURVEY_KEYS_WAITED_FOR: usize = 10_000;

/// For how long a token may be used.
pub(crate) const TOKEN_TIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Tokens at once.
pub(crate) const TOKENS_MAX: usize = 256;

/// Connections at once that listen to events.
pub(crate) const LISTENERS_MAX: usize = 16;

/// How far apart events are: what happens is seen within a second, on a busy machine too.
pub(crate) const EVENT_PAUSE: Duration = Duration::from_millis(500);

/// Things that an answer lists unless it is asked for more or fewer.
pub(crate) const PAGE_DEFAULT: u64 = 100;

/// Things that an answer lists at most, and IDs that an action takes at most.
pub(crate) const PAGE_MAX: u64 = 1000;

/// Entries that are looked at for one answer, to find those that contain a text.
pub(crate) const SEARCHED_MAX: u64 = 10_000;

/// Bytes of a string that one answer shows.
pub(crate) const STRING_BYTES_SHOWN_MAX: u64 = 64 * 1024;

/// Idempotent IDs that are looked at to see how well a stream's window fits.
pub(crate) const ADVICE_IIDS_MAX: u64 = 1_000_000;
