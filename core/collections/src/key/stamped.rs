//! A key with a number of its owner, and for few a deadline: in the room that short keys leave.

use std::ops::Deref;

use triomphe::Arc;

use super::{Key, Repr};
use crate::boxed::boxed;
use crate::hash::{is_same, short_word};
use crate::page::allocated;
use crate::timers::TimerId;

/// A key, a stamp of 56 bits, and when something is due for it.
#[derive(Clone, Debug)]
pub struct Stamped(Kept);

#[derive(Clone, Debug)]
enum Kept {
    /// Fewer bytes than there is room for, zeros, and their number in the last byte.
    Short {
        stamp: Stamp,
        name: Name,
    },
    /// As many bytes as there is room for.
    Full {
        stamp: Stamp,
        name: Name,
    },
    Long {
        stamp: Stamp,
        bytes: Arc<[u8]>,
    },
    Shared {
        stamp: Stamp,
        bytes: Arc<Vec<u8>>,
    },
    /// A short key with nothing but a timer, as a stream has for its own upkeep: found without a
    /// look at other memory. Behind the bytes are zeros, and their number in the last byte.
    Awaited {
        stamp: Stamp,
        timer: TimerId,
        name: AwaitedName,
    },
    /// A key with nothing but a time, in memory that fits it, behind whose bytes are zeros.
    Expires16 {
        stamp: Stamp,
        at: Time,
        len: u8,
        name: Box<[u8; 16]>,
    },
    Expires32 {
        stamp: Stamp,
        at: Time,
        len: u8,
        name: Box<[u8; 32]>,
    },
    /// All others for which something is due.
    Timed {
        stamp: Stamp,
        /// [`NEVER`] if there is nothing but a timer.
        at: i64,
        rest: Box<Rest>,
    },
}

type AwaitedName = [u8; AWAITED_BYTES];

/// What a key has elsewhere that has a timer and more, or a time and a long name.
#[derive(Clone, Debug)]
struct Rest {
    key: Key,
    timer: Option<TimerId>,
}

/// When something is due for a key. At least one of the two is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    /// A time as its owner counts, but for the earliest.
    pub at: Option<i64>,
    /// The timer that is set for the key.
    pub timer: Option<TimerId>,
}

/// A stamp in the seven bytes between the length and a pointer.
#[derive(Clone, Copy, Debug)]
struct Stamp([u8; STAMP_BYTES]);

const STAMP_BYTES: usize = 7;

/// The greatest stamp. Who counts a million things in a second gets there in two thousand years.
pub const STAMP_MAX: u64 = (1 << (STAMP_BYTES as u32 * u8::BITS)) - 1;

/// A time in seven bytes, which is a million years in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Time([u8; STAMP_BYTES]);

/// What fits beside the tag and the stamp in 24 bytes.
const FULL_BYTES: usize = 16;

/// What fits beside the tag, the stamp and a timer.
const AWAITED_BYTES: usize = 12;

/// What fits beside a time into memory of its own.
const EXPIRING_BYTES_MAX: usize = 32;

/// Stands for "no time". Nobody means so early a time.
const NEVER: i64 = i64::MIN;

#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
struct Name([u8; FULL_BYTES]);

const _: () = assert!(size_of::<Stamped>() == 24);

/// A key that is looked for, as short ones are kept, so that each of these is compared as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'k> {
    key: &'k [u8],
    packed: u128,
}

/// What of a packed name is not its length.
const NAME_BITS: u128 = (1 << 120) - 1;

impl<'k> Sought<'k> {
    /// The key of these bytes.
    #[inline]
    pub fn of(key: &'k [u8]) -> Sought<'k> {
        let len = key.len() as u128;
        let packed = match (key.first_chunk(), key.last_chunk()) {
            (Some(first), Some(last)) if key.len() < FULL_BYTES => {
                // The last eight bytes without those that the first ones have too.
                let behind = u128::from(u64::from_le_bytes(*last)) << (8 * (key.len() - 8));
                u128::from(u64::from_le_bytes(*first)) | behind | len << 120
            }
            _ if key.len() < FULL_BYTES => u128::from(short_word(key)) | len << 120,
            _ => key.first_chunk().map_or(0, |all| u128::from_le_bytes(*all)),
        };
        Sought { key, packed }
    }
}

impl Name {
    #[inline]
    fn packed(self) -> u128 {
        u128::from_le_bytes(self.0)
    }
}

/// A name beside a timer as those of [`Sought`] are packed.
#[inline]
fn awaited(name: &AwaitedName) -> u128 {
    let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) else {
        return 0;
    };
    // Three more bytes and the length, which has its place at the end.
    let last = u32::from_le_bytes(*last);
    let last = u64::from(last & 0xff_ffff) | u64::from(last >> 24) << 56;
    u128::from(u64::from_le_bytes(*first)) | u128::from(last) << 64
}

