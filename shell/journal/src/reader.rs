//! One log file, read record by record from front to back.
//!
//! A record is a group of weir's with its checksum verified, a run of whole batches that Redis
//! wrote, or padding. The reader reports where the first thing is that is none of these, and looks
//! behind it for groups whose annotations tell whether the damaged bytes had been durable
//! ([`Behind`]). [`Recovery`](crate::Recovery) and [`check`](crate::check()) decide what follows
//! from that.

use std::collections::VecDeque;
use std::fmt;
use std::io;

use memchr::memmem;

use crate::annotation::{Header, HeaderError, Kind, PADDING_ALIGNMENT, PREFIX, classify};
use crate::disk::DiskFile;
use crate::limits::{LINE_BYTES_MAX, READ_BYTES, RESYNC_FACTOR_MAX};
use crate::scan::{self, Scanned};
use crate::window::Window;
use batch::Lsn;

/// The next thing in a log file. Its bytes are [`Reader::bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A group that weir wrote; a mark has no bytes.
    Group(Header),
    /// So many whole batches without annotations.
    Foreign(u64),
    /// Space written ahead.
    Padding,
    /// The end of the file.
    End,
    /// Something else. Reading further gives the same again.
    Damage(Damage),
}

/// The first place in a file that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong at a damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file ends within an annotation line.
    ShortLine,
    /// An annotation line does not follow its format.
    MalformedLine,
    /// A newer weir wrote this group.
    UnknownVersion,
    /// The file ends within a group.
    ShortGroup,
    /// The checksum of a group does not match its bytes.
    Checksum,
    /// The group does not follow the one before it: this LSN was expected in front of it.
    Gap {
        /// The LSN of the batch before.
        after: Lsn,
        /// The LSN that the group says it follows.
        found: Lsn,
    },
    /// Padding is incomplete.
    BrokenPadding,
    /// What is there is neither an annotation nor a command.
    NoRecord,
    /// The file ends within a command or transaction that has no annotation.
    ShortCommand,
    /// A command that has no annotation is malformed.
    MalformedCommand {
        /// Where the first wrong byte is.
        at: u64,
        /// What should be there.
        expected: &'static str,
    },
}

/// What was found behind a damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Nothing that says that the damaged bytes had been durable: a write that a crash tore.
    Nothing,
    /// At this offset, a whole group that was written when the damaged bytes were already durable.
    Vouched(u64),
    /// At this offset, commands that somebody appended later.
    Foreign(u64),
    /// Too many things that look like groups to check them all.
    TooMuch,
}

/// What a damaged place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The torn end of the log, as a crash leaves it.
    Torn,
    /// Damage that no crash can have done.
    Damaged(Behind),
}

/// Who wrote what came last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    Nobody,
    Weir,
    Foreign,
}

/// Reads the records of one file.
pub(crate) struct Reader<F> {
    window: Window<F>,
    /// The length of the record that was returned last.
    record_bytes: u64,
    /// Where in it the batches begin.
    bytes_at: usize,
    /// Where the last record with batches, or the last mark, ended.
    end: u64,
    /// The groups that no later one has confirmed as durable: their last LSN, and where they end.
    unvouched: VecDeque<(Lsn, u64)>,
    vouched_end: u64,
    damage: Option<Damage>,
    last: Lsn,
    writer: Writer,
    /// Something was read whose LSN is certain; until then a group's LSN may be ahead.
    lsn_is_known: bool,
}

impl<F: DiskFile> Reader<F> {
    /// A reader at the start of `file`, which continues the log after `last`; `None` takes what the
    /// file says.
    pub(crate) fn new(file: F, last: Option<Lsn>) -> io::Result<Self> {
        Ok(Reader {
            window: Window::new(file)?,
            record_bytes: 0,
            bytes_at: 0,
            end: 0,
            unvouched: VecDeque::new(),
            vouched_end: 0,
            damage: None,
            last: last.unwrap_or_default(),
            writer: Writer::Nobody,
            lsn_is_known: last.is_some(),
        })
    }

    /// The batches of the record that was returned last.
    pub(crate) fn bytes(&self) -> &[u8] {
        let end = usize::try_from(self.record_bytes).unwrap_or(usize::MAX);
        self.window
            .bytes()
            .get(self.bytes_at..end)
            .expect("a record that was found lies within the window")
    }

