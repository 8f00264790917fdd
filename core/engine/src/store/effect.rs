//! What can happen to the keyspace.
//!
//! A command decides, then applies effects; [`crate::store::tx::Tx::apply`] is the only way in which the
//! keyspace changes. An effect is self-contained: final IDs, absolute times, no "now", no defaults. Its
//! canonical encoding (`effect/encode.rs`) is a Redis command, so that Redis can read the journal and
//! recovery runs it through the command table under replay rules.

pub(crate) mod encode;

use resp::Argv;
use stream::{Acknowledgement, Activity, Forget, References, SetId, StreamId};

use crate::time::UnixMs;

/// One change of the keyspace. Borrowed from the request; lives only until it was applied.
#[derive(Debug, Clone)]
pub enum Effect<'a> {
    /// `SET key value [PXAT ms]`: the key holds this string, whatever it held before.
    Set {
        /// The key.
        key: &'a [u8],
        /// Its new value.
        value: &'a [u8],
        /// What becomes of its expiry.
        expiry: Expiry,
    },
    /// `APPEND key tail`: on a missing key the same as `SET`.
    Append {
        /// The key.
        key: &'a [u8],
        /// The bytes to add.
        tail: &'a [u8],
    },
    /// `SETRANGE key offset value`, zero bytes filling a gap.
    SetRange {
        /// The key.
        key: &'a [u8],
        /// Where to write.
        offset: u32,
        /// What to write; not empty.
        value: &'a [u8],
    },
    /// `DEL key`.
    Delete {
        /// The key; missing keys are no error.
        key: &'a [u8],
        /// Why, for counters and notifications.
        cause: DeleteCause,
    },
    /// `PEXPIREAT key ms`.
    ExpireAt {
        /// An existing key.
        key: &'a [u8],
        /// The time from which it is gone.
        at: UnixMs,
    },
    /// `PERSIST key`.
    Persist {
        /// An existing key.
        key: &'a [u8],
    },
    /// `RENAME key to`: replaces what `to` held.
    Rename {
        /// An existing key.
        key: &'a [u8],
        /// Its new name.
        to: &'a [u8],
    },
    /// `MOVE key db`: the key does not exist there.
    Move {
        /// An existing key.
        key: &'a [u8],
        /// The other database.
        to_db: u16,
    },
    /// `COPY key to DB db REPLACE`.
    Copy {
        /// An existing key.
        key: &'a [u8],
        /// The copy's name.
        to: &'a [u8],
        /// The copy's database.
        to_db: u16,
    },
    /// `RESTORE key ttl payload REPLACE ABSTTL`: the value is already decoded, the payload is for the
    /// journal.
    Restore {
        /// The key.
        key: &'a [u8],
        /// The decoded value.
        value: values::Value,
        /// The serialised value as `DUMP` makes it.
        payload: &'a [u8],
        /// When it goes.
        at: Option<UnixMs>,
    },
    /// `SWAPDB a b`.
    SwapDb {
        /// One database.
        a: u16,
        /// The other.
        b: u16,
    },
    /// `FLUSHDB`, or `FLUSHALL` with no database.
    Flush {
        /// The database; all if `None`.
        db: Option<u16>,
    },
    /// `XADD`. Makes the key if it is missing. A trim that came with it is an effect of its own.
    StreamAppend {
        /// The key.
        key: &'a [u8],
        /// The entry's ID, above the last one.
        id: StreamId,
        /// Fields and values in turn.
        fields: Argv<'a>,
        /// The producer's claim to have said this once.
        idempotent: Option<Idempotent<'a>>,
    },
    /// `XADD key NOMKSTREAM IDMP producer iid id`, which is no new ID: a duplicate append was answered. The
    /// counter moves, nothing else.
    StreamDuplicate {
        /// The key.
        key: &'a [u8],
        /// The producer.
        producer: &'a [u8],
        /// The idempotent ID, which the stream remembers.
        iid: &'a [u8],
        /// An ID that is not above the stream's last one: the entry's, where it is not.
        id: StreamId,
    },
    /// `XTRIM key MINID = id`, which may leave entries that groups still need.
    StreamTrim {
        /// The key.
        key: &'a [u8],
        /// No entry above this one goes.
        through: StreamId,
        /// What becomes of pending entries, and which entries stay for them.
        references: References,
    },
    /// `XDEL`/`XDELEX`: IDs that exist.
    StreamDelete {
        /// The key.
        key: &'a [u8],
        /// Entries to delete.
        ids: &'a [StreamId],
        /// What becomes of pending entries.
        references: References,
    },
    /// `XSETID`.
    StreamSetId {
        /// The key.
        key: &'a [u8],
        /// What is set, and allowed.
        set: SetId,
    },
    /// `XCFGSET`.
    StreamConfigure {
        /// The key.
        key: &'a [u8],
        /// Seconds for which an idempotent ID is kept.
        duration_s: u32,
        /// Idempotent IDs kept per producer.
        maxsize: u32,
        /// Whether the tracked IDs go.
        forget: Forget,
    },
    /// `XIDMPRECORD`: an idempotent ID is known to belong to an entry, which may be gone.
    StreamRecordIdempotent {
        /// The key.
        key: &'a [u8],
        /// The producer.
        producer: &'a [u8],
        /// The idempotent ID.
        iid: &'a [u8],
        /// The entry.
        id: StreamId,
    },
    /// `XGROUP CREATE … MKSTREAM`.
    GroupCreate {
        /// The key; made if missing.
        key: &'a [u8],
        /// A new group's name.
        group: &'a [u8],
        /// Its last-delivered ID.
        id: StreamId,
        /// Its read counter, if known.
        entries_read: Option<u64>,
    },
    /// `XGROUP SETID`.
    GroupSetId {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// The last-delivered ID.
        id: StreamId,
        /// The read counter, if known.
        entries_read: Option<u64>,
    },
    /// `XGROUP DESTROY`.
    GroupDestroy {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
    },
    /// `XGROUP CREATECONSUMER`.
    ConsumerCreate {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// A new consumer's name.
        consumer: &'a [u8],
    },
    /// `XGROUP DELCONSUMER`.
    ConsumerDelete {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// The consumer; its pending entries go with it.
        consumer: &'a [u8],
    },
    /// A consumer called: its idle time begins anew. Journalled once in [`SEEN_UNLOGGED_MS_MAX`] if
    /// it received nothing, else what it received says it.
    ///
    /// [`SEEN_UNLOGGED_MS_MAX`]: crate::limits::SEEN_UNLOGGED_MS_MAX
    ConsumerSeen {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// An existing consumer.
        consumer: &'a [u8],
        /// Whether it also received something.
        activity: Activity,
    },
    /// `XREADGROUP … >`: new entries go to a consumer, and the group moves on.
    GroupDeliver {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// The consumer; made if missing.
        consumer: &'a [u8],
        /// Entries in ID order, above the last-delivered ID.
        ids: &'a [StreamId],
        /// The time of the delivery.
        at: UnixMs,
        /// The read counter afterwards, if known.
        entries_read: Option<u64>,
        /// Whether pending entries are made.
        acknowledgement: Acknowledgement,
    },
    /// `XCLAIM … TIME ms RETRYCOUNT n FORCE JUSTID`: pending entries change their owner, or are delivered to
    /// it again.
    GroupClaim {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// The new owner; made if missing.
        consumer: &'a [u8],
        /// What is claimed.
        claims: &'a [Claim],
        /// Whether the owner counts as active by this; by reading its own entries again it does not.
        activity: Activity,
    },
    /// `XACK`: pending entries are done.
    GroupAcknowledge {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// IDs; those not pending are passed over.
        ids: &'a [StreamId],
    },
    /// `XNACK`: pending entries are given back to the group.
    GroupGiveBack {
        /// The key.
        key: &'a [u8],
        /// An existing group.
        group: &'a [u8],
        /// The entry and its delivery count afterwards, in the order in which they were given back.
        entries: &'a [(StreamId, u64)],
    },
}

/// What becomes of a key's expiry when its value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The key does not expire.
    Never,
    /// As before (`KEEPTTL`).
    Keep,
    /// From this time on the key is gone.
    At(UnixMs),
}

/// Why a key went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteCause {
    /// A command said so.
    Command,
    /// Its time came.
    Expired,
}

/// A producer's claim to have said something once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotent<'a> {
    /// The producer.
    pub producer: &'a [u8],
    /// The idempotent ID.
    pub iid: &'a [u8],
    /// Where the idempotent ID comes from.
    pub origin: IidOrigin,
    /// What a search for it has found out, if there was one; it changes nothing but how long applying takes.
    pub sought: Option<&'a stream::Sought>,
}

/// Where an idempotent ID comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IidOrigin {
    /// `IDMP`: the client gave it.
    Given,
    /// `IDMPAUTO`: it is the fingerprint of the fields.
    Fingerprint,
}

/// One pending entry that changes its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The entry.
    pub id: StreamId,
    /// The time from which its idle time counts.
    pub delivered_at: UnixMs,
    /// Its delivery count afterwards.
    pub delivery_count: u64,
}