impl Kept {
    fn timed(stamp: Stamp, key: Key, Timed { at, timer }: Timed) -> Kept {
        if let (None, Some(timer), true) = (at, timer, key.len() < AWAITED_BYTES) {
            let mut name = [0; AWAITED_BYTES];
            name[..key.len()].copy_from_slice(&key);
            name[AWAITED_BYTES - 1] = key.len() as u8;
            return Kept::Awaited { stamp, timer, name };
        }
        if let (Some(at), None) = (at.and_then(Time::of), timer) {
            let len = key.len() as u8;
            if key.len() <= FULL_BYTES {
                let name = boxed(&key);
                return Kept::Expires16 {
                    stamp,
                    at,
                    len,
                    name,
                };
            }
            if key.len() <= EXPIRING_BYTES_MAX {
                let name = boxed(&key);
                return Kept::Expires32 {
                    stamp,
                    at,
                    len,
                    name,
                };
            }
        }
        let at = at.unwrap_or(NEVER);
        let rest = Box::new(Rest { key, timer });
        Kept::Timed { stamp, at, rest }
    }
}

impl Rest {
    /// Returns whether a key for which this is due has no smaller form.
    fn suits(&self, timed: Timed) -> bool {
        match timed.timer {
            Some(_) => timed.at.is_some() || self.key.len() >= AWAITED_BYTES,
            None => self.key.len() > EXPIRING_BYTES_MAX,
        }
    }
}

impl Time {
    /// `None` if it does not fit.
    #[inline]
    fn of(at: i64) -> Option<Time> {
        let [bytes @ .., _] = at.to_le_bytes();
        Some(Time(bytes)).filter(|time| time.get() == at)
    }

    #[inline]
    fn get(self) -> i64 {
        let [a, b, c, d, e, f, g] = self.0;
        // The sign comes down from the highest byte.
        i64::from_le_bytes([0, a, b, c, d, e, f, g]) >> u8::BITS
    }
}

impl Stamp {
    #[inline]
    fn of(stamp: u64) -> Stamp {
        let [bytes @ .., _] = stamp.min(STAMP_MAX).to_le_bytes();
        Stamp(bytes)
    }

    #[inline]
    fn get(self) -> u64 {
        let [a, b, c, d, e, f, g] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, 0])
    }
}

impl Stamped {
    /// A key with its first stamp, at most [`STAMP_MAX`], for which nothing is due.
    #[inline]
    pub fn new(key: Key, stamp: u64) -> Stamped {
        let stamp = Stamp::of(stamp);
        Stamped(match key.0 {
            Repr::Short { len, bytes } if usize::from(len) <= FULL_BYTES => {
                let mut name = Name([0; FULL_BYTES]);
                name.0.copy_from_slice(&bytes[..FULL_BYTES]);
                if usize::from(len) == FULL_BYTES {
                    Kept::Full { stamp, name }
                } else {
                    // All behind its end is zeros.
                    name.0[FULL_BYTES - 1] = len;
                    Kept::Short { stamp, name }
                }
            }
            Repr::Short { len, bytes } => Kept::Long {
                stamp,
                bytes: Arc::from(&bytes[..usize::from(len)]),
            },
            Repr::Long(bytes) => Kept::Long { stamp, bytes },
            Repr::Shared(bytes) => Kept::Shared { stamp, bytes },
        })
    }

    /// Returns whether it is this key.
    #[inline]
    pub fn is(&self, sought: &Sought<'_>) -> bool {
        match &self.0 {
            Kept::Short { name, .. } => {
                sought.key.len() < FULL_BYTES && name.packed() == sought.packed
            }
            Kept::Full { name, .. } => {
                sought.key.len() == FULL_BYTES && name.packed() == sought.packed
            }
            Kept::Awaited { name, .. } => {
                sought.key.len() < FULL_BYTES && awaited(name) == sought.packed
            }
            Kept::Expires16 { len, name, .. } => {
                let packed = u128::from_le_bytes(**name);
                let is_same = match usize::from(*len) {
                    FULL_BYTES => packed == sought.packed,
                    _ => packed == sought.packed & NAME_BITS,
                };
                sought.key.len() == usize::from(*len) && is_same
            }
            Kept::Timed { rest, .. } => match &rest.key.0 {
                Repr::Short { len, bytes } if usize::from(*len) < FULL_BYTES => {
                    let name = bytes.first_chunk().map_or(0, |it| u128::from_le_bytes(*it));
                    sought.key.len() == usize::from(*len) && name == sought.packed & NAME_BITS
                }
                Repr::Short { .. } | Repr::Long(_) | Repr::Shared(_) => {
                    self.is_elsewhere(sought.key)
                }
            },
            Kept::Long { .. } | Kept::Shared { .. } | Kept::Expires32 { .. } => {
                self.is_elsewhere(sought.key)
            }
        }
    }

