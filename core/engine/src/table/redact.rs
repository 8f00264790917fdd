//! Secrets in requests: what `MONITOR` and the slow log show of them.
//!
//! The grammar of a command says which of its arguments are secrets. A request need not follow the
//! grammar, so that too much is hidden rather than too little.

use resp::Argv;

use crate::table::{Arg, ArgKind, Secret, Spec};

/// What replaces a secret.
const REDACTED: &[u8] = b"(redacted)";

/// The arguments of a request, the command's name included, without the secrets among them. Copies
/// nothing: a request may be long, and little of it is shown.
pub fn redacted<'a>(spec: &Spec, argv: Argv<'a>) -> impl ExactSizeIterator<Item = &'a [u8]> {
    let hides_all = spec
        .args
        .iter()
        .any(|arg| arg.secret == Secret::Always && arg.token.is_empty());
    let mut hidden = if hides_all { argv.len() } else { 0 };
    argv.iter().enumerate().map(move |(position, arg)| {
        if position == 0 {
            return arg;
        }
        if hidden > 0 {
            hidden -= 1;
            return REDACTED;
        }
        hidden = secrets_after(spec.args, arg);
        arg
    })
}

/// How many arguments behind a word are secrets.
fn secrets_after(args: &[Arg], word: &[u8]) -> usize {
    let is = |text: &str| word.eq_ignore_ascii_case(text.as_bytes());
    let secrets = args.iter().map(|arg| match arg.secret {
        Secret::Always if !arg.token.is_empty() && is(arg.token) => count(arg),
        Secret::After(names) if names.iter().any(|name| is(name)) => 1,
        Secret::No | Secret::Always | Secret::After(_) => secrets_after(parts(arg), word),
    });
    secrets.max().unwrap_or(0)
}

/// How many arguments stand for one of the grammar.
fn count(arg: &Arg) -> usize {
    match parts(arg) {
        [] => 1,
        parts => parts.iter().map(count).sum(),
    }
}

fn parts(arg: &Arg) -> &'static [Arg] {
    match arg.kind {
        ArgKind::OneOf(parts) | ArgKind::Block(parts) => parts,
        ArgKind::String
        | ArgKind::Integer
        | ArgKind::Double
        | ArgKind::Key(_)
        | ArgKind::Pattern
        | ArgKind::KeyPattern(_)
        | ArgKind::UnixTime
        | ArgKind::PureToken => &[],
    }
}
