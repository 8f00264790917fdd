//! The first line of a script, which names its language and says what it will not do.

use crate::error::{CmdError, ScriptError};
use crate::table::flag_set;

flag_set! {
    /// What a script says of itself.
    ScriptFlags: u8 {
        /// It writes nothing.
        NO_WRITES = 0, "no-writes";
        /// It may run when memory is short.
        ALLOW_OOM = 1, "allow-oom";
        /// It may run on a stale replica.
        ALLOW_STALE = 2, "allow-stale";
        /// It does not run in a cluster.
        NO_CLUSTER = 3, "no-cluster";
        /// It may use keys of several slots.
        ALLOW_CROSS_SLOT_KEYS = 4, "allow-cross-slot-keys";
    }
}

/// What the first line of a script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shebang {
    /// Nothing: each command is checked by itself.
    None,
    /// What the script will not do, which is checked before it runs.
    Flags(ScriptFlags),
}

impl Shebang {
    /// Reads the first line of a script.
    ///
    /// # Errors
    /// It begins as such a line does, and is none.
    pub fn parse(body: &[u8]) -> Result<Shebang, CmdError> {
        if !body.starts_with(b"#!") {
            return Ok(Shebang::None);
        }
        let end = body.iter().position(|byte| *byte == b'\n');
        let line = end.and_then(|end| body.get(..end));
        let Some(line) = line else {
            return Err(CmdError::Script(ScriptError::InvalidShebang));
        };
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_whitespace();
        let engine = words.next().unwrap_or_default();
        if !engine.eq_ignore_ascii_case("#!lua") {
            return Err(CmdError::Script(ScriptError::ShebangEngine(
                engine.to_owned(),
            )));
        }
        let mut flags = ScriptFlags::NONE;
        for word in words {
            let Some(names) = word.strip_prefix("flags=") else {
                return Err(CmdError::Script(ScriptError::ShebangOption(
                    word.to_owned(),
                )));
            };
            for name in names.split(',').filter(|name| !name.is_empty()) {
                let flag = ScriptFlags::named(name);
                flags =
                    flags.and(flag.ok_or_else(|| {
                        CmdError::Script(ScriptError::ShebangFlag(name.to_owned()))
                    })?);
            }
        }
        Ok(Shebang::Flags(flags))
    }

    /// Returns whether the script says this of itself.
    pub fn has(self, flag: ScriptFlags) -> bool {
        match self {
            Shebang::None => false,
            Shebang::Flags(flags) => flags.has(flag),
        }
    }

    /// Returns whether the script says that it may write, by not saying that it does not.
    pub fn says_that_it_writes(self) -> bool {
        self != Shebang::None && !self.has(ScriptFlags::NO_WRITES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_a_script_does_not_do() {
        let read = |text: &str| Shebang::parse(text.as_bytes());
        assert_eq!(read("return 1"), Ok(Shebang::None));
        assert_eq!(read("#!lua\nx"), Ok(Shebang::Flags(ScriptFlags::NONE)));
        let both = ScriptFlags::NO_WRITES.and(ScriptFlags::ALLOW_OOM);
        let found = read("#!lua flags=no-writes,allow-oom\nreturn 1");
        assert_eq!(found, Ok(Shebang::Flags(both)));
        assert_eq!(
            read("#!lua"),
            Err(CmdError::Script(ScriptError::InvalidShebang))
        );
        let engine = CmdError::Script(ScriptError::ShebangEngine("#!js".to_owned()));
        assert_eq!(read("#!js\n"), Err(engine));
        let option = CmdError::Script(ScriptError::ShebangOption("name=x".to_owned()));
        assert_eq!(read("#!lua name=x\n"), Err(option));
        let flag = CmdError::Script(ScriptError::ShebangFlag("foo".to_owned()));
        assert_eq!(read("#!lua flags=foo\n"), Err(flag));
    }
}
