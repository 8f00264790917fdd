//! `BITOP`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{BitmapError, CmdError};
use engine::store::effect::{Effect, Expiry, KeyChange, StringChange, event};
use engine::table::{Arg, Arity, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::{Argv, LARGE_BYTES_MIN};
use values::{Scratch, StringValue};

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
        summary: "Combines the bits of strings, and stores the result.",
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
            Operation::Not if keys.len() != 1 => Err(CmdError::Bitmap(BitmapError::BitNotSources)),
            Operation::Diff | Operation::Diff1 | Operation::AndOr if keys.len() < 2 => {
                Err(CmdError::Bitmap(BitmapError::BitOperationSources(name)))
            }
            Operation::And
            | Operation::Or
            | Operation::Xor
            | Operation::Not
            | Operation::Diff
            | Operation::Diff1
            | Operation::AndOr
            | Operation::One => Ok((operation, to, keys)),
        }
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let (operation, to, keys) = cmd;
        let mut sources = Vec::with_capacity(keys.len());
        for key in keys.iter() {
            // Clones share their bytes: a key may be named many times.
            sources.push(
                ctx.store
                    .reading()
                    .get::<StringValue>(key)?
                    .cloned()
                    .unwrap_or_default(),
            );
        }
        let longest = sources.iter().map(StringValue::len).max().unwrap_or(0);
        if ctx.waits_for_memory(longest) {
            return Ok(Flow::Block);
        }
        let memory = ctx.store.memory_for(longest);
        let result = combine(operation, &sources, memory);
        let len = result.len();
        if len > 0 {
            let (made, copied);
            let value = if len < LARGE_BYTES_MIN {
                copied = result;
                copied.as_slice()
            } else {
                made = ctx.store.make_large(result);
                made.as_slice()
            };
            let set = StringChange::Set {
                value,
                expiry: Expiry::Never,
            };
            ctx.store.apply(&Effect::on(to, set), event::SET);
        } else if ctx.store.record(to).is_some() {
            ctx.store
                .apply(&Effect::on(to, KeyChange::Delete), event::DEL);
        }
        ctx.reply.count(len);
        Ok(Flow::Done)
    }
}

/// How much of the result is made at a time. It stays in the processor's nearest cache until all
/// sources are in it, so that memory is read and written once.
const BLOCK_BYTES: usize = 8 * 1024;

/// A result as long as the longest source, made in empty memory; shorter ones continue with zeros.
fn combine(operation: Operation, sources: &[StringValue], memory: Vec<u8>) -> Vec<u8> {
    let mut scratches: Vec<Scratch> = sources.iter().map(|_| Scratch::new()).collect();
    let sources = sources.iter().zip(&mut scratches);
    let sources: Vec<&[u8]> = sources
        .map(|(string, scratch)| string.as_bytes(scratch))
        .collect();
    let lens = sources.iter().map(|source| source.len());
    let (shortest, longest) = (lens.clone().min().unwrap_or(0), lens.max().unwrap_or(0));
    let Some((first, others)) = sources.split_first() else {
        return Vec::new();
    };
    let mut others = others.to_vec();
    let end = match operation {
        // Nothing is set behind the end of any source.
        Operation::And => shortest,
        Operation::Or
        | Operation::Xor
        | Operation::Not
        | Operation::Diff
        | Operation::Diff1
        | Operation::AndOr
        | Operation::One => longest,
    };
    let mut result = memory;
    let mut second = [0; BLOCK_BYTES];
    while result.len() < end {
        let start = result.len();
        let len = (end - start).min(BLOCK_BYTES);
        let second = &mut second[..len];
        others.retain(|source| source.len() > start);
        result.extend_from_slice(part(first, start, len));
        result.resize(start + len, 0);
        let block = &mut result[start..];
        match operation {
            Operation::Not => block.iter_mut().for_each(|byte| *byte = !*byte),
            Operation::And => merge_all(block, &others, start, |a, b| a & b),
            Operation::Or => merge_all(block, &others, start, |a, b| a | b),
            Operation::Xor => merge_all(block, &others, start, |a, b| a ^ b),
            Operation::Diff => merge(block, union(second, &others, start), |a, b| a & !b),
            Operation::Diff1 => merge(block, union(second, &others, start), |a, b| !a & b),
            Operation::AndOr => merge(block, union(second, &others, start), |a, b| a & b),
            Operation::One => {
                let (once, twice) = (block, second);
                twice.fill(0);
                for source in &others {
                    let from = part(source, start, len);
                    for ((once, twice), byte) in once.iter_mut().zip(&mut *twice).zip(from) {
                        *twice |= *once & byte;
                        *once |= byte;
                    }
                }
                merge(once, twice, |a, b| a & !b);
            }
        }
    }
    result.resize(longest, 0);
    result
}

