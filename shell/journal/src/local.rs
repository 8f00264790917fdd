//! The log in the files of one directory.
//!
//! [`Recovery`](crate::Recovery) reads the files and then gives a [`LocalLog`], open at the end of
//! the last increment. A group is its annotation line and its bytes in one write, at the place
//! where the log ends; it overwrites what was written ahead (padding), if there is any. On the file
//! systems we know, a sync that neither grows the file nor fills new blocks need not commit the
//! file system's own journal, and takes half the time.
//!
//! The rule of the state: bytes are appended only to a file that is [`Trust::Whole`], or to one
//! that no manifest names yet ([`Trust::Renewing`]). Every error that leaves a file or a name
//! uncertain ends in [`Trust::Lost`].

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::annotation::{Header, PADDING_ALIGNMENT};
use crate::disk::{Disk, DiskFile, write_all_at};
use crate::health::{Fault, Operation};
use crate::limits::{GROUP_BATCHES_MAX, GROUP_BYTES_MAX};
use crate::log::{AppendError, Group, Log, LogSize, Pace, SnapshotError, SyncJob};
use crate::manifest::{Entry, Manifest};
use crate::names::Names;
use crate::pending_file::{PendingFile, RenameError};
use crate::reserve::Reserve;
use batch::Lsn;

mod files;

pub use files::{Base, BaseWriter, FileSync, History};
pub(crate) use files::{create_increment, write_manifest};

/// The log in the files of one directory.
pub struct LocalLog<D: Disk> {
    disk: Arc<D>,
    names: Names,
    manifest: Manifest,
    current: Increment<D::File>,
    trust: Trust,
    durable: Lsn,
    base_bytes: u64,
    /// The sizes of the increments before the current one that the base does not cover.
    older_bytes: u64,
    /// Numbers for new files. An attempt uses one up even if it fails: a manifest may name its file
    /// all the same.
    next_increment: u64,
    next_base: u64,
    snapshot: Option<Begun>,
    reserve: Reserve<D>,
    _lock: D::Lock,
}

/// What is known of the files.
enum Trust {
    /// They are.
    Whole,
    /// They are not, and nothing is written to them.
    Lost(Fault),
    /// The old ones are not; batches go to a new increment, which a snapshot will make part of the
    /// log.
    Renewing(Fault),
}

/// The increment that is written.
pub(crate) struct Increment<F> {
    pub(crate) entry: Entry,
    pub(crate) file: Arc<F>,
    /// Where the next group goes.
    pub(crate) end: u64,
    /// The size of the file: `end`, or beyond it by at least two bytes of padding.
    pub(crate) extent: u64,
    /// The LSN of the last batch in it.
    pub(crate) last: Lsn,
    /// The last batch in it that is durable.
    pub(crate) synced: Lsn,
}

/// A snapshot in the making.
struct Begun {
    at: Lsn,
    next: NextIncrement,
    /// Set when batches need the room that it takes. `None` for a snapshot that is to make room.
    gives_way: Option<Arc<AtomicBool>>,
}

/// The first increment that a snapshot does not cover.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NextIncrement {
    /// It is there, with this number, and takes batches.
    Made(u64),
    /// It will be created when the snapshot is put: the log is behind the snapshot.
    ToMake,
}

/// How much is written ahead, in groups like the one that brings it. More would slow down that
/// group; less would make too many groups bring some.
const PADDING_GROUPS: u64 = 16;

/// Least that is written ahead, in bytes.
const PADDING_BYTES_MIN: u64 = 64 << 10;

/// Most that is written ahead, in bytes.
const PADDING_BYTES_MAX: u64 = 1 << 20;

/// Longest group that brings padding with it. Beyond that, writing everything twice costs more than
/// it saves.
const PADDED_GROUP_BYTES_MAX: u64 = 64 << 10;

static HASHES: [u8; 32 << 10] = [b'#'; 32 << 10];

