//! Replies as a client reads them (RESP2).

use anyhow::{Context, Result, bail};
use stream::StreamId;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A simple or bulk string.
    Text(Vec<u8>),
    /// An error, its prefix included.
    Error(String),
    /// An integer.
    Number(i64),
    /// Nothing, of either kind.
    Null,
    /// An array.
    List(Vec<Answer>),
}

impl Answer {
    /// Reads the reply at the front of `bytes`, which lose it.
    pub(crate) fn read(bytes: &mut &[u8]) -> Result<Answer> {
        let end = bytes
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .context("a reply is cut off")?;
        let (line, rest) = (&bytes[..end], &bytes[end + 2..]);
        *bytes = rest;
        let (kind, line) = line.split_first().context("an empty reply")?;
        let text = std::str::from_utf8(line)?;
        Ok(match kind {
            b'+' => Answer::Text(line.to_vec()),
            b'-' => Answer::Error(text.to_owned()),
            b':' => Answer::Number(text.parse()?),
            b'$' if text == "-1" => Answer::Null,
            b'*' if text == "-1" => Answer::Null,
            b'$' => {
                let len: usize = text.parse()?;
                let content = bytes.get(..len).context("a bulk string is cut off")?;
                *bytes = &bytes[len + 2..];
                Answer::Text(content.to_vec())
            }
            b'*' => {
                let len: usize = text.parse()?;
                let items = (0..len).map(|_| Answer::read(bytes));
                Answer::List(items.collect::<Result<_>>()?)
            }
            _ => bail!("a reply of an unknown kind"),
        })
    }

    /// Its members, if it is a list.
    pub(crate) fn list(&self) -> Option<&[Answer]> {
        match self {
            Answer::List(items) => Some(items),
            _ => None,
        }
    }

    /// The ID that it is the text of.
    pub(crate) fn id(&self) -> Option<StreamId> {
        match self {
            Answer::Text(text) => StreamId::parse(text, 0).ok(),
            _ => None,
        }
    }

    /// The number that it is, or is the text of.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Answer::Number(number) => Some(*number),
            Answer::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }
}
