//! Reads what another server wrote and writes it again, to compare weir with that server.
//!
//! `rewrite payloads` takes payloads of `DUMP` in hex, one a line, and answers each restored and
//! dumped again, or `error: …`. `rewrite snapshot` takes a snapshot and writes it again. Both read
//! standard input and write standard output; the time is given as a second argument, in ms since
//! the epoch.

use std::env;
use std::error::Error;
use std::io::{self, Read, Write};

use rdb::{Compression, Context, Item, SnapshotReader, SnapshotWriter};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let now_ms = arguments.get(2).map_or(Ok(0), |text| text.parse())?;
    let retention = stream::Retention {
        duration_s: 100,
        maxsize: 100,
    };
    let context = Context {
        now_ms,
        hash_seed: 1,
        retention,
        thresholds: values::Thresholds::DEFAULT,
        packing: rdb::Packing::BeyondBytes(0),
    };
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let output = match arguments.get(1).map(String::as_str) {
        Some("payloads") => payloads(&input, &context),
        Some("snapshot") => snapshot(&input, context)?,
        _ => return Err("`payloads` or `snapshot` expected".into()),
    };
    io::stdout().lock().write_all(&output)?;
    Ok(())
}

fn payloads(input: &[u8], context: &Context) -> Vec<u8> {
    let mut output = Vec::new();
    for line in input
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        match rdb::restore(&from_hex(line), context) {
            Ok(value) => {
                let digits = |byte: &u8| [hex_digit(byte >> 4), hex_digit(byte & 15)];
                output.extend(rdb::dump(&value).iter().flat_map(digits));
            }
            Err(error) => output.extend(format!("error: {error}").into_bytes()),
        }
        output.push(b'\n');
    }
    output
}

fn snapshot(input: &[u8], context: Context) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut reader = SnapshotReader::new(input, context)?;
    let mut writer = SnapshotWriter::new(Vec::new(), Compression::Lzf)?;
    let mut database = 0;
    while let Some(item) = reader.next()? {
        match item {
            Item::Auxiliary { name, value } => writer.auxiliary(&name, &value)?,
            Item::Database(index) => database = index,
            Item::Size { keys, expiring } => writer.database(database, keys, expiring)?,
            Item::Function(library) => writer.function(&library)?,
            Item::ModuleData { .. } | Item::Unknown { .. } => {}
            Item::Record(record) => {
                writer.record(
                    &record.key,
                    &record.value,
                    record.expires_at_ms,
                    record.usage,
                )?;
            }
        }
    }
    Ok(writer.finish()?)
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    text.chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, &digit| byte << 4 | value(digit)))
        .collect()
}

fn hex_digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'a' + value - 10,
    }
}
