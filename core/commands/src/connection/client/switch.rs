//! The `ON` or `OFF` that several subcommands take.

use engine::args::Args;
use engine::error::CmdError;

/// Takes `ON` (true) or `OFF` (false).
pub(super) fn parse(args: &mut Args<'_>) -> Result<bool, CmdError> {
    if args.keyword("ON") {
        Ok(true)
    } else if args.keyword("OFF") {
        Ok(false)
    } else {
        Err(CmdError::Syntax)
    }
}
