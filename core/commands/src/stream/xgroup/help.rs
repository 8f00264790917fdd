//! `XGROUP HELP`: the lines of Redis, and behind them those on what is weir's own.

use engine::table::Group;

use crate::help::Helped;

/// Who answers `XGROUP HELP`.
pub(super) struct XGroup;

impl Helped for XGroup {
    const SINCE: &'static str = "5.0.0";
    const GROUP: Group = Group::Stream;
    const LINES: &'static [&'static str] = &[
        "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CREATE <key> <groupname> <id|$> [option]",
        "    Create a new consumer group. Options are:",
        "    * MKSTREAM",
        "      Create the empty stream if it does not exist.",
        "    * ENTRIESREAD entries_read",
        "      Set the group's entries_read counter (internal use).",
        "CREATECONSUMER <key> <groupname> <consumer>",
        "    Create a new consumer in the specified group.",
        "DELCONSUMER <key> <groupname> <consumer>",
        "    Remove the specified consumer.",
        "DESTROY <key> <groupname>",
        "    Remove the specified group.",
        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        "    Set the current group ID and entries_read counter.",
        "HELP",
        "    Print this help.",
        "DELCONSUMER <key> <groupname> <consumer> KEEPPENDING",
        "    Remove the consumer, and give what it has pending back to the group.",
        "SETCFG <key> <groupname> <setting> <value> [<setting> <value> ...]",
        "    Set what the group does by itself.",
        "GETCFG <key> <groupname>",
        "    Show what the group does by itself.",
    ];
}
