//! Bounds on what one client, file or call can make the engine do.

/// Longest string value, in bytes (Redis' 512 MB).
pub const STRING_BYTES_MAX: usize = 512 << 20;

/// Expired keys that one timer call removes at most.
pub const EXPIRED_PER_TIMER_MAX: usize = 200;

/// Longest part of an unknown command's name or arguments that its error repeats, in bytes.
pub const ERROR_ECHO_BYTES_MAX: usize = 128;

/// Steps of work that one timer call spends on forgetting idempotent IDs at most; about a microsecond
/// each at worst.
pub const FORGOTTEN_PER_TIMER_MAX: usize = 500;

/// Pending entries that are looked at to find when a waiting reader may claim one.
pub const CLAIM_LOOKS_MAX: usize = 100;
