//! A user: how it is let in, and what it may do.

use resp::Argv;

use crate::limits::{USER_BYTES_MAX, USER_ITEMS_MAX};
use crate::table::{CommandIndex, Flags, FoundChannel, KeyFlags, Row};
use crate::users::DEFAULT_USER;
use crate::users::commands::{Change, is_space_or_null};
use crate::users::fault::RuleFault;
use crate::users::password::Password;
use crate::users::selector::{NotAllowed, Precedent, Selector, Wanted};

/// A user. What is not allowed by one of its selectors it may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    name: Vec<u8>,
    pub(super) is_on: bool,
    pub(super) needs_no_password: bool,
    /// `sanitize-payload`: kept and told. weir checks every payload, whoever sends it.
    pub(super) payloads_are_checked: bool,
    passwords: Vec<Password>,
    /// What the rules outside of parentheses are about.
    pub(super) root: Selector,
    pub(super) selectors: Vec<Selector>,
}

impl User {
    /// The default user: it may do everything, and needs no password.
    pub(super) fn all_powerful(commands: &CommandIndex) -> User {
        let mut user = User::powerless(DEFAULT_USER, commands, true);
        user.is_on = true;
        user.needs_no_password = true;
        user.root.allow_all_keys();
        user.root.commands.set_all(Change::Allow);
        user
    }

    /// A new user, who is off and may do nothing.
    pub(super) fn powerless(name: &[u8], commands: &CommandIndex, all_channels: bool) -> User {
        User {
            name: name.to_vec(),
            is_on: false,
            needs_no_password: false,
            payloads_are_checked: true,
            passwords: Vec::new(),
            root: Selector::none(commands, all_channels),
            selectors: Vec::new(),
        }
    }

