//! `BITOP`.

use resp::Argv;

use crate::args::Args;
use crate::ctx::Ctx;
use crate::effect::{DeleteCause, Effect, Expiry};
use crate::error::CmdError;
use crate::table::{Arg, Arity, Command, Flags, Flow, Group, KeyFlags, KeySpec, Spec};

/// `BITOP operation destkey key [key …]`
pub(super) struct BitOp;

/// How bits are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    And,
    Or,
    Xor,
    Not,
    /// In the first, and in none of the others.
    Diff,
    /// In any of the others, and not in the first.
    Diff1,
    /// In the first, and in any of the others.
    AndOr,
    /// In exactly one.
    One,
}

const OPERATIONS: [(&str, Operation); 8] = [
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

impl Command for BitOp {
    const SPEC: Spec = Spec {
        summary: "Puts the bits of strings together in another one.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N)",
        arity: Arity::AtLeast(4),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[
            KeySpec::at(2, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::range(3, KeyFlags::RO.and(KeyFlags::ACCESS), -1, 1, 0),
        ],
        args: &[
            Arg::one_of(
                "operation",
                &[
                    Arg::word("and", "AND"),
                    Arg::word("or", "OR"),
                    Arg::word("xor", "XOR"),
                    Arg::word("not", "NOT"),
                    Arg::word("diff", "DIFF"),
                    Arg::word("diff1", "DIFF1"),
                    Arg::word("andor", "ANDOR"),
                    Arg::word("one", "ONE"),
                ],
            ),
            Arg::key("destkey", 0),
            Arg::key("key", 1).multiple(),
        ],
        ..Spec::named("bitop")
    };
    type Parsed<'a> = (Operation, &'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let found = OPERATIONS.iter().find(|(name, _)| args.keyword(name));
        let (name, operation) = *found.ok_or(CmdError::Syntax)?;
        let (to, keys) = (args.required()?, args.rest());
        match operation {
            Operation::Not if keys.len() != 1 => return Err(CmdError::BitNotSources),
            Operation::Diff | Operation::Diff1 | Operation::AndOr if keys.len() < 2 => {
                return Err(CmdError::BitOperationSources(name));
            }
            _ => {}
        }
        Ok((operation, to, keys))
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (operation, to, keys) = cmd;
        let mut sources = Vec::with_capacity(keys.len());
        for key in keys.iter() {
            let string = ctx.tx.string(key)?;
            sources.push(string.map(|string| string.to_vec()).unwrap_or_default());
        }
        let result = combine(operation, sources);
        if !result.is_empty() {
            ctx.tx.apply(&Effect::Set {
                key: to,
                value: &result,
                expiry: Expiry::Never,
            });
        } else if ctx.tx.record(to).is_some() {
            let cause = DeleteCause::Command;
            ctx.tx.apply(&Effect::Delete { key: to, cause });
        }
        ctx.reply.count(result.len());
        Ok(Flow::Done)
    }
}

/// A result as long as the longest source; shorter ones go on with zeros.
fn combine(operation: Operation, mut sources: Vec<Vec<u8>>) -> Vec<u8> {
    let len = sources.iter().map(Vec::len).max().unwrap_or(0);
    for source in &mut sources {
        source.resize(len, 0);
    }
    let mut sources = sources.into_iter();
    let Some(mut first) = sources.next() else {
        return Vec::new();
    };
    match operation {
        Operation::Not => first.iter_mut().for_each(|byte| *byte = !*byte),
        Operation::And => sources.for_each(|source| merge(&mut first, &source, |a, b| a & b)),
        Operation::Or => sources.for_each(|source| merge(&mut first, &source, |a, b| a | b)),
        Operation::Xor => sources.for_each(|source| merge(&mut first, &source, |a, b| a ^ b)),
        Operation::Diff => sources.for_each(|source| merge(&mut first, &source, |a, b| a & !b)),
        Operation::Diff1 => merge(&mut first, &any(sources, len), |a, b| !a & b),
        Operation::AndOr => merge(&mut first, &any(sources, len), |a, b| a & b),
        Operation::One => {
            let mut twice = vec![0; len];
            for source in sources {
                for ((once, twice), byte) in first.iter_mut().zip(&mut twice).zip(&source) {
                    *twice |= *once & byte;
                    *once |= byte;
                }
            }
            merge(&mut first, &twice, |a, b| a & !b);
        }
    }
    first
}

fn any(sources: impl Iterator<Item = Vec<u8>>, len: usize) -> Vec<u8> {
    let mut all = vec![0; len];
    sources.for_each(|source| merge(&mut all, &source, |a, b| a | b));
    all
}

fn merge(into: &mut [u8], from: &[u8], operation: impl Fn(u8, u8) -> u8) {
    for (a, b) in into.iter_mut().zip(from) {
        *a = operation(*a, *b);
    }
}
