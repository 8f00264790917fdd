//! The name of a script: the SHA-1 of its text.

use std::fmt;

/// 40 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha([u8; 40]);

impl Sha {
    /// The name of a text.
    pub fn of(text: &[u8]) -> Sha {
        let mut hash = sha1_smol::Sha1::new();
        hash.update(text);
        let mut digits = [0; 40];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.digest().bytes()) {
            pair[0] = hex_digit(byte >> 4);
            pair[1] = hex_digit(byte & 15);
        }
        Sha(digits)
    }

    /// Reads a name, in any case of letters. What is not one names no script.
    pub fn parse(text: &[u8]) -> Option<Sha> {
        let mut digits: [u8; 40] = text.try_into().ok()?;
        digits.make_ascii_lowercase();
        Some(Sha(digits))
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.escape_ascii().to_string())
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const fn hex_digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'a' - 10 + value,
    }
}

#[cfg(test)]
mod tests {
    use super::Sha;

    #[test]
    fn a_text_has_the_name_that_redis_gives_it() {
        let sha = Sha::of(b"return 1");
        assert_eq!(sha.to_string(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        let upper = sha.to_string().to_ascii_uppercase();
        assert_eq!(Sha::parse(upper.as_bytes()), Some(sha));
        assert_eq!(Sha::parse(b"e0e1"), None);
    }
}
