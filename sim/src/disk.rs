//! A disk that fails as real disks do.
//!
//! Every file has two contents: what a reader sees (the page cache) and what is durable. A sync
//! makes them equal. Before that, a power cut keeps nothing of what was written since, or all of
//! it, or all but a torn end, or any mixture of sectors. Names are durable after a sync of the
//! directory; before that, any of the changes may be lost. A sync that fails leaves some of the
//! bytes lost for good, and forgets that it failed: the next one reports success, as Linux does.
//!
//! Operations that change something are numbered. A run without faults tells how many there are;
//! then the same run is repeated with a crash, or an error, at each number.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Access, Disk, DiskFile};

use crate::rng::Rng;

use self::inode::{Change, Inode};

mod inode;

/// A simulated directory. Clones are the same one.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// An open file of a [`SimDisk`]. It is useless after the machine, or only the process, has been
/// restarted.
pub struct SimFile {
    disk: SimDisk,
    name: String,
    inode: usize,
    life: u64,
}

/// A lock on a [`SimDisk`].
pub struct SimLock {
    disk: SimDisk,
    name: String,
    life: u64,
}

/// A planned fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The operation fails with an input/output error, having done any part of its work.
    Error,
    /// The power fails during the operation.
    PowerCut,
}

/// What syncs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    /// What they say.
    Honest,
    /// Nothing, and report success: a bug for the checkers to find.
    Dropped,
}

struct State {
    rng: Rng,
    operations: u64,
    plan: BTreeMap<u64, Failure>,
    /// Counts restarts; files of an earlier life are closed.
    life: u64,
    is_off: bool,
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    name_changes: Vec<NameChange>,
    locks: BTreeSet<String>,
    capacity_bytes: u64,
    syncs: Syncs,
    trace: VecDeque<String>,
}

#[derive(Clone)]
enum NameChange {
    Create { name: String, inode: usize },
    Rename { from: String, to: String },
    Remove { name: String },
}

/// How many lines of the trace are kept for the message of a failed run.
const TRACE_LINES_MAX: usize = 60;

impl SimDisk {
    /// An empty disk; the seed decides what its faults look like.
    pub fn new(rng: Rng) -> Self {
        SimDisk {
            state: Arc::new(Mutex::new(State {
                rng,
                operations: 0,
                plan: BTreeMap::new(),
                life: 0,
                is_off: false,
                inodes: Vec::new(),
                names: BTreeMap::new(),
                durable_names: BTreeMap::new(),
                name_changes: Vec::new(),
                locks: BTreeSet::new(),
                capacity_bytes: u64::MAX,
                syncs: Syncs::Honest,
                trace: VecDeque::new(),
            })),
        }
    }

    /// Returns how many operations there were that changed something.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Plans a fault at the operation with this number.
    pub fn plan(&self, operation: u64, failure: Failure) {
        self.state().plan.insert(operation, failure);
    }

    /// Cancels all planned faults that did not happen.
    pub fn forget_plan(&self) {
        self.state().plan.clear();
    }

    /// Returns whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// How much the files may hold in all.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity_bytes = bytes;
    }

    /// Returns how much the files hold in all.
    pub fn used_bytes(&self) -> u64 {
        self.state().used_bytes()
    }

    /// Says what syncs do from now on.
    pub fn set_syncs(&self, syncs: Syncs) {
        self.state().syncs = syncs;
    }

    /// Adds a line to the trace.
    pub fn note(&self, line: String) {
        self.state().note(line);
    }

    /// What happened last, oldest first.
    pub fn trace(&self) -> Vec<String> {
        self.state().trace.iter().cloned().collect()
    }

    /// Ends the process that uses the disk. Everything that it has written stays.
    pub fn kill(&self) {
        self.state().end_life();
    }

    /// Cuts the power, if it is not off already, and switches it on again. Chance decides what is
    /// left of what was not synced.
    pub fn power_cycle(&self) {
        self.state().power_cycle();
    }

    /// The file's content as a reader sees it.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state
            .names
            .get(name)
            .map(|&inode| state.inodes[inode].seen.clone())
    }

    /// Changes a file behind the process' back, durably.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        if let Some(&inode) = state.names.get(name) {
            let inode = &mut state.inodes[inode];
            change(&mut inode.seen);
            inode.durable = inode.seen.clone();
            inode.pending.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state stays usable for the message of a failed run.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens to one operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    Fails,
    IsCutOff,
}

