//! The canonical encoding of effects: Redis commands as RESP, which Redis can load.
//!
//! | line | meaning |
//! |---|---|
//! | `#t:<ms>` | the time of the effects that follow, in Unix milliseconds; Redis skips it |
//! | `SELECT db` | the database of the commands that follow |
//! | `MULTI` … `EXEC` | one atomic batch of several effects |
//!
//! Each group of the journal names time and database before its first command, and can be read
//! without the groups before it. A group of an earlier build may rely on them.
//!
//! A stream that is made with another retention than 100 seconds and 100 idempotent IDs is made
//! empty (`XGROUP CREATE … MKSTREAM` and `XGROUP DESTROY`) and configured (`XCFGSET`), whatever the
//! settings are when this is read.
//!
//! A duplicate append is an `XADD … IDMP` with an ID that is not above the last one. Redis counts
//! it too, or, where it has forgotten the idempotent ID, refuses it. An `XCLAIM` with `LASTID 0-0`,
//! which sets nothing, is a consumer that read its own entries again: it does not count as active
//! by that. Without IDs it is one that called and got nothing.
//!
//! What Redis has no words for is said in weir's own (`XCFGSET … KEEPIDS`, the settings of
//! `XCFGSET` and `XGROUP SETCFG`, `XIDMPEPOCH` with an epoch, `XIDMPRECORD` with the name of a
//! count, `XADD … AT … TICKET` of an entry that waits, `XUNDELAY` of one that does not any more,
//! and `XNACK … AT` of one that is given back with a pause): Redis refuses a journal that has them.
//! `weir export` writes what it reads.
//!
//! All else is one command an effect, as the variants of [`Effect`] say. That idempotent IDs are
//! forgotten by age follows from these and the time. When a consumer called last that got
//! nothing is kept to ten seconds.

use batch::Encoded;
use resp::{LARGE_BYTES_MIN, Large, find_large, write_header};
use stream::{ID_TEXT_BYTES_MAX, References, Retention, SettingValue, Settings, StreamId};

use crate::time::UnixMs;

/// Where effects are written to.
#[derive(Debug)]
pub(crate) struct Out<'e> {
    /// The bytes.
    pub(crate) encoded: &'e mut Encoded,
    /// The large arguments of the request, to which the bytes refer instead of copying them.
    pub(crate) larges: &'e [Large],
}

/// Writes `#t:<ms>`.
pub(crate) fn time(out: &mut Encoded, at: UnixMs) {
    out.push(b"#t:");
    out.push(itoa::Buffer::new().format(at.0).as_bytes());
    out.push(b"\r\n");
}

/// Writes `SELECT db`.
pub(crate) fn select(out: &mut Encoded, database: u16) {
    let mut out = Out {
        encoded: out,
        larges: &[],
    };
    Line::new(&mut out, 2, "SELECT")
        .int(i64::from(database))
        .end();
}

/// Puts `MULTI` before what was written since there were `start` own bytes, and `EXEC` after it.
pub(crate) fn wrap_transaction(out: &mut Encoded, start: usize) {
    out.insert(start, b"*1\r\n$5\r\nMULTI\r\n");
    out.push(b"*1\r\n$4\r\nEXEC\r\n");
}

/// Writes that a stream has this retention, and returns how many commands that took. What it
/// remembers goes if that changes something.
pub(crate) fn retention(out: &mut Out<'_>, key: &[u8], retention: Retention) -> u32 {
    retention_args(Line::new(out, 6, "XCFGSET").arg(key), retention).end()
}

/// The arguments of `XCFGSET` that say this retention; four.
pub(super) fn retention_args<'l, 'o>(
    line: &'l mut Line<'o>,
    retention: Retention,
) -> &'l mut Line<'o> {
    line.arg(b"IDMP-DURATION")
        .int(i64::from(retention.duration_s))
        .arg(b"IDMP-MAXSIZE")
        .int(i64::from(retention.maxsize))
}

