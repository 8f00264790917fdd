//! `PFDEBUG`.

use std::fmt::Write;

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, HyperLogLogError};
use engine::limits::ERROR_ECHO_BYTES_MAX;
use engine::store::effect::event;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use values::StringValue;
use values::hyperloglog::{self, Form, HyperLogLog, Registers, Run};

/// `PFDEBUG subcommand key`
pub(super) struct PfDebug;

pub(super) enum Parsed<'a> {
    /// `SIMD ON|OFF`: how Redis computes. Nothing depends on it here.
    Simd(&'static str),
    /// Something about a key.
    Key(What, &'a [u8]),
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// `GETREG`: all registers. What is sparse becomes dense.
    Registers,
    /// `DECODE`: the runs of the sparse form.
    Runs,
    /// `ENCODING`: the name of the form.
    Form,
    /// `TODENSE`: what is sparse becomes dense.
    MakeDense,
    /// The error is that of the key, if it is missing or holds something else.
    Unknown(String),
}

impl Command for PfDebug {
    const SPEC: Spec = Spec {
        summary: "Tells how a HyperLogLog is kept, or makes it dense.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "N/A",
        arity: Arity::Exactly(3),
        flags: Flags::ADMIN.and(Flags::DENY_OOM).and(Flags::WRITE),
        keys: &[KeySpec::at(2, KeyFlags::RW.and(KeyFlags::ACCESS))],
        args: &[Arg::string("subcommand"), Arg::key("key", 0)],
        compat: Compat::Differs("An error of `SIMD` is its only reply; Redis sends a second one."),
        ..Spec::named("pfdebug")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        if args.keyword("SIMD") {
            return match args.required()?.to_ascii_lowercase().as_slice() {
                b"on" => Ok(Parsed::Simd("enabled")),
                b"off" => Ok(Parsed::Simd("disabled")),
                _ => Err(CmdError::HyperLogLog(HyperLogLogError::OnOrOff)),
            };
        }
        let what = args.required()?;
        let what = match what.to_ascii_lowercase().as_slice() {
            b"getreg" => What::Registers,
            b"decode" => What::Runs,
            b"encoding" => What::Form,
            b"todense" => What::MakeDense,
            _ => {
                let shown = &what[..what.len().min(ERROR_ECHO_BYTES_MAX)];
                What::Unknown(String::from_utf8_lossy(shown).into_owned())
            }
        };
        Ok(Parsed::Key(what, args.required()?))
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (what, key) = match cmd {
            Parsed::Simd(state) => {
                ctx.reply.simple(state);
                return Ok(Flow::Done);
            }
            Parsed::Key(what, key) => (what, key),
        };
        let string = ctx.store.get::<StringValue>(key)?;
        let string = string
            .ok_or(CmdError::HyperLogLog(HyperLogLogError::NoHyperLogLog))?
            .clone();
        let form = string.with_bytes(|bytes| HyperLogLog::of(bytes).map(HyperLogLog::form))?;
        match what {
            What::Registers => {
                let mut registers = Registers::new();
                string.with_bytes(|bytes| HyperLogLog::of(bytes)?.merge_into(&mut registers))?;
                make_dense(key, &string, ctx)?;
                ctx.reply.array(hyperloglog::REGISTERS);
                for rank in registers.ranks() {
                    ctx.reply.int(i64::from(rank));
                }
            }
            What::Runs => {
                if form == Form::Dense {
                    return Err(CmdError::HyperLogLog(HyperLogLogError::NotSparse));
                }
                let text = string.with_bytes(|bytes| HyperLogLog::of(bytes).map(text_of))?;
                ctx.reply.bulk(text.as_bytes());
            }
            What::Form => ctx.reply.simple(match form {
                Form::Dense => "dense",
                Form::Sparse => "sparse",
            }),
            What::MakeDense => {
                make_dense(key, &string, ctx)?;
                ctx.reply.int(i64::from(form == Form::Sparse));
            }
            What::Unknown(name) => {
                return Err(CmdError::HyperLogLog(HyperLogLogError::UnknownPfDebug(
                    name,
                )));
            }
        }
        Ok(Flow::Done)
    }
}

fn make_dense(key: &[u8], old: &StringValue, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    let mut new = old.to_vec();
    hyperloglog::make_dense(&mut new)?;
    if old.len() != new.len() || old.with_bytes(|old| old != new) {
        super::replace(key, Some(old), &new, event::UNHEARD, ctx);
    }
    Ok(())
}

/// The runs in Redis' notation: zeros in the short form and in the long one, and others.
fn text_of(found: HyperLogLog<'_>) -> String {
    let mut text = String::new();
    for Run { rank, len, bytes } in found.runs() {
        let space = if text.is_empty() { "" } else { " " };
        let _ = match (rank, bytes) {
            (0, 1) => write!(text, "{space}z:{len}"),
            (0, _) => write!(text, "{space}Z:{len}"),
            (_, _) => write!(text, "{space}v:{rank},{len}"),
        };
    }
    text
}
