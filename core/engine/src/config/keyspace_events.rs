//! `notify-keyspace-events`: which events of keys are published, and to which channels.

use std::fmt;

use super::SettingError;

/// What is published, a bit for each letter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyspaceEvents(u32);

/// The letters, in the order in which they are told. The first of them together are `A`.
const LETTERS: &[u8] = b"g$lshzxetdnocKEm";

/// How many letters `A` stands for.
const ALL: usize = 10;

const INVALID: SettingError =
    SettingError::Invalid("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");

impl KeyspaceEvents {
    /// Reads letters.
    pub(super) fn parse(text: &str) -> Result<KeyspaceEvents, SettingError> {
        let mut events = KeyspaceEvents::default();
        for letter in text.bytes() {
            events.0 |= match letter {
                b'A' => (1 << ALL) - 1,
                letter => bit(letter).ok_or(INVALID)?,
            };
        }
        Ok(events)
    }

    /// Returns whether a letter is among them.
    pub fn has(self, letter: char) -> bool {
        let bit = u8::try_from(letter).ok().and_then(bit);
        bit.is_some_and(|bit| self.0 & bit != 0)
    }
}

fn bit(letter: u8) -> Option<u32> {
    let place = LETTERS.iter().position(|known| *known == letter)?;
    Some(1 << place)
}

impl fmt::Display for KeyspaceEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = (1 << ALL) - 1;
        let (begin, from) = match self.0 & all == all {
            true => ("A", ALL),
            false => ("", 0),
        };
        f.write_str(begin)?;
        let letters = LETTERS.iter().enumerate().skip(from);
        let mut letters = letters.filter(|(place, _)| self.0 & (1 << place) != 0);
        letters.try_for_each(|(_, letter)| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_that_is_on_is_told() {
        for (given, told) in [
            ("KEA", "AKE"),
            ("mKE", "KEm"),
            ("Kxn", "xnK"),
            ("AAcA", "Ac"),
            ("KEAmnoc", "AnocKEm"),
            ("g$lshzxetd", "A"),
            ("dtexzhsl$", "$lshzxetd"),
            ("", ""),
        ] {
            let events = KeyspaceEvents::parse(given).unwrap();
            assert_eq!(events.to_string(), told);
            assert_eq!(KeyspaceEvents::parse(told), Ok(events));
            for letter in given.chars().filter(|letter| *letter != 'A') {
                assert!(events.has(letter));
            }
        }
        assert_eq!(KeyspaceEvents::parse("Kq"), Err(INVALID));
        assert!(!KeyspaceEvents::default().has('K'));
    }
}
