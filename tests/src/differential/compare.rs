//! Whether two replies say the same, the clock apart.
//!
//! - Idle times, delivery times and times to live may be some seconds apart.
//! - A lag that one server does not know may be any number (weir always knows it).
//! - How a server stores a stream or a string in memory (`radix-tree-*`, MEMORY USAGE, DUMP, OBJECT
//!   REFCOUNT) may differ.
//! - Which references to deleted entries are still there to be cleared
//!   (`generate::streams::mending`).
//! - The order of KEYS, SCAN, fields, and members is free, and so is that of entries that
//!   XREADGROUP claims whatever their idle time.
//! - What is drawn at random must be as much (`generate::samples` looks at what it is).
//! - The order of places that a search finds is free if it names none. With ANY there must be as
//!   many.
//! - A coordinate may have other digits, if they are of the same number.
//!
//! Nothing else may differ.

use crate::expect::is_id;
use crate::value::Value;

use super::command::Command;
use super::generate::{NEVER_IDLE_MS, PROBE};

/// How far two servers' times in milliseconds may be apart.
const TIME_TOLERANCE_MS: i64 = 5_000;

/// Milliseconds of an ID that a clock made: from the year 2020 to the year 2050.
const CLOCK_MS: std::ops::Range<u64> = 1_577_000_000_000..2_525_000_000_000;

/// Fields whose value is a time.
const TIME_FIELDS: [&[u8]; 4] = [b"idle", b"inactive", b"seen-time", b"active-time"];

/// Fields that show how a server stores a stream.
const STORAGE_FIELDS: [&[u8]; 2] = [b"radix-tree-keys", b"radix-tree-nodes"];

/// How a part of a reply is to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Exact,
    /// A number of milliseconds, or a negative number that is exact.
    TimeMs,
    /// A number of seconds, or a negative number that is exact.
    TimeSeconds,
    /// A number, or nil where a server does not know it.
    Lag,
    /// The name of an encoding; those of strings depend on how a string came to be, in Redis until
    /// it restarts. So does in Redis that of a hash for which HEXPIRE found no field to expire.
    Encoding,
    /// An error in which weir has both the text of Redis and that of the page that asked for the
    /// command.
    Advice,
    /// Both there, or neither.
    Presence,
    /// Elements in any order.
    Unordered,
    /// As many elements, whatever they are.
    Length,
    /// Places, with numbers that may be written in another way.
    Places,
    /// The same in any order.
    UnorderedPlaces,
    /// The entries of each stream in any order.
    UnorderedEntries,
}

/// Returns whether the replies to `command` say the same. `queued` are the commands of the
/// transaction that it ends.
pub fn same(command: &Command, queued: &[Command], a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(left), Value::Array(right))
            if command.name() == "exec"
                && left.len() == queued.len()
                && right.len() == queued.len() =>
        {
            let pairs = left.iter().zip(right);
            pairs
                .zip(queued)
                .all(|((a, b), command)| compare(rule(command), a, b))
        }
        _ => compare(rule(command), a, b),
    }
}