    /// Returns whether it takes more memory than a user may.
    pub(super) fn is_too_large(&self) -> bool {
        let selectors = self.selectors.iter().chain([&self.root]);
        let selectors: usize = selectors.map(Selector::bytes).sum();
        let passwords = self.passwords.len() * size_of::<Password>();
        self.name.len() + selectors + passwords > USER_BYTES_MAX
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Clients may act as this user.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// It is let in with any password.
    pub fn needs_no_password(&self) -> bool {
        self.needs_no_password
    }

    /// Its passwords.
    pub fn passwords(&self) -> &[Password] {
        &self.passwords
    }

    /// What it may do: the rules outside of parentheses, then those in each pair of them.
    pub fn root(&self) -> &Selector {
        &self.root
    }

    /// What it may do beside that.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// Returns whether it is on and this is a password of its.
    pub fn lets_in(&self, password: &[u8]) -> bool {
        // The digest is made in any case, so that the time does not tell why it was refused.
        let is_right = Password::of(password).is_among(&self.passwords);
        self.is_on && (self.needs_no_password || is_right)
    }

    /// Returns whether it may do everything.
    pub fn is_all_powerful(&self) -> bool {
        self.root.allows_everything()
    }

    /// Checks a request, which has a valid number of arguments.
    ///
    /// # Errors
    /// What the user may not do.
    pub fn check<'a>(&self, row: &'static Row, argv: Argv<'a>) -> Result<(), NotAllowed<'a>> {
        self.check_for(row, argv, Wanted::Named)
    }

    /// Returns whether the user may make this request and read any key by it: those that `SORT`
    /// looks up are named by values.
    pub fn reads_all_keys(&self, row: &'static Row, argv: Argv<'_>) -> bool {
        self.check_for(row, argv, Wanted::AllKeysRead).is_ok()
    }

    /// Returns whether the user may make this request and do this to each key that matches a
    /// pattern.
    pub fn may_use_keys_like(
        &self,
        row: &'static Row,
        argv: Argv<'_>,
        pattern: &[u8],
        flags: KeyFlags,
    ) -> bool {
        let wanted = Wanted::KeysLike(pattern, flags);
        self.check_for(row, argv, wanted).is_ok()
    }

    /// Returns whether the user may make this request because it is like one before that was
    /// allowed; otherwise [`User::clearly_may`] has to look.
    #[inline]
    pub fn may_by(&self, row: &Row, argv: Argv<'_>, precedent: &Precedent) -> bool {
        self.root.allows_by(row, argv, precedent)
    }

    /// Returns whether the user may make this request, as far as that is found out quickly: `false`
    /// says only that [`User::check`] has to look. Requests of the kind may then pass by the
    /// precedent, as long as the user stays as it is.
    pub fn clearly_may(&self, row: &Row, argv: Argv<'_>, precedent: &mut Precedent) -> bool {
        self.root.clearly_allows(row, argv, precedent)
    }

    fn check_for<'a>(
        &self,
        row: &'static Row,
        argv: Argv<'a>,
        wanted: Wanted<'_>,
    ) -> Result<(), NotAllowed<'a>> {
        // Whoever it is may say who it is.
        if row.spec.flags.has(Flags::NO_AUTH) {
            return Ok(());
        }
        let Err(mut refusal) = self.root.check(row, argv, wanted) else {
            return Ok(());
        };
        for selector in &self.selectors {
            match selector.check(row, argv, wanted) {
                Ok(()) => return Ok(()),
                Err(other) => refusal = refusal.max(other),
            }
        }
        Err(refusal)
    }

    /// Returns whether the user may read a key, by whatever command.
    pub fn may_read(&self, key: &[u8]) -> bool {
        let mut selectors = self.selectors.iter();
        self.root.may_read(key) || selectors.any(|selector| selector.may_read(key))
    }

    /// Returns whether one selector lets the user read every key.
    pub fn reads_every_key(&self) -> bool {
        let mut selectors = self.selectors.iter();
        self.root.reads_every_key() || selectors.any(Selector::reads_every_key)
    }

    /// Returns whether the user may go on listening to a channel, or to a pattern of channels.
    pub fn may_listen_to(&self, channel: &FoundChannel<'_>) -> bool {
        let mut selectors = self.selectors.iter();
        self.root.allows_channel(channel)
            || selectors.any(|selector| selector.allows_channel(channel))
    }

    /// Gives it this password in place of all others; if it is empty, none is needed.
    pub(super) fn set_only_password(&mut self, password: &[u8]) {
        self.forget_passwords();
        if password.is_empty() {
            self.needs_no_password = true;
        } else {
            self.passwords.push(Password::of(password));
        }
    }

    /// No password lets it in any more.
    pub(super) fn forget_passwords(&mut self) {
        self.passwords.clear();
        self.needs_no_password = false;
    }

    pub(super) fn add_password(&mut self, password: Password) -> Result<(), RuleFault> {
        if !self.passwords.contains(&password) {
            if self.passwords.len() >= USER_ITEMS_MAX {
                return Err(RuleFault::TooMany);
            }
            self.passwords.push(password);
        }
        self.needs_no_password = false;
        Ok(())
    }

    pub(super) fn remove_password(&mut self, password: &Password) -> Result<(), RuleFault> {
        let place = self.passwords.iter().position(|known| known == password);
        self.passwords
            .remove(place.ok_or(RuleFault::NoSuchPassword)?);
        Ok(())
    }

    /// Its flags, as they are told.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let flags = [
            (self.is_on, "on"),
            (!self.is_on, "off"),
            (self.needs_no_password, "nopass"),
            (self.payloads_are_checked, "sanitize-payload"),
            (!self.payloads_are_checked, "skip-sanitize-payload"),
        ];
        flags
            .into_iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, word)| word)
    }

    /// All of it in a line of a file: `user`, its name, its rules.
    pub fn line(&self) -> Vec<u8> {
        let mut line = b"user ".to_vec();
        line.extend_from_slice(&self.name);
        line.push(b' ');
        for flag in self.flags() {
            line.extend_from_slice(flag.as_bytes());
            line.push(b' ');
        }
        for password in &self.passwords {
            line.push(b'#');
            line.extend_from_slice(password.hex().as_bytes());
            line.push(b' ');
        }
        self.root.describe(&mut line);
        for selector in &self.selectors {
            line.extend_from_slice(b" (");
            selector.describe(&mut line);
            line.push(b')');
        }
        line
    }
}

/// Returns whether a text can be a name: one word of a line.
pub(super) fn is_name(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|byte| is_space_or_null(*byte))
}
