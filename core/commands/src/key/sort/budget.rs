//! How much one `SORT` does.

use engine::error::CmdError;
use engine::limits::{SORT_BYTES_MAX, SORT_LOOKS_MAX};

/// What one command may still look at: the work that it does while all others wait grows with that.
#[derive(Debug)]
pub(super) struct Budget {
    looks: usize,
    bytes: usize,
}

impl Budget {
    /// At the beginning of a command.
    pub(super) const WHOLE: Budget = Budget {
        looks: SORT_LOOKS_MAX,
        bytes: SORT_BYTES_MAX,
    };

    /// Takes this much of it.
    pub(super) fn take(&mut self, looks: usize, bytes: usize) -> Result<(), CmdError> {
        let left = self.looks.checked_sub(looks);
        self.looks = left.ok_or(CmdError::SortTooLarge)?;
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or(CmdError::SortTooLarge)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_taken_up_to_its_end_and_not_beyond() {
        let mut budget = Budget::WHOLE;
        assert_eq!(budget.take(SORT_LOOKS_MAX, SORT_BYTES_MAX), Ok(()));
        assert_eq!(budget.take(0, 0), Ok(()));
        for (looks, bytes) in [(1, 0), (0, 1)] {
            let refused = budget.take(looks, bytes);
            assert_eq!(refused, Err(CmdError::SortTooLarge));
        }
    }
}
