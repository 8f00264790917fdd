//! Reading a snapshot.

use values::{Key, Value};

use super::{MAGIC, Usage};
use crate::code::{self, name_of};
use crate::context::Context;
use crate::decode::{Decoder, Read, Summed};
use crate::error::{Fault, ReadError};
use crate::limits::{STRING_BYTES_MAX, VERSION_READ_MAX};
use crate::skip;
use crate::source::Source;
use crate::stream::{Extras, Taken};
use crate::value;

/// Reads a snapshot from a source, record after record.
#[derive(Debug)]
pub struct SnapshotReader<S> {
    from: Decoder<S>,
    context: Context,
    version: u16,
    /// What records before the next key said about it.
    expires_at_ms: Option<i64>,
    usage: Usage,
    extras: Extras,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
}

/// What a snapshot holds.
#[derive(Clone, Debug)]
pub enum Item {
    /// Something about the file, such as the version of the server that wrote it.
    Auxiliary {
        /// What it is about: `redis-ver`, `ctime`, `aof-base` and others.
        name: Vec<u8>,
        /// What is said.
        value: Vec<u8>,
    },
    /// The keys that follow belong to this database.
    Database(u64),
    /// How large the database is, as a hint.
    Size {
        /// The number of keys.
        keys: u64,
        /// How many of them expire.
        expiring: u64,
    },
    /// The source of a function library.
    Function(Vec<u8>),
    /// Data of a module that belongs to no key, which was skipped.
    ModuleData {
        /// What the module calls its data.
        module: String,
    },
    /// A key and its value.
    Record(Record),
    /// A key with a value of a type that is not read, which was skipped.
    Unknown {
        /// Its name.
        key: Box<[u8]>,
        /// What the type is called.
        type_name: String,
    },
}

/// A key with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its name.
    pub key: Key,
    /// Its value.
    pub value: Value,
    /// The time from which it is gone, in milliseconds since the epoch.
    pub expires_at_ms: Option<i64>,
    /// When or how often it was used.
    pub usage: Usage,
}