impl State {
    /// Numbers an operation and decides what happens to it.
    fn begin(&mut self, life: u64, what: std::fmt::Arguments<'_>) -> io::Result<Fate> {
        if self.is_off || life != self.life {
            return Err(off());
        }
        self.operations += 1;
        let failure = self.plan.remove(&self.operations);
        self.note(match failure {
            None => format!("{}: {what}", self.operations),
            Some(failure) => format!("{}: {what} -> {failure:?}", self.operations),
        });
        Ok(match failure {
            None => Fate::Works,
            Some(Failure::Error) => Fate::Fails,
            Some(Failure::PowerCut) => {
                self.is_off = true;
                Fate::IsCutOff
            }
        })
    }

    fn note(&mut self, line: String) {
        if self.trace.len() == TRACE_LINES_MAX {
            self.trace.pop_front();
        }
        self.trace.push_back(line);
    }

    fn end(fate: Fate) -> io::Result<()> {
        match fate {
            Fate::Works => Ok(()),
            Fate::Fails => Err(io::Error::other("simulated input/output error")),
            Fate::IsCutOff => Err(off()),
        }
    }

    /// Returns whether an operation with this fate takes effect.
    fn takes_effect(&mut self, fate: Fate) -> bool {
        fate == Fate::Works || self.rng.once_in(2)
    }

    fn end_life(&mut self) {
        self.note("the process ends".to_owned());
        self.life += 1;
        self.locks.clear();
    }

    fn power_cycle(&mut self) {
        self.end_life();
        self.note("the power goes away and comes back".to_owned());
        self.is_off = false;
        let mut changes = std::mem::take(&mut self.name_changes);
        match self.rng.below(3) {
            0 => changes.clear(),
            1 => changes.truncate(self.rng.index(changes.len() + 1)),
            _ => changes.retain(|_| self.rng.once_in(2)),
        }
        for change in changes {
            change.apply(&mut self.durable_names);
        }
        self.names = self.durable_names.clone();
        for inode in &mut self.inodes {
            inode.settle(&mut self.rng);
            inode.seen = inode.durable.clone();
        }
    }

    /// Returns how large a file may be.
    fn room_for(&self, inode: usize) -> usize {
        let room = self.capacity_bytes.saturating_sub(self.used_bytes());
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        room.saturating_add(self.inodes[inode].seen.len())
    }

    fn used_bytes(&self) -> u64 {
        self.names
            .values()
            .map(|&inode| self.inodes[inode].seen.len() as u64)
            .sum()
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Create { name, inode } => drop(names.insert(name, inode)),
            NameChange::Rename { from, to } => {
                if let Some(inode) = names.remove(&from) {
                    names.insert(to, inode);
                }
            }
            NameChange::Remove { name } => drop(names.remove(&name)),
        }
    }
}

fn off() -> io::Error {
    io::Error::other("the simulated machine is off")
}

