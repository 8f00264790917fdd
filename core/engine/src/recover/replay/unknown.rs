//! What a file of Redis holds that weir lacks: keys of other types, data of modules, and the
//! commands that deal with them.
//!
//! A load refuses such things by name, unless they may be left out; then it notes each. After that,
//! commands that weir has are watched too, because they may concern a key that was left out: a hash
//! that is renamed over a stream replaces it. A command that weir lacks leaves out the keys that it
//! writes, even one that weir had until then, because nobody knows what has become of it.
//!
//! Names of commands are compared here, because the table has no row for what weir lacks; and what
//! a rename, a copy or a swap does to a key that is not there concerns nobody else.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use resp::{Argv, ArgvBuf};

use crate::config::OnUnknown;
use crate::store::keyspace::Keyspace;
use crate::table::{Flags, Row, keys_of};

/// Something that weir does not have, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it holds {}, which weir does not have", self.0)
    }
}

/// Everything that a load has left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The type of each key, by database and name.
    keys: BTreeMap<(u16, Box<[u8]>), Cow<'static, str>>,
    /// How often something that is not a key was found.
    others: BTreeMap<String, u64>,
}

/// A key that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOutKey<'a> {
    /// Its database.
    pub database: u16,
    /// Its name.
    pub key: &'a [u8],
    /// The type of its value.
    pub type_name: &'a str,
}

impl LeftOut {
    /// Returns whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.others.is_empty()
    }

    /// The keys, in the order of databases and names.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = LeftOutKey<'_>> {
        self.keys
            .iter()
            .map(|((database, key), type_name)| LeftOutKey {
                database: *database,
                key,
                type_name,
            })
    }

    /// What is no key, and how often it was met.
    pub fn others(&self) -> impl Iterator<Item = (&str, u64)> {
        self.others
            .iter()
            .map(|(what, count)| (what.as_str(), *count))
    }

    /// For each type how many keys there are, and the first of them.
    pub fn types(&self) -> BTreeMap<&str, (u64, &[u8])> {
        let mut types = BTreeMap::new();
        for LeftOutKey { key, type_name, .. } in self.keys() {
            types.entry(type_name).or_insert((0, key)).0 += 1;
        }
        types
    }
}

/// Notes what a load finds that weir lacks.
#[derive(Debug, Clone)]
pub struct Unknown {
    on_unknown: OnUnknown,
    left_out: LeftOut,
    /// The database of the commands that are read.
    database: u16,
}

/// What to run instead of a command that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// What was read.
    AsItIs,
    /// These requests, or none.
    Instead(Vec<ArgvBuf>),
}

impl Unknown {
    /// For one load.
    pub fn new(on_unknown: OnUnknown) -> Unknown {
        Unknown {
            on_unknown,
            left_out: LeftOut::default(),
            database: 0,
        }
    }

    /// A key has a value of a type that weir does not have.
    ///
    /// # Errors
    /// [`Refused`] unless it may be left out.
    pub fn key(
        &mut self,
        database: u16,
        key: &[u8],
        type_name: Cow<'static, str>,
    ) -> Result<(), Refused> {
        if self.on_unknown == OnUnknown::Refuse {
            let key = key.escape_ascii();
            return Err(Refused(format!("key \"{key}\" ({type_name})")));
        }
        self.left_out
            .keys
            .insert((database, Box::from(key)), type_name);
        Ok(())
    }

    /// The file has something that is no key.
    ///
    /// # Errors
    /// [`Refused`] unless it may be left out.
    pub fn other(&mut self, what: String) -> Result<(), Refused> {
        if self.on_unknown == OnUnknown::Refuse {
            return Err(Refused(what));
        }
        *self.left_out.others.entry(what).or_default() += 1;
        Ok(())
    }

    /// What was left out, now that everything was read. Keys that were written again later are
    /// there.
    pub fn finish(self, keyspace: &Keyspace) -> LeftOut {
        let mut left_out = self.left_out;
        left_out
            .keys
            .retain(|(database, key), _| !keyspace.exists(*database, key));
        left_out
    }

    /// A request of a file of Redis is about to run; `row` is its command or subcommand, if weir
    /// has it.
    ///
    /// # Errors
    /// [`Refused`] where it is about something that weir does not have and may not be left out.
    pub fn request(&mut self, argv: Argv<'_>, row: Option<&'static Row>) -> Result<Run, Refused> {
        match row {
            // A load runs no scripts, and Redis has not written any into its files since 7.0.
            Some(row) if row.spec.flags.has(Flags::RUNS_SCRIPT) => self.unknown(argv),
            Some(row) => self.known(argv, row),
            None => self.unknown(argv),
        }
    }

    fn unknown(&mut self, argv: Argv<'_>) -> Result<Run, Refused> {
        let name = argv.get(0).unwrap_or_default().to_ascii_lowercase();
        let shown = name.escape_ascii().to_string().to_ascii_uppercase();
        let written = written_keys(&name, argv);
        if written.is_empty() {
            self.other(format!("command {shown}"))?;
            return Ok(Run::Instead(Vec::new()));
        }
        let mut deletions = Vec::new();
        for key in written {
            if self.on_unknown == OnUnknown::Refuse {
                let key = key.escape_ascii();
                return Err(Refused(format!("command {shown} of key \"{key}\"")));
            }
            let slot = (self.database, Box::from(key));
            self.left_out
                .keys
                .insert(slot, type_written_by(&name).into());
            // A module's command writes nothing but values of the module, and may have no keys at
            // all.
            if !name.contains(&b'.') {
                deletions.push(deletion(key));
            }
        }
        Ok(Run::Instead(deletions))
    }

