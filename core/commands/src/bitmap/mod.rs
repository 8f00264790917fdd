//! Bits of strings.

mod bitcount;
mod bitfield;
mod bitop;
mod bitpos;
mod bits;
mod setbit;
mod span;

use engine::command::{Entry, entry};

/// The family's rows.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<bitcount::BitCount>(),
    entry::<bitfield::BitField>(),
    entry::<bitfield::BitFieldRo>(),
    entry::<bitop::BitOp>(),
    entry::<bitpos::BitPos>(),
    entry::<setbit::GetBit>(),
    entry::<setbit::SetBit>(),
];