fn not_found() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        let life = state.life;
        let fate = state.begin(life, format_args!("create {name}"))?;
        if !state.takes_effect(fate) {
            State::end(fate)?;
        }
        let inode = if let Some(&inode) = state.names.get(name) {
            state.inodes[inode].change(Change::Truncate(0));
            inode
        } else {
            let inode = state.inodes.len();
            state.inodes.push(Inode::default());
            let change = NameChange::Create {
                name: name.to_owned(),
                inode,
            };
            change.clone().apply(&mut state.names);
            state.name_changes.push(change);
            inode
        };
        State::end(fate)?;
        Ok(SimFile {
            disk: self.clone(),
            name: name.to_owned(),
            inode,
            life,
        })
    }

    fn open(&self, name: &str, _: Access) -> io::Result<SimFile> {
        let state = self.state();
        if state.is_off {
            return Err(off());
        }
        let inode = *state.names.get(name).ok_or_else(not_found)?;
        Ok(SimFile {
            disk: self.clone(),
            name: name.to_owned(),
            inode,
            life: state.life,
        })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        if state.is_off {
            Err(off())
        } else {
            Ok(state.names.keys().cloned().collect())
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let life = state.life;
        let fate = state.begin(life, format_args!("rename {from} to {to}"))?;
        if !state.names.contains_key(from) {
            return Err(not_found());
        }
        if state.takes_effect(fate) {
            let change = NameChange::Rename {
                from: from.to_owned(),
                to: to.to_owned(),
            };
            change.clone().apply(&mut state.names);
            state.name_changes.push(change);
        }
        State::end(fate)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let life = state.life;
        let fate = state.begin(life, format_args!("remove {name}"))?;
        if !state.names.contains_key(name) {
            return Err(not_found());
        }
        if state.takes_effect(fate) {
            let change = NameChange::Remove {
                name: name.to_owned(),
            };
            change.clone().apply(&mut state.names);
            state.name_changes.push(change);
        }
        State::end(fate)
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        let life = state.life;
        let fate = state.begin(life, format_args!("sync the directory"))?;
        if state.takes_effect(fate) && state.syncs == Syncs::Honest {
            state.durable_names = state.names.clone();
            state.name_changes.clear();
        }
        State::end(fate)
    }

    fn lock(&self, name: &str) -> io::Result<SimLock> {
        let mut state = self.state();
        if state.is_off {
            return Err(off());
        }
        if !state.locks.insert(name.to_owned()) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(SimLock {
            disk: self.clone(),
            name: name.to_owned(),
            life: state.life,
        })
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.life == self.life {
            state.locks.remove(&self.name);
        }
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        if state.is_off || state.life != self.life {
            return Err(off());
        }
        Ok(state.inodes[self.inode].seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        if state.is_off || state.life != self.life {
            return Err(off());
        }
        let seen = &state.inodes[self.inode].seen;
        let tail = usize::try_from(offset)
            .ok()
            .and_then(|at| seen.get(at..))
            .unwrap_or_default();
        let len = tail.len().min(buffer.len());
        buffer[..len].copy_from_slice(&tail[..len]);
        Ok(len)
    }

    fn write_at(&self, buffers: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        let mut bytes = Vec::new();
        for slice in buffers {
            bytes.extend_from_slice(slice);
        }
        let what = format_args!("write {} {offset} +{}", self.name, bytes.len());
        let fate = state.begin(self.life, what)?;
        let at = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)?;
        if fate != Fate::Works || state.rng.once_in(32) {
            // Part of the work was done. A short write without an error is always allowed.
            let least = usize::from(fate == Fate::Works && !bytes.is_empty());
            bytes.truncate(state.rng.index(bytes.len() + 1).max(least));
        }
        let size = state.inodes[self.inode].seen.len();
        let room = state.room_for(self.inode);
        if at + bytes.len() > room.max(size) {
            bytes.truncate(room.saturating_sub(at));
            if bytes.is_empty() && fate == Fate::Works {
                return Err(ErrorKind::StorageFull.into());
            }
        }
        let written = bytes.len();
        state.inodes[self.inode].change(Change::Write { at, bytes });
        State::end(fate)?;
        Ok(written)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let state = &mut *state;
        let fate = state.begin(self.life, format_args!("sync {}", self.name))?;
        let inode = &mut state.inodes[self.inode];
        match fate {
            Fate::Works if state.syncs == Syncs::Dropped => {}
            Fate::Works => {
                for change in std::mem::take(&mut inode.pending) {
                    change.apply(&mut inode.durable);
                }
            }
            // What was lost is no longer pending: nobody will write it again.
            Fate::Fails => inode.settle(&mut state.rng),
            Fate::IsCutOff => {}
        }
        State::end(fate)
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let fate = state.begin(self.life, format_args!("allocate {} {size}", self.name))?;
        let at = state.inodes[self.inode].seen.len();
        let wanted = usize::try_from(size).unwrap_or(usize::MAX);
        let room = state.room_for(self.inode);
        // The disk may still take as much as there is room for.
        let size = if wanted <= room || state.rng.once_in(2) {
            wanted.min(room)
        } else {
            at
        };
        if size > at && state.takes_effect(fate) {
            let bytes = vec![0; size - at];
            state.inodes[self.inode].change(Change::Write { at, bytes });
        }
        State::end(fate)?;
        if wanted > room {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let fate = state.begin(self.life, format_args!("truncate {} to {size}", self.name))?;
        if state.takes_effect(fate) {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            state.inodes[self.inode].change(Change::Truncate(size));
        }
        State::end(fate)
    }
}

#[cfg(test)]
mod tests;
