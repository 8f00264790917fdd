//! `KEEPREF`, `DELREF` or `ACKED`: what becomes of the references that groups hold.

use engine::args::Args;
use engine::table::Arg;
use stream::References;

/// The words in the grammar of a command.
pub(super) const REFERENCES: Arg = Arg::one_of(
    "condition",
    &[
        Arg::word("keepref", "KEEPREF"),
        Arg::word("delref", "DELREF"),
        Arg::word("acked", "ACKED"),
    ],
)
.optional();

/// Takes one of the words, if it comes next.
pub(super) fn parse_references(args: &mut Args<'_>) -> Option<References> {
    if args.keyword("KEEPREF") {
        Some(References::Keep)
    } else if args.keyword("DELREF") {
        Some(References::Delete)
    } else if args.keyword("ACKED") {
        Some(References::Acknowledged)
    } else {
        None
    }
}
