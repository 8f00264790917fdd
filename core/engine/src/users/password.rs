//! Passwords, of which only the SHA-256 is kept.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The digest of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Password([u8; 32]);

impl Password {
    /// That of a password in plain.
    pub fn of(plain: &[u8]) -> Password {
        Password(Sha256::digest(plain).into())
    }

    /// Reads a digest: 64 hexadecimal digits, none of them a capital.
    pub fn parse(hex: &[u8]) -> Option<Password> {
        let mut digest = [0; 32];
        if hex.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            let (high, low) = (nibble(*pair.first()?)?, nibble(*pair.last()?)?);
            *byte = high << 4 | low;
        }
        Some(Password(digest))
    }

    /// Its digits.
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
        let pairs = self.0.iter();
        pairs
            .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
            .collect()
    }

    /// Returns whether it is one of some, in a time that does not depend on which.
    pub(super) fn is_among(&self, passwords: &[Password]) -> bool {
        let mut found = Choice::from(0);
        for password in passwords {
            found |= self.0.ct_eq(&password.0);
        }
        found.into()
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Password;

    #[test]
    fn a_digest_is_read_as_it_is_written_and_in_no_other_way() {
        let hex = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
        assert_eq!(Password::of(b"a").hex(), hex);
        assert_eq!(Password::parse(hex.as_bytes()), Some(Password::of(b"a")));
        for wrong in [
            &hex[1..],
            &hex.to_ascii_uppercase(),
            &hex.replacen('c', "g", 1),
            "",
        ] {
            assert_eq!(Password::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn only_the_whole_password_is_the_password() {
        let known = [Password::of(b"other"), Password::of(b"secret")];
        assert!(Password::of(b"secret").is_among(&known));
        for given in ["", "s", "secre", "secrets", "Secret", "secretsecret"] {
            assert!(!Password::of(given.as_bytes()).is_among(&known), "{given}");
        }
        assert!(!Password::of(b"").is_among(&[]));
    }
}
