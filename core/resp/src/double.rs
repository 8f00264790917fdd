//! Floating-point numbers as Redis writes them in replies.
//!
//! The digits are the fewest that read back as the same number; the layout (plain or with an
//! exponent) is that of Redis 8.6, found by asking it.

/// Room for the longest text of a number: `-1.7976931348623157e+308`, or 23 digits and a sign.
pub const DOUBLE_TEXT_BYTES_MAX: usize = 32;

/// The text of `value`: `inf`, `-inf`, `nan`, or digits. Whole numbers that fit 64 bits are written
/// plain; beyond that a number has an exponent once its zeros outnumber six.
pub fn double_text(value: f64, text: &mut [u8; DOUBLE_TEXT_BYTES_MAX]) -> &[u8] {
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format(value).as_bytes();
    let len = shortest.len().min(text.len());
    if let (Some(to), Some(from)) = (text.get_mut(..len), shortest.get(..len)) {
        to.copy_from_slice(from);
    }
    text.get(..len).unwrap_or_default()
}
