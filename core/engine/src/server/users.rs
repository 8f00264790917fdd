//! Users that change while clients act as them, and what they are denied.

use std::sync::Arc;

use resp::Argv;

use crate::clients::channels::Listening;
use crate::clients::line::line;
use crate::clients::session::{Session, SessionId};
use crate::clients::watch::Watches;
use crate::config::{Config, Settings};
use crate::error::{CmdError, Denied, DeniedObject, DeniedWhen};
use crate::server::{Afterwards, Server};
use crate::table::{ChannelUse, FoundChannel};
use crate::time::Now;
use crate::users::{Context, Reason, User, Users};

impl Server {
    /// Goes by new settings from now on. `session` is the client whose command runs, if one does.
    pub fn take_settings(&mut self, settings: Settings, session: Option<&mut Session>) {
        let config = Config::resolve(&settings);
        let password_changed = config.requirepass != self.config.requirepass;
        self.settings = settings;
        self.config = config;
        self.slow_log.truncate(self.config.slow_log_len);
        self.users.denials.truncate(self.config.denials_max);
        if password_changed {
            let user = self.users.set_default_password(&self.config.requirepass);
            self.user_changed(&user, session);
        }
    }

    /// `ACL SETUSER`: all rules apply at once, also to clients who act as the user already.
    ///
    /// # Errors
    /// The name or a rule is not valid; nothing has changed then.
    pub fn change_user<'a>(
        &mut self,
        name: &[u8],
        rules: impl Iterator<Item = &'a [u8]>,
        session: &mut Session,
    ) -> Result<(), CmdError> {
        let user = self
            .users
            .change(name, rules, &self.commands, &self.config)?;
        self.user_changed(&user, Some(session));
        Ok(())
    }

    /// Clients who act as a user go by its new rules. Who listens to channels that it may no longer
    /// use is disconnected.
    fn user_changed(&mut self, user: &Arc<User>, session: Option<&mut Session>) {
        let is_its = |session: &&mut Session| session.user().name() == user.name();
        for other in self.sessions.iter_mut().filter(is_its) {
            other.set_user(Arc::clone(user));
            if listens_beyond(other) {
                self.afterwards.push(Afterwards::Disconnect(other.id));
            }
        }
        if let Some(session) = session.filter(is_its) {
            session.set_user(Arc::clone(user));
            session.closing |= listens_beyond(session);
        }
    }

    /// `ACL DELUSER`: removes users, and disconnects who acts as them. Returns how many were there.
    pub fn remove_users<'a>(
        &mut self,
        names: impl Iterator<Item = &'a [u8]>,
        session: &mut Session,
    ) -> usize {
        let removed = names.filter(|name| self.users.remove(name)).count();
        if removed > 0 {
            let lost = self.sessions_follow_users(Some(session));
            let lost = lost.into_iter().map(Afterwards::Disconnect);
            self.afterwards.extend(lost);
        }
        removed
    }

    /// Every client acts as the user of its name as it is now. Returns those that are to be
    /// disconnected: their user is gone, or they listen to channels that it may no longer use.
    pub(crate) fn sessions_follow_users(
        &mut self,
        session: Option<&mut Session>,
    ) -> Vec<SessionId> {
        let (users, mut lost) = (&self.users, Vec::new());
        for session in self.sessions.iter_mut() {
            if follow(session, users) == Client::MustGo {
                lost.push(session.id);
            }
        }
        if let Some(session) = session {
            session.closing |= follow(session, users) == Client::MustGo;
        }
        lost
    }

    /// Returns whether a client may make this request and read any key by it.
    pub fn reads_all_keys(&self, session: &Session, request: Argv<'_>) -> bool {
        let row = || self.commands.find_for(request);
        session.is_unrestricted()
            || row().is_some_and(|row| session.user().reads_all_keys(row, request))
    }

    /// Notes in the log of denials that a client was not let in.
    pub fn note_wrong_password(
        &mut self,
        (session, watches): (&Session, &Watches),
        argv: Argv<'_>,
        user: &[u8],
        now: Now,
    ) {
        let context = match session.transaction {
            Some(_) => Context::Transaction,
            None => Context::Toplevel,
        };
        let client = line(session, watches, now);
        self.users.denials.note(
            (Reason::Auth, context),
            argv.get(0).unwrap_or_default(),
            user,
            client,
            now.unix(),
            self.config.denials_max,
        );
    }

    /// A client has shown a certificate with this common name: it acts as the user of that name, if
    /// that is how users are found. Where there is none that is on, that is noted.
    pub(crate) fn certificate_shown(
        &mut self,
        id: SessionId,
        watches: &Watches,
        name: &[u8],
        now: Now,
    ) {
        let Some(session) = self.sessions.find_mut(id) else {
            return;
        };
        if !self.config.users_by_certificate {
            return;
        }
        if let Some(user) = self.users.find(name).filter(|user| user.is_on()) {
            session.authenticate(Arc::clone(user));
            return;
        }
        let client = line(session, watches, now);
        self.users.denials.note(
            (Reason::Certificate, Context::Toplevel),
            b"",
            name,
            client,
            now.unix(),
            self.config.denials_max,
        );
    }

    /// Notes in the log of denials what a user may not do, if that is what the error says.
    #[cold]
    pub(crate) fn note_denied(
        &mut self,
        (session, watches): (&Session, &Watches),
        error: &CmdError,
        now: Now,
    ) {
        let CmdError::Denied(denied) = error else {
            return;
        };
        let Denied { user, object, when } = &**denied;
        let context = match when {
            DeniedWhen::Called => Context::Script,
            DeniedWhen::Executed => Context::Transaction,
            DeniedWhen::Asked if session.transaction.is_some() => Context::Transaction,
            DeniedWhen::Asked => Context::Toplevel,
        };
        let (reason, object) = match object {
            DeniedObject::Command(name) => (Reason::Command, name.as_bytes()),
            DeniedObject::Key(key) => (Reason::Key, key.as_slice()),
            DeniedObject::Channel(channel) => (Reason::Channel, channel.as_slice()),
        };
        let client = line(session, watches, now);
        self.users.denials.note(
            (reason, context),
            object,
            user,
            client,
            now.unix(),
            self.config.denials_max,
        );
    }
}

/// What becomes of a client after users were replaced.
#[derive(Debug, PartialEq, Eq)]
enum Client {
    /// It goes by the new rules.
    Stays,
    /// Its user is gone, or may no longer use channels to which it listens.
    MustGo,
}

fn follow(session: &mut Session, users: &Users) -> Client {
    match users.find(session.user().name()) {
        Some(user) => session.set_user(Arc::clone(user)),
        None => {
            session.forget_user(users);
            return Client::MustGo;
        }
    }
    match listens_beyond(session) {
        true => Client::MustGo,
        false => Client::Stays,
    }
}

/// Returns whether a client listens to channels that its user may not use.
fn listens_beyond(session: &Session) -> bool {
    let kinds = [Listening::Channel, Listening::Pattern, Listening::Shard];
    kinds.into_iter().any(|kind| {
        session.subscriptions.names(kind).any(|name| {
            !session.user().may_listen_to(&FoundChannel {
                channel: name,
                is_pattern: kind == Listening::Pattern,
                used: ChannelUse::Subscribe,
            })
        })
    })
}
