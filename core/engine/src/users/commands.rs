//! Which commands a selector allows: a bit for each command and subcommand, and the rules that led
//! there, as they are told.

use crate::limits::USER_ITEMS_MAX;
use crate::table::{Categories, CommandIndex, Row};
use crate::users::fault::RuleFault;

/// The commands that a selector allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRules {
    /// A bit for each row of the table, by its number.
    allowed: Box<[u64]>,
    /// All are, also those that a later version adds.
    all: bool,
    /// The rules begin with all commands.
    begins_with_all: bool,
    /// The rules since then, in their order; the name of a category begins with `@`.
    rules: Vec<(Change, Vec<u8>)>,
    /// First arguments with which commands are allowed that are not allowed as such.
    first_args: Vec<(u16, Vec<u8>)>,
}

/// Whether a rule adds or takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// `+`.
    Allow,
    /// `-`.
    Deny,
}

/// Commands of Redis that weir does not have, or not all subcommands of: rules may name them, so
/// that the users of a Redis can be taken over as they are.
pub(super) const ELSEWHERE: &[&str] = &[
    "cluster",
    "failover",
    "psync",
    "replconf",
    "sync",
    "trimslots",
    "vadd",
    "vcard",
    "vdim",
    "vemb",
    "vgetattr",
    "vinfo",
    "vismember",
    "vlinks",
    "vrandmember",
    "vrange",
    "vrem",
    "vsetattr",
    "vsim",
];

const WORD_BITS: usize = u64::BITS as usize;

impl CommandRules {
    /// No command of a table.
    pub(super) fn none(commands: &CommandIndex) -> CommandRules {
        let words = commands.iter().count().div_ceil(WORD_BITS);
        CommandRules {
            allowed: vec![0; words].into_boxed_slice(),
            all: false,
            begins_with_all: false,
            rules: Vec::new(),
            first_args: Vec::new(),
        }
    }

    /// Returns whether all commands are allowed.
    #[inline]
    pub fn allows_all(&self) -> bool {
        self.all
    }

    /// Returns whether a command is allowed whatever its arguments are.
    #[inline]
    pub fn allows(&self, row: &Row) -> bool {
        let number = usize::from(row.number);
        let word = self.allowed.get(number / WORD_BITS);
        word.is_some_and(|word| word >> (number % WORD_BITS) & 1 == 1)
    }

    /// Returns whether a command is allowed with this first argument.
    #[cold]
    pub(super) fn allows_with(&self, row: &Row, first: Option<&[u8]>) -> bool {
        first.is_some_and(|first| {
            let mut known = self.first_args.iter();
            known.any(|(number, arg)| *number == row.number && arg.eq_ignore_ascii_case(first))
        })
    }

    /// Allows or denies all commands, and forgets the rules so far.
    pub(super) fn set_all(&mut self, change: Change) {
        let is_allowed = change == Change::Allow;
        self.allowed.fill(if is_allowed { u64::MAX } else { 0 });
        self.all = is_allowed;
        self.begins_with_all = is_allowed;
        self.rules.clear();
        self.first_args.clear();
    }

    /// Applies a rule: the name of a command, a subcommand or a category, or a command with its
    /// first argument.
    pub(super) fn apply(
        &mut self,
        change: Change,
        name: &[u8],
        commands: &CommandIndex,
    ) -> Result<(), RuleFault> {
        let name = name.to_ascii_lowercase();
        if name.first() == Some(&b'@') {
            if name == b"@all" {
                self.set_all(change);
                return Ok(());
            }
            let category = str::from_utf8(&name).ok().and_then(Categories::named);
            let category = category.ok_or(RuleFault::UnknownCommand)?;
            for row in commands.iter() {
                if row.acl_categories().has(category) {
                    self.set_with_subcommands(row, change, commands);
                }
            }
        } else if let Some(row) = commands.find_own_full(&name) {
            self.set_with_subcommands(row, change, commands);
        } else if !is_elsewhere(&name) {
            self.apply_first_arg(change, &name, commands)?;
        }
        self.note(change, name)
    }

