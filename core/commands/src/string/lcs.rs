//! `LCS`: the longest common subsequence of two strings.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::limits::LCS_CELLS_MAX;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::{Scratch, StringValue};

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]`
pub(super) struct Lcs;

impl Command for Lcs {
    const SPEC: Spec = Spec {
        summary: "Answers the longest sequence of bytes that two strings have in common.",
        since: "7.0.0",
        group: Group::String,
        complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::range(
            1,
            KeyFlags::RO.and(KeyFlags::ACCESS),
            1,
            1,
            0,
        )],
        args: &[
            Arg::key("key1", 0),
            Arg::key("key2", 0),
            Arg::word("len", "LEN").optional(),
            Arg::word("idx", "IDX").optional(),
            Arg::integer("min-match-len")
                .token("MINMATCHLEN")
                .optional(),
            Arg::word("withmatchlen", "WITHMATCHLEN").optional(),
        ],
        ..Spec::named("lcs")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok(Parsed {
            keys: (args.required()?, args.required()?),
            options: Options::parse(args.rest()),
        })
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (a, b) = (read(cmd.keys.0, ctx), read(cmd.keys.1, ctx));
        let (a, b) = (a?, b?);
        let options = cmd.options?;
        if options.len && options.positions {
            return Err(CmdError::LcsLenAndPositions);
        }
        let cells_max = LCS_CELLS_MAX.min(ctx.server.config.bulk_bytes_max / CELL_BYTES);
        let cells = (a.len() + 1).checked_mul(b.len() + 1);
        if cells.is_none_or(|cells| cells > cells_max) {
            return Err(CmdError::LcsTooLong);
        }
        let (mut a_scratch, mut b_scratch) = (Scratch::new(), Scratch::new());
        let (a, b) = (a.as_bytes(&mut a_scratch), b.as_bytes(&mut b_scratch));
        if options.len {
            ctx.reply.count(common_len(a, b));
            return Ok(Flow::Done);
        }
        let common = Common::find(a, b);
        if options.positions {
            let matches = common.matches.iter().filter(|m| m.len >= options.len_min);
            ctx.reply.map(2);
            ctx.reply.bulk(b"matches");
            ctx.reply.array(matches.clone().count());
            ctx.reply.each(matches, |reply, found| {
                reply.array(2 + usize::from(options.with_len));
                for start in [found.a, found.b] {
                    reply.array(2);
                    reply.count(start);
                    reply.count(start + found.len - 1);
                }
                if options.with_len {
                    reply.count(found.len);
                }
            });
            ctx.reply.bulk(b"len");
            ctx.reply.count(common.bytes.len());
        } else {
            ctx.reply.bulk(&common.bytes);
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    keys: (&'a [u8], &'a [u8]),
    /// Errors in them are reported only if both keys are strings.
    options: Result<Options, CmdError>,
}

#[derive(Default)]
struct Options {
    len: bool,
    positions: bool,
    len_min: usize,
    with_len: bool,
}

impl Options {
    fn parse(argv: Argv<'_>) -> Result<Options, CmdError> {
        let mut args = Args::new(argv, 0);
        let mut options = Options::default();
        while args.left() > 0 {
            if args.keyword("LEN") {
                options.len = true;
            } else if args.keyword("IDX") {
                options.positions = true;
            } else if args.keyword("WITHMATCHLEN") {
                options.with_len = true;
            } else if args.keyword_with_value("MINMATCHLEN") {
                options.len_min = usize::try_from(args.integer()?).unwrap_or(0);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(options)
    }
}

fn read(key: &[u8], ctx: &mut Ctx<'_>) -> Result<StringValue, CmdError> {
    match ctx.store.get::<StringValue>(key) {
        // A clone shares the bytes.
        Ok(found) => Ok(found.cloned().unwrap_or_default()),
        Err(_) => Err(CmdError::LcsNeedsStrings),
    }
}

/// Bytes of a cell of the table that Redis fills, by which it refuses what is too long.
const CELL_BYTES: usize = size_of::<u32>();

/// What two strings have in common.
struct Common {
    bytes: Vec<u8>,
    /// The runs of it, the last one first.
    matches: Vec<Run>,
}

/// Bytes that stand together in both strings.
struct Run {
    a: usize,
    b: usize,
    len: usize,
}

impl Common {
    /// Finds it from the ends of both strings, as Redis does: of several longest ones, that which
    /// leaves bytes of the second string first.
    ///
    /// Of the table of lengths it takes a bit for each cell: whether it is longer by one than its
    /// left neighbour. Where both bytes differ, a cell is as long as the longer one of those above
    /// and on its left; so this bit says whether the one above is longer than the one on the left.
    fn find(a: &[u8], b: &[u8]) -> Common {
        let mut rows = Rows::new(a, b);
        let row_bytes = b.len().div_ceil(8);
        let mut not_longer = Vec::with_capacity(a.len() * row_bytes + size_of::<u64>());
        for (line, &byte) in a.iter().enumerate() {
            rows.step(byte);
            for word in &rows.not_longer {
                not_longer.extend_from_slice(&word.to_le_bytes());
            }
            not_longer.truncate((line + 1) * row_bytes);
        }
        let mut common = Common {
            bytes: Vec::new(),
            matches: Vec::new(),
        };
        let (mut i, mut j) = (a.len(), b.len());
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                i -= 1;
                j -= 1;
                common.bytes.push(a[i]);
                match common.matches.last_mut() {
                    Some(run) if run.a == i + 1 && run.b == j + 1 => {
                        *run = Run {
                            a: i,
                            b: j,
                            len: run.len + 1,
                        };
                    }
                    _ => common.matches.push(Run { a: i, b: j, len: 1 }),
                }
            } else if not_longer[(i - 1) * row_bytes + (j - 1) / 8] >> ((j - 1) % 8) & 1 == 0 {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        common.bytes.reverse();
        common
    }
}

/// Returns how long the longest common subsequence is.
fn common_len(a: &[u8], b: &[u8]) -> usize {
    let mut rows = Rows::new(a, b);
    a.iter().for_each(|&byte| rows.step(byte));
    let longer = rows.not_longer.iter().map(|word| word.count_zeros());
    longer.map(|count| count as usize).sum()
}

/// The table of lengths, row by row, 64 cells at a time (after Hyyrö, 2004).
struct Rows {
    /// A bit for each byte of the second string: whether the cell of the present row is not longer
    /// than its left neighbour.
    not_longer: Vec<u64>,
    /// For each byte of the first string, where it is in the second one, one after the other.
    places: Vec<u64>,
    /// Which of these is a byte's.
    place_of: [usize; 256],
}

impl Rows {
    /// Takes a bit for each byte of `b` and each different one of `a`.
    fn new(a: &[u8], b: &[u8]) -> Rows {
        let words = b.len().div_ceil(64);
        let mut place_of = [usize::MAX; 256];
        let mut count = 0;
        for &byte in a {
            let place = &mut place_of[usize::from(byte)];
            if *place == usize::MAX {
                *place = count;
                count += 1;
            }
        }
        let mut places = vec![0; count * words];
        for (at, &byte) in b.iter().enumerate() {
            let place = place_of[usize::from(byte)];
            if place != usize::MAX {
                places[place * words + at / 64] |= 1 << (at % 64);
            }
        }
        Rows {
            not_longer: vec![u64::MAX; words],
            places,
            place_of,
        }
    }

    /// Goes on to the row of the next byte of `a`.
    fn step(&mut self, byte: u8) {
        let words = self.not_longer.len();
        let places = &self.places[self.place_of[usize::from(byte)] * words..][..words];
        let mut carry = false;
        for (row, place) in self.not_longer.iter_mut().zip(places) {
            let (sum, over) = row.overflowing_add(*row & place);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            carry = over | over_again;
            *row = sum | (*row & !place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The table of lengths as it is defined, and the way back through it that Redis takes.
    fn by_the_table(a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
        let mut lens = vec![vec![0; b.len() + 1]; a.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                lens[i + 1][j + 1] = match x == y {
                    true => lens[i][j] + 1,
                    false => lens[i][j + 1].max(lens[i + 1][j]),
                };
            }
        }
        let (mut i, mut j) = (a.len(), b.len());
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                (i, j) = (i - 1, j - 1);
                bytes.insert(0, a[i]);
                places.push((i, j));
            } else if lens[i - 1][j] > lens[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        (bytes, places)
    }

    fn letters() -> impl Strategy<Value = Vec<u8>> {
        (1_u8..6, 0_usize..300).prop_flat_map(|(letters, len)| {
            prop::collection::vec(prop_oneof![9 => 0..letters, 1 => any::<u8>()], 0..=len)
        })
    }

    proptest! {
        #[test]
        fn the_same_sequence_and_places_are_found_as_by_the_table(a in letters(), b in letters()) {
            let (bytes, places) = by_the_table(&a, &b);
            let common = Common::find(&a, &b);
            prop_assert_eq!(common_len(&a, &b), bytes.len());
            prop_assert_eq!(common.bytes, bytes);
            let of_run = |run: &Run| {
                let (a, b) = (run.a, run.b);
                (0..run.len).rev().map(move |at| (a + at, b + at))
            };
            let found: Vec<_> = common.matches.iter().flat_map(of_run).collect();
            prop_assert_eq!(found, places);
        }
    }

    #[test]
    fn the_table_takes_a_bit_for_a_cell() {
        let (a, b) = (vec![b'a'; 10_000], vec![b'b'; 10_000]);
        let rows = Rows::new(&a, &b);
        assert_eq!(rows.places.len(), 10_000_usize.div_ceil(64));
        assert_eq!(common_len(&a, &b), 0);
        assert_eq!(Common::find(&a, &a).bytes, a);
        // A row of a single cell takes a byte.
        assert_eq!(Common::find(&a, b"a").bytes, b"a");
        assert_eq!(Common::find(b"", &a).bytes, b"");
    }
}
