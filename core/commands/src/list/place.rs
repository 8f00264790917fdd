//! Places in a list, as requests name them: ends, indexes, ranges.

use engine::args::Args;
use engine::command::FromArgs;
use engine::error::CmdError;
use engine::table::Arg;
use values::End;

/// `LEFT | RIGHT`
pub(super) const ENDS: &[Arg] = &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")];

/// One end, among the arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtEnd(pub(super) End);

impl<'a> FromArgs<'a> for AtEnd {
    fn from_args(args: &mut Args<'a>) -> Result<AtEnd, CmdError> {
        if args.keyword("LEFT") {
            Ok(AtEnd(End::Left))
        } else if args.keyword("RIGHT") {
            Ok(AtEnd(End::Right))
        } else {
            Err(CmdError::Syntax)
        }
    }
}

/// A number whose sign says from which end of a list it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct FromEnd(pub(super) i64);

impl<'a> FromArgs<'a> for FromEnd {
    fn from_args(args: &mut Args<'a>) -> Result<FromEnd, CmdError> {
        match args.integer()? {
            i64::MIN => Err(CmdError::NotNegatable),
            number => Ok(FromEnd(number)),
        }
    }
}

/// The element that an index names, of so many; a negative index counts from the right, where -1 is
/// the last one.
pub(super) fn index_of(index: i64, len: usize) -> Option<usize> {
    let from_left = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    (from_left < len).then_some(from_left)
}

/// The elements of so many that two indexes name, both included: the first, and the one behind the
/// last. If there are none, those are the same.
pub(super) fn range_of(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let from_left = |index: i64| match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let from = from_left(start).unwrap_or(0).min(len);
    let to = from_left(stop).map_or(0, |stop| stop.saturating_add(1).min(len));
    (from, to.max(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_count_from_both_ends() {
        assert_eq!(index_of(0, 3), Some(0));
        assert_eq!(index_of(2, 3), Some(2));
        assert_eq!(index_of(3, 3), None);
        assert_eq!(index_of(-1, 3), Some(2));
        assert_eq!(index_of(-3, 3), Some(0));
        assert_eq!(index_of(-4, 3), None);
        assert_eq!(index_of(i64::MIN, 3), None);
    }

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        assert_eq!(range_of(0, -1, 3), (0, 3));
        assert_eq!(range_of(1, 1, 3), (1, 2));
        assert_eq!(range_of(-2, 100, 3), (1, 3));
        assert_eq!(range_of(-100, -3, 3), (0, 1));
        assert_eq!(range_of(-100, -4, 3), (0, 0));
        assert_eq!(range_of(2, 1, 3), (2, 2));
        assert_eq!(range_of(3, 5, 3), (3, 3));
        assert_eq!(range_of(i64::MIN, i64::MAX, 3), (0, 3));
        assert_eq!(range_of(0, i64::MIN, 3), (0, 0));
    }
}
