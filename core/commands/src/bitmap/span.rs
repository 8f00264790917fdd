//! The part of a string that `BITCOUNT` and `BITPOS` look at.

use engine::args::Args;
use engine::error::CmdError;

/// What start and end count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Byte,
    Bit,
}

impl Unit {
    /// Takes `BYTE` or `BIT`.
    pub(super) fn parse(args: &mut Args<'_>) -> Result<Unit, CmdError> {
        if args.keyword("BIT") {
            Ok(Unit::Bit)
        } else if args.keyword("BYTE") {
            Ok(Unit::Byte)
        } else {
            Err(CmdError::Syntax)
        }
    }
}

/// Both ends belong to it; negative ones count from the end of the string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) unit: Unit,
}

impl Span {
    /// All of a string.
    pub(super) const ALL: Span = Span {
        start: 0,
        end: -1,
        unit: Unit::Byte,
    };

    /// The first bit and the one after the last, in a string of this many bytes; `None` if nothing
    /// is between.
    pub(super) fn bits(&self, len: usize) -> Option<(u64, u64)> {
        let unit_bits = match self.unit {
            Unit::Byte => 8,
            Unit::Bit => 1,
        };
        let total = len as i64 * 8 / unit_bits;
        let place = |place: i64| match place {
            ..0 => place.saturating_add(total).max(0),
            _ => place,
        };
        let (start, end) = (place(self.start), place(self.end).min(total - 1));
        (start <= end).then(|| ((start * unit_bits) as u64, ((end + 1) * unit_bits) as u64))
    }

    /// The bytes that the bits touch, with the bits of the first and the last that do not belong to
    /// the span set to `filler`.
    pub(super) fn masked(bytes: &[u8], (start, end): (u64, u64), filler: bool) -> Edges<'_> {
        let (first, last) = ((start / 8) as usize, (end.div_ceil(8)) as usize);
        let bytes = &bytes[first..last];
        let mut head_mask = u8::MAX >> (start % 8);
        let tail_mask = match end % 8 {
            0 => u8::MAX,
            used => !(u8::MAX >> used),
        };
        let fill = |byte: u8, mask: u8| if filler { byte | !mask } else { byte & mask };
        match bytes {
            [] => Edges {
                head: None,
                middle: &[],
                tail: None,
            },
            [only] => {
                head_mask &= tail_mask;
                Edges {
                    head: Some(fill(*only, head_mask)),
                    middle: &[],
                    tail: None,
                }
            }
            [head, middle @ .., tail] => Edges {
                head: Some(fill(*head, head_mask)),
                middle,
                tail: Some(fill(*tail, tail_mask)),
            },
        }
    }
}

/// The bytes of a span; only the first and the last can be there in part.
#[derive(Debug)]
pub(super) struct Edges<'a> {
    head: Option<u8>,
    middle: &'a [u8],
    tail: Option<u8>,
}

impl Edges<'_> {
    /// The parts in order, each with the bits that go before it.
    pub(super) fn parts(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let tail_at = (usize::from(self.head.is_some()) + self.middle.len()) as u64 * 8;
        [
            (0, self.head.as_slice()),
            (8, self.middle),
            (tail_at, self.tail.as_slice()),
        ]
        .into_iter()
    }
}
