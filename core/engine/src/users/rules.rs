//! Rules of users: what a word says.
//!
//! Pure: a rule changes a [`User`] that nobody acts as yet, or says why it cannot.

use crate::error::{CmdError, UserError};
use crate::limits::{ERROR_ECHO_BYTES_MAX, USER_ITEMS_MAX};
use crate::table::{CommandIndex, Rights};
use crate::users::commands::Change;
use crate::users::fault::RuleFault;
use crate::users::password::Password;
use crate::users::selector::Selector;
use crate::users::user::User;

/// Joins words in parentheses to one rule.
///
/// # Errors
/// A parenthesis is not closed.
pub(super) fn joined<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Vec<u8>>, CmdError> {
    let mut rules: Vec<Vec<u8>> = Vec::new();
    // The first word of a selector that is not closed yet.
    let mut opened: Option<&[u8]> = None;
    for word in words {
        match (opened, rules.last_mut()) {
            (Some(_), Some(rule)) => {
                rule.push(b' ');
                rule.extend_from_slice(word);
            }
            _ => rules.push(word.to_vec()),
        }
        let is_open = opened.is_some() || word.first() == Some(&b'(');
        opened = (is_open && word.last() != Some(&b')')).then(|| opened.unwrap_or(word));
    }
    match opened {
        None => Ok(rules),
        Some(word) => {
            let word = &word[..word.len().min(ERROR_ECHO_BYTES_MAX)];
            let word = String::from_utf8_lossy(word).into_owned();
            Err(CmdError::User(UserError::UnmatchedParenthesis(word)))
        }
    }
}

impl User {
    /// Applies a rule. If it is refused, part of it may have been applied.
    pub(super) fn apply(
        &mut self,
        rule: &[u8],
        commands: &CommandIndex,
        channels_by_default: bool,
    ) -> Result<(), RuleFault> {
        let word = rule.to_ascii_lowercase();
        match word.as_slice() {
            b"" => {}
            b"on" => self.is_on = true,
            b"off" => self.is_on = false,
            b"sanitize-payload" => self.payloads_are_checked = true,
            b"skip-sanitize-payload" => self.payloads_are_checked = false,
            b"nopass" => {
                self.forget_passwords();
                self.needs_no_password = true;
            }
            b"resetpass" => self.forget_passwords(),
            b"clearselectors" => self.selectors.clear(),
            b"reset" => {
                let name = self.name().to_vec();
                *self = User::powerless(&name, commands, channels_by_default);
            }
            _ => return self.apply_signed(rule, commands, channels_by_default),
        }
        Ok(())
    }

    /// Applies a rule whose first byte says what it is about.
    fn apply_signed(
        &mut self,
        rule: &[u8],
        commands: &CommandIndex,
        channels_by_default: bool,
    ) -> Result<(), RuleFault> {
        let digest = |hex: &[u8]| Password::parse(hex).ok_or(RuleFault::NotADigest);
        match rule {
            [b'>', plain @ ..] => self.add_password(Password::of(plain)),
            [b'<', plain @ ..] => self.remove_password(&Password::of(plain)),
            [b'#', hex @ ..] => self.add_password(digest(hex)?),
            [b'!', hex @ ..] => self.remove_password(&digest(hex)?),
            [b'(', inner @ .., b')'] => {
                if self.selectors.len() >= USER_ITEMS_MAX {
                    return Err(RuleFault::TooMany);
                }
                let words = resp::split_line(inner).map_err(|_| RuleFault::Syntax)?;
                let mut selector = Selector::none(commands, channels_by_default);
                for word in words.as_argv().iter() {
                    // What is told of the selector must mean the same when it is read again.
                    if word.ends_with(b")") || word.iter().any(|byte| b"\"'".contains(byte)) {
                        return Err(RuleFault::Syntax);
                    }
                    selector.apply(word, commands)?;
                }
                self.selectors.push(selector);
                Ok(())
            }
            _ => self.root.apply(rule, commands),
        }
    }
}

impl Selector {
    /// Applies a rule about commands, keys or channels.
    fn apply(&mut self, rule: &[u8], commands: &CommandIndex) -> Result<(), RuleFault> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => return Ok(()),
            b"allkeys" | b"~*" => self.allow_all_keys(),
            b"resetkeys" => self.reset_keys(),
            b"allchannels" | b"&*" => self.reset_channels(true),
            b"resetchannels" => self.reset_channels(false),
            b"allcommands" => self.commands.set_all(Change::Allow),
            b"nocommands" => self.commands.set_all(Change::Deny),
            _ => {
                return match rule {
                    [b'~' | b'%', ..] if self.allows_all_keys() => Err(RuleFault::KeysAfterAll),
                    [b'~', pattern @ ..] => self.allow_keys(Rights::ALL, pattern),
                    [b'%', rest @ ..] => {
                        let (rights, pattern) = rights_and_pattern(rest)?;
                        self.allow_keys(rights, pattern)
                    }
                    [b'&', pattern @ ..] => self.allow_channels(pattern),
                    [b'+', name @ ..] => self.commands.apply(Change::Allow, name, commands),
                    [b'-', name @ ..] => self.commands.apply(Change::Deny, name, commands),
                    _ => Err(RuleFault::Syntax),
                };
            }
        }
        Ok(())
    }
}

/// What follows `%`: letters, each once, and the pattern after a tilde. If both are missing, the
/// pattern is the empty one.
fn rights_and_pattern(text: &[u8]) -> Result<(Rights, &[u8]), RuleFault> {
    let mut rights = Rights::NONE;
    let mut rest = text;
    loop {
        let (right, after) = match rest {
            [b'r' | b'R', after @ ..] => (Rights::READ, after),
            [b'w' | b'W', after @ ..] => (Rights::WRITE, after),
            [b'~', pattern @ ..] if rights != Rights::NONE => return Ok((rights, pattern)),
            [] if rights != Rights::NONE => return Ok((rights, rest)),
            _ => return Err(RuleFault::Syntax),
        };
        if rights.has(right) {
            return Err(RuleFault::Syntax);
        }
        (rights, rest) = (rights.and(right), after);
    }
}