fn compare(rule: Rule, a: &Value, b: &Value) -> bool {
    match (rule, a, b) {
        (Rule::TimeMs, Value::Int(a), Value::Int(b)) => near(*a, *b, TIME_TOLERANCE_MS),
        (Rule::TimeSeconds, Value::Int(a), Value::Int(b)) => near(*a, *b, TIME_TOLERANCE_MS / 1000),
        (Rule::Lag, Value::Nil | Value::Int(_), Value::Nil)
        | (Rule::Lag, Value::Nil, Value::Int(_)) => true,
        (Rule::Encoding, Value::Bulk(a), Value::Bulk(b)) => {
            let of_string = |name: &[u8]| matches!(name, b"int" | b"embstr" | b"raw");
            let was_to_expire = a == b"listpackex" && b == b"listpack";
            a == b || (of_string(a) && of_string(b)) || was_to_expire
        }
        (Rule::Advice, Value::Error(a), Value::Error(b)) => {
            let short = |text: &[u8]| String::from_utf8_lossy(text).replace("syntax error: ", "");
            short(a) == short(b)
        }
        (Rule::Presence, Value::Error(_), _) | (Rule::Presence, _, Value::Error(_)) => a == b,
        (Rule::Presence, a, b) => (*a == Value::Nil) == (*b == Value::Nil),
        (Rule::Length, Value::Bulk(_), Value::Bulk(_)) => true,
        (Rule::Length, Value::Array(a), Value::Array(b))
        | (Rule::Length, Value::Set(a), Value::Set(b)) => a.len() == b.len(),
        (Rule::UnorderedPlaces, Value::Array(a), Value::Array(b)) => {
            let (mut a, mut b) = (a.clone(), b.clone());
            // Each begins with its name.
            a.sort();
            b.sort();
            compare(Rule::Places, &Value::Array(a), &Value::Array(b))
        }
        (Rule::Places, Value::Array(a), Value::Array(b)) => {
            let pairs = || a.iter().zip(b);
            a.len() == b.len() && pairs().all(|(a, b)| compare(Rule::Places, a, b))
        }
        (Rule::Places, Value::Bulk(a), Value::Bulk(b)) => {
            let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<f64>().ok();
            a == b || (a.len() > 15 && number(a).is_some() && number(a) == number(b))
        }
        (Rule::Places, Value::Double(a), Value::Double(b)) => {
            a == b || a.parse::<f64>().is_ok_and(|a| b.parse() == Ok(a))
        }
        (Rule::Unordered, Value::Array(a), Value::Array(b))
        | (Rule::Unordered, Value::Set(a), Value::Set(b)) => {
            let (mut a, mut b) = (a.clone(), b.clone());
            // The keys of SCAN stand in an array within the array.
            for value in a.iter_mut().chain(&mut b) {
                if let Value::Array(keys) = value {
                    keys.sort();
                }
            }
            a.sort();
            b.sort();
            a == b
        }
        (Rule::Unordered, Value::Map(a), Value::Map(b)) => {
            let (mut a, mut b) = (a.clone(), b.clone());
            a.sort();
            b.sort();
            a == b
        }
        (Rule::UnorderedEntries, Value::Array(a), Value::Array(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| match (a.elements(), b.elements()) {
                        (Some([a_key, a]), Some([b_key, b])) => {
                            a_key == b_key && entries_in_any_order(a, b)
                        }
                        _ => a == b,
                    })
        }
        (Rule::UnorderedEntries, Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.0 == b.0 && entries_in_any_order(&a.1, &b.1))
        }
        (_, Value::Array(a), Value::Array(b)) => lists(a, b),
        (_, Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| {
                    compare(Rule::Exact, &a.0, &b.0) && compare(field_rule(&a.0), &a.1, &b.1)
                })
        }
        (_, a, b) => a == b,
    }
}

fn lists(a: &[Value], b: &[Value]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // A pending entry: its ID, its consumer or fields, a time, and a count. XINFO leaves out the
    // second.
    let is_pending = matches!(a, [Value::Bulk(id), .., Value::Int(_), Value::Int(_)] if is_id(id));
    let time_index = if is_pending { Some(a.len() - 2) } else { None };
    (0..a.len()).all(|index| {
        let rule = if Some(index) == time_index {
            Rule::TimeMs
        } else if index % 2 == 1 {
            field_rule(&a[index - 1])
        } else {
            Rule::Exact
        };
        compare(rule, &a[index], &b[index])
    })
}

fn entries_in_any_order(a: &Value, b: &Value) -> bool {
    let sorted = |value: &Value| {
        let mut entries = value.elements().unwrap_or_default().to_vec();
        entries.sort_by_key(|entry| entry.elements().and_then(|parts| parts.first()).cloned());
        entries
    };
    lists(&sorted(a), &sorted(b))
}

/// Returns whether a reply holds an ID that a clock made, so that it says nothing about another
/// server's.
pub fn shows_clock_id(reply: &Value) -> bool {
    match reply {
        Value::Bulk(bytes) => is_clock_id(bytes),
        Value::Array(elements) => elements.iter().any(shows_clock_id),
        _ => false,
    }
}

fn is_clock_id(bytes: &[u8]) -> bool {
    let ms = bytes.split(|&byte| byte == b'-').next().unwrap_or_default();
    is_id(bytes)
        && std::str::from_utf8(ms)
            .is_ok_and(|ms| ms.parse().is_ok_and(|ms: u64| CLOCK_MS.contains(&ms)))
}

/// Returns whether the whole reply to a command has to be the same, but for times in it.
pub(super) fn is_exact(command: &Command) -> bool {
    rule(command) == Rule::Exact
}

