//! Users: who may run which commands on which keys and channels.
//!
//! A [`User`] does not change: new rules make a new one, which takes the place of the old one here
//! and in the sessions that act as it. So a session keeps a counted reference, and what it may do
//! is known without a look-up. Rules are read in `rules.rs`; what a request needs is found by the
//! specifications of its command ([`crate::table`]), and nothing about a command is said here
//! again. The default user's password is also the setting `requirepass`.
//!
//! Files of users and their lines in the configuration are read and written as text here; the
//! shell knows where they are.

mod commands;
mod fault;
mod file;
mod generator;
mod log;
mod password;
mod pattern;
mod rules;
mod selector;
mod user;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::error::{CmdError, UserError};
use crate::limits::USERS_MAX;
use crate::table::CommandIndex;

pub use commands::CommandRules;
pub use fault::RuleFault;
pub use generator::Generator;
pub use log::{Context, Denials, LogEntry, Reason};
pub use password::Password;
pub use selector::{NotAllowed, Precedent, Selector, Wanted};
pub use user::User;

/// The user that clients are until they say who they are.
pub const DEFAULT_USER: &[u8] = b"default";

/// All users, by name, and what they were denied.
#[derive(Debug)]
pub struct Users {
    by_name: BTreeMap<Vec<u8>, Arc<User>>,
    default: Arc<User>,
    /// The default user is on and needs no password.
    is_open: bool,
    /// What was denied of late.
    pub denials: Denials,
    /// Makes passwords for users.
    pub generator: Generator,
    /// Who runs the script that was suspended last; its client may have gone.
    pub(crate) of_script: Option<Arc<User>>,
}

impl Users {
    /// The default user alone, with the password of the settings.
    /// Generated passwords follow from the seed, until a secret is given.
    pub fn new(commands: &CommandIndex, config: &Config, seed: u64) -> Users {
        let mut default = User::all_powerful(commands);
        default.set_only_password(config.requirepass.as_bytes());
        let mut users = Users {
            by_name: BTreeMap::new(),
            default: Arc::new(default.clone()),
            is_open: false,
            denials: Denials::default(),
            generator: Generator::of_seed(seed),
            of_script: None,
        };
        users.put(default);
        users
    }

    /// The default user alone, who needs no password.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Users {
        let config = Config::resolve(&crate::config::Settings::default());
        Users::new(&CommandIndex::new(&[]), &config, 1)
    }

    /// Returns whether a client may act as the default user without a password.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The default user.
    pub fn default_user(&self) -> &Arc<User> {
        &self.default
    }

    /// The user of that name.
    pub fn find(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.by_name.get(name)
    }

    /// All users, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.by_name.values()
    }

    /// The user who has this name and this password, if it is on.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<&Arc<User>> {
        let user = self.find(name)?;
        user.lets_in(password).then_some(user)
    }

    /// Applies rules to a user, which is made if there is none of that name: all of them, or none.
    ///
    /// # Errors
    /// The name or a rule is not valid, or there are too many users.
    pub fn change<'a>(
        &mut self,
        name: &[u8],
        rules: impl Iterator<Item = &'a [u8]>,
        commands: &CommandIndex,
        config: &Config,
    ) -> Result<Arc<User>, CmdError> {
        if !user::is_name(name) {
            return Err(CmdError::User(UserError::UserName));
        }
        let rules = rules::joined(rules)?;
        let mut user = match self.find(name) {
            Some(user) => User::clone(user),
            None if self.by_name.len() >= USERS_MAX => {
                return Err(CmdError::User(UserError::TooManyUsers));
            }
            None => User::powerless(name, commands, config.channels_by_default),
        };
        for rule in &rules {
            user.apply(rule, commands, config.channels_by_default)
                .map_err(|fault| fault.refusal(rule))?;
        }
        if user.is_too_large() {
            return Err(CmdError::User(UserError::UserTooLarge));
        }
        Ok(self.put(user))
    }

    /// Gives the default user a password in place of all others, or none at all.
    pub fn set_default_password(&mut self, password: &str) -> Arc<User> {
        let mut user = User::clone(&self.default);
        user.set_only_password(password.as_bytes());
        self.put(user)
    }

    /// Removes a user; the default user stays. Returns whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        name != DEFAULT_USER && self.by_name.remove(name).is_some()
    }

    /// Puts a user in the place of the one of its name.
    fn put(&mut self, user: User) -> Arc<User> {
        let user = Arc::new(user);
        if user.name() == DEFAULT_USER {
            self.is_open = user.is_on() && user.needs_no_password();
            self.default = Arc::clone(&user);
        }
        self.by_name.insert(user.name().to_vec(), Arc::clone(&user));
        user
    }
}