    /// Returns where the batches of the record begin that was returned last.
    pub(crate) fn bytes_offset(&self) -> u64 {
        self.window.offset() + self.bytes_at as u64
    }

    /// The LSN of the last batch that was read.
    pub(crate) fn last(&self) -> Lsn {
        self.last
    }

    /// Returns where the record begins that was returned last.
    pub(crate) fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Returns where the last batch or mark ends that was read: what follows it is padding or
    /// damaged.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Up to where a later group says that everything is durable.
    pub(crate) fn vouched_end(&self) -> u64 {
        self.vouched_end
    }

    /// The size of the file.
    pub(crate) fn size(&self) -> u64 {
        self.window.size()
    }

    /// Who wrote the last record with batches, or a mark.
    pub(crate) fn writer(&self) -> Writer {
        self.writer
    }

    /// Skips bytes that are not part of the log.
    pub(crate) fn skip(&mut self, bytes: u64) {
        self.window.advance(bytes);
    }

    /// Reads on.
    ///
    /// # Errors
    /// The disk's; what is wrong with the bytes is [`Record::Damage`].
    pub(crate) fn next(&mut self) -> io::Result<Record> {
        if let Some(damage) = self.damage {
            return Ok(Record::Damage(damage));
        }
        self.window.advance(self.record_bytes);
        self.record_bytes = 0;
        self.bytes_at = 0;
        let front = self.window.fill(LINE_BYTES_MAX as u64)?;
        match front.first() {
            None => Ok(Record::End),
            Some(b'*') => self.foreign(),
            Some(b'#') => match classify(front) {
                Some(Kind::Group) => self.group(),
                Some(Kind::Padding) => self.padding(),
                // After a group comes what weir wrote or what Redis appended. This is a torn line,
                // and the rest of it must not pass for commands.
                Some(Kind::Other) if self.writer == Writer::Weir && !is_timestamp(front) => {
                    Ok(self.damage(Reason::MalformedLine))
                }
                Some(Kind::Other) => self.foreign(),
                None => Ok(self.damage(Reason::ShortLine)),
            },
            Some(_) => Ok(self.damage(Reason::NoRecord)),
        }
    }

