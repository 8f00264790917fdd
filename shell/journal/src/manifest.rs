//! The manifest: which files make up the data set, in which order.
//!
//! Redis' format since 7.0: one line a file, `file NAME seq N type T`, where T is `b` for the base
//! (at most one), `i` for an increment, and `h` for history: a file that is no longer needed and
//! may be removed. A reader ignores keys that it does not know (8.6 writes `startoffset` and
//! `endoffset`, which are about replication), and lines that begin with `#`. The increments follow
//! the base in the order of their numbers. The manifest is replaced by renaming, so at any moment
//! there is a whole one.

use std::fmt::Write;

use crate::limits::MANIFEST_LINE_BYTES_MAX;

/// One file of the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file's name, without a path.
    pub name: String,
    /// The number in the name; bases and increments are counted apart.
    pub seq: u64,
}

/// The files of the data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The snapshot that everything else continues; none means that the log begins with an empty
    /// data set.
    pub base: Option<Entry>,
    /// The logs since the base, oldest first.
    pub increments: Vec<Entry>,
    /// What is no longer needed.
    pub history: Vec<Entry>,
}

/// A line of a manifest that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ManifestError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`], with the first line that does not follow the format, or contradicts one
    /// before it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut manifest = Manifest::default();
        let mut line_number = 0;
        for line in text.lines() {
            line_number += 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            manifest.add_line(line).map_err(|reason| ManifestError {
                line: line_number,
                reason,
            })?;
        }
        if line_number == 0 {
            return Err(ManifestError {
                line: 1,
                reason: "the manifest is empty",
            });
        }
        Ok(manifest)
    }

    /// The text of the manifest.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let base = self.base.iter().map(|entry| (entry, 'b'));
        let history = self.history.iter().map(|entry| (entry, 'h'));
        let increments = self.increments.iter().map(|entry| (entry, 'i'));
        for (Entry { name, seq }, kind) in base.chain(history).chain(increments) {
            text.push_str("file ");
            push_quoted(&mut text, name);
            // Writing to a string cannot fail.
            let _ = writeln!(text, " seq {seq} type {kind}");
        }
        text
    }

    /// The base and the increments, in the order in which they are read.
    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.base.iter().chain(&self.increments)
    }

    /// The number of the base to be written next.
    pub fn next_base_seq(&self) -> u64 {
        self.base
            .as_ref()
            .map_or(1, |entry| entry.seq.saturating_add(1))
    }

    /// The number of the increment to be written next.
    pub fn next_increment_seq(&self) -> u64 {
        self.increments
            .last()
            .map_or(1, |entry| entry.seq.saturating_add(1))
    }

    fn add_line(&mut self, line: &str) -> Result<(), &'static str> {
        if line.len() > MANIFEST_LINE_BYTES_MAX {
            return Err("the line is too long");
        }
        let words = split(line).ok_or("a quoted word does not end")?;
        let (mut name, mut seq, mut kind) = (None, None, None);
        let mut words = words.into_iter();
        while let Some(key) = words.next() {
            let value = words.next().ok_or("a key has no value")?;
            match key.to_ascii_lowercase().as_str() {
                "file" => name = Some(value),
                "seq" => seq = Some(value.parse::<u64>().map_err(|_| "`seq` is not a number")?),
                "type" => kind = Some(value),
                _ => {}
            }
        }
        let name = name.ok_or("`file` is missing")?;
        if name.is_empty() || name.contains('/') || name == "." || name == ".." {
            return Err("a file name must not have a path");
        }
        let entry = Entry {
            name,
            seq: seq.filter(|&seq| seq > 0).ok_or("`seq` is missing")?,
        };
        match kind.as_deref() {
            Some("b") if self.base.is_some() => return Err("there is a second base"),
            Some("b") => self.base = Some(entry),
            Some("i")
                if self
                    .increments
                    .last()
                    .is_some_and(|last| last.seq >= entry.seq) =>
            {
                return Err("the increments are not in order");
            }
            Some("i") => self.increments.push(entry),
            Some("h") => self.history.push(entry),
            Some(_) => return Err("`type` is none of b, i and h"),
            None => return Err("`type` is missing"),
        }
        Ok(())
    }
}