/// How many slices of [`HASHES`] the longest padding needs.
const HASHES_SLICES: usize = (PADDING_BYTES_MAX + PADDING_ALIGNMENT) as usize / HASHES.len() + 1;

impl<D: Disk> LocalLog<D> {
    pub(crate) fn new(
        disk: Arc<D>,
        lock: D::Lock,
        names: Names,
        manifest: Manifest,
        current: Increment<D::File>,
        base_bytes: u64,
        older_bytes: u64,
    ) -> Self {
        LocalLog {
            durable: current.synced,
            base_bytes,
            older_bytes,
            next_increment: manifest.next_increment_seq(),
            next_base: manifest.next_base_seq(),
            manifest,
            current,
            trust: Trust::Whole,
            snapshot: None,
            reserve: Reserve::none(Arc::clone(&disk), names.reserve()),
            disk,
            names,
            _lock: lock,
        }
    }

    /// The same log, with a reserve of this many bytes on the disk.
    #[must_use]
    pub fn with_reserve(mut self, bytes: u64) -> Self {
        self.reserve = Reserve::open(Arc::clone(&self.disk), self.names.reserve(), bytes);
        self
    }

    /// Declares that the log does not hold the data set: it is not trusted until a snapshot has
    /// been put.
    pub(crate) fn distrust(mut self) -> Self {
        let missing = io::Error::other("the log does not hold the data set yet");
        self.lose(Fault::new(Operation::Read, &self.names.manifest(), missing));
        self
    }

    /// The same log, for a data set that is at `at`.
    pub(crate) fn begun_at(mut self, at: Lsn) -> Self {
        (self.current.last, self.current.synced, self.durable) = (at, at, at);
        self
    }