/// What a source has from `start` on, up to so many bytes.
fn part(source: &[u8], start: usize, len: usize) -> &[u8] {
    let rest = source.get(start..).unwrap_or_default();
    rest.get(..len).unwrap_or(rest)
}

/// What is in any of the sources from `start` on.
fn union<'b>(into: &'b mut [u8], sources: &[&[u8]], start: usize) -> &'b [u8] {
    into.fill(0);
    merge_all(into, sources, start, |a, b| a | b);
    into
}

/// Combines a block with what the sources have from `start` on, in any order. A source that ends
/// within the block leaves the rest of it as it is.
fn merge_all(
    into: &mut [u8],
    sources: &[&[u8]],
    start: usize,
    operation: impl Fn(u8, u8) -> u8 + Copy,
) {
    let len = into.len();
    // Four at a time, so that the block is read and written less often.
    let (fours, rest) = sources.as_chunks::<4>();
    for four in fours {
        let parts = four.map(|source| part(source, start, len));
        if parts.iter().any(|part| part.len() < len) {
            parts.iter().for_each(|part| merge(into, part, operation));
            continue;
        }
        let [a, b, c, d] = parts;
        for ((((into, a), b), c), d) in into.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *into = operation(operation(*into, *a), operation(operation(*b, *c), *d));
        }
    }
    for source in rest {
        merge(into, part(source, start, len), operation);
    }
}

/// Combines bytes one by one, as many as both have.
fn merge(into: &mut [u8], from: &[u8], operation: impl Fn(u8, u8) -> u8) {
    for (a, b) in into.iter_mut().zip(from) {
        *a = operation(*a, *b);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn byte(operation: Operation, sources: &[Vec<u8>], at: usize) -> u8 {
        let bit = |bit: u32| {
            let has = |source: &Vec<u8>| source.get(at).is_some_and(|byte| byte >> bit & 1 == 1);
            let (first, others) = (has(&sources[0]), sources.iter().skip(1).any(has));
            match operation {
                Operation::And => sources.iter().all(has),
                Operation::Or => first || others,
                Operation::Xor => sources.iter().filter(|source| has(source)).count() % 2 == 1,
                Operation::Not => !first,
                Operation::Diff => first && !others,
                Operation::Diff1 => !first && others,
                Operation::AndOr => first && others,
                Operation::One => sources.iter().filter(|source| has(source)).count() == 1,
            }
        };
        (0..8).fold(0, |byte, at| byte | u8::from(bit(at)) << at)
    }

    proptest! {
        #[test]
        fn bits_are_put_together_one_by_one(
            sources in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 1..6),
        ) {
            let strings: Vec<StringValue> = sources.iter().map(|bytes| StringValue::from_bytes(bytes)).collect();
            let len = sources.iter().map(Vec::len).max().unwrap_or(0);
            for (name, operation) in OPERATIONS {
                let count = if operation == Operation::Not { 1 } else { sources.len() };
                let (sources, strings) = (&sources[..count], &strings[..count]);
                let len = if count == 1 { sources[0].len() } else { len };
                let expected: Vec<u8> = (0..len).map(|at| byte(operation, sources, at)).collect();
                prop_assert_eq!(combine(operation, strings, Vec::new()), expected, "{}", name);
            }
        }
    }
}
