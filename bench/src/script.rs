//! Requests written as text, for works that send many different ones once rather than one many
//! times.
//!
//! A line is a request, its arguments separated by spaces. `1000 * SET k# v` sends it a thousand
//! times. `#` is the number of each, from 0 on; `~` is the same numbers in an order that jumps
//! about (alone it is itself). In braces, `{1000 x k#}` stands for that many arguments (or groups
//! of them), where `%` is the number of the request, `{1000*v}` for a text repeated within an
//! argument, and `{1000}` for the number itself. All these counts shrink with the scale of a run;
//! other numbers stay as they are.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};

use crate::request::encode;
use crate::works::Scale;

/// A request that may be sent many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    times: u64,
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    One(Vec<Piece>),
    /// So many groups of arguments.
    Many(u64, Vec<Vec<Piece>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Serial,
    /// Serial numbers below a count, in an order that jumps about.
    Shuffled(u64),
    /// The number of the request.
    Request,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// When a brace is not closed or a count is not a number.
    pub fn parse(line: &str, scale: Scale) -> Result<Request> {
        let (times, rest) = match line.split_once(" * ") {
            Some((count, rest)) if count.bytes().all(|digit| digit.is_ascii_digit()) => {
                (scaled(count, scale)?, rest)
            }
            _ => (1, line),
        };
        let mut words = Vec::new();
        for word in split(rest)? {
            let group = word
                .strip_prefix('{')
                .and_then(|inner| inner.strip_suffix('}')?.split_once(" x "));
            words.push(match group {
                Some((count, inner)) => {
                    let count = scaled(count, scale)?;
                    let inner = split(inner)?;
                    let pieces = inner.iter().map(|word| pieces(word, count, scale));
                    Word::Many(count, pieces.collect::<Result<_>>()?)
                }
                None => Word::One(pieces(word, times, scale)?),
            });
        }
        Ok(Request { times, words })
    }

    /// The number of replies.
    pub fn times(&self) -> u64 {
        self.times
    }

    /// Appends the request with this number.
    pub fn write(&self, serial: u64, out: &mut Vec<u8>) {
        let mut arguments: Vec<String> = Vec::new();
        for word in &self.words {
            match word {
                Word::One(pieces) => arguments.push(text(pieces, serial, serial)),
                Word::Many(count, group) => {
                    for number in 0..*count {
                        arguments.extend(group.iter().map(|pieces| text(pieces, number, serial)));
                    }
                }
            }
        }
        let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
        encode(&arguments, out);
    }
}

/// Reads lines.
///
/// # Errors
/// As [`Request::parse`], with the line.
pub fn parse(lines: &[&str], scale: Scale) -> Result<Vec<Request>> {
    let requests = lines
        .iter()
        .map(|line| Request::parse(line, scale).with_context(|| (*line).to_owned()));
    requests.collect()
}

fn scaled(count: &str, scale: Scale) -> Result<u64> {
    let count: u64 = count.trim().parse().context("a count")?;
    Ok(scale.count(count, count.min(QUICK_COUNT_MAX)))
}

/// Words between spaces outside of braces.
fn split(line: &str) -> Result<Vec<&str>> {
    let (mut words, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, letter) in line.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1).context("a brace too many")?,
            ' ' if depth == 0 => {
                words.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        bail!("a brace is not closed");
    }
    words.push(&line[start..]);
    words.retain(|word| !word.is_empty());
    Ok(words)
}

fn pieces(word: &str, count: u64, scale: Scale) -> Result<Vec<Piece>> {
    if word == "~" {
        return Ok(vec![Piece::Text(word.to_owned())]);
    }
    let (mut pieces, mut rest) = (Vec::new(), word);
    while let Some(at) = rest.find(['{', '#', '~', '%']) {
        let (before, special) = rest.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        rest = &special[1..];
        pieces.push(match special.as_bytes()[0] {
            b'#' => Piece::Serial,
            b'~' => Piece::Shuffled(count),
            b'%' => Piece::Request,
            _ => {
                let (inner, behind) = rest.split_once('}').context("a brace is not closed")?;
                rest = behind;
                Piece::Text(match inner.split_once('*') {
                    Some((count, text)) => text.repeat(scaled(count, scale)? as usize),
                    None => scaled(inner, scale)?.to_string(),
                })
            }
        });
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn text(pieces: &[Piece], serial: u64, request: u64) -> String {
    let mut text = String::new();
    for piece in pieces {
        // Writing to a String cannot fail.
        let _ = match piece {
            Piece::Text(letters) => write!(text, "{letters}"),
            Piece::Serial => write!(text, "{serial}"),
            Piece::Request => write!(text, "{request}"),
            Piece::Shuffled(count) => {
                let jumped = u128::from(serial) * u128::from(JUMP) % u128::from(*count);
                write!(text, "{jumped}")
            }
        };
    }
    text
}

/// A prime above any count, so that every number comes once.
const JUMP: u64 = 2_147_483_647;

/// Counts in the quick form.
const QUICK_COUNT_MAX: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(line: &str, serial: u64, scale: Scale) -> String {
        let mut out = Vec::new();
        Request::parse(line, scale).unwrap().write(serial, &mut out);
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn a_line_is_a_request() {
        let full = Scale::Full(1.0);
        assert_eq!(bytes("GET k", 0, full), "*2 $3 GET $1 k ");
        assert_eq!(bytes("9 * SET k# v", 7, full), "*3 $3 SET $2 k7 $1 v ");
        assert_eq!(
            bytes("DEL {3 x k#}", 0, full),
            "*4 $3 DEL $2 k0 $2 k1 $2 k2 "
        );
        assert_eq!(
            bytes("MSET {2 x k# {2*ab}}", 0, full),
            "*5 $4 MSET $2 k0 $4 abab $2 k1 $4 abab "
        );
        assert_eq!(bytes("SET k {4*a}b", 0, full), "*3 $3 SET $1 k $5 aaaab ");
        assert_eq!(
            bytes("SETRANGE k {1000} x", 0, Scale::Quick),
            "*4 $8 SETRANGE $1 k $2 20 $1 x "
        );
        assert_eq!(
            bytes("XTRIM s MAXLEN ~ 1", 0, full),
            "*5 $5 XTRIM $1 s $6 MAXLEN $1 ~ $1 1 "
        );
        assert_eq!(
            bytes("9 * SADD s {2 x %:#}", 7, full),
            "*4 $4 SADD $1 s $3 7:0 $3 7:1 "
        );
        assert_eq!(Request::parse("9 * PING", full).unwrap().times(), 9);
        assert!(Request::parse("DEL {3 x k#", full).is_err());
    }

    #[test]
    fn shuffled_numbers_come_once_each() {
        let request = bytes("XDEL s {1000 x ~-1}", 0, Scale::Full(1.0));
        let mut ids: Vec<&str> = request
            .split(' ')
            .filter(|word| word.ends_with("-1"))
            .collect();
        assert_ne!(ids[..3], ["0-1", "1-1", "2-1"]);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
