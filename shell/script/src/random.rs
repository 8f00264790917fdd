//! The random numbers of scripts: the 48-bit generator of `drand48`, which begins as it does when
//! nobody seeds it. So a script gets the same numbers each time that the server is started.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Table};

use crate::failure::{add, fail, one};

/// Adds the functions that draw them.
pub(crate) fn add_to(lua: &Lua, native: &Table) -> mlua::Result<()> {
    let random = Rc::new(Random::new());
    let seeded = random.clone();
    add(lua, native, "random", move |lua, arguments| {
        let part = random.next_double();
        let mut at = 0;
        let (low, high) = match arguments.len() {
            0 => return one(lua, part),
            1 => (1.0, arguments.number(lua, "random", 0)?.trunc()),
            2 => {
                at = 1;
                let low = arguments.number(lua, "random", 0)?.trunc();
                (low, arguments.number(lua, "random", 1)?.trunc())
            }
            _ => return fail("wrong number of arguments"),
        };
        if low > high {
            let number = at + 1;
            return fail(format!(
                "bad argument #{number} to 'random' (interval is empty)"
            ));
        }
        one(lua, (part * (high - low + 1.0)).floor() + low)
    })?;
    add(lua, native, "randomseed", move |lua, arguments| {
        seeded.seed(arguments.number(lua, "randomseed", 0)? as i64);
        Ok(MultiValue::new())
    })
}

/// The generator.
#[derive(Debug)]
struct Random(Cell<u64>);

const MULTIPLIER: u64 = 0x5_deec_e66d;
const ADDEND: u64 = 0xb;
const MASK: u64 = (1 << 48) - 1;
/// What the lowest 16 bits are after seeding.
const LOW: u64 = 0x330e;

impl Random {
    /// A generator that was not seeded.
    fn new() -> Random {
        Random(Cell::new(0x1234_abcd_0000 | LOW))
    }

    /// Begins anew.
    fn seed(&self, seed: i64) {
        self.0.set((seed.cast_unsigned() & 0xffff_ffff) << 16 | LOW);
    }

    /// The next 31 bits.
    fn next(&self) -> u32 {
        let state = self.0.get().wrapping_mul(MULTIPLIER).wrapping_add(ADDEND) & MASK;
        self.0.set(state);
        (state >> 17) as u32
    }

    /// The next number from 0, which it may be, to 1, which it is not.
    fn next_double(&self) -> f64 {
        let range = f64::from(i32::MAX);
        f64::from(self.next() % (i32::MAX as u32)) / range
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_numbers_are_those_of_redis() {
        let random = Random::new();
        // What scripts of Redis 8.6.3 get.
        let numbers = [(); 3].map(|()| format!("{:.17}", random.next_double()));
        let expected = [
            "0.39646477363839039",
            "0.84048536971234034",
            "0.35333609737145533",
        ];
        assert_eq!(numbers, expected);
    }
}
