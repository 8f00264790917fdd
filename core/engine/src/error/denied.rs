//! What a user is told who may not do what was asked.

use std::fmt;

/// What was denied to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The user's name.
    pub user: Vec<u8>,
    /// What it may not do.
    pub object: DeniedObject,
    /// When it was found.
    pub when: DeniedWhen,
}

/// What a user may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeniedObject {
    /// Run a command or subcommand, by its full name.
    Command(String),
    /// Use a key in the way that the command does.
    Key(Vec<u8>),
    /// Use a channel.
    Channel(Vec<u8>),
}

/// When it was found that a user may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedWhen {
    /// When a client asked for it.
    Asked,
    /// When a transaction ran that was queued before.
    Executed,
    /// When a script asked for it.
    Called,
}

impl Denied {
    /// The whole truth, for `ACL DRYRUN`.
    pub fn in_full(&self) -> String {
        let user = String::from_utf8_lossy(&self.user);
        match &self.object {
            DeniedObject::Command(name) => {
                format!("User {user} has no permissions to run the '{name}' command")
            }
            DeniedObject::Key(key) => {
                let key = String::from_utf8_lossy(key);
                format!("User {user} has no permissions to access the '{key}' key")
            }
            DeniedObject::Channel(channel) => {
                let channel = String::from_utf8_lossy(channel);
                format!("User {user} has no permissions to access the '{channel}' channel")
            }
        }
    }

    /// What a client is told: names of keys and channels may have come from a script.
    fn in_short(&self) -> String {
        match &self.object {
            DeniedObject::Command(_) => self.in_full(),
            DeniedObject::Key(_) => "No permissions to access a key".to_owned(),
            DeniedObject::Channel(_) => "No permissions to access a channel".to_owned(),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            DeniedWhen::Asked => write!(f, "NOPERM {}", self.in_short()),
            DeniedWhen::Called => write!(f, "ERR ACL failure in script: {}", self.in_short()),
            DeniedWhen::Executed => write!(
                f,
                "NOPERM ACLs rules changed between the moment the transaction was accumulated and \
                 the EXEC call. This command is no longer allowed for the following reason: {}",
                match self.object {
                    DeniedObject::Command(_) =>
                        "no permission to execute the command or subcommand",
                    DeniedObject::Key(_) => "no permission to touch the specified keys",
                    DeniedObject::Channel(_) =>
                        "no permission to access one of the channels used as arguments",
                }
            ),
        }
    }
}
