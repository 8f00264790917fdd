//! The stream value: entries, groups, pending entries, idempotence.
//!
//! Everything here is a plain value: it is told the time and never asks for it, and its mutators
//! are total. Large parts are behind reference counts, so a clone is a frozen view that costs a few
//! pointers, and a later write copies only the node that it touches. [`Stream`] is the whole, and
//! the place to start reading; each part can be used and tested without the others.

mod ascending;
mod chunk;
mod consumer;
mod counters;
mod delayed;
mod entries;
mod group;
mod groups;
mod id;
mod id_text;
mod idempotence;
mod idle_consumers;
mod limits;
mod lookup;
mod marks;
mod node;
mod packed;
mod pending;
mod range;
mod render;
mod settings;
mod shape;
mod stream;
mod trim;
mod varint;

pub use ascending::ascending;
pub use consumer::{Activity, Consumer, ConsumerHandle, Created};
pub use counters::Counters;
pub use delayed::{
    Delayed, DelayedEntry, DelayedFields, DelayedOptions, InvalidTicket, TICKET_NUMBER_MAX,
    TICKET_TEXT_BYTES_MAX, Ticket,
};
pub use entries::{Chosen, ChosenWriter, Entries, OutOfOrder, PackJob, Past, Removed};
pub use group::{Acknowledgement, Group, GroupRestorer, RestoreError};
pub use groups::Groups;
pub use id::{ID_TEXT_BYTES_MAX, InvalidId, StreamId};
pub use id_text::IdText;
pub use idempotence::{
    Counted, EPOCH_MAX, Expiry, FINGERPRINT_BYTES, Forget, Forgotten, Idempotence, LastAppend,
    ProducerReport, ProducerView, Reached, Remembered, Restored, Retention, Sought, Stand, Tally,
    Tracked, fingerprint, number_of_iid,
};
pub use idle_consumers::IdleConsumers;
pub use limits::DELAYED_BYTES_MAX;
pub use lookup::Lookup;
pub use node::NodeLimits;
pub use packed::Unpacked;
pub use pending::{
    CountChange, DELIVERY_COUNT_MAX, GivenBack, Holder, IdleAtLeast, Missing, PENDING_TIME_MS_MAX,
    PendingEntry, PendingLookup,
};
pub use range::{EntryRef, FieldIter, Range, RangeReverse};
pub use settings::{
    Backoff, Configured, DeadLetterRule, Form, GroupSettings, IidMode, NotAValue, OnConflict,
    OnGap, Retain, Row, SettingValue, Settings, StreamSettings,
};
pub use stream::{
    Beyond, Deletion, ENTRIES_ADDED_MAX, GIVEN_BACK, IdRefused, SetId, SetIdRefused, Stream,
    StreamParts,
};
pub use trim::{Cut, Keep, Precision, References, Trim, Trimmed};
