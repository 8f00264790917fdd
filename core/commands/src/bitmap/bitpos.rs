//! `BITPOS`.

use engine::args::{Args, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{BitmapError, CmdError};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::bits::position;
use super::span::{Span, Unit};

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
pub(super) struct BitPos;

pub(super) struct Parsed<'a> {
    key: &'a [u8],
    bit: bool,
    span: Span,
    /// Without an end, zeros follow the string.
    has_end: bool,
}

impl Command for BitPos {
    const SPEC: Spec = Spec {
        summary: "Finds the first bit that is set, or clear, in the string of a key.",
        since: "2.8.7",
        group: Group::Bitmap,
        complexity: "O(N)",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        history: &[("7.0.0", "BYTE and BIT were added.")],
        args: &[
            Arg::key("key", 0),
            Arg::integer("bit"),
            Arg::block(
                "range",
                &[
                    Arg::integer("start"),
                    Arg::block(
                        "end-unit-block",
                        &[
                            Arg::integer("end"),
                            Arg::one_of(
                                "unit",
                                &[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")],
                            )
                            .since("7.0.0")
                            .optional(),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ],
        ..Spec::named("bitpos")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let bit = match args.integer()? {
            0 => false,
            1 => true,
            _ => return Err(CmdError::Bitmap(BitmapError::BitArgument)),
        };
        let mut parsed = Parsed {
            key,
            bit,
            span: Span::ALL,
            has_end: args.left() >= 2,
        };
        if args.left() > 3 {
            return Err(CmdError::Syntax);
        }
        if args.left() >= 1 {
            parsed.span.start = args.integer()?;
        }
        if args.left() >= 1 {
            // The unit is looked at before the end is.
            let end = args.required()?;
            if args.left() == 1 {
                parsed.span.unit = Unit::parse(args)?;
            }
            parsed.span.end = parse_i64(end).ok_or(CmdError::NotAnInteger)?;
        }
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let found = match ctx.store.get::<StringValue>(cmd.key)? {
            Some(string) => string.with_bytes(|bytes| cmd.find(bytes)),
            None => (!cmd.bit).then_some(0),
        };
        ctx.reply.int(found.map_or(-1, |at| at as i64));
        Ok(Flow::Done)
    }
}

impl Parsed<'_> {
    fn find(&self, bytes: &[u8]) -> Option<u64> {
        let bits = self.span.bits(bytes.len())?;
        let edges = Span::masked(bytes, bits, !self.bit);
        let first = bits.0 / 8 * 8;
        let found = edges
            .parts()
            .find_map(|(before, part)| Some(first + before + position(part, self.bit)?));
        match found {
            None if !self.bit && !self.has_end => Some(bytes.len() as u64 * 8),
            found => found,
        }
    }
}
