//! `LOLWUT`.

use engine::command::{Ctx, Flow, PlainCommand};
use engine::error::CmdError;
use engine::table::{Arg, Arity, Compat, Flags, Group, Spec};
use resp::Argv;

/// `LOLWUT [VERSION version]`: a stream runs down to a weir and over it.
pub(super) struct Lolwut;

/// Columns of the picture.
const WIDTH: usize = 48;

/// Rows of water above the weir.
const DEPTH: usize = 7;

impl PlainCommand for Lolwut {
    const SPEC: Spec = Spec {
        summary: "Draws a weir.",
        since: "5.0.0",
        group: Group::Server,
        complexity: "",
        arity: Arity::AtLeast(1),
        flags: Flags::FAST.and(Flags::READONLY),
        args: &[Arg::integer("version").token("VERSION").optional()],
        compat: Compat::Differs("It draws something else, whatever its arguments say."),
        ..Spec::named("lolwut")
    };
    /// Whatever follows is not looked at.
    type Args<'a> = Argv<'a>;

    fn execute(_: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let mut picture = String::new();
        for row in 0..DEPTH {
            // The nearer the weir, the smoother the water.
            picture.extend((0..WIDTH).map(|_| water(ctx.server.rng.next(), row)));
            picture.push('\n');
        }
        picture.push_str(&"=".repeat(WIDTH));
        picture.push('\n');
        for _ in 0..2 {
            picture.extend((0..WIDTH).map(|_| water(ctx.server.rng.next(), 0)));
            picture.push('\n');
        }
        picture.push_str(&format!("\nweir {}\n", env!("CARGO_PKG_VERSION")));
        ctx.reply.verbatim("txt", picture.as_bytes());
        Ok(Flow::Done)
    }
}

fn water(random: u64, calm: usize) -> char {
    match random % (4 + 3 * calm as u64) {
        0 => '\'',
        1 => '.',
        2 => '-',
        _ => '~',
    }
}