fn rule(command: &Command) -> Rule {
    match command.name().as_str() {
        "ttl" | "expiretime" => Rule::TimeSeconds,
        "pttl" | "pexpiretime" => Rule::TimeMs,
        // A cursor that no server gave means what it happens to mean.
        "scan" if !command.has("0") => Rule::Presence,
        "keys" | "scan" | "hgetall" | "hkeys" | "hscan" | "hvals" | "zscan" | "sscan"
        | "smembers" | "sinter" | "sunion" | "sdiff" => Rule::Unordered,
        "hrandfield" | "zrandmember" | "spop" | "srandmember" if command.slot.is_some() => {
            Rule::Length
        }
        // As many are drawn as there are at most, or more.
        "hrandfield" | "zrandmember" | "spop" | "srandmember" => Rule::Unordered,
        // Distances were stored there.
        "zrange" if command.has(PROBE) => Rule::Places,
        "geopos" => Rule::Places,
        "geosearch"
        | "georadius"
        | "georadius_ro"
        | "georadiusbymember"
        | "georadiusbymember_ro" => {
            if command.has("ANY") {
                Rule::Length
            } else if ["ASC", "DESC", "COUNT"]
                .iter()
                .any(|word| command.has(word))
            {
                Rule::Places
            } else {
                Rule::UnorderedPlaces
            }
        }
        "xcfgset" => Rule::Advice,
        "dump" | "memory" => Rule::Presence,
        "xautoclaim" if command.has(NEVER_IDLE_MS) => Rule::Presence,
        "object" if command.has("REFCOUNT") => Rule::Presence,
        "object" if command.has("ENCODING") => Rule::Encoding,
        "xreadgroup" if command.has("CLAIM") && command.has("0") => Rule::UnorderedEntries,
        _ => Rule::Exact,
    }
}

fn field_rule(key: &Value) -> Rule {
    match key {
        Value::Bulk(name) if TIME_FIELDS.contains(&name.as_slice()) => Rule::TimeMs,
        Value::Bulk(name) if STORAGE_FIELDS.contains(&name.as_slice()) => Rule::Presence,
        Value::Bulk(name) if name == b"lag" => Rule::Lag,
        _ => Rule::Exact,
    }
}

fn near(a: i64, b: i64, tolerance: i64) -> bool {
    a == b || (a >= 0 && b >= 0 && a.abs_diff(b) <= tolerance.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(words: &[&str], a: &Value, b: &Value) -> bool {
        super::same(&Command::new(words), &[], a, b)
    }

    fn row(id: &str, idle_ms: i64, count: i64) -> Value {
        Value::Array(vec![
            Value::bulk(id),
            Value::bulk("c"),
            Value::Int(idle_ms),
            Value::Int(count),
        ])
    }

    #[test]
    fn idle_times_may_be_apart_but_counts_may_not() {
        let pending = |idle, count| Value::Array(vec![row("1-1", idle, count)]);
        let words = ["XPENDING", "s", "g", "-", "+", "10"];
        assert!(same(&words, &pending(10, 1), &pending(12, 1)));
        assert!(!same(&words, &pending(10, 1), &pending(10, 2)));
        assert!(!same(&words, &pending(10, 1), &pending(600_000, 1)));
        assert!(!same(&words, &pending(-1, 1), &pending(0, 1)));
    }

    #[test]
    fn fields_have_their_rules_in_both_protocols() {
        let flat = |name: &str, value: Value| Value::Array(vec![Value::bulk(name), value]);
        let map = |name: &str, value: Value| Value::Map(vec![(Value::bulk(name), value)]);
        for form in [&flat as &dyn Fn(&str, Value) -> Value, &map] {
            let words = ["XINFO", "GROUPS", "s"];
            assert!(same(
                &words,
                &form("lag", Value::Nil),
                &form("lag", Value::Int(3))
            ));
            assert!(!same(
                &words,
                &form("lag", Value::Int(2)),
                &form("lag", Value::Int(3))
            ));
            assert!(same(
                &words,
                &form("idle", Value::Int(2)),
                &form("idle", Value::Int(3))
            ));
            assert!(!same(
                &words,
                &form("pending", Value::Int(2)),
                &form("pending", Value::Int(3))
            ));
            assert!(same(
                &words,
                &form("radix-tree-keys", Value::Int(1)),
                &form("radix-tree-keys", Value::Int(7))
            ));
        }
    }
}
