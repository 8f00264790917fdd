//! Sorted sets.
//!
//! | code | body |
//! |---|---|
//! | 3 | number; that many members with their scores, as texts: a byte for the length (253: no number, 254: infinite, 255: negative infinite) and the digits |
//! | 5 | number; that many members with their scores, as doubles of 8 bytes, little endian |
//! | 12 | a string: a ziplist of members and scores in turn, in their order |
//! | 17 | a string: a listpack of the same |

use collections::hash::NameHasher;
use values::sorted_set::{Builder, Member, Placed, Placing};
use values::{SortedSet, Value};

use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::{Digest, Hasher, digest_of};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::STRING_BYTES_MAX;
use crate::listpack::{self, Writer};
use crate::row::{Element, Row};
use crate::source::{Sink, Source};
use crate::stream::Extras;
use crate::value::Stored;
use crate::ziplist;

/// Before Redis 4.0.
const TEXTS: u8 = 3;
const DOUBLES: u8 = 5;
/// Redis 2.4 to 6.2.
const ZIPLIST: u8 = 12;
/// Redis 7.0 and later.
const LISTPACK: u8 = 17;

/// Lengths of the text of a score that stand for what is not finite.
const NOT_A_NUMBER: u8 = 253;
const INFINITE: u8 = 254;
const NEGATIVE_INFINITE: u8 = 255;

/// Up to here, whole numbers are integers in a listpack.
const INTEGER_MAX: f64 = (1_u64 << 62) as f64;

impl Stored for SortedSet {
    const CODES: &'static [u8] = &[DOUBLES, TEXTS, ZIPLIST, LISTPACK];

    fn code(&self) -> u8 {
        if self.is_listpack() {
            LISTPACK
        } else {
            DOUBLES
        }
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        if self.is_listpack() {
            let mut listpack = Writer::default();
            listpack.begin();
            for Member { member, score } in self.iter() {
                listpack.bytes(member);
                if score.abs() <= INTEGER_MAX && score == score.trunc() {
                    listpack.integer(score as i64);
                } else {
                    listpack.bytes(format!("{score:?}").as_bytes());
                }
            }
            out.blob(listpack.finish());
            return out.drain();
        }
        out.number(self.len() as u64);
        // From the highest on: Redis puts each of them in front of the others then.
        for Member { member, score } in self.iter().rev() {
            out.string(member);
            out.bytes(&score.to_le_bytes());
            out.drain()?;
        }
        Ok(())
    }

    fn add_to_digest(&self, _now_ms: u64, out: &mut Encoder<Hasher>) {
        let members = self.iter().map(|it| {
            digest_of(|out| {
                out.string(it.member);
                // 0 and -0 are one score.
                out.bytes(&(it.score + 0.0).to_le_bytes());
            })
        });
        out.bytes(&members.fold(Digest::default(), Digest::and).bytes());
    }

    fn read<S: Source>(
        code: u8,
        from: &mut Decoder<S>,
        context: &Context,
        _extras: &Extras,
    ) -> Read<Value, S> {
        let placing = Placing {
            thresholds: &context.thresholds,
            hasher: NameHasher::new([context.hash_seed, 0]),
        };
        let mut set = Builder::new(placing);
        match code {
            ZIPLIST | LISTPACK => {
                let mut row = Vec::new();
                from.string(&mut row, STRING_BYTES_MAX, "a sorted set")?;
                let read = match code {
                    ZIPLIST => ziplist::Reader::new(&row).and_then(|row| take_all(&mut set, row)),
                    _ => listpack::Reader::new(&row).and_then(|row| take_all(&mut set, row)),
                };
                read.map_err(|fault| from.fault(fault))?;
            }
            _ => {
                let mut member = Vec::new();
                for _ in 0..from.number("the number of members of a sorted set")? {
                    from.string(&mut member, STRING_BYTES_MAX, "a member of a sorted set")?;
                    let score = match code {
                        TEXTS => text_score(from)?,
                        _ => Some(f64::from_le_bytes(from.array(SCORE)?)),
                    };
                    let taken = take(&mut set, &member, score);
                    taken.map_err(|fault| from.fault(fault))?;
                }
            }
        }
        let set = set.finish();
        if set.is_empty() {
            return Err(from.contradiction("a sorted set has no members"));
        }
        Ok(Value::from(set))
    }
}

/// What is read of a score.
const SCORE: &str = "the score of a member";

/// Puts a member in that must not be there.
fn take(set: &mut Builder<'_>, member: &[u8], score: Option<f64>) -> Result<(), Fault> {
    let Some(score) = score.filter(|score| !score.is_nan()) else {
        return Err(Fault::Contradiction("a score is not a number"));
    };
    match set.place(member, score) {
        Placed::Added => Ok(()),
        Placed::Moved | Placed::Kept => {
            Err(Fault::Contradiction("a sorted set has a member twice"))
        }
    }
}

/// Takes members and scores in turn, in their order.
fn take_all<'a>(set: &mut Builder<'_>, mut row: impl Row<'a>) -> Result<(), Fault> {
    while let Some(member) = row.next()? {
        let score = match row.element(SCORE)? {
            Element::Integer(integer) => Some(integer as f64),
            Element::Bytes(text) => score_of(text),
        };
        member.with_bytes(|member| {
            take(set, member, score)?;
            let members = set.set();
            let last = members.get(members.len().saturating_sub(1));
            match last {
                Some(last) if last.member == member => Ok(()),
                Some(_) | None => Err(Fault::Contradiction(
                    "the members of a sorted set are not in their order",
                )),
            }
        })?;
    }
    Ok(())
}

/// The number that a text is.
fn score_of(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The score of a member as the text behind its length.
fn text_score<S: Source>(from: &mut Decoder<S>) -> Read<Option<f64>, S> {
    Ok(match from.byte(SCORE)? {
        NOT_A_NUMBER => None,
        INFINITE => Some(f64::INFINITY),
        NEGATIVE_INFINITE => Some(f64::NEG_INFINITY),
        len => {
            let mut text = Vec::new();
            from.bytes(usize::from(len), &mut text, SCORE)?;
            score_of(&text)
        }
    })
}

#[cfg(test)]
mod tests;