impl<S: Source> SnapshotReader<S> {
    /// Begins to read. `context` says what the file does not.
    ///
    /// # Errors
    /// If this is not a snapshot, if its version is not supported, or if the source fails.
    pub fn new(source: S, context: Context) -> Result<SnapshotReader<S>, ReadError<S::Error>> {
        let mut from = Decoder::new(source, Summed::Yes);
        if from.array("`REDIS`, the head of a snapshot")? != *MAGIC {
            return Err(from.contradiction("not a snapshot: it does not begin with `REDIS`"));
        }
        let digits = from.array::<4>("the version of the format")?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(from.contradiction("the version of the format is not a number"));
        }
        let version = digits
            .iter()
            .fold(0, |version, digit| version * 10 + u16::from(digit - b'0'));
        if version == 0 || version > VERSION_READ_MAX {
            return Err(from.fault(Fault::UnsupportedVersion(u32::from(version))));
        }
        Ok(SnapshotReader {
            from,
            context,
            version,
            expires_at_ms: None,
            usage: Usage::Unknown,
            extras: Extras::default(),
            state: State::Reading,
        })
    }

    /// The version of the format that the file says it has.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// The number of bytes read so far.
    pub fn offset(&self) -> u64 {
        self.from.offset()
    }

    /// The next item; `None` after the end, once its checksum has been found right.
    ///
    /// # Errors
    /// If the bytes are damaged or hold a value that cannot even be skipped, or if the source
    /// fails. The reader cannot continue after that.
    #[expect(
        clippy::should_implement_trait,
        reason = "it can fail, and reads as one in a loop"
    )]
    pub fn next(&mut self) -> Result<Option<Item>, ReadError<S::Error>> {
        if self.state == State::Ended {
            return Ok(None);
        }
        loop {
            let code = self.from.byte("the code of a record")?;
            let item = match code {
                code::END => {
                    self.check_sum()?;
                    self.state = State::Ended;
                    return Ok(None);
                }
                code::DATABASE => Item::Database(self.from.number("a database")?),
                code::RESIZE => Item::Size {
                    keys: self.from.number("the number of keys")?,
                    expiring: self.from.number("the number of expiring keys")?,
                },
                code::AUXILIARY => {
                    let name = self.string("the name of an auxiliary field")?;
                    let value = self.string("the value of an auxiliary field")?;
                    if self.extras.take(&name, &value) == Taken::Yes {
                        continue;
                    }
                    Item::Auxiliary { name, value }
                }
                code::FUNCTION => Item::Function(self.string("a function library")?),
                code::MODULE_AUXILIARY => Item::ModuleData {
                    module: skip::module_data(&mut self.from)?,
                },
                code if value::is_read(code) => Item::Record(self.record(code)?),
                0..code::MODULE_KEY_METADATA => self.unknown(code)?,
                _ => {
                    self.attribute(code)?;
                    continue;
                }
            };
            return Ok(Some(item));
        }
    }

    /// Gives back the source, positioned behind what was read.
    pub fn into_source(self) -> S {
        self.from.into_source()
    }

    /// Reads records that are not items of their own.
    fn attribute(&mut self, code: u8) -> Read<(), S> {
        match code {
            code::EXPIRES_AT_MS => {
                let at = self.from.array("the expiry of a key")?;
                self.expires_at_ms = Some(i64::from_le_bytes(at));
            }
            code::EXPIRES_AT_S => {
                let at = i32::from_le_bytes(self.from.array("the expiry of a key")?);
                self.expires_at_ms = Some(i64::from(at) * 1000);
            }
            code::IDLE => {
                self.usage = Usage::IdleSeconds(self.from.number("the idle time of a key")?);
            }
            code::FREQUENCY => {
                self.usage = Usage::Frequency(self.from.byte("the frequency of a key")?);
            }
            code::SLOT => {
                for _ in 0..3 {
                    self.from.number("the size of a slot")?;
                }
            }
            _ => {
                let (name, key) = (name_of(code), Box::default());
                return Err(self.from.fault(Fault::UnsupportedType { code, name, key }));
            }
        }
        Ok(())
    }

    fn record(&mut self, code: u8) -> Read<Record, S> {
        let key = self
            .from
            .with_string(STRING_BYTES_MAX, "a key", |key| Key::from(key))?;
        let extras = std::mem::take(&mut self.extras);
        let value = value::read(code, &key, &mut self.from, &self.context, &extras)?;
        Ok(Record {
            key,
            value,
            expires_at_ms: self.expires_at_ms.take(),
            usage: std::mem::take(&mut self.usage),
        })
    }

    /// Skips a key with a value of a type that is not read.
    fn unknown(&mut self, code: u8) -> Read<Item, S> {
        let key: Box<[u8]> = self.string("a key")?.into();
        self.extras = Extras::default();
        self.expires_at_ms = None;
        self.usage = Usage::Unknown;
        let type_name = skip::value(code, &key, &mut self.from)?;
        Ok(Item::Unknown { key, type_name })
    }

    fn string(&mut self, expected: &'static str) -> Read<Vec<u8>, S> {
        self.from
            .with_string(STRING_BYTES_MAX, expected, <[u8]>::to_vec)
    }

    fn check_sum(&mut self) -> Read<(), S> {
        if self.version < FIRST_SUMMED_VERSION {
            return Ok(());
        }
        let computed = self.from.checksum()?;
        let found = u64::from_le_bytes(self.from.array("the checksum")?);
        match computed {
            Some(computed) if found != 0 && computed != found => {
                Err(self.from.fault(Fault::Checksum { computed, found }))
            }
            _ => Ok(()),
        }
    }
}

/// Before it, files end without a checksum.
const FIRST_SUMMED_VERSION: u16 = 5;
