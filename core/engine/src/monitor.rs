//! `MONITOR`: clients that see all commands.

use resp::{Argv, Rope};

use crate::Engine;
use crate::lsn::Lsn;
use crate::node::{Delivery, Then};
use crate::redact::redacted;
use crate::session::{Replies, Session};
use crate::table::{Flags, Spec};
use crate::time::Now;

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
        if self.node.monitors > 0 && !hidden {
            self.write_to_monitors(session, argv, now);
        }
    }

    #[cold]
    fn write_to_monitors(&mut self, session: &Session, argv: Argv<'_>, now: Now) {
        let mut line = format!(
            "+{}.{:06} [{} {}]",
            now.unix_us / 1_000_000,
            now.unix_us % 1_000_000,
            session.database,
            session.address,
        )
        .into_bytes();
        let shown = redacted(argv);
        for arg in shown.as_argv().iter() {
            line.push(b' ');
            quote(&mut line, arg);
        }
        line.extend_from_slice(b"\r\n");
        let others = self.node.sessions.iter();
        // One that asked for no replies, or that skips its next one, is shown nothing.
        let monitors = others
            .chain([session])
            .filter(|client| client.monitor)
            .filter(|client| !matches!(client.replies, Replies::Off | Replies::SkipThis));
        for monitor in monitors {
            let mut bytes = Rope::default();
            bytes.push(&line);
            self.node.outbox.push(Delivery {
                session: monitor.id,
                bytes,
                depends_on: Lsn::NONE,
                then: Then::Continue,
            });
        }
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