    /// The key, to be kept elsewhere without a copy of a long one.
    #[inline]
    pub fn key(&self) -> Key {
        match &self.0 {
            Kept::Short { .. }
            | Kept::Full { .. }
            | Kept::Awaited { .. }
            | Kept::Expires16 { .. }
            | Kept::Expires32 { .. } => Key::from(&**self),
            Kept::Long { bytes, .. } => Key(Repr::Long(bytes.clone())),
            Kept::Shared { bytes, .. } => Key(Repr::Shared(bytes.clone())),
            Kept::Timed { rest, .. } => rest.key.clone(),
        }
    }

    /// The stamp.
    #[inline]
    pub fn stamp(&self) -> u64 {
        match &self.0 {
            Kept::Short { stamp, .. }
            | Kept::Full { stamp, .. }
            | Kept::Long { stamp, .. }
            | Kept::Shared { stamp, .. }
            | Kept::Awaited { stamp, .. }
            | Kept::Expires16 { stamp, .. }
            | Kept::Expires32 { stamp, .. }
            | Kept::Timed { stamp, .. } => stamp.get(),
        }
    }

    /// Changes the stamp, to at most [`STAMP_MAX`].
    #[inline]
    pub fn set_stamp(&mut self, new: u64) {
        match &mut self.0 {
            Kept::Short { stamp, .. }
            | Kept::Full { stamp, .. }
            | Kept::Long { stamp, .. }
            | Kept::Shared { stamp, .. }
            | Kept::Awaited { stamp, .. }
            | Kept::Expires16 { stamp, .. }
            | Kept::Expires32 { stamp, .. }
            | Kept::Timed { stamp, .. } => *stamp = Stamp::of(new),
        }
    }

    /// When something is due for the key.
    #[inline]
    pub fn timed(&self) -> Option<Timed> {
        match &self.0 {
            Kept::Timed { rest, .. } => Some(Timed {
                at: self.at(),
                timer: rest.timer,
            }),
            Kept::Awaited { timer, .. } => Some(Timed {
                at: None,
                timer: Some(*timer),
            }),
            Kept::Expires16 { at, .. } | Kept::Expires32 { at, .. } => Some(Timed {
                at: Some(at.get()),
                timer: None,
            }),
            Kept::Short { .. } | Kept::Full { .. } | Kept::Long { .. } | Kept::Shared { .. } => {
                None
            }
        }
    }

    /// The time at which something is due, without a look at anything else.
    #[inline]
    pub fn at(&self) -> Option<i64> {
        match &self.0 {
            Kept::Expires16 { at, .. } | Kept::Expires32 { at, .. } => Some(at.get()),
            Kept::Timed { at, .. } => (*at != NEVER).then_some(*at),
            Kept::Short { .. }
            | Kept::Full { .. }
            | Kept::Long { .. }
            | Kept::Shared { .. }
            | Kept::Awaited { .. } => None,
        }
    }

    /// Changes when something is due for the key.
    #[inline]
    pub fn set_timed(&mut self, timed: Option<Timed>) {
        let expiry = timed.filter(|timed| timed.timer.is_none());
        let expiry = expiry.and_then(|timed| Time::of(timed.at?));
        match (&mut self.0, timed) {
            (Kept::Expires16 { at, .. } | Kept::Expires32 { at, .. }, Some(_))
                if expiry.is_some() =>
            {
                *at = expiry.unwrap_or(*at);
            }
            (Kept::Timed { at, rest, .. }, Some(timed)) if rest.suits(timed) => {
                *at = timed.at.unwrap_or(NEVER);
                rest.timer = timed.timer;
            }
            (_, Some(timed)) => {
                let (stamp, key) = (Stamp::of(self.stamp()), self.key());
                *self = Stamped(Kept::timed(stamp, key, timed));
            }
            (
                Kept::Timed { .. }
                | Kept::Awaited { .. }
                | Kept::Expires16 { .. }
                | Kept::Expires32 { .. },
                None,
            ) => {
                *self = Stamped::new(self.key(), self.stamp());
            }
            (_, None) => {}
        }
    }

