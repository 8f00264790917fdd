//! What was denied of late (`ACL LOG`), and how often since the start.

use std::collections::VecDeque;

use crate::limits::{DENIAL_SAME_MS_MAX, DENIAL_TEXT_BYTES_MAX, DENIALS_LOOKED_AT_MAX};
use crate::time::UnixMs;

/// Why something was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A wrong password, or no such user.
    Auth,
    /// A command.
    Command,
    /// A key.
    Key,
    /// A channel.
    Channel,
    /// A certificate stands for nobody.
    Certificate,
}

impl Reason {
    /// The word in `ACL LOG`.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Auth => "auth",
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Certificate => "tls-cert",
        }
    }
}

/// Where a request was made that was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// By a client.
    Toplevel,
    /// In a transaction.
    Transaction,
    /// In a script.
    Script,
}

impl Context {
    /// The word in `ACL LOG`.
    pub const fn name(self) -> &'static str {
        match self {
            Context::Toplevel => "toplevel",
            Context::Transaction => "multi",
            Context::Script => "lua",
        }
    }
}

/// What was denied, once or several times in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number, from 0.
    pub id: u64,
    /// How often.
    pub count: u64,
    /// Why.
    pub reason: Reason,
    /// Where.
    pub context: Context,
    /// The command, key or channel.
    pub object: Vec<u8>,
    /// The user, or who the client said it was.
    pub user: Vec<u8>,
    /// The client of the last time, as `CLIENT LIST` shows it.
    pub client: String,
    /// When it was denied first.
    pub first: UnixMs,
    /// When it was denied last.
    pub last: UnixMs,
}

/// What was denied: the last of it, newest first, and how often since the start.
#[derive(Debug, Default)]
pub struct Denials {
    entries: VecDeque<LogEntry>,
    next_id: u64,
    /// Wrong passwords and users.
    pub auth: u64,
    /// Commands.
    pub commands: u64,
    /// Keys.
    pub keys: u64,
    /// Channels.
    pub channels: u64,
    /// Certificates that stand for nobody.
    pub certificates: u64,
}

impl Denials {
    /// Notes a denial. One that is like another of the last minute counts there. Of texts, only a
    /// part is kept.
    pub fn note(
        &mut self,
        (reason, context): (Reason, Context),
        object: &[u8],
        user: &[u8],
        mut client: String,
        now: UnixMs,
        entries_max: usize,
    ) {
        match reason {
            Reason::Auth => self.auth += 1,
            Reason::Command => self.commands += 1,
            Reason::Key => self.keys += 1,
            Reason::Channel => self.channels += 1,
            Reason::Certificate => self.certificates += 1,
        }
        if entries_max == 0 {
            return;
        }
        let cut = |text: &[u8]| text[..text.len().min(DENIAL_TEXT_BYTES_MAX)].to_vec();
        let (object, user) = (cut(object), cut(user));
        client.truncate(client.floor_char_boundary(DENIAL_TEXT_BYTES_MAX));
        let mut recent = self.entries.iter().take(DENIALS_LOOKED_AT_MAX);
        let same = recent.position(|entry| {
            (entry.reason, entry.context) == (reason, context)
                && now.0.abs_diff(entry.last.0) <= DENIAL_SAME_MS_MAX
                && entry.object == object
                && entry.user == user
        });
        let entry = match same.and_then(|place| self.entries.remove(place)) {
            Some(entry) => LogEntry {
                count: entry.count + 1,
                client,
                last: now,
                ..entry
            },
            None => {
                self.next_id += 1;
                LogEntry {
                    id: self.next_id - 1,
                    count: 1,
                    reason,
                    context,
                    object,
                    user,
                    client,
                    first: now,
                    last: now,
                }
            }
        };
        self.entries.push_front(entry);
        self.truncate(entries_max);
    }

    /// The entries, newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.entries.iter()
    }

    /// Forgets all entries; the counters stay.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Keeps the newest entries only.
    pub fn truncate(&mut self, len: usize) {
        self.entries.truncate(len);
    }

    /// Sets the counters back.
    pub fn reset_counters(&mut self) {
        (self.auth, self.commands, self.keys) = (0, 0, 0);
        (self.channels, self.certificates) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(denials: &mut Denials, object: &str, at: i64, max: usize) {
        let why = (Reason::Key, Context::Toplevel);
        denials.note(why, object.as_bytes(), b"u", String::new(), UnixMs(at), max);
    }

    #[test]
    fn what_is_denied_again_within_a_minute_counts_in_one_entry() {
        let mut denials = Denials::default();
        for (object, at) in [("a", 0), ("b", 10), ("a", 60_000), ("a", 120_001)] {
            note(&mut denials, object, at, 10);
        }
        let seen: Vec<_> = denials
            .iter()
            .map(|entry| (entry.id, entry.count, entry.first.0, entry.last.0))
            .collect();
        assert_eq!(
            seen,
            [(2, 1, 120_001, 120_001), (0, 2, 0, 60_000), (1, 1, 10, 10)]
        );
        assert_eq!(denials.keys, 4);
    }

    #[test]
    fn the_log_has_a_bound_and_so_has_each_text_in_it() {
        let mut denials = Denials::default();
        for object in 0..20 {
            note(&mut denials, &object.to_string(), 0, 3);
        }
        assert_eq!(denials.iter().len(), 3);
        note(&mut denials, &"x".repeat(DENIAL_TEXT_BYTES_MAX + 1), 0, 3);
        let newest = denials.iter().next().unwrap();
        assert_eq!(newest.object.len(), DENIAL_TEXT_BYTES_MAX);
        note(&mut denials, "off", 0, 0);
        assert_eq!(denials.iter().len(), 3);
        assert_eq!(denials.keys, 22);
    }
}