    fn known(&mut self, argv: Argv<'_>, row: &'static Row) -> Result<Run, Refused> {
        let arg = |index| argv.get(index).unwrap_or_default();
        let name = match row.container {
            "" => row.spec.name,
            // No subcommand moves a key.
            _ => "",
        };
        if name == "restore" {
            let key = arg(1);
            if let Some(type_name) = rdb::type_left_out(arg(3)) {
                self.key(self.database, key, Cow::Borrowed(type_name))?;
                return Ok(Run::Instead(vec![deletion(key)]));
            }
        }
        if name == "select" {
            self.database = database(arg(1)).unwrap_or(self.database);
        }
        if self.left_out.keys.is_empty() {
            return Ok(Run::AsItIs);
        }
        match name {
            "rename" | "renamenx" => {
                let moved = self.left_out.keys.remove(&self.slot(arg(1)));
                Ok(self.put(self.database, arg(2), moved))
            }
            "copy" => {
                let copied = self.left_out.keys.get(&self.slot(arg(1))).cloned();
                let to = (0..argv.len()).find(|index| arg(*index).eq_ignore_ascii_case(b"db"));
                let to = to
                    .filter(|index| *index > 2)
                    .and_then(|index| database(arg(index + 1)));
                Ok(self.put(to.unwrap_or(self.database), arg(2), copied))
            }
            "move" => {
                let moved = self.left_out.keys.remove(&self.slot(arg(1)));
                let to = database(arg(2)).unwrap_or(self.database);
                Ok(self.put(to, arg(1), moved))
            }
            "swapdb" => {
                self.swap(database(arg(1)), database(arg(2)));
                Ok(Run::AsItIs)
            }
            "flushall" => {
                self.left_out.keys.clear();
                Ok(Run::AsItIs)
            }
            "flushdb" => {
                let flushed = self.database;
                self.left_out
                    .keys
                    .retain(|(database, _), _| *database != flushed);
                Ok(Run::AsItIs)
            }
            // They leave the value as it is.
            "expire" | "pexpire" | "expireat" | "pexpireat" | "persist" => Ok(Run::AsItIs),
            // All other commands of weir make a key of a type that weir has, or remove it.
            _ => {
                for found in keys_of(row.spec, argv).flatten() {
                    self.left_out.keys.remove(&self.slot(found.key));
                }
                Ok(Run::AsItIs)
            }
        }
    }

    /// A key gets the value of another, which was left out if it has a type.
    fn put(&mut self, to: u16, key: &[u8], type_name: Option<Cow<'static, str>>) -> Run {
        let slot = (to, Box::from(key));
        let Some(type_name) = type_name else {
            self.left_out.keys.remove(&slot);
            return Run::AsItIs;
        };
        self.left_out.keys.insert(slot, type_name);
        let mut requests = vec![deletion(key)];
        if to != self.database {
            requests.insert(0, selection(to));
            requests.push(selection(self.database));
        }
        Run::Instead(requests)
    }

    fn swap(&mut self, a: Option<u16>, b: Option<u16>) {
        let (Some(a), Some(b)) = (a, b) else {
            return;
        };
        let swapped = |database| match database {
            _ if database == a => b,
            _ if database == b => a,
            database => database,
        };
        let keys = std::mem::take(&mut self.left_out.keys);
        let keys = keys.into_iter();
        self.left_out.keys = keys
            .map(|((database, key), type_name)| ((swapped(database), key), type_name))
            .collect();
    }

    fn slot(&self, key: &[u8]) -> (u16, Box<[u8]>) {
        (self.database, Box::from(key))
    }
}

/// The keys written by a command that weir lacks.
fn written_keys<'a>(name: &[u8], argv: Argv<'a>) -> Vec<&'a [u8]> {
    match name {
        b"eval" | b"evalsha" | b"fcall" | b"publish" | b"script" | b"spublish" => Vec::new(),
        _ => argv.iter().skip(1).take(1).collect(),
    }
}

/// The type of what a command that weir lacks writes, by the family of its name.
fn type_written_by(name: &[u8]) -> &'static str {
    match name {
        _ if name.contains(&b'.') => "value of a module",
        [b'g', b'e', b'o', ..] | [b'z', ..] => "sorted set",
        [b'h', ..] => "hash",
        [b'l' | b'r', ..] => "list",
        [b's', ..] => "set",
        [b'v', ..] => "vector set",
        _ => "unknown type",
    }
}

fn database(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn deletion(key: &[u8]) -> ArgvBuf {
    [b"DEL".as_slice(), key].into_iter().collect()
}

fn selection(database: u16) -> ArgvBuf {
    let database = database.to_string();
    [b"SELECT".as_slice(), database.as_bytes()]
        .into_iter()
        .collect()
}
