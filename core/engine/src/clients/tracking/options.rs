//! How one client tracks.

use std::collections::BTreeSet;

use values::Key;

use super::Author;
use super::trackers::TrackerId;
use crate::clients::session::SessionId;
use crate::error::{CmdError, TrackingError};

/// What a client asks for with `CLIENT TRACKING ON`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackingOptions {
    /// What it is told of.
    pub reads: TrackedReads,
    /// It is not told of what it changes itself (`NOLOOP`).
    pub no_loop: bool,
    /// Who is told in its place (`REDIRECT`).
    pub redirect: Option<SessionId>,
}

/// Which keys a client is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackedReads {
    /// Those that it has read.
    All,
    /// Those that it has read after `CLIENT CACHING YES` (`OPTIN`).
    ChosenIn,
    /// Those that it has read, except after `CLIENT CACHING NO` (`OPTOUT`).
    ChosenOut,
    /// All that begin with one of its prefixes (`BCAST`).
    Broadcast,
}

impl TrackingOptions {
    /// Returns whether the client may ask for `BCAST` mode, or not for it.
    ///
    /// # Errors
    /// It does not do so now.
    pub fn check_broadcast(self, wanted: bool) -> Result<(), CmdError> {
        match wanted == (self.reads == TrackedReads::Broadcast) {
            true => Ok(()),
            false => Err(CmdError::Tracking(TrackingError::TrackingSwitched(
                "BCAST mode on/off",
            ))),
        }
    }

    /// Checks the options against those that the client has.
    pub(super) fn check(self, current: Option<TrackingOptions>) -> Result<(), CmdError> {
        let Some(current) = current else {
            return Ok(());
        };
        current.check_broadcast(self.reads == TrackedReads::Broadcast)?;
        match (self.reads, current.reads) {
            (TrackedReads::ChosenIn, TrackedReads::ChosenOut)
            | (TrackedReads::ChosenOut, TrackedReads::ChosenIn) => Err(CmdError::Tracking(
                TrackingError::TrackingSwitched("OPTIN/OPTOUT mode"),
            )),
            (
                TrackedReads::All
                | TrackedReads::ChosenIn
                | TrackedReads::ChosenOut
                | TrackedReads::Broadcast,
                _,
            ) => Ok(()),
        }
    }
}

/// The tracking of one client.
#[derive(Debug)]
pub struct ClientTracking {
    /// Under which number the others know it.
    pub(super) tracker: TrackerId,
    /// What it asked for.
    pub options: TrackingOptions,
    /// The client that is told in its place is gone, as was found out when it was to be told.
    pub redirect_is_broken: bool,
    prefixes: BTreeSet<Key>,
    /// Bytes of all prefixes that are on the heap.
    prefix_bytes: usize,
    /// The last of its requests, by number, for which `CLIENT CACHING` holds.
    caching_through: u64,
    /// About how many bytes the table of what was read has because of it, when it last read or was
    /// told.
    pub(super) table_bytes: usize,
}

/// About how many bytes a prefix takes beside its text, here and where all of them are.
const PREFIX_BYTES: usize = 256;

/// Until its transaction ends, whenever that is.
const THROUGH_TRANSACTION: u64 = u64::MAX;

impl ClientTracking {
    pub(super) fn new(tracker: TrackerId) -> ClientTracking {
        ClientTracking {
            tracker,
            options: TrackingOptions {
                reads: TrackedReads::All,
                no_loop: false,
                redirect: None,
            },
            redirect_is_broken: false,
            prefixes: BTreeSet::new(),
            prefix_bytes: 0,
            caching_through: 0,
            table_bytes: 0,
        }
    }

    pub(super) fn take_options(&mut self, options: TrackingOptions) {
        self.options = options;
        self.redirect_is_broken = false;
    }

    pub(super) fn add_prefix(&mut self, prefix: Key) {
        let bytes = prefix.heap_bytes();
        if self.prefixes.insert(prefix) {
            self.prefix_bytes += bytes;
        }
    }

    /// The prefixes, in their order.
    pub fn prefixes(&self) -> &BTreeSet<Key> {
        &self.prefixes
    }

    /// Who it is, and whether it is told of what it changes itself.
    pub(crate) fn author(&self) -> Author {
        Author {
            tracker: self.tracker,
            no_loop: self.options.no_loop,
        }
    }

    /// `CLIENT CACHING` was said for this request of the client and those up to `through`, by their
    /// numbers.
    pub fn say_caching(&mut self, through: u64) {
        self.caching_through = through;
    }

    /// A transaction begins with a request of this number: what was said of caching holds for all
    /// of it.
    pub fn transaction_begins(&mut self, request: u64) {
        if self.is_caching_said(request) {
            self.caching_through = THROUGH_TRANSACTION;
        }
    }

    /// The transaction ends with a request of this number, which may still run what was queued.
    pub(crate) fn transaction_ends(&mut self, request: u64) {
        if self.caching_through == THROUGH_TRANSACTION {
            self.caching_through = request;
        }
    }

    /// What was said of caching holds for one request more than this one, which is about clients.
    pub(crate) fn caching_outlasts(&mut self, request: u64) {
        if self.caching_through == request {
            self.caching_through = request + 1;
        }
    }

    /// Returns whether `CLIENT CACHING` was said for a request of the client, by its number.
    pub fn is_caching_said(&self, request: u64) -> bool {
        request <= self.caching_through
    }

    /// Returns whether the client is to be told of what this request of it has read.
    pub(crate) fn remembers(&self, request: u64) -> bool {
        match self.options.reads {
            TrackedReads::All => true,
            TrackedReads::ChosenIn => self.is_caching_said(request),
            TrackedReads::ChosenOut => !self.is_caching_said(request),
            TrackedReads::Broadcast => false,
        }
    }

    /// About how many bytes its prefixes take.
    #[inline]
    pub(crate) fn prefixes_bytes(&self) -> usize {
        self.prefixes.len() * PREFIX_BYTES + self.prefix_bytes
    }

    /// About how many bytes the table of what was read has because of it.
    pub(crate) fn table_bytes(&self) -> usize {
        self.table_bytes
    }
}
