//! Values of every type but streams (which [`crate::data_set`] has), of every size and content at
//! which Redis keeps them in another form, and all that can be seen of them.

use anyhow::{Context, Result, ensure};

use crate::client::Client;
use crate::value::Value;

/// Deadlines of fields, far away.
const LATER_MS: u64 = 4_102_444_800_123;

/// Makes the values, in database 5.
///
/// # Errors
/// When a request is refused.
pub fn make(client: &mut Client) -> Result<()> {
    let mut done = |words: &[String]| {
        let reply = client.command(words)?;
        let is_refused = matches!(reply, Value::Error(_));
        ensure!(!is_refused, "{:?}: {reply}", words.get(..2));
        Ok(())
    };
    done(&words(&["SELECT", "5"], []))?;
    make_lists(&mut done)?;
    make_sets(&mut done)?;
    make_sorted_sets(&mut done)?;
    make_hashes(&mut done)?;
    for (key, count) in [("hll:none", 0), ("hll:sparse", 50), ("hll:dense", 20_000)] {
        done(&words(
            &["PFADD", key],
            (0..count).map(|n| format!("visitor {n}")),
        ))?;
    }
    let places = [
        "13.361389",
        "38.115556",
        "Palermo",
        "-122.27652",
        "37.805186",
        "Oakland",
    ];
    done(&words(&["GEOADD", "geo"], places.map(String::from)))?;
    for key in [
        "list:few",
        "set:integers:3",
        "zset:2",
        "hash:2",
        "hll:sparse",
    ] {
        done(&words(&["PEXPIREAT", key], [(LATER_MS + 7).to_string()]))?;
    }
    done(&words(&["SELECT", "0"], []))
}

type Done<'a> = dyn FnMut(&[String]) -> Result<()> + 'a;

fn words(first: &[&str], rest: impl IntoIterator<Item = String>) -> Vec<String> {
    first
        .iter()
        .map(|word| (*word).to_owned())
        .chain(rest)
        .collect()
}

/// A text of as many bytes, which does not pack well.
fn text(bytes: usize) -> String {
    let letters = (0..bytes).map(|at| char::from(b'a' + (at * at * 31 % 26) as u8));
    letters.collect()
}

fn make_lists(done: &mut Done<'_>) -> Result<()> {
    let mixed = [
        "",
        "x",
        "-1",
        "127",
        "128",
        "70000",
        "9223372036854775807",
        "007",
        "a\u{1}b",
    ];
    done(&words(&["RPUSH", "list:few"], mixed.map(String::from)))?;
    for count in [128, 129, 3000] {
        let elements = (0..count).map(|n| format!("element {n}"));
        done(&words(&["RPUSH", &format!("list:{count}")], elements))?;
    }
    for bytes in [64, 65, 8000, 9000, 100_000] {
        let elements = (0..4).map(|n| text(bytes + n));
        done(&words(&["RPUSH", &format!("list:of:{bytes}")], elements))?;
    }
    Ok(())
}

fn make_sets(done: &mut Done<'_>) -> Result<()> {
    for count in [3_i64, 128, 129, 512, 513, 5000] {
        let members = (0..count).map(|n| (n * 7 - 3).to_string());
        done(&words(&["SADD", &format!("set:integers:{count}")], members))?;
    }
    for widest in ["32768", "2147483648", "-9223372036854775808"] {
        let members = ["1", "-1", widest].map(String::from);
        done(&words(&["SADD", &format!("set:widest:{widest}")], members))?;
    }
    for count in [2, 128, 129, 3000] {
        let members = (0..count).map(|n| format!("member {n}"));
        done(&words(&["SADD", &format!("set:texts:{count}")], members))?;
    }
    for bytes in [64, 65, 5000] {
        let members = ["7".to_owned(), String::new(), text(bytes)];
        done(&words(&["SADD", &format!("set:of:{bytes}")], members))?;
    }
    Ok(())
}

