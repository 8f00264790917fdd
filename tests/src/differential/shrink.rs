//! Cuts a sequence that shows a difference down to a short one that still does.

use std::time::Instant;

use anyhow::Result;

use super::pair::{Mismatch, Played};

/// Removes commands as long as a difference remains, or until the deadline.
///
/// Whole runs of commands go first, then shorter ones, down to single commands. A candidate that
/// fails to play at all counts as showing nothing, and so does one in which the clock has made an
/// ID.
pub fn shrink<T: Clone>(
    mut commands: Vec<T>,
    mut mismatch: Mismatch,
    deadline: Instant,
    mut play: impl FnMut(&[T]) -> Result<Played>,
) -> (Vec<T>, Mismatch) {
    let mut length = commands.len() / 2;
    while length > 0 {
        let mut start = 0;
        let mut taken = false;
        while start < commands.len() {
            if Instant::now() > deadline {
                return (commands, mismatch);
            }
            let end = (start + length).min(commands.len());
            let mut candidate = commands.clone();
            candidate.drain(start..end);
            if let Ok(Played {
                compared,
                clock_id: false,
                mismatch: Some(found),
                ..
            }) = play(&candidate)
            {
                candidate.truncate(compared);
                commands = candidate;
                mismatch = found;
                taken = true;
            } else {
                start = end;
            }
        }
        // Single commands are tried again until none can go: taking one away may free another.
        if length > 1 || !taken {
            length /= 2;
        }
    }
    (commands, mismatch)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::command::Command;
    use super::*;
    use crate::value::Value;

    #[test]
    fn what_does_not_matter_is_taken_away() {
        let names: Vec<String> = (0..200).map(|index| format!("c{index}")).collect();
        let commands: Vec<Command> = names.iter().map(|name| Command::new(&[name])).collect();
        let found = Mismatch {
            of: None,
            reference: Value::Nil,
            tested: Value::Nil,
        };
        // The difference shows at c150 if c20 came before it.
        let play = |candidate: &[Command]| {
            let at = |name| candidate.iter().position(|command| command.name() == name);
            let shown = at("c20").zip(at("c150")).map(|(_, index)| index);
            Ok(Played {
                compared: shown.map_or(candidate.len(), |index| index + 1),
                errors: 0,
                woken: 0,
                clock_id: false,
                mismatch: shown.map(|_| found.clone()),
            })
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        let (shrunk, _) = shrink(commands, found.clone(), deadline, play);
        let names: Vec<String> = shrunk.iter().map(Command::name).collect();
        assert_eq!(names, ["c20", "c150"]);
    }
}
