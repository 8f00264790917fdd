//! A position as names and values of text: what a snapshot says of where it is in the log.

use batch::Lsn;

use super::{Epoch, Position, Seq};
use crate::chain::Chain;

/// What was read of a position so far, in any order and amid other names.
#[derive(Clone, Debug, Default)]
pub struct PositionFields {
    values: [Option<String>; NAMES.len()],
}

/// Names and values that are no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// It is not there.
    #[error("it does not say {0}: it is no snapshot of a group")]
    Missing(&'static str),
    /// It is neither a number nor a hash, whichever it should be.
    #[error("it says {value:?} for {name}")]
    Invalid {
        /// Of the field.
        name: &'static str,
        /// Its value, in part if it is long.
        value: String,
    },
}

const NAMES: [&str; 7] = [
    "weir-log-seq",
    "weir-log-valid",
    "weir-log-lsn",
    "weir-log-chain",
    "weir-log-tip",
    "weir-log-epoch",
    "weir-log-nonce",
];

/// How much of a value is kept, in bytes: more than any that makes sense.
const VALUE_BYTES_MAX: usize = 2 * Chain::BYTES + 1;

impl Position {
    /// What a snapshot of this position says of itself: numbers in decimal, hashes in hexadecimal
    /// digits.
    pub fn fields(&self) -> [(&'static str, String); NAMES.len()] {
        let values = [
            self.seq.0.to_string(),
            self.valid.0.to_string(),
            self.lsn.number().to_string(),
            hex(&self.chain),
            hex(&self.tip),
            self.epoch.number.to_string(),
            self.epoch.nonce.to_string(),
        ];
        let mut values = values.into_iter();
        NAMES.map(|name| (name, values.next().unwrap_or_default()))
    }
}

impl PositionFields {
    /// Takes note of a name and its value, if it is one of these.
    pub fn note(&mut self, name: &[u8], value: &[u8]) {
        if let Some(index) = NAMES.iter().position(|it| it.as_bytes() == name) {
            let value = &value[..value.len().min(VALUE_BYTES_MAX)];
            self.values[index] = Some(String::from_utf8_lossy(value).into_owned());
        }
    }

    /// The position that they say.
    ///
    /// # Errors
    /// A field is missing, or makes no sense.
    pub fn finish(self) -> Result<Position, PositionError> {
        let [seq, valid, lsn, chain, tip, epoch, nonce] =
            [0, 1, 2, 3, 4, 5, 6].map(|index| Field {
                name: NAMES[index],
                value: self.values[index].as_deref(),
            });
        Ok(Position {
            seq: Seq(seq.number()?),
            valid: Seq(valid.number()?),
            lsn: Lsn::new(lsn.number()?),
            chain: chain.hash()?,
            tip: tip.hash()?,
            epoch: Epoch {
                number: epoch.number()?,
                nonce: nonce.number()?,
            },
        })
    }
}

struct Field<'a> {
    name: &'static str,
    value: Option<&'a str>,
}

impl Field<'_> {
    fn number(&self) -> Result<u64, PositionError> {
        self.read(|text| text.parse().ok())
    }

    fn hash(&self) -> Result<Chain, PositionError> {
        self.read(|text| {
            let mut bytes = [0; Chain::BYTES];
            if text.len() != 2 * bytes.len() || !text.is_ascii() {
                return None;
            }
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
            }
            Some(Chain::from_bytes(bytes))
        })
    }

    fn read<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, PositionError> {
        let name = self.name;
        let value = self.value.ok_or(PositionError::Missing(name))?;
        parse(value).ok_or_else(|| PositionError::Invalid {
            name,
            value: value.to_owned(),
        })
    }
}

fn hex(chain: &Chain) -> String {
    let digits = chain.as_bytes().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position {
            seq: Seq(u64::MAX),
            valid: Seq(7),
            lsn: Lsn::new(3),
            chain: Chain::after(b"a"),
            tip: Chain::after(b"b"),
            epoch: Epoch {
                number: 2,
                nonce: u64::MAX,
            },
        }
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for position in [position(), Position::default()] {
            let mut read = PositionFields::default();
            read.note(b"redis-ver", b"8.6.3");
            for (name, value) in position.fields().iter().rev() {
                read.note(name.as_bytes(), value.as_bytes());
            }
            assert_eq!(read.finish(), Ok(position));
        }
    }

    #[test]
    fn what_is_no_position_is_refused_with_the_field() {
        for (name, _) in position().fields() {
            let mut without = PositionFields::default();
            for (other, value) in position().fields() {
                if other != name {
                    without.note(other.as_bytes(), value.as_bytes());
                }
            }
            assert_eq!(without.clone().finish(), Err(PositionError::Missing(name)));
            for wrong in ["", "-1", "x", "é", &"é".repeat(32), &"1".repeat(1000)] {
                let mut with = without.clone();
                with.note(name.as_bytes(), wrong.as_bytes());
                let refused = with.finish();
                let is_it = |it: &PositionError| {
                    matches!(it, PositionError::Invalid { name: it, value }
                        if *it == name && value.len() <= 2 * VALUE_BYTES_MAX)
                };
                assert!(refused.is_err_and(|it| is_it(&it)), "{name} {wrong}");
            }
        }
    }
}
