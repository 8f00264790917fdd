//! `MONITOR`: clients that see all commands.
//!
//! Lines are gathered until the shell takes what goes out, and then they are one piece of memory for
//! all who are shown them: many clients that do not read cost little more than one.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use resp::{Argv, Bytes, Kept, Rope};

use crate::Engine;
use crate::clients::session::{Replies, Session, SessionId};
use crate::limits::{LINES_GATHERED_BYTES_MAX, LINES_SHARED_BYTES_MIN};
use crate::lsn::Lsn;
use crate::observe::redact::redacted;
use crate::server::{Delivery, Then};
use crate::table::{Flags, Spec};
use crate::time::Now;

/// The clients that see all commands, and what they have to see.
#[derive(Debug, Default)]
pub struct Monitors {
    clients: BTreeSet<SessionId>,
    /// Lines that were not handed out.
    lines: Vec<u8>,
    /// Who is shown them.
    shown_to: Vec<SessionId>,
}

impl Monitors {
    /// A client sees all commands from now on, or does so already.
    pub fn add(&mut self, client: SessionId) {
        self.clients.insert(client);
    }

    /// A client sees no more commands.
    pub fn remove(&mut self, client: SessionId) {
        self.clients.remove(&client);
    }

    /// Whether there are lines to hand out.
    pub(crate) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Hands out the lines that were gathered.
    pub(crate) fn hand_out(&mut self, outbox: &mut Vec<Delivery>) {
        let lines = mem::take(&mut self.lines);
        let shared = (lines.len() >= LINES_SHARED_BYTES_MIN).then(|| Arc::<[u8]>::from(&*lines));
        for session in self.shown_to.drain(..) {
            let mut bytes = Rope::default();
            match &shared {
                Some(shared) => bytes.push_shared(Box::new(Lines(Arc::clone(shared)))),
                None => bytes.push(&lines),
            }
            outbox.push(Delivery {
                session,
                bytes,
                depends_on: Lsn::NONE,
                then: Then::Continue,
            });
        }
    }
}

/// Lines that several clients are shown.
#[derive(Debug)]
struct Lines(Arc<[u8]>);

impl Bytes for Lines {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn kept(&self) -> Kept {
        Kept {
            address: self.0.as_ptr().addr(),
            bytes: self.0.len(),
            holders: Arc::strong_count(&self.0),
        }
    }
}

impl Engine {
    /// Shows a command that ran to the clients that see all commands. Commands of administrators are not
    /// shown.
    #[inline]
    pub(crate) fn show_to_monitors(
        &mut self,
        session: &Session,
        spec: &Spec,
        argv: Argv<'_>,
        now: Now,
    ) {
        let hidden = spec.flags.has(Flags::ADMIN) || spec.flags.has(Flags::SKIP_MONITOR);
        if !self.node.monitors.clients.is_empty() && !hidden {
            self.write_to_monitors(session, argv, now);
        }
    }

    #[cold]
    fn write_to_monitors(&mut self, session: &Session, argv: Argv<'_>, now: Now) {
        let node = &mut self.node;
        let sessions = &node.sessions;
        // One that asked for no replies, or that skips its next one, is shown nothing.
        let wants = |client: &SessionId| {
            let found = match *client == session.id {
                true => Some(session),
                false => sessions.find(*client),
            };
            found.is_some_and(|found| !matches!(found.replies, Replies::Off | Replies::SkipThis))
        };
        let monitors = &mut node.monitors;
        let clients = monitors.clients.iter().copied().filter(wants);
        if !clients.clone().eq(monitors.shown_to.iter().copied())
            || monitors.lines.len() >= LINES_GATHERED_BYTES_MAX
        {
            let clients: Vec<SessionId> = clients.collect();
            monitors.hand_out(&mut node.outbox);
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
            session.address,
        );
        line.extend_from_slice(begin.as_bytes());
        let shown = redacted(argv);
        for arg in shown.as_argv().iter() {
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
