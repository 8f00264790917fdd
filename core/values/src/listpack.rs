//! How many bytes elements take in a listpack, the form in which Redis keeps small values.
//!
//! The bytes themselves are written by `rdb`, which describes them. A list needs their number to
//! know what Redis would call it.

use collections::Element;

/// What a listpack has beside its elements.
pub const FRAME_BYTES: usize = 7;

/// How many bytes an element takes.
#[inline]
pub fn element_bytes(element: Element<'_>) -> usize {
    match element {
        Element::Integer(integer) => integer_bytes(integer),
        Element::Text(bytes) => text_bytes(bytes.len()),
        Element::Shared(bytes) => text_bytes(bytes.len()),
    }
}

/// How many bytes an integer takes.
#[inline]
pub const fn integer_bytes(integer: i64) -> usize {
    1 + match integer {
        0..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    }
}

/// How many bytes a text of this length takes that is not the text of an integer.
#[inline]
const fn text_bytes(len: usize) -> usize {
    let bytes = len
        + match len {
            0..0x40 => 1,
            0x40..0x1000 => 2,
            _ => 5,
        };
    // Behind each element stands its length.
    bytes
        + match bytes {
            0..0x80 => 1,
            0x80..0x4000 => 2,
            0x4000..0x20_0000 => 3,
            0x20_0000..0x1000_0000 => 4,
            _ => 5,
        }
}