/// Splits a line into words; a word in double quotes has escapes.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, tail) = unquote(quoted)?;
            words.push(word);
            rest = tail;
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(words)
}

/// Reads a quoted word after its opening quote; returns what follows the closing one, too.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        let byte = *quoted.as_bytes().get(at)?;
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                let escape = *quoted.as_bytes().get(at)?;
                at += 1;
                bytes.push(match escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    b'x' => {
                        let hex = quoted.get(at..at + 2)?;
                        at += 2;
                        u8::from_str_radix(hex, 16).ok()?
                    }
                    other => other,
                });
            }
            other => bytes.push(other),
        }
    }
    Some((String::from_utf8(bytes).ok()?, quoted.get(at..)?))
}

/// Writes a name, in quotes if it needs them.
fn push_quoted(text: &mut String, name: &str) {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'#');
    if !name.is_empty() && name.bytes().all(plain) {
        text.push_str(name);
        return;
    }
    text.push('"');
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', byte as char]),
            b' '..=b'~' => text.push(byte as char),
            // Writing to a string cannot fail.
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, seq: u64) -> Entry {
        Entry {
            name: name.to_owned(),
            seq,
        }
    }

    #[test]
    fn what_redis_writes_is_read() {
        let text = "file appendonly.aof.2.base.rdb seq 2 type b\n\
                    file appendonly.aof.1.base.rdb seq 1 type h\n\
                    file appendonly.aof.2.incr.aof seq 2 type i startoffset 6 endoffset 7\n\
                    file appendonly.aof.3.incr.aof seq 3 type i\n";
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.base, Some(entry("appendonly.aof.2.base.rdb", 2)));
        assert_eq!(manifest.history, [entry("appendonly.aof.1.base.rdb", 1)]);
        assert_eq!(
            manifest.increments,
            [
                entry("appendonly.aof.2.incr.aof", 2),
                entry("appendonly.aof.3.incr.aof", 3)
            ]
        );
        assert_eq!(
            (manifest.next_base_seq(), manifest.next_increment_seq()),
            (3, 4)
        );
        assert_eq!(Manifest::parse(&manifest.to_text()), Ok(manifest));
    }

    #[test]
    fn wrong_lines_are_named() {
        for (text, line, reason) in [
            ("", 1, "the manifest is empty"),
            ("file a seq 1", 1, "`type` is missing"),
            ("# note\nfile a seq x type b", 2, "`seq` is not a number"),
            ("file a seq 0 type b", 1, "`seq` is missing"),
            (
                "file ../a seq 1 type b",
                1,
                "a file name must not have a path",
            ),
            (
                "file a seq 1 type b\nfile b seq 2 type b",
                2,
                "there is a second base",
            ),
            (
                "file a seq 2 type i\nfile b seq 2 type i",
                2,
                "the increments are not in order",
            ),
            ("file a seq 2 type q", 1, "`type` is none of b, i and h"),
            ("file \"a seq 2 type q", 1, "a quoted word does not end"),
            ("file", 1, "a key has no value"),
        ] {
            assert_eq!(
                Manifest::parse(text),
                Err(ManifestError { line, reason }),
                "{text}"
            );
        }
        let long = format!("file {} seq 1 type b", "x".repeat(MANIFEST_LINE_BYTES_MAX));
        assert_eq!(
            Manifest::parse(&long).unwrap_err().reason,
            "the line is too long"
        );
    }

    #[test]
    fn a_name_with_blanks_is_quoted_as_redis_does() {
        let manifest = Manifest {
            base: Some(entry("my \"a\".aof", 1)),
            ..Manifest::default()
        };
        let text = manifest.to_text();
        assert_eq!(text, "file \"my \\\"a\\\".aof\" seq 1 type b\n");
        assert_eq!(Manifest::parse(&text), Ok(manifest));
    }

    proptest! {
        #[test]
        fn any_name_round_trips(name in "[^/\\x00]{1,40}") {
            prop_assume!(name != "." && name != "..");
            let manifest = Manifest { base: Some(entry(&name, 1)), ..Manifest::default() };
            prop_assert_eq!(Manifest::parse(&manifest.to_text()), Ok(manifest));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(file|seq|type|[ \"\\\\x1bih\n]){0,30}|.*") {
            let _ = Manifest::parse(&text);
        }
    }
}
