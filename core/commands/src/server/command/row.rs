//! A row of the command table as `COMMAND INFO` answers it.

use engine::table::{BeginSearch, CommandIndex, FindKeys, KeySpec, Row, Rows};
use resp::Reply;

use crate::server::written::{Keeping, write_rows};

/// The rows of all commands.
pub(super) fn write_all(reply: &mut Reply, commands: &CommandIndex) {
    let found: Vec<_> = commands.commands().map(Some).collect();
    reply.array(found.len());
    let rows = commands.rows();
    write_rows(reply, found, Keeping::Nothing, move |reply, found| {
        write(reply, rows, found);
    });
}

/// The row of one command or subcommand; null if there is no such command.
pub(super) fn write(reply: &mut Reply, rows: Rows, found: Option<&Row>) {
    let Some(found) = found else {
        reply.null();
        return;
    };
    let spec = found.spec;
    reply.array(10);
    reply.bulk(found.full_name().as_bytes());
    reply.int(spec.arity.signed());
    write_words(reply, spec.flags.names());
    let (first, last, step) = key_range(spec.keys);
    reply.int(first);
    reply.int(last);
    reply.int(step);
    write_words(reply, found.acl_categories().names());
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(spec.keys.len());
    for keys in spec.keys {
        write_keys(reply, keys);
    }
    let subcommands = rows.subcommands(found);
    reply.set(subcommands.len());
    for sub in subcommands {
        write(reply, rows, Some(sub));
    }
}

/// A set of simple strings.
pub(super) fn write_words(reply: &mut Reply, words: impl Iterator<Item = &'static str> + Clone) {
    reply.set(words.clone().count());
    for word in words {
        reply.simple(word);
    }
}

fn write_keys(reply: &mut Reply, keys: &KeySpec) {
    if keys.notes.is_empty() {
        reply.map(3);
    } else {
        reply.map(4);
        reply.bulk(b"notes");
        reply.bulk(keys.notes.as_bytes());
    }
    reply.bulk(b"flags");
    write_words(reply, keys.flags.names());
    match keys.begin {
        BeginSearch::Index(index) | BeginSearch::IndexOr(index, _) => {
            write_step(
                reply,
                "begin_search",
                "index",
                &[("index", i64::from(index))],
            );
        }
        BeginSearch::Keyword(word, from) | BeginSearch::Last(word, from, _) => {
            write_step_head(reply, "begin_search", "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.int(i64::from(from));
        }
        BeginSearch::Unknown(_) => {
            write_step(reply, "begin_search", "unknown", &[]);
            write_step(reply, "find_keys", "unknown", &[]);
            return;
        }
    }
    match keys.find {
        FindKeys::Range { last, step, limit } => {
            let numbers = [
                ("lastkey", i64::from(last)),
                ("keystep", i64::from(step)),
                ("limit", i64::from(limit)),
            ];
            write_step(reply, "find_keys", "range", &numbers);
        }
        FindKeys::KeyNum { count, first, step } => {
            let numbers = [
                ("keynumidx", i64::from(count)),
                ("firstkey", i64::from(first)),
                ("keystep", i64::from(step)),
            ];
            write_step(reply, "find_keys", "keynum", &numbers);
        }
    }
}

fn write_step(reply: &mut Reply, name: &str, kind: &str, numbers: &[(&str, i64)]) {
    write_step_head(reply, name, kind, numbers.len());
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.int(*number);
    }
}

fn write_step_head(reply: &mut Reply, name: &str, kind: &str, len: usize) {
    reply.bulk(name.as_bytes());
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(len);
}

/// First key, last key and distance, as clients knew them before there were key specifications: the
/// range that covers all specifications by position. A negative last key counts from the end.
fn key_range(specs: &[KeySpec]) -> (i64, i64, i64) {
    let by_position = specs.iter().filter_map(|keys| {
        let (BeginSearch::Index(index) | BeginSearch::IndexOr(index, _)) = keys.begin else {
            return None;
        };
        let FindKeys::Range { last, step, .. } = keys.find else {
            return None;
        };
        let first = i64::from(index);
        let last = i64::from(last);
        let last = if last < 0 { last } else { first + last };
        Some((first, last, i64::from(step)))
    });
    by_position
        .reduce(|(first, last, step), (other_first, other_last, _)| {
            let last = if last < 0 || other_last < 0 {
                last.min(other_last)
            } else {
                last.max(other_last)
            };
            (first.min(other_first), last, step)
        })
        .unwrap_or((0, 0, 0))
}

#[cfg(test)]
mod tests {
    use engine::command::CommandTable;
    use engine::table::CommandIndex;
    use resp::Protocol;

    use super::*;

    #[test]
    fn a_command_that_is_not_there_is_a_null_string_in_resp2() {
        let mut reply = Reply::new(Protocol::Resp2);
        let commands = CommandIndex::new(CommandTable::EMPTY.rows());
        write(&mut reply, commands.rows(), None);
        assert_eq!(reply.as_bytes(), b"$-1\r\n");
    }
}
