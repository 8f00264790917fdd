//! Data of every kind that weir keeps, and requests that look at all of it, to see whether it comes
//! back from files.

use anyhow::{Result, ensure};

use crate::client::Client;
use crate::value::Value;

/// The requests that make the data, one on each line.
const MAKING: &str = "
SET plain value
SET number 12345
SET negative -7
SET expiring soon PXAT 4102444800123
SET empty \"\"
APPEND long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
SETBIT bits 100 1
SELECT 3
SET elsewhere 1 PXAT 4102444800999
XADD other 5-5 a b
SELECT 0
XGROUP CREATE lonely nobody $ MKSTREAM
XGROUP CREATECONSUMER lonely nobody somebody
XADD emptied 1-1 f v
XADD emptied 2-1 f v
XDEL emptied 1-1 2-1
XADD timed * f v
PEXPIREAT timed 4102444800000
XCFGSET orders IDMP-DURATION 86400 IDMP-MAXSIZE 5
XDEL orders 3-1 4-1 60-1
XGROUP CREATE orders first 0
XGROUP CREATE orders second 50-1
XGROUP CREATE orders third $ ENTRIESREAD 17
XREADGROUP GROUP first alice COUNT 10 STREAMS orders >
XREADGROUP GROUP first bob COUNT 7 STREAMS orders >
XREADGROUP GROUP first alice COUNT 3 STREAMS orders >
XREADGROUP GROUP second carol COUNT 2 NOACK STREAMS orders >
XREADGROUP GROUP second carol COUNT 2 STREAMS orders >
XACK orders first 1-1 2-1 12-1
XCLAIM orders first carol 0 5-1 6-1 TIME 1700000000000 RETRYCOUNT 9
XDEL orders 7-1
XSETID orders 9000000000000-5 ENTRIESADDED 500 MAXDELETEDID 70-1
XADD orders IDMP producer-1 first * kind idempotent
XADD orders IDMP producer-1 second * kind idempotent
XADD orders IDMP producer-2 first * kind idempotent
XADD orders IDMPAUTO producer-3 * kind automatic
XADD orders IDMP producer-4 gone * kind deleted
";

/// The requests that look at it. Times at which a consumer was seen do not count as data, and
/// neither does how a server divides a stream.
const LOOKING: &str = "
DBSIZE
GET plain
GET number
GET negative
GET expiring
PEXPIRETIME expiring
GET empty
GET long
GET bits
TYPE orders
XRANGE orders - +
XRANGE lonely - +
XRANGE emptied - +
XRANGE timed - +
PEXPIRETIME timed
XPENDING orders first
XPENDING orders second
XPENDING orders third
XINFO STREAM orders FULL COUNT 0
XINFO STREAM lonely FULL COUNT 0
XINFO STREAM emptied FULL COUNT 0
SELECT 3
DBSIZE
GET elsewhere
PEXPIRETIME elsewhere
XRANGE other - +
SELECT 0
";

/// Idempotent appends once more: each must answer the ID that it had the first time.
const REPEATING: &str = "
XADD orders IDMP producer-1 first * kind idempotent
XADD orders IDMP producer-1 second * kind idempotent
XADD orders IDMP producer-2 first * kind idempotent
XADD orders IDMPAUTO producer-3 * kind automatic
XADD orders IDMP producer-4 gone * kind deleted
";

/// Fields of `XINFO` that do not count; the lag follows from others, and weir can tell it more
/// often.
const UNCOUNTED: [&str; 6] = [
    "lag",
    "radix-tree-keys",
    "radix-tree-nodes",
    "seen-time",
    "active-time",
    "iids-duplicates",
];

/// Makes the data on an empty server.
///
/// # Errors
/// When a request is refused.
pub fn make(client: &mut Client) -> Result<()> {
    for number in 1..=80 {
        let (id, value) = (format!("{number}-1"), format!("value {number}"));
        let request = match number % 3 {
            0 => vec!["XADD", "orders", &id, "kind", "plain", "text", &value],
            1 => vec!["XADD", "orders", &id, "kind", "other", "text", &value],
            _ => vec!["XADD", "orders", &id, "number", "12345"],
        };
        done(client, &request)?;
    }
    for request in requests(MAKING) {
        done(client, &request)?;
    }
    // The id of an entry that is gone is remembered all the same.
    let last = done(client, &["XREVRANGE", "orders", "+", "-", "COUNT", "1"])?;
    let id = last
        .elements()
        .and_then(|found| found.first()?.elements()?.first()?.as_argument());
    done(
        client,
        &["XDEL".into(), "orders".into(), id.unwrap_or_default()],
    )?;
    Ok(())
}

/// Everything that can be seen of the data, one line for each request.
///
/// # Errors
/// When the server is gone.
pub fn look(client: &mut Client) -> Result<Vec<String>> {
    ask_all(client, LOOKING)
}

/// What idempotent appends that were made before answer now.
///
/// # Errors
/// When the server is gone.
pub fn repeat(client: &mut Client) -> Result<Vec<String>> {
    ask_all(client, REPEATING)
}

/// One request and its answer, in a line.
///
/// # Errors
/// When the server is gone.
pub fn ask(client: &mut Client, request: &str) -> Result<String> {
    let words: Vec<&str> = request.split(' ').collect();
    let reply = client.command(&words)?;
    Ok(format!("{request}: {}", counted(&reply)))
}

fn ask_all(client: &mut Client, text: &str) -> Result<Vec<String>> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| ask(client, line)).collect()
}

fn done(client: &mut Client, request: &[impl AsRef<[u8]>]) -> Result<Value> {
    let reply = client.command(request)?;
    let name = String::from_utf8_lossy(request[0].as_ref()).into_owned();
    ensure!(!matches!(reply, Value::Error(_)), "{name}: {reply}");
    Ok(reply)
}

/// The words of each line.
fn requests(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.is_empty()).map(|line| {
        line.split(' ')
            .map(|word| if word == "\"\"" { "" } else { word })
            .collect()
    })
}

/// The reply without what does not count.
fn counted(reply: &Value) -> Value {
    match reply {
        Value::Array(elements) => {
            let mut kept = Vec::new();
            let mut elements = elements.iter();
            while let Some(element) = elements.next() {
                let name = element.as_bytes().unwrap_or_default();
                if UNCOUNTED
                    .iter()
                    .any(|uncounted| uncounted.as_bytes() == name)
                {
                    elements.next();
                } else {
                    kept.push(counted(element));
                }
            }
            Value::Array(kept)
        }
        other => other.clone(),
    }
}
