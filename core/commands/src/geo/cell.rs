//! Cells: the world is halved again and again, in turns by longitude and by latitude. The bits that
//! say in which halves a position is are the number of its cell. Near places have near numbers.
//!
//! A score has 26 bits of each, those of the longitude above those of the latitude.

use super::sphere::Position;

/// How often each direction is halved for a score.
pub(super) const STEPS: u32 = 26;

/// How far the cells of scores reach to the north and south: as far as a map by Mercator that is a
/// square.
pub(super) const LATITUDE_MAX: f64 = 85.051_128_78;
pub(super) const LONGITUDE_MAX: f64 = 180.0;

/// A cell: which one from the west and from the south, and how often the world was halved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) steps: u32,
}

/// The sides of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) south: f64,
    pub(super) north: f64,
}

impl Cell {
    /// The cell of a position.
    pub(super) fn of(at: Position, steps: u32) -> Cell {
        Cell::within(at, LATITUDE_MAX, steps)
    }

    fn within(at: Position, latitude_max: f64, steps: u32) -> Cell {
        let part = |value: f64, max: f64| {
            let part = (value + max) / (max + max);
            (part * (1_u64 << steps) as f64) as u32
        };
        Cell {
            x: part(at.longitude, LONGITUDE_MAX),
            y: part(at.latitude, latitude_max),
            steps,
        }
    }

    /// The cell of a score. What is no number of a cell is taken for one, as Redis does.
    pub(super) fn of_score(score: f64) -> Cell {
        let bits = match score {
            ..0.0 => (score as i64) as u64,
            0.0..18_446_744_073_709_551_616.0 => score as u64,
            _ => 0,
        };
        Cell {
            x: gathered(bits >> 1),
            y: gathered(bits),
            steps: STEPS,
        }
    }

    /// Its number.
    pub(super) fn bits(self) -> u64 {
        spread(self.x) << 1 | spread(self.y)
    }

    /// The scores of the positions in it: from the first on, before the second.
    pub(super) fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEPS - self.steps);
        let bits = self.bits();
        ((bits << shift) as f64, ((bits + 1) << shift) as f64)
    }

    pub(super) fn sides(self) -> Sides {
        let side =
            |n: u64, max: f64| -max + (n as f64 / (1_u64 << self.steps) as f64) * (max + max);
        let (x, y) = (u64::from(self.x), u64::from(self.y));
        Sides {
            west: side(x, LONGITUDE_MAX),
            east: side(x + 1, LONGITUDE_MAX),
            south: side(y, LATITUDE_MAX),
            north: side(y + 1, LATITUDE_MAX),
        }
    }

    /// The position in its middle.
    pub(super) fn middle(self) -> Position {
        let sides = self.sides();
        let middle = |from: f64, to: f64, max: f64| ((from + to) / 2.0).clamp(-max, max);
        Position {
            longitude: middle(sides.west, sides.east, LONGITUDE_MAX),
            latitude: middle(sides.south, sides.north, LATITUDE_MAX),
        }
    }

    /// The cell so many to the east and to the north, around the world.
    pub(super) fn moved(self, east: i32, north: i32) -> Cell {
        let mask = ((1_u64 << self.steps) - 1) as u32;
        Cell {
            x: self.x.wrapping_add_signed(east) & mask,
            y: self.y.wrapping_add_signed(north) & mask,
            steps: self.steps,
        }
    }
}

/// The score of a position.
pub(super) fn score_of(at: Position) -> f64 {
    Cell::of(at, STEPS).bits() as f64
}

/// The position of a score.
pub(super) fn position_of(score: f64) -> Position {
    Cell::of_score(score).middle()
}

/// How many letters a text has.
pub(super) const TEXT_BYTES: usize = 11;

/// The text that others know a position by (geohash.org). It reaches to the poles. The last letter
/// would need more bits than there are, and says nothing.
pub(super) fn text_of(at: Position) -> [u8; TEXT_BYTES] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    const BITS: usize = 5;
    let bits = Cell::within(at, 90.0, STEPS).bits();
    let mut text = [b'0'; TEXT_BYTES];
    for (index, letter) in text.iter_mut().take(TEXT_BYTES - 1).enumerate() {
        let shift = 2 * STEPS as usize - (index + 1) * BITS;
        *letter = LETTERS[(bits >> shift) as usize % LETTERS.len()];
    }
    text
}

/// Puts a zero before each bit.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    for (shift, mask) in MASKS {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Every second bit, from the lowest on.
fn gathered(bits: u64) -> u32 {
    let mut bits = bits & MASKS[4].1;
    for (at, (shift, _)) in MASKS.iter().enumerate().rev() {
        let mask = at.checked_sub(1).map_or(0xffff_ffff, |at| MASKS[at].1);
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// How far halves of words are moved apart, and where they are then.
const MASKS: [(u32, u64); 5] = [
    (16, 0x0000_ffff_0000_ffff),
    (8, 0x00ff_00ff_00ff_00ff),
    (4, 0x0f0f_0f0f_0f0f_0f0f),
    (2, 0x3333_3333_3333_3333),
    (1, 0x5555_5555_5555_5555),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position() -> impl Strategy<Value = Position> {
        let ranges = (-180.0..=180.0, -LATITUDE_MAX..=LATITUDE_MAX);
        ranges.prop_map(|(longitude, latitude)| Position {
            longitude,
            latitude,
        })
    }

    #[test]
    fn scores_and_texts_are_those_of_redis() {
        let palermo = Position {
            longitude: 13.361_389,
            latitude: 38.115_556,
        };
        assert_eq!(score_of(palermo), 3_479_099_956_230_698.0);
        assert_eq!(&text_of(position_of(score_of(palermo))), b"sqc8b49rny0");
    }

    proptest! {
        #[test]
        fn a_position_is_in_its_cell(at in position(), steps in 1..=STEPS) {
            let cell = Cell::of(at, steps);
            let sides = cell.sides();
            prop_assert!((sides.west - 1e-9..=sides.east + 1e-9).contains(&at.longitude));
            prop_assert!((sides.south - 1e-9..=sides.north + 1e-9).contains(&at.latitude));
            let (first, end) = cell.scores();
            prop_assert!((first..end).contains(&score_of(at)));
            prop_assert_eq!(Cell::of_score(score_of(at)), Cell::of(at, STEPS));
        }

        #[test]
        fn bits_are_spread_and_gathered(value in any::<u32>()) {
            prop_assert_eq!(gathered(spread(value)), value);
            prop_assert_eq!(spread(value) & 0xaaaa_aaaa_aaaa_aaaa, 0);
        }
    }
}
