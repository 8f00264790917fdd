//! `LCS`: the longest common subsequence of two strings.

use resp::Argv;

use crate::args::Args;
use crate::ctx::Ctx;
use crate::error::CmdError;
use crate::limits::LCS_CELLS_MAX;
use crate::table::{Arg, Arity, Command, Flags, Flow, Group, KeyFlags, KeySpec, Spec};

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
        let cells_max = LCS_CELLS_MAX.min(ctx.node.config.bulk_bytes_max / CELL_BYTES);
        let common = Common::find(&a, &b, cells_max)?;
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
        } else if options.len {
            ctx.reply.count(common.bytes.len());
        } else {
            ctx.reply.bulk(&common.bytes);
        }
        Ok(Flow::Done)
    }
}

pub(super) struct Parsed<'a> {
    keys: (&'a [u8], &'a [u8]),
    /// What is wrong with them is told only if both keys are strings.
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

fn read(key: &[u8], ctx: &mut Ctx<'_>) -> Result<Vec<u8>, CmdError> {
    match ctx.tx.string(key) {
        Ok(found) => Ok(found.map(|string| string.to_vec()).unwrap_or_default()),
        Err(_) => Err(CmdError::LcsNeedsStrings),
    }
}

/// Bytes of a cell of the table.
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
    /// Compares in time and memory in proportion to the product of both lengths, which is bounded.
    fn find(a: &[u8], b: &[u8], cells_max: usize) -> Result<Common, CmdError> {
        let width = b.len() + 1;
        let cells = (a.len() + 1).checked_mul(width);
        let cells = cells.filter(|cells| *cells <= cells_max);
        let mut lens = vec![0_u32; cells.ok_or(CmdError::LcsTooLong)?];
        for (i, x) in a.iter().enumerate() {
            let (above, line) = lens[i * width..][..2 * width].split_at_mut(width);
            let (mut left, mut above_left) = (0, 0);
            for ((y, above), here) in b.iter().zip(&above[1..]).zip(&mut line[1..]) {
                left = if x == y {
                    above_left + 1
                } else {
                    left.max(*above)
                };
                *here = left;
                above_left = *above;
            }
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
            } else if lens[(i - 1) * width + j] > lens[i * width + j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        common.bytes.reverse();
        Ok(common)
    }
}