fn make_sorted_sets(done: &mut Done<'_>) -> Result<()> {
    let scores = [
        "-inf",
        "inf",
        "0",
        "-0",
        "0.1",
        "1e300",
        "-7",
        "4503599627370497.5",
        "3",
    ];
    let pairs = scores.iter().enumerate();
    let pairs = pairs.flat_map(|(n, score)| [(*score).to_owned(), format!("m{n}")]);
    done(&words(&["ZADD", "zset:scores"], pairs))?;
    for count in [2, 128, 129, 3000] {
        let pairs = (0..count).flat_map(|n| [(n % 50).to_string(), format!("member {n}")]);
        done(&words(&["ZADD", &format!("zset:{count}")], pairs))?;
    }
    for bytes in [64, 65, 5000] {
        let pairs = ["1".to_owned(), "7".to_owned(), "1".to_owned(), text(bytes)];
        done(&words(&["ZADD", &format!("zset:of:{bytes}")], pairs))?;
    }
    Ok(())
}

fn make_hashes(done: &mut Done<'_>) -> Result<()> {
    for count in [2, 512, 513, 3000] {
        let pairs = |n: u64| [format!("field {n}"), (n * n).to_string()];
        done(&words(
            &["HSET", &format!("hash:{count}")],
            (0..count).flat_map(pairs),
        ))?;
        // The same with deadlines: of some fields, and of all.
        for (kind, each) in [("some", 3), ("all", 1)] {
            let key = format!("hash:{kind}:{count}");
            done(&words(&["HSET", &key], (0..count).flat_map(pairs)))?;
            for n in (0..count).step_by(each) {
                let at = (LATER_MS + n % 5).to_string();
                let field = format!("field {n}");
                done(&words(&["HPEXPIREAT", &key, &at, "FIELDS", "1"], [field]))?;
            }
        }
    }
    for bytes in [64, 65, 5000] {
        let pairs = ["f".to_owned(), text(bytes), text(bytes), String::new()];
        done(&words(&["HSET", &format!("hash:of:{bytes}")], pairs))?;
    }
    Ok(())
}

/// Everything that can be seen of them, some lines for each key.
///
/// # Errors
/// When the server is gone, or holds something else.
pub fn look(client: &mut Client) -> Result<Vec<String>> {
    client.command(&["SELECT", "5"])?;
    let mut keys = texts(&client.command(&["KEYS", "*"])?)?;
    keys.sort();
    let mut lines = Vec::new();
    for key in keys {
        let kind = client.command(&["TYPE", &key])?;
        let expires_at = client.command(&["PEXPIRETIME", &key])?;
        // How strings are kept, only says how they came to be.
        let form = match kind.as_bytes() {
            Some(b"string") => Value::Nil,
            _ => client.command(&["OBJECT", "ENCODING", &key])?,
        };
        lines.push(format!("{key} is a {form} until {expires_at}"));
        let content = match kind.as_bytes() {
            Some(b"list") => texts(&client.command(&["LRANGE", &key, "0", "-1"])?)?,
            Some(b"set") => {
                let mut members = texts(&client.command(&["SMEMBERS", &key])?)?;
                members.sort();
                members
            }
            Some(b"zset") => texts(&client.command(&["ZRANGE", &key, "0", "-1", "WITHSCORES"])?)?,
            Some(b"hash") => fields(client, &key)?,
            _ => texts(&Value::Array(vec![client.command(&["GET", &key])?]))?,
        };
        lines.push(format!(
            "{key} is a {kind} of {}: {content:?}",
            content.len()
        ));
    }
    client.command(&["SELECT", "0"])?;
    Ok(lines)
}

/// The fields of a hash with values and deadlines, in an order.
fn fields(client: &mut Client, key: &str) -> Result<Vec<String>> {
    let all = texts(&client.command(&["HGETALL", key])?)?;
    let names: Vec<&str> = all.iter().step_by(2).map(String::as_str).collect();
    let count = names.len().to_string();
    let request = [&["HPEXPIRETIME", key, "FIELDS", &count][..], &names].concat();
    let reply = client.command(&request)?;
    let deadlines = reply.elements().context("no deadlines")?;
    let fields = all.chunks(2).zip(deadlines);
    let mut fields: Vec<_> = fields
        .map(|(pair, at)| format!("{} = {} until {at}", pair[0], pair[1]))
        .collect();
    fields.sort();
    Ok(fields)
}

fn texts(reply: &Value) -> Result<Vec<String>> {
    let elements = reply
        .elements()
        .with_context(|| format!("no list: {reply}"))?;
    let text = |element: &Value| {
        let bytes = element.as_bytes().context("no string")?;
        Ok(bytes.escape_ascii().to_string())
    };
    elements.iter().map(text).collect()
}
