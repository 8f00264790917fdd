//! The memory of a page: what lies in it is up to the page.
//!
//! Most values are small, so memory of up to [`SMALL_BYTES_MAX`] has no head: its length is the
//! variant, and how far it is filled lies beside the pointer, in room that the page would take
//! anyway. A clone copies it. Larger memory counts who shares it, and a clone is one pointer.

use triomphe::{Arc, ThinArc};

use crate::sizes::{SMALL_BYTES_MAX, small_sizes};

/// The reference count of shared memory, its fill, and its length, which lie before it.
pub(crate) const HEAD_BYTES: usize = 24;

/// How much room there is at most. With its head, that is two pages of memory.
pub(super) const ROOM_MAX: usize = (8 << 10) - HEAD_BYTES;

/// How far a page is filled.
#[derive(Clone, Copy, Default)]
pub(super) struct Fill {
    /// How many elements there are.
    pub(super) count: u16,
    /// How many bytes they have.
    pub(super) used: u16,
}

macro_rules! memory {
    ($($variant:ident: $bytes:literal,)*) => {
        /// A piece of memory, and a number for whoever has it.
        #[derive(Clone)]
        pub(super) enum Memory {
            $($variant { count: u8, used: u8, note: u32, memory: Box<[u8; $bytes]> },)*
            Shared { note: u32, memory: ThinArc<Fill, u8> },
        }

        impl Memory {
            /// Empty memory with room for this many bytes, or for `room` if it is to be shared.
            pub(super) fn with_room(bytes: usize, room: usize) -> Memory {
                match bytes {
                    $(..=$bytes => Memory::$variant {
                        count: 0,
                        used: 0,
                        note: 0,
                        memory: Box::new([0; $bytes]),
                    },)*
                    _ => Memory::shared(room),
                }
            }

            /// How far it is filled.
            #[inline]
            pub(super) fn fill(&self) -> Fill {
                match self {
                    $(Memory::$variant { count, used, .. } => Fill {
                        count: u16::from(*count),
                        used: u16::from(*used),
                    },)*
                    Memory::Shared { memory, .. } => memory.header.header,
                }
            }

            /// All of it.
            #[inline]
            pub(super) fn bytes(&self) -> &[u8] {
                match self {
                    $(Memory::$variant { memory, .. } => memory.as_slice(),)*
                    Memory::Shared { memory, .. } => &memory.slice,
                }
            }

            /// Memory on the heap, in bytes.
            pub(super) fn heap_bytes(&self) -> usize {
                match self {
                    $(Memory::$variant { memory, .. } => memory.len(),)*
                    Memory::Shared { memory, .. } => HEAD_BYTES + memory.slice.len(),
                }
            }

            /// The number that was noted; 0 at first.
            #[inline]
            pub(super) fn note(&self) -> u32 {
                match self {
                    $(Memory::$variant { note, .. })|* | Memory::Shared { note, .. } => *note,
                }
            }

            /// Notes a number.
            #[inline]
            pub(super) fn set_note(&mut self, new: u32) {
                match self {
                    $(Memory::$variant { note, .. })|* | Memory::Shared { note, .. } => *note = new,
                }
            }

            /// Returns whether nobody else has it.
            #[inline]
            pub(super) fn is_unique(&mut self) -> bool {
                match self {
                    $(Memory::$variant { .. })|* => true,
                    Memory::Shared { memory, .. } => memory.with_arc_mut(|it| it.is_unique()),
                }
            }

            /// Writes to memory that nobody else has, and notes how far it is filled then.
            #[inline]
            pub(super) fn write(&mut self, write: impl FnOnce(&mut Fill, &mut [u8])) {
                let mut fill = self.fill();
                let owned = match self {
                    $(Memory::$variant { memory, .. } => memory.as_mut_slice(),)*
                    Memory::Shared { memory, .. } => {
                        return memory.with_arc_mut(|memory| {
                            let memory = Arc::get_mut(memory).expect("made its own before");
                            write(&mut fill, memory.slice_mut());
                            *memory.header_mut() = fill;
                        });
                    }
                };
                write(&mut fill, owned);
                match self {
                    // There is no more than the size of the memory of either.
                    $(Memory::$variant { count, used, .. })|* => {
                        *count = fill.count as u8;
                        *used = fill.used as u8;
                    }
                    Memory::Shared { .. } => {}
                }
            }
        }
    };
}

small_sizes!(memory);

// The length, the fill and the note lie beside the pointer.
const _: () = assert!(size_of::<Memory>() == 16 && size_of::<Option<Memory>>() == 16);
const _: () = assert!(SMALL_BYTES_MAX <= u8::MAX as usize);

impl Memory {
    #[inline(never)]
    fn shared(room: usize) -> Memory {
        const ZEROS: [u8; ROOM_MAX] = [0; ROOM_MAX];
        let memory = &ZEROS[..room.min(ROOM_MAX)];
        let memory = ThinArc::from_header_and_slice(Fill::default(), memory);
        Memory::Shared { note: 0, memory }
    }
}