    /// A rule `command|argument`, where there is no subcommand of that name.
    fn apply_first_arg(
        &mut self,
        change: Change,
        name: &[u8],
        commands: &CommandIndex,
    ) -> Result<(), RuleFault> {
        let bar = name.iter().rposition(|byte| *byte == b'|');
        let bar = bar.filter(|_| change == Change::Allow);
        let (command, arg) = name.split_at(bar.ok_or(RuleFault::UnknownCommand)?);
        let (row, arg) = (commands.find_own_full(command), &arg[1..]);
        let row = row.ok_or(RuleFault::UnknownCommand)?;
        if !row.container.is_empty() {
            return Err(RuleFault::ArgumentOfSubcommand);
        }
        if arg.is_empty() {
            return Err(RuleFault::Syntax);
        }
        if row.subcommand_count() > 0 {
            return Err(RuleFault::UnknownCommand);
        }
        if arg.iter().any(|byte| is_space_or_null(*byte)) {
            return Err(RuleFault::Syntax);
        }
        // They are in the order of the rules, of which the last of several that are the same stays.
        let is_it = |(number, known): &(u16, Vec<u8>)| *number == row.number && known == arg;
        self.first_args.retain(|known| !is_it(known));
        if self.first_args.len() >= USER_ITEMS_MAX {
            return Err(RuleFault::TooMany);
        }
        self.first_args.push((row.number, arg.to_vec()));
        Ok(())
    }

    /// About how many bytes it takes beside itself.
    pub(super) fn bytes(&self) -> usize {
        let rules = self.rules.iter().map(|(_, name)| name);
        let names = rules.chain(self.first_args.iter().map(|(_, arg)| arg));
        let names = names.map(|name| size_of::<(Change, Vec<u8>)>() + name.len());
        self.allowed.len() * size_of::<u64>() + names.sum::<usize>()
    }

    fn set_with_subcommands(&mut self, row: &Row, change: Change, commands: &CommandIndex) {
        self.first_args.retain(|(number, _)| *number != row.number);
        self.set(row, change);
        for sub in commands.subcommands(row) {
            self.set(sub, change);
        }
    }

    fn set(&mut self, row: &Row, change: Change) {
        let number = usize::from(row.number);
        let bit = 1 << (number % WORD_BITS);
        if let Some(word) = self.allowed.get_mut(number / WORD_BITS) {
            match change {
                Change::Allow => *word |= bit,
                Change::Deny => *word &= !bit,
            }
        }
    }

    /// Notes a rule in the place of those that it makes void: about the same, or about a part.
    fn note(&mut self, change: Change, name: Vec<u8>) -> Result<(), RuleFault> {
        // What was taken away may have been given back since.
        self.all = self.begins_with_all && self.allowed.iter().all(|word| *word == u64::MAX);
        self.rules.retain(|(_, other)| {
            let rest = other.strip_prefix(name.as_slice());
            rest.is_none_or(|rest| rest.first().is_some_and(|byte| *byte != b'|'))
        });
        if self.rules.len() >= USER_ITEMS_MAX {
            return Err(RuleFault::TooMany);
        }
        self.rules.push((change, name));
        Ok(())
    }

    /// The rules, as `ACL GETUSER` tells them.
    pub fn text(&self) -> Vec<u8> {
        let begin: &[u8] = if self.begins_with_all {
            b"+@all"
        } else {
            b"-@all"
        };
        let mut text = begin.to_vec();
        for (change, name) in &self.rules {
            text.extend_from_slice(match change {
                Change::Allow => b" +",
                Change::Deny => b" -",
            });
            text.extend_from_slice(name);
        }
        text
    }
}

fn is_elsewhere(name: &[u8]) -> bool {
    let bar = name.iter().position(|byte| *byte == b'|');
    let (command, sub) = name.split_at(bar.unwrap_or(name.len()));
    let is_word = |byte: &u8| byte.is_ascii_graphic() && *byte != b'|';
    let sub_is_word = sub.is_empty() || (sub.len() > 1 && sub[1..].iter().all(is_word));
    let mut known = ELSEWHERE.iter();
    sub_is_word && known.any(|known| known.as_bytes() == command)
}

/// Returns whether a byte would blur rules that are told in a line.
pub(super) fn is_space_or_null(byte: u8) -> bool {
    byte == 0 || byte == 0x0b || byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, is_elsewhere};

    #[test]
    fn names_of_redis_are_known_with_their_subcommands_and_nothing_else_is() {
        assert!(ELSEWHERE.is_sorted());
        for known in ["cluster", "cluster|info", "failover", "vadd"] {
            assert!(is_elsewhere(known.as_bytes()), "{known}");
        }
        for unknown in [
            "",
            "clusters",
            "cluster|",
            "cluster|a b",
            "cluster|a|b",
            "|info",
        ] {
            assert!(!is_elsewhere(unknown.as_bytes()), "{unknown}");
        }
    }
}