    /// Decides whether a crash can have left this place at the end of the log. `file` is another
    /// handle to the same file.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn judge(&self, damage: Damage, file: F) -> io::Result<Verdict> {
        if damage.reason == Reason::ShortCommand {
            return Ok(Verdict::Torn);
        }
        if !self.may_be_torn_here(damage) {
            return Ok(Verdict::Damaged(Behind::Nothing));
        }
        Ok(match self.behind(damage, file)? {
            Behind::Nothing => Verdict::Torn,
            behind @ (Behind::Vouched(_) | Behind::Foreign(_) | Behind::TooMuch) => {
                Verdict::Damaged(behind)
            }
        })
    }

    /// Returns whether this looks like what a torn write of weir leaves, behind something that weir
    /// wrote.
    pub(crate) fn may_be_torn_here(&self, damage: Damage) -> bool {
        damage.reason.may_be_torn() && self.writer == Writer::Weir
    }

    /// Looks behind a damaged place for evidence that it had once been whole and durable.
    fn behind(&self, damage: Damage, file: F) -> io::Result<Behind> {
        let mut budget = self.window.size().saturating_mul(RESYNC_FACTOR_MAX);
        let mut window = Window::new(file)?;
        window.advance(damage.offset);
        if let Some(found) = self.foreign_behind(damage, &mut window)? {
            return Ok(found);
        }
        while window.remaining() > 0 {
            let bytes = window.fill(READ_BYTES as u64)?;
            let Some(at) = memmem::find(bytes, PREFIX) else {
                // The pattern may straddle the end of what is at hand.
                let all = bytes.len() as u64;
                let kept = if all == window.remaining() {
                    0
                } else {
                    PREFIX.len() - 1
                };
                window.advance(all - kept as u64);
                continue;
            };
            window.advance(at as u64);
            let offset = window.offset();
            let mut step = 1;
            if let Some((line_bytes, header)) = line_at(window.fill(LINE_BYTES_MAX as u64)?)
                && header.body_bytes <= window.remaining() - line_bytes as u64
                && header.last > self.last
            {
                let group_bytes = line_bytes as u64 + header.body_bytes;
                let Some(left) = budget.checked_sub(group_bytes) else {
                    return Ok(Behind::TooMuch);
                };
                budget = left;
                let group = window.fill(group_bytes)?;
                if header.matches(&group[line_bytes..group_bytes as usize]) {
                    if header.vouched() > self.last {
                        return Ok(Behind::Vouched(offset));
                    }
                    step = group_bytes;
                }
            }
            window.advance(step);
        }
        Ok(Behind::Nothing)
    }

    /// A group whose checksum is wrong, with a whole command right after it: that is not a torn
    /// write.
    fn foreign_behind(&self, damage: Damage, window: &mut Window<F>) -> io::Result<Option<Behind>> {
        if damage.reason != Reason::Checksum {
            return Ok(None);
        }
        let Some((line_bytes, header)) = line_at(window.fill(LINE_BYTES_MAX as u64)?) else {
            return Ok(None);
        };
        let group_bytes = line_bytes as u64 + header.body_bytes;
        let bytes = window.fill(group_bytes.saturating_add(LINE_BYTES_MAX as u64))?;
        let tail = bytes.get(group_bytes as usize..).unwrap_or_default();
        let is_command = tail.first() == Some(&b'*') && scan::command(tail).is_ok();
        Ok(is_command.then_some(Behind::Foreign(damage.offset + group_bytes)))
    }

    fn group(&mut self) -> io::Result<Record> {
        let front = self.window.fill(LINE_BYTES_MAX as u64)?;
        let front = &front[..front.len().min(LINE_BYTES_MAX)];
        let Some(line_end) = front.iter().position(|&byte| byte == b'\n') else {
            let short = front.len() < LINE_BYTES_MAX;
            return Ok(self.damage(if short {
                Reason::ShortLine
            } else {
                Reason::MalformedLine
            }));
        };
        let header = match Header::decode(&front[..=line_end]) {
            Ok(header) => header,
            Err(HeaderError::Malformed) => return Ok(self.damage(Reason::MalformedLine)),
            Err(HeaderError::UnknownVersion) => return Ok(self.damage(Reason::UnknownVersion)),
        };
        let line_bytes = line_end as u64 + 1;
        if header.body_bytes > self.window.remaining() - line_bytes {
            return Ok(self.damage(Reason::ShortGroup));
        }
        let group_bytes = line_bytes + header.body_bytes;
        let body_at = line_end + 1..group_bytes as usize;
        if !header.matches(&self.window.fill(group_bytes)?[body_at.clone()]) {
            return Ok(self.damage(Reason::Checksum));
        }
        // Redis numbers nothing, so after its commands weir's own count may be ahead of ours, never
        // behind.
        let follows = if !self.lsn_is_known {
            true
        } else if self.writer == Writer::Foreign {
            header.previous() >= self.last
        } else {
            header.previous() == self.last
        };
        if !follows {
            let reason = Reason::Gap {
                after: self.last,
                found: header.previous(),
            };
            return Ok(self.damage(reason));
        }
        self.last = header.last;
        self.lsn_is_known = true;
        self.writer = Writer::Weir;
        self.bytes_at = body_at.start;
        self.took(group_bytes);
        while let Some(&(last, end)) = self.unvouched.front()
            && last <= header.vouched()
        {
            self.vouched_end = end;
            self.unvouched.pop_front();
        }
        self.unvouched.push_back((header.last, self.end));
        Ok(Record::Group(header))
    }

    fn padding(&mut self) -> io::Result<Record> {
        let begin = self.window.offset();
        loop {
            let offset = self.window.offset();
            let bytes = self.window.fill(READ_BYTES as u64)?;
            let run = bytes
                .iter()
                .position(|&byte| byte != b'#')
                .unwrap_or(bytes.len());
            let end = offset + run as u64 + 1;
            match bytes.get(run) {
                Some(b'\n') if end.is_multiple_of(PADDING_ALIGNMENT) => {
                    self.record_bytes = end - offset;
                    return Ok(Record::Padding);
                }
                None if run > 0 => self.window.advance(run as u64),
                // A crash tore the write that extended the file, or one that overwrote the padding.
                Some(_) | None => return Ok(self.damage_at(begin, Reason::BrokenPadding)),
            }
        }
    }

    fn foreign(&mut self) -> io::Result<Record> {
        let mut wanted = READ_BYTES as u64;
        let (mut end, mut batch_count) = (0, 0);
        loop {
            self.window.fill(wanted)?;
            let bytes = self.window.bytes();
            let at_end = bytes.len() as u64 == self.window.remaining();
            match scan::batch(&bytes[end..]) {
                Ok(Scanned::Whole(len)) => {
                    end += len;
                    batch_count += 1;
                    let next = &bytes[end..];
                    let ours = matches!(classify(next), Some(Kind::Group | Kind::Padding));
                    if ours || next.is_empty() || end >= READ_BYTES {
                        break;
                    }
                }
                // What is whole is returned first; the rest comes with the next call.
                Ok(Scanned::Partial(_)) | Err(_) if batch_count > 0 => break,
                Ok(Scanned::Partial(_)) if at_end => {
                    return Ok(self.damage(Reason::ShortCommand));
                }
                Ok(Scanned::Partial(needed)) => {
                    // Doubling keeps the work linear, however small the pieces of a command are.
                    wanted = (needed as u64).max(2 * bytes.len() as u64);
                }
                Err(error) => {
                    let at = self.window.offset() + error.at as u64;
                    let expected = error.expected;
                    return Ok(self.damage(Reason::MalformedCommand { at, expected }));
                }
            }
        }
        self.last = self.last.plus(batch_count);
        self.writer = Writer::Foreign;
        self.took(end as u64);
        Ok(Record::Foreign(batch_count))
    }

    fn took(&mut self, record_bytes: u64) {
        self.record_bytes = record_bytes;
        self.end = self.window.offset() + record_bytes;
    }

    fn damage(&mut self, reason: Reason) -> Record {
        self.damage_at(self.window.offset(), reason)
    }

    fn damage_at(&mut self, offset: u64, reason: Reason) -> Record {
        let damage = Damage { offset, reason };
        self.damage = Some(damage);
        Record::Damage(damage)
    }
}

