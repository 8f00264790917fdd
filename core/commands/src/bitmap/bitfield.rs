//! `BITFIELD` and `BITFIELD_RO`: a string as numbers of any width.

use engine::args::{Args, has_option, parse_i64};
use engine::command::{Command, Ctx, Flow};
use engine::error::{BitmapError, CmdError};
use engine::limits::STRING_BYTES_MAX;
use engine::store::effect::{Effect, StringChange, event};
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;

use super::bits::{Patch, byte_of, check_offset, read, replaced};

/// `BITFIELD key [GET encoding offset | [OVERFLOW how] SET encoding offset value | …]`
pub(super) struct BitField;

/// `BITFIELD_RO key [GET encoding offset …]`
pub(super) struct BitFieldRo;

/// What a request asks for.
pub(super) struct Parsed<'a> {
    key: &'a [u8],
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, Copy)]
struct Operation {
    field: Field,
    action: Action,
    overflow: Overflow,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Add(i64),
}

/// A number within a string.
#[derive(Debug, Clone, Copy)]
struct Field {
    is_signed: bool,
    bits: u32,
    offset: u64,
}

/// What happens to a result that the field cannot hold.
#[derive(Debug, Clone, Copy)]
enum Overflow {
    /// Its lowest bits are kept.
    Wrap,
    /// The nearest number that fits is kept.
    Saturate,
    /// Nothing changes, and the reply is null.
    Fail,
}