    /// The files that make up the log.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn lose(&mut self, fault: Fault) -> Fault {
        self.trust = Trust::Lost(fault.clone());
        fault
    }

    /// Makes the next increment, durable and with its first mark, but in no manifest yet.
    fn create_increment(&mut self, at: Lsn) -> Result<Increment<D::File>, Fault> {
        let seq = self.next_increment;
        self.next_increment += 1;
        let entry = Entry {
            name: self.names.increment(seq),
            seq,
        };
        create_increment(&*self.disk, entry, at)
    }

    fn replace_manifest(&mut self, manifest: Manifest) -> Result<(), SnapshotError> {
        match write_manifest(&self.disk, &self.names, &manifest) {
            Ok(()) => {
                self.manifest = manifest;
                Ok(())
            }
            Err(RenameError::Unchanged(fault)) => Err(SnapshotError::Failed(fault)),
            Err(RenameError::Unknown(fault)) => Err(SnapshotError::Failed(self.lose(fault))),
        }
    }

    /// Makes the log begin with a base, of the state at `at`. Returns what is then superfluous.
    fn begin_with(
        &mut self,
        base: Entry,
        at: Lsn,
        next: NextIncrement,
    ) -> Result<Vec<String>, SnapshotError> {
        let made = match next {
            NextIncrement::Made(_) => None,
            NextIncrement::ToMake => {
                Some(self.create_increment(at).map_err(SnapshotError::Failed)?)
            }
        };
        let old = self.manifest.clone();
        let (mut increments, superfluous): (Vec<_>, Vec<_>) =
            old.increments.into_iter().partition(|entry| match next {
                NextIncrement::Made(seq) => entry.seq >= seq,
                NextIncrement::ToMake => false,
            });
        match &made {
            Some(made) => increments.push(made.entry.clone()),
            None if matches!(self.trust, Trust::Renewing(_)) => {
                increments.push(self.current.entry.clone());
            }
            None => {}
        }
        let history: Vec<Entry> = old
            .history
            .into_iter()
            .chain(old.base)
            .chain(superfluous)
            .collect();
        let names = history.iter().map(|entry| entry.name.clone()).collect();
        let replaced = self.replace_manifest(Manifest {
            base: Some(base),
            increments,
            history,
        });
        match (replaced, made) {
            (Ok(()), Some(made)) => self.current = made,
            (Ok(()), None) => {}
            (Err(error), made) => {
                if let Some(made) = made.filter(|_| !matches!(self.trust, Trust::Lost(_))) {
                    let _ = self.disk.remove(&made.entry.name);
                }
                return Err(error);
            }
        }
        Ok(names)
    }

    /// Checks that nobody else has written to the file, which the lock keeps no other program from.
    /// Whatever shortens the file, or leaves it behind, comes after this.
    fn check_alone(&mut self) -> Result<(), Fault> {
        let fault = |operation, error| Fault::new(operation, &self.current.entry.name, error);
        match self.current.file.size() {
            Ok(size) if size == self.current.extent => Ok(()),
            Ok(_) => Err(fault(
                Operation::Write,
                io::Error::other("somebody else has written to it"),
            )),
            Err(error) => {
                let fault = fault(Operation::Read, error);
                Err(self.lose(fault))
            }
        }
    }

    fn write_group(&mut self, header: &Header, body: &[&[u8]], pace: Pace) -> io::Result<()> {
        let line = header.encode();
        let current = &mut self.current;
        let end = current.end + line.as_bytes().len() as u64 + header.body_bytes;
        let fits = current.extent == end || current.extent >= end + 2;
        let ahead = if fits {
            0
        } else if pace == Pace::SyncNext && end - current.end <= PADDED_GROUP_BYTES_MAX {
            (PADDING_GROUPS * (end - current.end)).clamp(PADDING_BYTES_MIN, PADDING_BYTES_MAX)
        } else if current.extent > end {
            2
        } else {
            0
        };
        let mut padding_bytes = 0;
        if ahead > 0 {
            let extent = (end + ahead).next_multiple_of(PADDING_ALIGNMENT);
            padding_bytes = usize::try_from(extent - end).unwrap_or_default();
        }
        let mut slices = Vec::with_capacity(body.len() + 2 + HASHES_SLICES);
        slices.push(IoSlice::new(line.as_bytes()));
        slices.extend(body.iter().map(|piece| IoSlice::new(piece)));
        let mut left = padding_bytes.saturating_sub(1);
        while left > 0 {
            let hashes = left.min(HASHES.len());
            slices.push(IoSlice::new(&HASHES[..hashes]));
            left -= hashes;
        }
        if padding_bytes > 0 {
            slices.push(IoSlice::new(b"\n"));
        }
        write_all_at(&*current.file, &mut slices, current.end)?;
        current.end = end;
        current.extent = current.extent.max(end + padding_bytes as u64);
        Ok(())
    }
}

impl<D: Disk> Log for LocalLog<D> {
    type Sync = FileSync<D::File>;
    type Sink = BaseWriter<D>;
    type Trimmed = History<D>;

    fn last(&self) -> Lsn {
        self.current.last
    }

    fn durable(&self) -> Lsn {
        self.durable
    }

    fn fault(&self) -> Option<&Fault> {
        match &self.trust {
            Trust::Whole => None,
            Trust::Lost(fault) | Trust::Renewing(fault) => Some(fault),
        }
    }

    fn size(&self) -> LogSize {
        LogSize {
            base_bytes: self.base_bytes,
            log_bytes: self.older_bytes + self.current.end,
        }
    }

