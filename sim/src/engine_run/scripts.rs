//! Scripts that count up three keys, as functions do: whatever happens, all three have the same
//! number.

use anyhow::{Result, ensure};
use engine::Engine;
use stream::Stream;
use values::StringValue;

use super::bystander::stream_of;
use super::request::{Purpose, Request, request};
use crate::rng::Rng;

/// Keys that only scripts and functions change, and always together.
pub(super) const KEYS: [&str; 3] = ["script:a", "script:s", "script:b"];

/// The counter that they are in the ledger.
pub(super) const COUNTER: u64 = 4;

/// Takes some instructions; enough of them for the script to be suspended.
pub(super) const WAIT: &str = "for i = 1, tonumber(ARGV[1]) do end ";

pub(super) const FIRST: &str = "local n = redis.call('INCR', KEYS[1]) ";
pub(super) const SECOND: &str = "redis.call('XADD', KEYS[2], '*', 'n', n) ";
pub(super) const THIRD: &str = "local m = redis.call('INCR', KEYS[3]) ";

/// Draws a script.
pub(super) fn request(rng: &mut Rng) -> Request {
    let (wait, instructions) = match rng.once_in(2) {
        true => (WAIT, 200_000 + rng.below(600_000)),
        false => ("", 0),
    };
    let (script, purpose) = match rng.below(8) {
        0 => return look(),
        // Whoever ends it now, ends it before it has written.
        1 => (
            [wait, FIRST, SECOND, THIRD, "return m"].concat(),
            Purpose::Script,
        ),
        // It fails when all is done: what it did counts all the same.
        2 => (
            [FIRST, wait, THIRD, SECOND, "error('done')"].concat(),
            Purpose::Any,
        ),
        // A command in the middle fails, and the script goes on.
        3 => {
            let fails = "redis.pcall('LPUSH', KEYS[1], 'x') redis.pcall('NOSUCH') ";
            (
                [FIRST, fails, SECOND, wait, fails, THIRD, "return m"].concat(),
                Purpose::Script,
            )
        }
        // It fails before it has written.
        4 => (
            [wait, "redis.call('XLEN', KEYS[1]) error('not done')"].concat(),
            Purpose::Any,
        ),
        _ => (
            [FIRST, wait, SECOND, wait, THIRD, "return m"].concat(),
            Purpose::Script,
        ),
    };
    let [a, s, b] = KEYS;
    request!(purpose, "EVAL", script, 3, a, s, b, instructions)
}

/// Two of the keys, which a script reads.
pub(super) fn look() -> Request {
    let script = "return redis.call('MGET', KEYS[1], KEYS[2])";
    request!(Purpose::Pair, "EVAL_RO", script, 2, KEYS[0], KEYS[2])
}

/// Checks that no script is there by half.
///
/// # Errors
/// One is.
pub(super) fn ensure_whole(engine: &Engine) -> Result<()> {
    let number = |key: &str| {
        let keyspace = engine.keyspace();
        let record = keyspace.find(0, keyspace.hash(key.as_bytes()), key.as_bytes())?;
        record.value().get::<StringValue>()?.as_integer()
    };
    let [a, s, b] = KEYS;
    let entries = stream_of(engine, s).map_or(0, Stream::len);
    let (a, b) = (number(a).unwrap_or(0), number(b).unwrap_or(0));
    ensure!(
        a == b && u64::try_from(a) == Ok(entries),
        "half a script: {a}, {entries}, {b}"
    );
    Ok(())
}
