//! A plain blocking client for everything around the measurement: preparing data, asking for
//! counts, checking.
//!
//! It builds replies as values, so it is never used while something is measured.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use xxhash_rust::xxh3::xxh3_64;

use crate::request::encode;

/// A connection that sends one request at a time.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<TcpStream>,
}

/// A reply of RESP2. Errors are `Err` of the call instead, unless they stand inside an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A simple string, or an error inside an array.
    Text(String),
    /// An integer.
    Int(i64),
    /// A bulk string.
    Bulk(Vec<u8>),
    /// An array.
    Array(Vec<Value>),
    /// Either null.
    Null,
}

impl Control {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// When the server replies with an error (whose text the error shows) or does not reply at all.
    pub fn ask<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Value> {
        let arguments: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
        let mut bytes = Vec::new();
        encode(&arguments, &mut bytes);
        self.stream.get_mut().write_all(&bytes)?;
        self.read().with_context(|| {
            let shown: Vec<_> = arguments
                .iter()
                .take(6)
                .map(|a| String::from_utf8_lossy(a))
                .collect();
            shown.join(" ")
        })
    }

    /// Sends a request and waits for an integer.
    ///
    /// # Errors
    /// As [`Control::ask`], and when the reply is something else.
    pub fn ask_int<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<i64> {
        match self.ask(arguments)? {
            Value::Int(number) => Ok(number),
            other => bail!("an integer was expected, not {other:?}"),
        }
    }

    /// One section of INFO as names and texts.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub fn info(&mut self, section: &str) -> Result<HashMap<String, String>> {
        let Value::Bulk(text) = self.ask(&["INFO", section])? else {
            bail!("INFO {section} did not give a text")
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        let pairs = text
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'));
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// One number of INFO.
    ///
    /// # Errors
    /// As [`Control::ask`], and when the section has no such number.
    pub fn info_number(&mut self, section: &str, name: &str) -> Result<u64> {
        let fields = self.info(section)?;
        let text = fields
            .get(name)
            .with_context(|| format!("INFO {section} has no {name}"))?;
        text.parse()
            .with_context(|| format!("INFO {section}: {name}:{text}"))
    }

    /// One number of XINFO STREAM.
    ///
    /// # Errors
    /// As [`Control::ask`], and when there is no such number.
    pub fn stream_number(&mut self, key: &str, name: &str) -> Result<u64> {
        let Value::Array(fields) = self.ask(&["XINFO", "STREAM", key])? else {
            bail!("XINFO STREAM did not give a list")
        };
        let wanted = Value::Bulk(name.as_bytes().to_vec());
        let at = fields.iter().position(|field| *field == wanted);
        let at = at.with_context(|| format!("XINFO STREAM has no {name}"))?;
        match fields.get(at + 1) {
            Some(Value::Int(number)) => Ok(*number as u64),
            other => bail!("XINFO STREAM: {name}: {other:?}"),
        }
    }

    /// Sum of a digest of each entry's fields and values, read back from the whole stream, and the
    /// number of entries. Blind to the order of entries and to their IDs, which differ from run to
    /// run.
    ///
    /// # Errors
    /// As [`Control::ask`], and when a reply is not a list of entries.
    pub fn stream_digest(&mut self, key: &str) -> Result<(u64, u64)> {
        let (mut digest, mut count) = (0_u64, 0);
        let mut start = "-".to_owned();
        loop {
            let Value::Array(entries) = self.ask(&["XRANGE", key, &start, "+", "COUNT", "1000"])?
            else {
                bail!("XRANGE did not give a list")
            };
            if entries.is_empty() {
                return Ok((digest, count));
            }
            for entry in entries {
                let Value::Array(parts) = entry else {
                    bail!("an entry is not a list")
                };
                let [Value::Bulk(id), Value::Array(fields)] = &parts[..] else {
                    bail!("an entry is not a pair of ID and fields")
                };
                let mut bytes = Vec::new();
                for field in fields {
                    let Value::Bulk(field) = field else {
                        bail!("a field is not a string")
                    };
                    bytes.extend_from_slice(format!("${}\r\n", field.len()).as_bytes());
                    bytes.extend_from_slice(field);
                    bytes.extend_from_slice(b"\r\n");
                }
                digest = digest.wrapping_add(xxh3_64(&bytes));
                count += 1;
                start = format!("({}", String::from_utf8_lossy(id));
            }
        }
    }

    fn read(&mut self) -> Result<Value> {
        match self.read_element()? {
            (b'-', Value::Text(text)) => bail!("{text}"),
            (_, value) => Ok(value),
        }
    }

    fn read_element(&mut self) -> Result<(u8, Value)> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        let [kind, text @ .., b'\r', b'\n'] = &line[..] else {
            bail!("the server closed the connection")
        };
        let text = String::from_utf8_lossy(text).into_owned();
        let value = match kind {
            b'+' | b'-' => Value::Text(text),
            b':' => Value::Int(text.parse()?),
            b'$' => match text.parse::<i64>()? {
                -1 => Value::Null,
                length => {
                    let mut bytes = vec![0; usize::try_from(length)? + 2];
                    self.stream.read_exact(&mut bytes)?;
                    bytes.truncate(bytes.len() - 2);
                    Value::Bulk(bytes)
                }
            },
            b'*' => match text.parse::<i64>()? {
                -1 => Value::Null,
                length => Value::Array(
                    (0..length)
                        .map(|_| Ok(self.read_element()?.1))
                        .collect::<Result<Vec<_>>>()?,
                ),
            },
            _ => bail!("not a reply of RESP2: {text:?}"),
        };
        Ok((*kind, value))
    }
}

/// Long enough for any single request of a bench, short enough that a server that hangs is noticed.
const REPLY_TIMEOUT: Duration = Duration::from_secs(120);