    /// Memory outside of it, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Kept::Short { .. } | Kept::Full { .. } | Kept::Awaited { .. } => 0,
            Kept::Long { .. } | Kept::Shared { .. } => self.key().heap_bytes(),
            Kept::Expires16 { name, .. } => name.len(),
            Kept::Expires32 { name, .. } => name.len(),
            Kept::Timed { rest, .. } => allocated(size_of::<Rest>()) + rest.key.heap_bytes(),
        }
    }

    /// Returns whether it is this key, if its bytes are not here. Apart, so that a
    /// search inlines only what most keys need.
    #[inline(never)]
    fn is_elsewhere(&self, sought: &[u8]) -> bool {
        is_same(self.elsewhere(), sought)
    }

    /// The bytes, if they are not here.
    #[inline]
    fn elsewhere(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { .. } | Kept::Full { .. } | Kept::Awaited { .. } => &[],
            Kept::Long { bytes, .. } => bytes,
            Kept::Shared { bytes, .. } => bytes,
            Kept::Expires16 { len, name, .. } => &name[..usize::from(*len).min(name.len())],
            Kept::Expires32 { len, name, .. } => &name[..usize::from(*len).min(name.len())],
            Kept::Timed { rest, .. } => &rest.key,
        }
    }
}

impl Deref for Stamped {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { name, .. } => {
                let [bytes @ .., len] = &name.0;
                &bytes[..usize::from(*len).min(bytes.len())]
            }
            Kept::Full { name, .. } => &name.0,
            Kept::Awaited { name, .. } => {
                let [bytes @ .., len] = name;
                &bytes[..usize::from(*len).min(bytes.len())]
            }
            Kept::Long { .. }
            | Kept::Shared { .. }
            | Kept::Expires16 { .. }
            | Kept::Expires32 { .. }
            | Kept::Timed { .. } => self.elsewhere(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timers::Timers;

    #[test]
    fn whatever_is_changed_the_rest_stays() {
        let timer = Some(Timers::default().set(1, ()));
        let timed = |at| Timed { at, timer };
        let expires = |at| Timed {
            at: Some(at),
            timer: None,
        };
        for len in 0..40 {
            let bytes = vec![b'k'; len];
            for key in [
                Key::from(bytes.as_slice()),
                Key::from_shared(Arc::new(bytes.clone())),
            ] {
                let mut stamped = Stamped::new(key.clone(), 7);
                let steps = [
                    None,
                    Some(expires(-5)),
                    Some(expires(1 << 40)),
                    Some(expires((1 << 55) - 1)),
                    Some(expires(1 << 55)),
                    Some(expires(-1 << 55)),
                    Some(timed(Some(i64::MAX))),
                    Some(timed(None)),
                    Some(timed(None)),
                    Some(expires(i64::MIN + 1)),
                    None,
                    Some(timed(None)),
                    None,
                ];
                let stamps = [0, 1, STAMP_MAX - 1, STAMP_MAX].into_iter().cycle();
                for (due, stamp) in steps.into_iter().zip(stamps) {
                    stamped.set_stamp(stamp);
                    stamped.set_timed(due);
                    assert_eq!((&*stamped, stamped.stamp()), (bytes.as_slice(), stamp));
                    assert_eq!((stamped.key(), stamped.timed()), (key.clone(), due));
                    assert_eq!(stamped.at(), due.and_then(|due| due.at));
                    assert!(stamped.is(&Sought::of(&bytes)));
                    for at in 0..len {
                        let mut other = bytes.clone();
                        other[at] ^= 0x80;
                        assert!(!stamped.is(&Sought::of(&other)));
                        assert!(!stamped.is(&Sought::of(&bytes[at + 1..])));
                    }
                    let longer = [&bytes[..], b"\0"].concat();
                    assert!(!stamped.is(&Sought::of(&longer)));
                    let clone = stamped.clone();
                    assert_eq!((clone.key(), clone.timed()), (key.clone(), due));
                }
            }
        }
    }

    #[test]
    fn stamps_beyond_the_greatest_are_that() {
        let mut stamped = Stamped::new(Key::from(b"k"), u64::MAX);
        assert_eq!(stamped.stamp(), STAMP_MAX);
        stamped.set_stamp(STAMP_MAX + 1);
        assert_eq!(stamped.stamp(), STAMP_MAX);
    }

    #[test]
    fn a_key_of_16_bytes_needs_no_memory_of_its_own() {
        assert_eq!(Stamped::new(Key::from(&[b'k'; 16]), 0).heap_bytes(), 0);
        assert_eq!(Stamped::new(Key::from(&[b'k'; 17]), 0).heap_bytes(), 32);
        let mut timed = Stamped::new(Key::from(&[b'k'; 16]), 0);
        timed.set_timed(Some(Timed {
            at: Some(1),
            timer: None,
        }));
        assert_eq!(timed.heap_bytes(), 16);
    }

    #[test]
    fn a_short_key_with_a_timer_alone_needs_no_memory_of_its_own() {
        let timer = Some(Timers::default().set(1, ()));
        for (len, heap_bytes) in [(11, 0), (12, 32)] {
            let mut awaited = Stamped::new(Key::from(vec![b'k'; len].as_slice()), 0);
            awaited.set_timed(Some(Timed { at: None, timer }));
            assert_eq!(awaited.heap_bytes(), heap_bytes);
        }
    }
}
