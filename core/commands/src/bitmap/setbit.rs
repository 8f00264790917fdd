//! `SETBIT` and `GETBIT`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{BitmapError, CmdError};
use engine::store::effect::event;
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::bits::{byte_of, check_offset, parse_offset, read, replaced};

/// `SETBIT key offset value`
pub(super) struct SetBit;

impl Command for SetBit {
    const SPEC: Spec = Spec {
        summary: "Sets or clears a bit of the string of a key, and answers what it was.",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        arity: Arity::Exactly(4),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE),
        )],
        args: &[
            Arg::key("key", 0),
            Arg::integer("offset"),
            Arg::integer("value"),
        ],
        ..Spec::named("setbit")
    };
    type Parsed<'a> = (&'a [u8], u64, u64);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let (key, offset) = (args.required()?, parse_offset(args.required()?)?);
        let bit = match args.required()? {
            b"0" => 0,
            b"1" => 1,
            _ => return Err(CmdError::Bitmap(BitmapError::BitValue)),
        };
        Ok((key, offset, bit))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, offset, bit) = cmd;
        check_offset(offset, ctx.string_bytes_max())?;
        let change = |bytes: &[u8]| {
            let is_there = byte_of(offset) < bytes.len();
            let old = read(bytes, offset, 1);
            let patch = replaced(bytes, offset, 1, bit);
            (old, (old != bit || !is_there).then_some(patch))
        };
        let (old, patch, copied) = match ctx.store.get::<StringValue>(key)? {
            Some(string) => {
                let (old, patch) = string.with_bytes(change);
                (old, patch, string.bytes_to_copy(byte_of(offset) + 1))
            }
            None => {
                let (old, patch) = change(b"");
                (old, patch, 0)
            }
        };
        if patch.is_some() && ctx.waits_for_memory(copied) {
            return Ok(Flow::Block);
        }
        if let Some(patch) = patch {
            patch.apply(key, event::SETBIT, &mut ctx.store);
        }
        ctx.reply.int(old as i64);
        Ok(Flow::Done)
    }
}

/// `GETBIT key offset`
pub(super) struct GetBit;

impl Command for GetBit {
    const SPEC: Spec = Spec {
        summary: "Answers a bit of the string of a key.",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        arity: Arity::Exactly(3),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[Arg::key("key", 0), Arg::integer("offset")],
        ..Spec::named("getbit")
    };
    type Parsed<'a> = (&'a [u8], u64);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok((args.required()?, parse_offset(args.required()?)?))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (key, offset) = cmd;
        check_offset(offset, ctx.string_bytes_max())?;
        let bit = match ctx.store.get::<StringValue>(key)? {
            Some(string) => string.with_bytes(|bytes| read(bytes, offset, 1)),
            None => 0,
        };
        ctx.reply.int(bit as i64);
        Ok(Flow::Done)
    }
}
