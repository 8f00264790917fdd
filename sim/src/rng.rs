//! The only source of randomness in a run: everything that a seed decides comes from here, in
//! order.

/// A small deterministic generator (SplitMix64). The same seed gives the same numbers, on every
/// machine, for ever.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Rng { state: seed }
    }

    /// A generator whose numbers do not depend on how many are drawn from this one afterwards.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Rng::new(self.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.number()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// An index below `bound`; 0 if that is 0.
    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap_or_default()
    }

    /// True once in `times` calls, on average.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut rng = Rng::new(1);
        assert_eq!(
            [rng.number(), rng.number(), rng.below(10), rng.below(0)],
            [0x910a_2dec_8902_5cc1, 0xbeeb_8da1_658e_ec67, 9, 0]
        );
    }

    #[test]
    fn numbers_below_a_bound_reach_all_of_it() {
        let mut rng = Rng::new(7);
        let mut seen = [false; 10];
        (0..200).for_each(|_| seen[rng.index(10)] = true);
        assert!(seen.iter().all(|&seen| seen));
    }
}