/// Writes that there is an empty stream with this retention, and returns how many commands that
/// took: Redis has no shorter form for it.
pub(crate) fn new_stream(out: &mut Out<'_>, key: &[u8], set: Retention) -> u32 {
    let group = b"weir";
    let made = Line::new(out, 6, "XGROUP")
        .arg(b"CREATE")
        .arg(key)
        .arg(group)
        .int(0)
        .arg(b"MKSTREAM")
        .end();
    let bare = Line::new(out, 4, "XGROUP")
        .arg(b"DESTROY")
        .arg(key)
        .arg(group)
        .end();
    made + bare + retention(out, key, set)
}

/// How many arguments [`Line::settings`] writes.
pub(super) fn settings_args<S: Settings>() -> usize {
    let rows = S::ROWS.iter();
    rows.map(|row| 1 + row.form.text_count()).sum()
}

/// A counter as Redis can read it.
pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Returns how many arguments [`Line::policy`] writes.
pub(super) fn policy_args(references: References) -> usize {
    usize::from(references != References::Keep)
}

/// One command that is being written; the number of arguments comes first.
pub(super) struct Line<'o> {
    out: &'o mut Encoded,
    larges: &'o [Large],
    #[cfg(debug_assertions)]
    missing: usize,
}

impl<'o> Line<'o> {
    pub(super) fn new(out: &'o mut Out<'_>, args: usize, name: &str) -> Line<'o> {
        let Out { encoded, larges } = out;
        write_header(b'*', args, |piece| encoded.push(piece));
        let mut line = Line {
            out: encoded,
            larges,
            #[cfg(debug_assertions)]
            missing: args,
        };
        line.arg(name.as_bytes());
        line
    }

    #[inline]
    pub(super) fn arg(&mut self, arg: &[u8]) -> &mut Line<'o> {
        #[cfg(debug_assertions)]
        {
            self.missing -= 1;
        }
        write_header(b'$', arg.len(), |piece| self.out.push(piece));
        if arg.len() < LARGE_BYTES_MIN {
            self.out.push(arg);
        } else {
            self.long_arg(arg);
        }
        self.out.push(b"\r\n");
        self
    }

    #[cold]
    fn long_arg(&mut self, arg: &[u8]) {
        match find_large(self.larges, arg) {
            Some(large) => self.out.push_shared(large.clone()),
            None => self.out.push(arg),
        }
    }

    /// An argument that something shares, which is not copied if it is large.
    pub(super) fn shared_arg(&mut self, arg: &Large) -> &mut Line<'o> {
        if arg.len() < LARGE_BYTES_MIN {
            return self.arg(arg);
        }
        #[cfg(debug_assertions)]
        {
            self.missing -= 1;
        }
        write_header(b'$', arg.len(), |piece| self.out.push(piece));
        self.out.push_shared(arg.clone());
        self.out.push(b"\r\n");
        self
    }

    pub(super) fn int(&mut self, n: i64) -> &mut Line<'o> {
        self.arg(itoa::Buffer::new().format(n).as_bytes())
    }

    pub(super) fn id(&mut self, id: StreamId) -> &mut Line<'o> {
        let mut text = [0; ID_TEXT_BYTES_MAX];
        let text = id.write_text(&mut text);
        self.arg(text)
    }

    pub(super) fn ids(&mut self, ids: &[StreamId]) -> &mut Line<'o> {
        for id in ids {
            self.id(*id);
        }
        self
    }

    pub(super) fn policy(&mut self, references: References) -> &mut Line<'o> {
        match references {
            References::Keep => self,
            References::Delete => self.arg(b"DELREF"),
            References::Acknowledged => self.arg(b"ACKED"),
        }
    }

    /// All settings of an owner, each as its word and its value.
    pub(super) fn settings<S: Settings>(&mut self, settings: &S) -> &mut Line<'o> {
        for row in S::ROWS {
            self.arg(row.word.as_bytes());
            match (row.get)(settings) {
                SettingValue::Span(first, second) => self.int(count(first)).int(count(second)),
                value @ (SettingValue::Number(_) | SettingValue::Text(_)) => {
                    self.arg(&row.form.text_of(value))
                }
            };
        }
        self
    }

    /// Ends the command; it counts as one.
    pub(super) fn end(&mut self) -> u32 {
        #[cfg(debug_assertions)]
        debug_assert_eq!(
            self.missing, 0,
            "the command says how many arguments it has"
        );
        1
    }
}
