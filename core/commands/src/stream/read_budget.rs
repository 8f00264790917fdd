//! `MAXCOUNT` and `MAXSIZE`: what one reply of a reading command may hold, over all its streams.
//! Source: the documentation of Redis 8.10.

use engine::args::Args;
use engine::error::CmdError;
use resp::{GuessedArray, Mark, Reply};
use stream::{Entries, EntryRef};

/// The options that bound a reply, as they were given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadBounds {
    /// Entries of each stream (`COUNT`).
    pub(super) count: Option<u64>,
    /// Entries in all (`MAXCOUNT`).
    pub(super) count_max: Option<u64>,
    /// Bytes of the reply (`MAXSIZE`), though one entry is always given.
    pub(super) bytes_max: Option<usize>,
}

impl ReadBounds {
    /// Takes one of the options, if it comes next. Returns whether it did.
    pub(super) fn parse(&mut self, args: &mut Args<'_>) -> Result<bool, CmdError> {
        if args.keyword_with_value("COUNT") {
            let count = args.integer()?;
            self.count = u64::try_from(count).ok().filter(|count| *count > 0);
        } else if args.keyword_with_value("MAXCOUNT") {
            self.count_max = Some(positive(args, "MAXCOUNT")?);
        } else if args.keyword_with_value("MAXSIZE") {
            let bytes = positive(args, "MAXSIZE")?;
            self.bytes_max = Some(usize::try_from(bytes).unwrap_or(usize::MAX));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Checks the options against each other, once all are read.
    pub(super) fn check(&self) -> Result<(), CmdError> {
        match (self.count, self.count_max) {
            (Some(count), Some(max)) if max < count => Err(CmdError::MaxCountBelowCount),
            _ => Ok(()),
        }
    }

    /// The same where all streams share what `COUNT` says.
    pub(super) fn begin_shared(&self) -> ReadBudget {
        let count = self.count.or(self.count_max).unwrap_or(SHARED_COUNT);
        ReadBudget {
            count_left: count,
            ..self.begin()
        }
    }

    /// What a reply that begins here may hold.
    pub(super) fn begin(&self) -> ReadBudget {
        ReadBudget {
            bytes: 0,
            count_per_stream: self.count.unwrap_or(u64::MAX),
            count_left: self.count_max.unwrap_or(u64::MAX),
            bytes_max: self.bytes_max,
            written: 0,
        }
    }
}

/// Entries that a read of many streams by a pattern gives if it does not say how many.
const SHARED_COUNT: u64 = 1000;

fn positive(args: &mut Args<'_>, name: &'static str) -> Result<u64, CmdError> {
    match args.integer()? {
        n if n > 0 => Ok(n as u64),
        _ => Err(CmdError::BoundNotPositive(name)),
    }
}

/// What a reply may still hold.
#[derive(Debug)]
pub(super) struct ReadBudget {
    /// Bytes of the reply so far, those included that are rendered when they are sent. Counted only
    /// if they are bounded.
    bytes: usize,
    count_per_stream: u64,
    count_left: u64,
    bytes_max: Option<usize>,
    written: u64,
}

impl ReadBudget {
    /// Returns how many entries the next stream may give.
    pub(super) fn stream_limit(&self) -> u64 {
        self.count_per_stream.min(self.count_left)
    }

    /// Returns how many entries each of so many streams may give if they share what is left evenly.
    pub(super) fn share_of(&self, streams: usize) -> u64 {
        self.count_left / (streams as u64).max(1)
    }

    /// The next stream is one of so many that share what is left: it may give no less than those
    /// behind it, and no more than one entry more.
    pub(super) fn set_share(&mut self, streams: usize) {
        self.count_per_stream = self.count_left.div_ceil((streams as u64).max(1));
    }

    /// Returns how many entries were written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Returns whether only counts bound the reply, so that entries may be written at once.
    pub(super) fn counts_only(&self) -> bool {
        self.bytes_max.is_none()
    }

    /// Returns whether nothing more may be written.
    pub(super) fn is_spent(&self) -> bool {
        self.count_left == 0
    }

    /// Counts entries that were written at once.
    pub(super) fn note(&mut self, entries: u64) {
        self.written += entries;
        self.count_left -= entries.min(self.count_left);
    }

    /// Notes what was written before the entries of a stream.
    #[inline]
    pub(super) fn open(&mut self, reply: &Reply, head: Mark) {
        if !self.counts_only() {
            self.bytes += reply.len_since(head);
        }
    }

    /// Takes back what [`ReadBudget::open`] noted, because the stream has no entries.
    pub(super) fn take_back(&mut self, reply: &mut Reply, head: Mark) {
        self.bytes = self.bytes.saturating_sub(reply.len_since(head));
        reply.rollback(head);
    }

    /// Begins the array of what a stream gives of these entries.
    #[inline]
    pub(super) fn begin_array(&self, reply: &mut Reply, entries: &Entries) -> GuessedArray {
        reply.begin_array(self.stream_limit().min(entries.len()) as usize)
    }

    /// Ends it.
    #[inline]
    pub(super) fn end_array(&mut self, reply: &mut Reply, array: GuessedArray, len: usize) {
        let header_bytes = reply.end_array(array, len);
        if !self.counts_only() {
            self.bytes += header_bytes;
        }
    }

    /// Returns whether one more entry may be written, which then counts as written. If the reply
    /// would get too large, nothing more may follow. `bytes`, its size, is called only if that
    /// matters.
    pub(super) fn admits(&mut self, bytes: impl FnOnce() -> usize) -> bool {
        if self.is_spent() {
            return false;
        }
        if let Some(bytes_max) = self.bytes_max {
            let bytes = self.bytes.saturating_add(bytes());
            if self.written > 0 && bytes > bytes_max {
                self.count_left = 0;
                return false;
            }
            self.bytes = bytes;
        }
        self.note(1);
        true
    }

    /// Returns how many of the next entries of a stream may be written, which then count as
    /// written.
    #[cold]
    pub(super) fn admitted<'e>(&mut self, entries: impl Iterator<Item = EntryRef<'e>>) -> u64 {
        let most = usize::try_from(self.stream_limit()).unwrap_or(usize::MAX);
        let entries = entries.take(most);
        entries
            .take_while(|entry| self.admits(|| entry.reply_bytes()))
            .count() as u64
    }
}
