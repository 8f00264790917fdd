//! `FUNCTION LIST`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, LibraryError};
use engine::glob::{self, Letters};
use engine::scripting::Function;
use engine::table::{Arg, Arity, Spec};
use resp::{Large, Reply};

use super::{SPEC, shown};

/// `FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]`
pub(super) struct List;

/// What is listed.
#[derive(Default)]
pub(super) struct Parsed<'a> {
    pattern: Option<&'a [u8]>,
    with_code: bool,
}

impl Command for List {
    const SPEC: Spec = Spec {
        name: "list",
        summary: "Lists libraries and their functions.",
        complexity: "O(N) where N is the number of functions",
        arity: Arity::AtLeast(2),
        tips: &["nondeterministic_output_order"],
        args: &[
            Arg::string("library-name-pattern")
                .token("LIBRARYNAME")
                .optional(),
            Arg::word("withcode", "WITHCODE").optional(),
        ],
        ..SPEC
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Parsed<'a>, CmdError> {
        let mut parsed = Parsed::default();
        while args.left() > 0 {
            if !parsed.with_code && args.keyword("WITHCODE") {
                parsed.with_code = true;
            } else if parsed.pattern.is_none() && args.keyword("LIBRARYNAME") {
                let pattern = args.next();
                parsed.pattern = Some(pattern.ok_or(LibraryError::ListPattern)?);
            } else {
                let word = shown(args.required()?);
                return Err(LibraryError::ListArgument(word).into());
            }
        }
        Ok(parsed)
    }

    fn execute(cmd: Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.read_libraries();
        let libraries = ctx.store.libraries().clone();
        let is_listed = |name: &[u8]| {
            let pattern = cmd.pattern;
            pattern.is_none_or(|pattern| glob::matches(pattern, name, Letters::AnyCase))
        };
        let mark = ctx.reply.begin();
        let mut len = 0;
        for (name, code) in libraries.iter().filter(|(name, _)| is_listed(name)) {
            let read = ctx.server.functions.library(name);
            let functions = read.map_or(&[][..], |library| &library.functions);
            let code = cmd.with_code.then_some(code);
            write_library(ctx.reply, name, functions, code);
            len += 1;
        }
        ctx.reply.array_since(mark, len);
        Ok(Flow::Done)
    }
}

fn write_library(reply: &mut Reply, name: &[u8], functions: &[Function], code: Option<&Large>) {
    reply.map(3 + usize::from(code.is_some()));
    reply.bulk(b"library_name");
    reply.bulk(name);
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(functions.len());
    for function in functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&function.name);
        reply.bulk(b"description");
        match &function.description {
            Some(text) => reply.bulk(text),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        reply.set(function.flags.names().count());
        for flag in function.flags.names() {
            reply.simple(flag);
        }
    }
    if let Some(code) = code {
        reply.bulk(b"library_code");
        match reply.refers_to(code.len()) {
            true => reply.bulk_shared(Box::new(code.clone())),
            false => reply.bulk(code),
        }
    }
}