impl Command for BitField {
    const SPEC: Spec = Spec {
        summary: "Reads and changes numbers of any width in the string of a key.",
        since: "3.2.0",
        group: Group::Bitmap,
        complexity: "O(1) for each subcommand specified",
        arity: Arity::AtLeast(2),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW
                .and(KeyFlags::ACCESS)
                .and(KeyFlags::UPDATE)
                .and(KeyFlags::VARIABLE_FLAGS),
        )
        .noted("")],
        key_flags: Some(|request| {
            if has_option(request, "SET") || has_option(request, "INCRBY") {
                KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE)
            } else {
                KeyFlags::RO.and(KeyFlags::ACCESS)
            }
        }),
        args: &[
            Arg::key("key", 0),
            Arg::one_of(
                "operation",
                &[
                    Arg::block(
                        "get-block",
                        &[Arg::string("encoding"), Arg::integer("offset")],
                    )
                    .token("GET"),
                    Arg::block(
                        "write",
                        &[
                            Arg::one_of(
                                "overflow-block",
                                &[
                                    Arg::word("wrap", "WRAP"),
                                    Arg::word("sat", "SAT"),
                                    Arg::word("fail", "FAIL"),
                                ],
                            )
                            .token("OVERFLOW")
                            .optional(),
                            Arg::one_of(
                                "write-operation",
                                &[
                                    Arg::block(
                                        "set-block",
                                        &[
                                            Arg::string("encoding"),
                                            Arg::integer("offset"),
                                            Arg::integer("value"),
                                        ],
                                    )
                                    .token("SET"),
                                    Arg::block(
                                        "incrby-block",
                                        &[
                                            Arg::string("encoding"),
                                            Arg::integer("offset"),
                                            Arg::integer("increment"),
                                        ],
                                    )
                                    .token("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .optional()
            .multiple(),
        ],
        compat: Compat::Differs(
            "`SAT` turns every `SET` below the least number into that number, as Redis documents it; Redis \
             makes the greatest of those near -2^63. No field is written beyond `proto-max-bulk-len`, not \
             even in part.",
        ),
        ..Spec::named("bitfield")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        parse(args)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let Parsed { key, operations } = cmd;
        check_places(&operations, ctx.string_bytes_max())?;
        let writes = operations
            .iter()
            .filter(|o| !matches!(o.action, Action::Get));
        let last = writes
            .map(|operation| byte_of(operation.field.last_bit()))
            .max();
        let store = match last {
            Some(_) => &mut ctx.store,
            None => ctx.store.reading(),
        };
        let (len, copied) = store.get::<StringValue>(key)?.map_or((0, 0), |string| {
            let end = last.map_or(0, |last| last.saturating_add(1));
            (string.len(), string.bytes_to_copy(end))
        });
        if last.is_some() && ctx.waits_for_memory(copied) {
            return Ok(Flow::Block);
        }
        // The string has room for all that might be written, whether it is or not.
        let mut event = event::SETBIT;
        if let Some(last) = last.filter(|last| *last >= len) {
            let grow = StringChange::SetRange {
                offset: last as u32,
                value: &[0],
            };
            let is_sure = operations.iter().any(Operation::surely_writes);
            let growth = if is_sure { event } else { event::UNNAMED };
            ctx.store.apply(&Effect::on(key, grow), growth);
            if is_sure {
                event = event::UNNAMED;
            }
        }
        ctx.reply.array(operations.len());
        for operation in operations {
            let change = |bytes: &[u8]| operation.run(bytes);
            let outcome = match ctx.store.get::<StringValue>(key)? {
                Some(string) => string.with_bytes(change),
                None => change(b""),
            };
            match outcome.reply {
                Some(number) => ctx.reply.int(number),
                None => ctx.reply.null(),
            }
            if let Some(patch) = outcome.patch {
                patch.apply(key, event, &mut ctx.store);
                event = event::UNNAMED;
            }
        }
        Ok(Flow::Done)
    }
}

impl Command for BitFieldRo {
    const SPEC: Spec = Spec {
        summary: "Reads numbers of any width in the string of a key.",
        since: "6.0.0",
        group: Group::Bitmap,
        complexity: "O(1) for each subcommand specified",
        arity: Arity::AtLeast(2),
        flags: Flags::FAST.and(Flags::READONLY),
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            Arg::block(
                "get-block",
                &[Arg::string("encoding"), Arg::integer("offset")],
            )
            .token("GET")
            .optional()
            .multiple_token(),
        ],
        ..Spec::named("bitfield_ro")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let parsed = parse(args)?;
        let only_reads = |operation: &Operation| matches!(operation.action, Action::Get);
        if parsed.operations.iter().all(only_reads) {
            Ok(parsed)
        } else {
            Err(CmdError::Bitmap(BitmapError::BitFieldReadOnly))
        }
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        check_places(&cmd.operations, ctx.string_bytes_max())?;
        let string = ctx.store.get::<StringValue>(cmd.key)?;
        ctx.reply.array(cmd.operations.len());
        for Operation { field, .. } in cmd.operations {
            let number = match string {
                Some(string) => string.with_bytes(|bytes| field.read(bytes)),
                None => 0,
            };
            ctx.reply.int(number as i64);
        }
        Ok(Flow::Done)
    }
}

fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
    let key = args.required()?;
    let mut overflow = Overflow::Wrap;
    let mut operations = Vec::new();
    while args.left() > 0 {
        let (field, action) = if args.left() >= 3 && args.keyword("GET") {
            (Field::parse(args)?, Action::Get)
        } else if args.left() >= 4 && args.keyword("SET") {
            (Field::parse(args)?, Action::Set(args.integer()?))
        } else if args.left() >= 4 && args.keyword("INCRBY") {
            (Field::parse(args)?, Action::Add(args.integer()?))
        } else if args.keyword_with_value("OVERFLOW") {
            overflow = Overflow::parse(args)?;
            continue;
        } else {
            return Err(CmdError::Syntax);
        };
        operations.push(Operation {
            field,
            action,
            overflow,
        });
    }
    Ok(Parsed { key, operations })
}

/// Checks that strings of at most this many bytes may have what is read, and can hold what is
/// written.
fn check_places(operations: &[Operation], bytes_max: usize) -> Result<(), CmdError> {
    for Operation { field, action, .. } in operations {
        let place = match action {
            Action::Get => field.offset,
            Action::Set(_) | Action::Add(_) => field.last_bit(),
        };
        check_offset(place, bytes_max)?;
    }
    Ok(())
}

impl Overflow {
    fn parse(args: &mut Args<'_>) -> Result<Overflow, CmdError> {
        if args.keyword("WRAP") {
            Ok(Overflow::Wrap)
        } else if args.keyword("SAT") {
            Ok(Overflow::Saturate)
        } else if args.keyword("FAIL") {
            Ok(Overflow::Fail)
        } else {
            Err(CmdError::Bitmap(BitmapError::OverflowType))
        }
    }
}

impl Field {
    fn parse(args: &mut Args<'_>) -> Result<Field, CmdError> {
        let (is_signed, width) = match args.required()? {
            [b'i', width @ ..] => (true, width),
            [b'u', width @ ..] => (false, width),
            _ => return Err(CmdError::Bitmap(BitmapError::BitFieldType)),
        };
        let width_max = if is_signed { 64 } else { 63 };
        let bits = parse_i64(width).filter(|bits| (1..=width_max).contains(bits));
        let bits = bits.ok_or(CmdError::Bitmap(BitmapError::BitFieldType))? as u32;
        let (number, unit) = match args.required()? {
            [b'#', number @ ..] => (number, u64::from(bits)),
            number => (number, 1),
        };
        let offset = parse_i64(number).and_then(|number| u64::try_from(number).ok());
        let offset = offset.and_then(|offset| offset.checked_mul(unit));
        let offset = offset.ok_or(CmdError::Bitmap(BitmapError::BitOffset))?;
        Ok(Field {
            is_signed,
            bits,
            offset: check_offset(offset, STRING_BYTES_MAX)?,
        })
    }

    fn last_bit(&self) -> u64 {
        self.offset + u64::from(self.bits) - 1
    }

    fn read(&self, bytes: &[u8]) -> i128 {
        self.number_of(read(bytes, self.offset, self.bits))
    }

    /// The number that the lowest bits mean.
    fn number_of(self, bits: u64) -> i128 {
        let unused = 64 - self.bits;
        if self.is_signed {
            i128::from(((bits << unused) as i64) >> unused)
        } else {
            i128::from(bits << unused >> unused)
        }
    }

    fn min(&self) -> i128 {
        if self.is_signed {
            -(1 << (self.bits - 1))
        } else {
            0
        }
    }

    fn max(&self) -> i128 {
        let value_bits = self.bits - u32::from(self.is_signed);
        (1 << value_bits) - 1
    }
}

/// What an operation answers, and what it puts where.
struct Change {
    reply: Option<i64>,
    patch: Option<Patch>,
}

impl Operation {
    fn run(&self, bytes: &[u8]) -> Change {
        let old = self.field.read(bytes);
        let wanted = match self.action {
            Action::Get => {
                return Change {
                    reply: Some(old as i64),
                    patch: None,
                };
            }
            // A negative number in a field without a sign is a large one.
            Action::Set(value) if !self.field.is_signed => i128::from(value as u64),
            Action::Set(value) => i128::from(value),
            Action::Add(value) => old + i128::from(value),
        };
        let Some(new) = self.fitted(wanted) else {
            return Change {
                reply: None,
                patch: None,
            };
        };
        let reply = match self.action {
            Action::Set(_) => old,
            Action::Get | Action::Add(_) => new,
        };
        let Field { offset, bits, .. } = self.field;
        Change {
            reply: Some(reply as i64),
            patch: (new != old).then(|| replaced(bytes, offset, bits, new as u64)),
        }
    }

    /// Returns whether it writes whatever the string holds.
    fn surely_writes(&self) -> bool {
        match (&self.action, self.overflow) {
            (Action::Get, _) | (_, Overflow::Fail) => false,
            (Action::Set(_) | Action::Add(_), Overflow::Wrap | Overflow::Saturate) => true,
        }
    }

    /// The number as the field can hold it.
    fn fitted(&self, wanted: i128) -> Option<i128> {
        let (min, max) = (self.field.min(), self.field.max());
        if (min..=max).contains(&wanted) {
            return Some(wanted);
        }
        match self.overflow {
            Overflow::Wrap => Some(self.field.number_of(wanted as u64)),
            Overflow::Saturate => Some(wanted.clamp(min, max)),
            Overflow::Fail => None,
        }
    }
}