    fn append(&mut self, expected: Lsn, group: Group<'_>) -> Result<(), AppendError> {
        if let Trust::Lost(fault) = &self.trust {
            return Err(AppendError::Failed(fault.clone()));
        }
        let last = self.current.last;
        let batch_count = group.last.since(expected);
        if expected != last || batch_count == 0 {
            let error = io::Error::other(format!("it is at {last}, not at {expected}"));
            let fault = Fault::new(Operation::Write, &self.current.entry.name, error);
            return Err(AppendError::Fenced(fault));
        }
        self.check_alone().map_err(|fault| match &self.trust {
            Trust::Lost(_) => AppendError::Failed(fault),
            Trust::Whole | Trust::Renewing(_) => AppendError::Fenced(fault),
        })?;
        let name = &self.current.entry.name;
        let lag = last.since(self.current.synced).min(GROUP_BATCHES_MAX);
        let header = Header::of_pieces(group.last, batch_count, lag, group.pieces);
        if batch_count > GROUP_BATCHES_MAX || header.body_bytes > GROUP_BYTES_MAX {
            let fault = Fault::new(Operation::Write, name, io::ErrorKind::FileTooLarge.into());
            return Err(AppendError::Failed(self.lose(fault)));
        }
        let mut pace = group.pace;
        loop {
            let Err(error) = self.write_group(&header, group.pieces, pace) else {
                self.current.last = group.last;
                return Ok(());
            };
            let fault = Fault::new(Operation::Write, &self.current.entry.name, error);
            // Part of the group may be in the file. It must not remain before what is written next.
            if !fault.is_full() || self.current.file.truncate(self.current.end).is_err() {
                return Err(AppendError::Failed(self.lose(fault)));
            }
            self.current.extent = self.current.end;
            if pace == Pace::SyncLater {
                return Err(AppendError::Full(fault));
            }
            // There may be room for the group, if not for the padding.
            pace = Pace::SyncLater;
        }
    }

    fn sync(&mut self) -> Result<Lsn, Fault> {
        let job = self.sync_job();
        let result = job.run();
        self.synced(job, result)
    }

    fn sync_job(&self) -> FileSync<D::File> {
        FileSync {
            file: Arc::clone(&self.current.file),
            name: self.current.entry.name.clone(),
            lsn: self.current.last,
        }
    }

    fn synced(&mut self, job: FileSync<D::File>, result: io::Result<()>) -> Result<Lsn, Fault> {
        if let Err(error) = result {
            return Err(self.lose(Fault::new(Operation::Sync, &job.name, error)));
        }
        if let Trust::Lost(fault) = &self.trust {
            return Err(fault.clone());
        }
        if job.name == self.current.entry.name {
            self.current.synced = job.lsn;
        }
        if matches!(self.trust, Trust::Whole) {
            self.durable = self.durable.max(self.current.synced);
        }
        Ok(self.durable)
    }

    fn begin_snapshot(&mut self, at: Lsn) -> Result<BaseWriter<D>, SnapshotError> {
        if self.snapshot.is_some() {
            return Err(SnapshotError::InProgress);
        }
        let is_whole = matches!(self.trust, Trust::Whole);
        let is_behind = is_whole && self.current.last < at;
        // A later increment must never be there without the end of the one before it.
        if is_whole && !is_behind {
            self.check_alone().map_err(SnapshotError::Failed)?;
            self.sync().map_err(SnapshotError::Failed)?;
        }
        let temporary = self.names.temporary_base(self.next_increment);
        let base = PendingFile::create(Arc::clone(&self.disk), &temporary)
            .map_err(SnapshotError::Failed)?;
        let makes_room = is_behind || !is_whole || self.reserve.is_spent();
        let gives_way = Arc::new(AtomicBool::new(false));
        let mut begun = Begun {
            at,
            next: NextIncrement::ToMake,
            gives_way: (!makes_room).then(|| Arc::clone(&gives_way)),
        };
        let writer = BaseWriter {
            file: base,
            at,
            gives_way,
        };
        if is_behind {
            // The next attempt has another number.
            self.next_increment += 1;
            self.snapshot = Some(begun);
            return Ok(writer);
        }
        let next = self.create_increment(at).map_err(SnapshotError::Failed)?;
        begun.next = NextIncrement::Made(next.entry.seq);
        match &self.trust {
            Trust::Whole => {
                let mut manifest = self.manifest.clone();
                manifest.increments.push(next.entry.clone());
                self.replace_manifest(manifest)?;
                // Padding in the middle of the log is harmless, so nothing depends on this.
                let _ = self.current.file.truncate(self.current.end);
                self.older_bytes += self.current.end;
            }
            Trust::Lost(fault) | Trust::Renewing(fault) => {
                self.trust = Trust::Renewing(fault.clone());
            }
        }
        self.current = next;
        self.snapshot = Some(begun);
        Ok(writer)
    }

