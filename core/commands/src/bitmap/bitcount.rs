//! `BITCOUNT`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::bits::count;
use super::span::{Span, Unit};

/// `BITCOUNT key [start end [BYTE | BIT]]`
pub(super) struct BitCount;

impl Command for BitCount {
    const SPEC: Spec = Spec {
        summary: "Counts the bits that are set in the string of a key, or in a part of it.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N)",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        history: &[("7.0.0", "BYTE and BIT were added.")],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "range",
                &[
                    Arg::integer("start"),
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
        ..Spec::named("bitcount")
    };
    type Parsed<'a> = (&'a [u8], Span);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let span = match args.left() {
            0 => Span::ALL,
            2 | 3 => Span {
                start: args.integer()?,
                end: args.integer()?,
                unit: match args.left() {
                    0 => Unit::Byte,
                    _ => Unit::parse(args)?,
                },
            },
            _ => return Err(CmdError::Syntax),
        };
        Ok((key, span))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, span) = cmd;
        // Two places before the beginning would both become the first one; BITPOS leaves it at
        // that.
        let is_reversed = span.start < 0 && span.end < 0 && span.start > span.end;
        let ones = match ctx.store.get::<StringValue>(key)? {
            Some(_) if is_reversed => 0,
            Some(string) => string.with_bytes(|bytes| {
                span.bits(bytes.len()).map_or(0, |bits| {
                    let edges = Span::masked(bytes, bits, false);
                    edges.parts().map(|(_, part)| count(part)).sum()
                })
            }),
            None => 0,
        };
        ctx.reply.int(ones as i64);
        Ok(Flow::Done)
    }
}
