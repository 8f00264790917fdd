//! `XINFO HELP`.

use engine::table::Group;

use crate::help::Helped;

/// Who answers `XINFO HELP`.
pub(super) struct XInfo;

impl Helped for XInfo {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Stream;
    const LINES: &'static [&'static str] = &[
        "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CONSUMERS <key> <groupname>",
        "    Show consumers of <groupname>.",
        "GROUPS <key>",
        "    Show the stream consumer groups.",
        "STREAM <key> [FULL [COUNT <count>]",
        "    Show information about the stream.",
        "HELP",
        "    Print this help.",
    ];
}