    fn put_snapshot(&mut self, base: Base<D>) -> Result<History<D>, SnapshotError> {
        let begun = self.snapshot.as_ref().filter(|begun| begun.at == base.at);
        let next = begun.ok_or(SnapshotError::GivenUp)?.next;
        if let Trust::Lost(fault) = &self.trust {
            return Err(SnapshotError::Failed(fault.clone()));
        }
        let entry = Entry {
            name: self.names.base(self.next_base, base.format),
            seq: self.next_base,
        };
        self.next_base += 1;
        let name = entry.name.clone();
        // No manifest names the base yet: whatever happens to its name, the log is as it was.
        let put = base
            .file
            .rename(&name)
            .map_err(|error| match error {
                RenameError::Unchanged(fault) | RenameError::Unknown(fault) => {
                    SnapshotError::Failed(fault)
                }
            })
            .and_then(|()| self.begin_with(entry, base.at, next));
        if put.is_err() && !matches!(self.trust, Trust::Lost(_)) {
            // A base that no manifest names takes room for nothing.
            let _ = self.disk.remove(&name);
        }
        let names = put?;
        self.snapshot = None;
        self.trust = Trust::Whole;
        self.durable = self.durable.max(self.current.synced);
        self.base_bytes = base.bytes;
        self.older_bytes = 0;
        Ok(History {
            disk: Arc::clone(&self.disk),
            names,
        })
    }

    fn abandon_snapshot(&mut self) {
        self.snapshot = None;
        // The new increment stays part of the log. If the increment was to renew the log, there is
        // no log to be part of.
        if let Trust::Renewing(fault) = &self.trust {
            self.trust = Trust::Lost(fault.clone());
            let _ = self.disk.remove(&self.current.entry.name);
        }
    }

    fn spend_reserve(&mut self) -> bool {
        let gives_way = self
            .snapshot
            .iter()
            .filter_map(|begun| begun.gives_way.as_ref());
        for gives_way in gives_way {
            gives_way.store(true, Ordering::Relaxed);
        }
        self.reserve.spend()
    }

    fn make_reserve(&mut self) -> Result<(), Fault> {
        self.reserve.make()
    }

    fn trimmed(&mut self) {
        if !matches!(self.trust, Trust::Whole) || self.manifest.history.is_empty() {
            return;
        }
        let mut manifest = self.manifest.clone();
        manifest.history.clear();
        // The files do no harm where they are, unless it is unknown which manifest is there.
        if let Err(error) = self.replace_manifest(manifest) {
            tracing::warn!(%error, "the names of removed files stay in the manifest");
        }
    }

    fn close(&mut self) -> Result<(), Fault> {
        if let Some(fault) = self.fault() {
            return Err(fault.clone());
        }
        self.check_alone()?;
        self.sync()?;
        let header = Header::mark(self.current.last);
        let fault = |operation, error| Fault::new(operation, &self.current.entry.name, error);
        // Everything is already durable; the rest is for the convenience of the next reader.
        let file = Arc::clone(&self.current.file);
        file.truncate(self.current.end)
            .map_err(|e| fault(Operation::Write, e))?;
        self.current.extent = self.current.end;
        self.write_group(&header, &[], Pace::SyncLater)
            .and_then(|()| file.sync())
            .map_err(|e| Fault::new(Operation::Write, &self.current.entry.name, e))
    }
}
