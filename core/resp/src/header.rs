//! The line before an aggregate or a bulk string: what it is, and how long.

/// Writes a type byte, a length and the end of the line, piece by piece. Short lines are one piece
/// of constant size.
#[inline]
pub fn write_header(kind: u8, len: usize, mut write: impl FnMut(&[u8])) {
    let digit = |place: usize| b'0' + (len / place % 10) as u8;
    match len {
        0..10 => write(&[kind, digit(1), b'\r', b'\n']),
        10..100 => write(&[kind, digit(10), digit(1), b'\r', b'\n']),
        100..1000 => write(&[kind, digit(100), digit(10), digit(1), b'\r', b'\n']),
        _ => {
            write(&[kind]);
            write(itoa::Buffer::new().format(len).as_bytes());
            write(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_the_length_in_digits() {
        for len in (0..2000).chain([9999, 10_000, usize::MAX]) {
            let mut line = Vec::new();
            write_header(b'$', len, |piece| line.extend_from_slice(piece));
            assert_eq!(line, format!("${len}\r\n").into_bytes());
        }
    }
}