/// Returns whether the line at the front is Redis' annotation of time.
fn is_timestamp(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"#TS:").is_some_and(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (1..=20).contains(&digits) && rest[digits..].starts_with(b"\r\n")
    })
}

/// The annotation line at the front of `bytes`, with its length.
pub(crate) fn line_at(bytes: &[u8]) -> Option<(usize, Header)> {
    let front = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    let line_bytes = front.iter().position(|&byte| byte == b'\n')? + 1;
    Some((line_bytes, Header::decode(&front[..line_bytes]).ok()?))
}

impl Reason {
    /// Returns whether a write of weir that a crash tore can look like this. A group begins with
    /// `#`, or with whatever was there before it: padding, zeros; never with a command.
    fn may_be_torn(self) -> bool {
        match self {
            Reason::ShortLine
            | Reason::MalformedLine
            | Reason::ShortGroup
            | Reason::Checksum
            | Reason::Gap { .. }
            | Reason::BrokenPadding
            | Reason::NoRecord => true,
            Reason::UnknownVersion | Reason::ShortCommand | Reason::MalformedCommand { .. } => {
                false
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::ShortLine => f.write_str("the file ends within an annotation line"),
            Reason::MalformedLine => f.write_str("an annotation line is malformed"),
            Reason::UnknownVersion => f.write_str("a newer version of weir wrote this group"),
            Reason::ShortGroup => f.write_str("the file ends within a group"),
            Reason::Checksum => f.write_str("the checksum of a group does not match"),
            Reason::Gap { after, found } => {
                write!(
                    f,
                    "batch {after} is followed by a group that continues batch {found}"
                )
            }
            Reason::BrokenPadding => f.write_str("padding is broken off"),
            Reason::NoRecord => f.write_str("there is neither an annotation nor a command"),
            Reason::ShortCommand => f.write_str("the file ends within a command or transaction"),
            Reason::MalformedCommand { at, expected } => {
                write!(f, "expected {expected} at offset {at}")
            }
        }
    }
}

/// A clause to append to the description of the fault; nothing for [`Behind::Nothing`].
impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behind::Nothing => Ok(()),
            Behind::Vouched(offset) => write!(
                f,
                ", although the group at offset {offset} was written when these bytes were durable"
            ),
            Behind::Foreign(offset) => write!(f, ", and commands follow it at offset {offset}"),
            Behind::TooMuch => f.write_str(", and it is too long to tell what follows"),
        }
    }
}
