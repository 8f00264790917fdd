//! Random passwords (`ACL GENPASS`).
//!
//! The numbers that the engine draws otherwise can be worked out from a few of them, so that
//! passwords come from a secret of their own: what is seen of them tells nothing of others.

use sha2::{Digest, Sha256};

use crate::limits::PASSWORD_BITS_MAX;

/// A source of passwords.
#[derive(Debug)]
pub struct Generator {
    secret: [u8; 32],
    used: u64,
}

impl Generator {
    /// One that gives the same passwords for the same seed.
    pub(super) fn of_seed(seed: u64) -> Generator {
        Generator::of_secret(Sha256::digest(seed.to_le_bytes()).into())
    }

    /// One whose passwords are as hard to guess as the secret.
    pub fn of_secret(secret: [u8; 32]) -> Generator {
        Generator { secret, used: 0 }
    }

    /// A new password of that many random bits, rounded up to whole hexadecimal digits.
    pub fn password(&mut self, bits: u32) -> String {
        let digits = bits.min(PASSWORD_BITS_MAX).div_ceil(4) as usize;
        let mut password = String::with_capacity(digits);
        while password.len() < digits {
            let mut hash = Sha256::new();
            hash.update(self.secret);
            hash.update(self.used.to_le_bytes());
            self.used += 1;
            for byte in hash.finalize() {
                password.push_str(&format!("{byte:02x}"));
            }
        }
        password.truncate(digits);
        password
    }
}

#[cfg(test)]
mod tests {
    use super::Generator;

    #[test]
    fn passwords_are_as_long_as_asked_for_and_none_comes_twice() {
        let mut generator = Generator::of_secret([7; 32]);
        for (bits, digits) in [(1, 1), (4, 1), (5, 2), (256, 64), (4096, 1024)] {
            assert_eq!(generator.password(bits).len(), digits);
        }
        let (first, second) = (generator.password(256), generator.password(256));
        assert_ne!(first, second);
        assert_eq!(Generator::of_secret([7; 32]).password(256).len(), 64);
        assert_ne!(
            Generator::of_seed(1).password(256),
            Generator::of_seed(2).password(256)
        );
    }
}
