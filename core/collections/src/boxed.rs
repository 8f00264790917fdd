//! Few bytes in memory of their own, beside whose pointer lies how many they are.
//!
//! The memory has one of the sizes that an allocator would give anyway, and the variant says which.
//! So it needs no head, and what points to it takes 16 bytes.

use crate::sizes::{SMALL_BYTES_MAX, small_sizes};

/// How many bytes there are at most.
pub const BOXED_BYTES_MAX: usize = 128;

const _: () = assert!(BOXED_BYTES_MAX == SMALL_BYTES_MAX && BOXED_BYTES_MAX <= u8::MAX as usize);

macro_rules! boxed {
    ($($variant:ident: $bytes:literal,)*) => {
        #[derive(Clone)]
        enum Kept {
            $($variant(Beside, Box<[u8; $bytes]>),)*
        }

        impl Kept {
            /// As many of these bytes as fit in.
            #[inline]
            fn of(bytes: &[u8]) -> Kept {
                let beside = Beside {
                    len: bytes.len().min(BOXED_BYTES_MAX) as u8,
                    is_marked: false,
                };
                match bytes.len() {
                    $(..=$bytes => Kept::$variant(beside, boxed(bytes)),)*
                    _ => Kept::of(&bytes[..BOXED_BYTES_MAX]),
                }
            }

            #[inline]
            fn beside(&self) -> Beside {
                match self {
                    $(Kept::$variant(beside, _))|* => *beside,
                }
            }

            #[inline]
            fn beside_mut(&mut self) -> &mut Beside {
                match self {
                    $(Kept::$variant(beside, _))|* => beside,
                }
            }

            #[inline]
            fn memory(&self) -> &[u8] {
                match self {
                    $(Kept::$variant(_, memory) => memory.as_slice(),)*
                }
            }

            #[inline]
            fn memory_mut(&mut self) -> &mut [u8] {
                match self {
                    $(Kept::$variant(_, memory) => memory.as_mut_slice(),)*
                }
            }
        }
    };
}

small_sizes!(boxed);

/// Bytes, and zeros behind them. Only these are written as zeros: an allocator takes longer for
/// memory that is to be all zeros.
#[inline]
pub(crate) fn boxed<const N: usize>(bytes: &[u8]) -> Box<[u8; N]> {
    let mut memory = Vec::with_capacity(N);
    memory.extend_from_slice(bytes);
    memory.resize(N, 0);
    let memory = memory.into_boxed_slice().try_into();
    memory.expect("it was made that long just above")
}

/// Up to [`BOXED_BYTES_MAX`] bytes. A clone copies them.
#[derive(Clone)]
pub struct Boxed(Kept);

#[derive(Clone, Copy)]
struct Beside {
    len: u8,
    is_marked: bool,
}

const _: () = assert!(size_of::<Boxed>() == 16 && size_of::<Option<Boxed>>() == 16);

impl Boxed {
    /// These bytes, or the first [`BOXED_BYTES_MAX`] of them if there are more.
    #[inline]
    pub fn of(bytes: &[u8]) -> Boxed {
        Boxed(Kept::of(bytes))
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.0.beside().len)
    }

    /// Returns whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.0.memory()[..self.len()]
    }

    /// The bytes, to be changed.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let len = self.len();
        &mut self.0.memory_mut()[..len]
    }

    /// Memory on the heap, in bytes.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.0.memory().len()
    }

    /// Returns whether its owner has marked it.
    #[inline]
    pub fn is_marked(&self) -> bool {
        self.0.beside().is_marked
    }

    /// Marks it, for whatever its owner wants.
    #[inline]
    #[must_use]
    pub fn marked(mut self) -> Boxed {
        self.0.beside_mut().is_marked = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_number_come_back_and_take_what_an_allocator_gives() {
        for len in 0..=BOXED_BYTES_MAX {
            let bytes: Vec<u8> = (0..len as u8).map(|byte| byte ^ 0xa5).collect();
            let mut boxed = Boxed::of(&bytes);
            assert_eq!((boxed.bytes(), boxed.len()), (bytes.as_slice(), len));
            assert_eq!(boxed.heap_bytes(), crate::allocated(len.max(1)));
            assert!(!boxed.is_marked());
            let clone = boxed.clone().marked();
            boxed.bytes_mut().fill(0);
            assert_eq!(boxed.bytes(), vec![0; len]);
            assert_eq!((clone.bytes(), clone.is_marked()), (bytes.as_slice(), true));
        }
        let beyond = Boxed::of(&[b'x'; BOXED_BYTES_MAX + 1]);
        assert_eq!(beyond.bytes(), [b'x'; BOXED_BYTES_MAX]);
    }
}
