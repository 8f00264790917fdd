//! Slots: the parts into which a cluster divides all keys.

/// How many slots there are.
pub const SLOTS: u16 = 16_384;

/// A slot, below [`SLOTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot of a key. If the key has something between its first `{` and the next `}`, that
    /// alone counts, so clients can bring keys into one slot.
    pub fn of(key: &[u8]) -> Slot {
        Slot(crc16(tag(key)) % SLOTS)
    }

    /// The slot of this number, if there is one.
    pub fn new(number: i64) -> Option<Slot> {
        let number = u16::try_from(number).ok()?;
        (number < SLOTS).then_some(Slot(number))
    }

    /// Its number.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// The part of a key that its slot depends on.
fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else {
        return key;
    };
    let rest = &key[open + 1..];
    match rest.iter().position(|byte| *byte == b'}') {
        Some(0) | None => key,
        Some(close) => &rest[..close],
    }
}

/// CRC-16/XMODEM: polynomial 0x1021, nothing reflected, begins with 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        let index = (crc >> 8) as u8 ^ byte;
        (crc << 8) ^ TABLE[usize::from(index)]
    })
}

/// The remainder of each byte.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = match crc & 0x8000 {
                0 => crc << 1,
                _ => (crc << 1) ^ 0x1021,
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, slot) in [
            ("foo", 12_182),
            ("{a}b", 15_495),
            ("a", 15_495),
            ("{}b", 6680),
            ("{b", 6215),
        ] {
            assert_eq!(Slot::of(key.as_bytes()).number(), slot, "{key}");
        }
    }

    #[test]
    fn numbers_of_slots_end_at_the_bound() {
        assert_eq!(Slot::new(0), Some(Slot(0)));
        assert_eq!(Slot::new(16_383), Some(Slot(16_383)));
        assert_eq!(Slot::new(16_384), None);
        assert_eq!(Slot::new(-1), None);
    }
}
