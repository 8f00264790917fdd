//! Looking at what programs have left in streams.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::client::Client;
use crate::value::Value;

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many entries a stream has; 0 if there is none.
///
/// # Errors
/// When the server does not tell.
pub fn length(client: &mut Client, stream: &str) -> Result<usize> {
    match client.command(&["XLEN", stream])? {
        Value::Int(length) => Ok(usize::try_from(length)?),
        other => bail!("XLEN {stream}: {other:?}"),
    }
}

/// Waits until a condition holds.
///
/// # Errors
/// When it cannot be told, or does not hold in time.
pub fn until(what: &str, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is()? {
        ensure!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The values of one field of all entries, in order.
///
/// # Errors
/// When the key is no stream.
pub fn field(client: &mut Client, stream: &str, name: &str) -> Result<Vec<String>> {
    let Value::Array(entries) = client.command(&["XRANGE", stream, "-", "+"])? else {
        bail!("{stream} is no stream");
    };
    let text = |value: &Value| match value {
        Value::Bulk(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        other => bail!("not a string: {other:?}"),
    };
    let mut values = Vec::new();
    for entry in &entries {
        let Value::Array(parts) = entry else {
            bail!("not an entry: {entry:?}");
        };
        let [_, Value::Array(fields)] = parts.as_slice() else {
            bail!("not an entry: {entry:?}");
        };
        for pair in fields.chunks_exact(2) {
            if text(&pair[0])? == name {
                values.push(text(&pair[1])?);
            }
        }
    }
    Ok(values)
}
