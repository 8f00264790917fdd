//! What a client may call itself: `CLIENT SETNAME`, `HELLO … SETNAME`, `CLIENT SETINFO`.

/// Returns whether the text would not blur `CLIENT LIST`: visible ASCII without spaces.
pub(super) fn is_valid(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}
