//! A command that was drawn: arguments, some of which are replies to earlier commands.

use std::collections::HashMap;
use std::fmt;

/// Names the reply to a command, so that later ones can use it. Each server has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// What a slot stands for when there is no such reply.
const EMPTY_SLOT: &[u8] = b"1-1";

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// As it stands.
    Text(Vec<u8>),
    /// A prefix and the reply to an earlier command.
    Reply(&'static str, Slot),
    /// All elements of the reply to an earlier command, an argument each.
    Elements(Slot),
}

/// A command, and who sends it in a run with clients that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// One of those that may wait; none for the one that works.
    pub reader: Option<usize>,
    /// What is sent.
    pub command: Command,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// Its name first.
    pub arguments: Vec<Argument>,
    /// The name of its reply, if a later command may use it.
    pub slot: Option<Slot>,
}

impl Step {
    /// A step of the client that works.
    pub fn of_worker(command: Command) -> Self {
        Self {
            reader: None,
            command,
        }
    }
}

impl Command {
    /// A command of these words.
    pub fn new(words: &[&str]) -> Self {
        let mut command = Self::default();
        for word in words {
            command.push(*word);
        }
        command
    }

    /// Adds an argument.
    pub fn push(&mut self, argument: impl Into<Argument>) {
        self.arguments.push(argument.into());
    }

    /// Adds words.
    pub fn extend(&mut self, words: &[&str]) {
        for word in words {
            self.push(*word);
        }
    }

    /// Its name in small letters.
    pub fn name(&self) -> String {
        match self.arguments.first() {
            Some(Argument::Text(name)) => String::from_utf8_lossy(name).to_lowercase(),
            _ => String::new(),
        }
    }

    /// Returns whether one of its arguments is this word, in any case of letters.
    pub fn has(&self, word: &str) -> bool {
        self.arguments.iter().any(|argument| {
            matches!(argument, Argument::Text(text) if text.eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    /// The slots that it uses.
    pub fn uses(&self) -> impl Iterator<Item = Slot> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Reply(_, slot) | Argument::Elements(slot) => Some(*slot),
            Argument::Text(_) => None,
        })
    }

    /// The bytes of its arguments for a server that has replied with these strings.
    pub fn resolve(&self, replies: &HashMap<Slot, Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
        let mut resolved = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            let of_slot = |slot| {
                let found = replies.get(slot).filter(|strings| !strings.is_empty());
                found.cloned().unwrap_or_else(|| vec![EMPTY_SLOT.to_vec()])
            };
            match argument {
                Argument::Text(text) => resolved.push(text.clone()),
                Argument::Reply(prefix, slot) => {
                    resolved.push([prefix.as_bytes(), &of_slot(slot)[0]].concat());
                }
                Argument::Elements(slot) => resolved.extend(of_slot(slot)),
            }
        }
        resolved
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text.into_bytes())
    }
}

/// As a line of a case script: `$rN` is the reply to the command `rN => ...`, `$rN*` its elements.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot {
            Some(Slot(number)) => write!(f, "r{number} => ")?,
            None => f.write_str("> ")?,
        }
        for (index, argument) in self.arguments.iter().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            match argument {
                Argument::Text(text) if text == b"$" => f.write_str("$$")?,
                Argument::Text(text)
                    if !text.is_empty() && text.iter().all(u8::is_ascii_graphic) =>
                {
                    f.write_str(&String::from_utf8_lossy(text))?;
                }
                Argument::Text(text) => write!(f, "\"{}\"", text.escape_ascii())?,
                Argument::Reply(prefix, Slot(number)) => write!(f, "{prefix}$r{number}")?,
                Argument::Elements(Slot(number)) => write!(f, "$r{number}*")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reader {
            Some(reader) => write!(f, "reader{reader}~{}", self.command),
            None => write!(f, "{}", self.command),
        }
    }
}
