//! Showing commands that ran to the clients that monitor them.

use resp::Argv;

use crate::clients::session::{Replies, Session, SessionId};
use crate::limits::GATHERED_BYTES_MAX;
use crate::server::Server;
use crate::table::{Flags, Spec, redacted};
use crate::time::Now;

impl Server {
    /// Shows a command that ran to the clients that see all commands. Commands of administrators
    /// are not shown.
    #[inline]
    pub(crate) fn show_to_monitors(
        &mut self,
        session: &Session,
        spec: &Spec,
        argv: Argv<'_>,
        now: Now,
    ) {
        self.show_as_from(&session.address, session, spec, argv, now);
    }

    /// Shows a command that runs a script, before what that runs.
    #[inline]
    pub fn show_script(&mut self, session: &Session, spec: &Spec, argv: Argv<'_>, now: Now) {
        if !self.monitors.clients.is_empty() {
            self.write_to_monitors(&session.address, session, spec, argv, now);
        }
    }

    /// The same, as if it came from another address.
    #[inline]
    pub(crate) fn show_as_from(
        &mut self,
        address: &str,
        session: &Session,
        spec: &Spec,
        argv: Argv<'_>,
        now: Now,
    ) {
        let hidden = spec.flags.has(Flags::ADMIN) || spec.flags.has(Flags::SKIP_MONITOR);
        if !self.monitors.clients.is_empty() && !hidden {
            self.write_to_monitors(address, session, spec, argv, now);
        }
    }

    #[cold]
    fn write_to_monitors(
        &mut self,
        address: &str,
        session: &Session,
        spec: &Spec,
        argv: Argv<'_>,
        now: Now,
    ) {
        let sessions = &self.sessions;
        // One that asked for no replies, or that skips its next one, is shown nothing.
        let wants = |client: &SessionId| {
            let found = match *client == session.id {
                true => Some(session),
                false => sessions.find(*client),
            };
            found.is_some_and(|found| !matches!(found.replies, Replies::Off | Replies::SkipThis))
        };
        let monitors = &mut self.monitors;
        let clients = monitors.clients.iter().copied().filter(wants);
        if !clients.clone().eq(monitors.shown_to.iter().copied())
            || monitors.lines.len() >= GATHERED_BYTES_MAX
        {
            let clients: Vec<SessionId> = clients.collect();
            monitors.hand_out(&mut self.outbox);
            monitors.shown_to = clients;
        }
        if monitors.shown_to.is_empty() {
            return;
        }
        let line = &mut monitors.lines;
        let begin = format!(
            "+{}.{:06} [{} {}]",
            now.unix_us / 1_000_000,
            now.unix_us % 1_000_000,
            session.database,
            address,
        );
        line.extend_from_slice(begin.as_bytes());
        for arg in redacted(spec, argv) {
            line.push(b' ');
            quote(line, arg);
        }
        line.extend_from_slice(b"\r\n");
    }
}

/// Writes bytes in quotation marks, those that are not printable escaped.
pub(crate) fn quote(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(*byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}
