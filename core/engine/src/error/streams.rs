//! What is wrong with a command on a stream or on its groups.

use stream::{StreamId, Ticket};
use thiserror::Error;

use crate::limits::{PATTERN_READ_BYTES_MAX, PATTERN_READS_MAX, REDRIVE_COUNT_MAX};

/// Why a command on a stream is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StreamError {
    /// An exclusive lower bound that is the greatest ID.
    #[error("ERR invalid start ID for the interval")]
    InvalidIntervalStart,
    /// An exclusive upper bound that is the least ID.
    #[error("ERR invalid end ID for the interval")]
    InvalidIntervalEnd,
    /// Key or group of a consumer-group command is missing.
    #[error("NOGROUP No such key '{key}' or consumer group '{group}'{context}")]
    NoKeyOrGroup {
        /// The key as given, invalid UTF-8 replaced.
        key: String,
        /// The group as given, likewise.
        group: String,
        /// What the text ends with: empty, or which command it was.
        context: &'static str,
    },
    /// The key exists, the group does not.
    #[error("NOGROUP No such consumer group '{group}' for key name '{key}'")]
    NoGroup {
        /// The key as given, invalid UTF-8 replaced.
        key: String,
        /// The group as given, likewise.
        group: String,
    },
    /// `XGROUP CREATE` of a group that exists.
    #[error("BUSYGROUP Consumer Group name already exists")]
    GroupExists,
    /// `XGROUP` on a missing key.
    #[error(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
    )]
    GroupNeedsKey,
    /// A read counter below -1.
    #[error("ERR value for ENTRIESREAD must be positive or -1")]
    EntriesReadNegative,
    /// A reading command with an uneven list of streams.
    #[error(
        "ERR Unbalanced '{command}' list of streams: for each stream key an ID{special} must be specified."
    )]
    UnbalancedStreams {
        /// The command's name in lower case.
        command: &'static str,
        /// The special IDs that it takes, as the text has them.
        special: &'static str,
    },
    /// `XREADGROUP` without `GROUP`.
    #[error("ERR Missing GROUP option for XREADGROUP")]
    GroupMissing,
    /// An ID that only `XREAD` knows.
    #[error(
        "ERR The {0} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The {0} ID would just return an empty result set."
    )]
    MeaninglessId(char),
    /// `XREADGROUP … PATTERN` with another ID.
    #[error("ERR PATTERN reads new entries only: its ID must be '>'")]
    PatternReadsNew,
    /// A long pattern, or a group with a long name.
    #[error(
        "ERR PATTERN and the name of its group can have at most {PATTERN_READ_BYTES_MAX} bytes each"
    )]
    PatternTooLong,
    /// Clients wait for this many reads by patterns already.
    #[error("ERR clients wait for {PATTERN_READS_MAX} patterns already")]
    TooManyPatterns,
    /// `XREADGROUP … CLAIM` with something that is not a number.
    #[error("ERR min-idle-time is not an integer or out of range")]
    IdleNotAnInteger,
    /// `XREADGROUP … CLAIM` with a negative number.
    #[error("ERR min-idle-time must be a positive integer")]
    IdleNegative,
    /// The least idle time of a claim is not a number; the command's name in capitals.
    #[error("ERR Invalid min-idle-time argument for {0}")]
    InvalidMinIdle(&'static str),
    /// The value of an option of `XCLAIM` is not a number.
    #[error("ERR Invalid {0} option argument for XCLAIM")]
    InvalidClaimOption(&'static str),
    /// An option that `XCLAIM` does not know.
    #[error("ERR Unrecognized XCLAIM option '{0}'")]
    UnknownClaimOption(String),
    /// The count before a list of IDs is no positive number.
    #[error("ERR Number of IDs must be a positive integer")]
    IdCountNotPositive,
    /// Fewer IDs than the count before them says.
    #[error("ERR The `numids` parameter must match the number of arguments")]
    IdCountMismatch,
    /// Entries to keep, below zero.
    #[error("ERR The MAXLEN argument must be >= 0.")]
    MaxLenNegative,
    /// Entries to remove at most, below zero.
    #[error("ERR The LIMIT argument must be >= 0.")]
    LimitNegative,
    /// A second way to trim.
    #[error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")]
    TwoStrategies,
    /// `LIMIT` with nothing to limit.
    #[error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")]
    LimitWithoutStrategy,
    /// `LIMIT` of an exact trim.
    #[error("ERR syntax error, LIMIT cannot be used without the special ~ option")]
    LimitWithoutApproximate,
    /// An idempotent append with an ID that is not the clock's.
    #[error("ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs")]
    IdempotentWithId,
    /// Two idempotent IDs for one append.
    #[error("ERR syntax error, IDMP/IDMPAUTO specified multiple times")]
    IdempotentTwice,
    /// `REPORT` of an append that is not idempotent.
    #[error("ERR syntax error, REPORT can be used only with IDMP/IDMPAUTO")]
    ReportOfPlain,
    /// `EPOCH` of an append that is not idempotent.
    #[error("ERR syntax error, EPOCH can be used only with IDMP/IDMPAUTO")]
    EpochOfPlain,
    /// `DELAY` or `AT` with an ID that is not the clock's.
    #[error("ERR syntax error, DELAY/AT can be used only with auto-generated IDs")]
    DelayedWithId,
    /// Two times for one append.
    #[error("ERR syntax error, DELAY/AT specified multiple times")]
    DelayedTwice,
    /// More bytes than an entry may have that waits.
    #[error("ERR a delayed entry can have at most 8388608 bytes")]
    DelayedTooLarge,
    /// An idempotent one where idempotent IDs are numbers, in the order of which they are appended.
    #[error("ERR IDMP-MODE is MONOTONE: DELAY/AT cannot be used with IDMP/IDMPAUTO")]
    DelayedNumber,
    /// The greatest number of a ticket was given out.
    #[error("ERR The stream has given out the last possible ticket")]
    TicketsExhausted,
    /// A text that is not a ticket.
    #[error("ERR Invalid ticket specified")]
    InvalidTicket,
    /// An idempotent ID that was used for a delayed entry with other fields, and its ticket.
    #[error("IDMPCONFLICT The idempotent ID was used for delayed entry {0}, with other fields")]
    OtherDelayedFields(Ticket),
    /// An append with an older epoch than the producer's, which is this, or with none.
    #[error("IDMPFENCED The producer has epoch {0}: another writer has taken over")]
    Fenced(u64),
    /// An append with an epoch that the producer was never given; the latest one.
    #[error("ERR EPOCH is above {0}, the latest that XIDMPEPOCH gave this producer")]
    EpochNotGiven(u64),
    /// A producer was given the greatest epoch.
    #[error("ERR The producer has been given the last possible epoch")]
    EpochsExhausted,
    /// An idempotent ID that was used for an entry with other fields, and that entry.
    #[error("IDMPCONFLICT The idempotent ID was used for entry {0}, with other fields")]
    OtherFields(StreamId),
    /// An idempotent ID that is no number, where they have to be.
    #[error(
        "ERR IDMP-MODE is MONOTONE: an idempotent ID must be a number from 0 to 9223372036854775807"
    )]
    NotANumberedIid,
    /// An idempotent ID below the last one of its producer, which is this, and the entry of that.
    #[error("IDMPSTALE {0} is the producer's last idempotent ID, of entry {1}")]
    StaleIid(u64, StreamId),
    /// An idempotent ID that is not the next one of its producer, which is this.
    #[error("IDMPGAP {0} is the producer's next idempotent ID")]
    GapOfIids(u64),
    /// `XADDM` with more entries than this, none, or a count that is no number.
    #[error("ERR numentries must be between 1 and {0}")]
    EntryCount(usize),
    /// `XADDM` with more bytes than this.
    #[error("ERR the entries of one XADDM can have at most {0} bytes; send large ones by XADD")]
    EntriesTooLarge(usize),
    /// `XADDM` with counts that do not fit its arguments.
    #[error("ERR XADDM needs numentries times [iid] numfields field value [field value ...]")]
    EntryMismatch,
    /// An empty producer; the option.
    #[error("ERR syntax error, {0} requires a non-empty producer ID")]
    EmptyProducer(&'static str),
    /// An empty idempotent ID.
    #[error("ERR syntax error, IDMP requires a non-empty idempotent ID")]
    EmptyIid,
    /// `XIDMPRECORD` with an empty producer.
    #[error("ERR producer ID must be non-empty")]
    EmptyRecordedProducer,
    /// `XIDMPRECORD` with an empty idempotent ID.
    #[error("ERR idempotent ID must be non-empty")]
    EmptyRecordedIid,
    /// `XIDMPRECORD` of an entry that is not there.
    #[error("ERR No such message in stream")]
    NoSuchMessage,
    /// `XIDMPRECORD` of an idempotent ID that stands for another entry.
    #[error("ERR IID already exists for this producer with a different stream ID")]
    IidTaken,
    /// `XCFGSET` without a setting.
    #[error("ERR syntax error: At least one parameter must be specified")]
    NothingToConfigure,
    /// `XCFGSET` with a setting twice.
    #[error("ERR {0} specified multiple times")]
    ConfiguredTwice(&'static str),
    /// `XCFGSET` with a value that its setting cannot have.
    #[error("ERR {0}")]
    InvalidRetention(&'static str),
    /// A setting of a stream or a group that has to be one of some words; its own, and these.
    #[error("ERR {0} must be {1}")]
    SettingNotOneOf(&'static str, String),
    /// A setting of two numbers, of which the second is below the first or one is out of range.
    #[error(
        "ERR {setting} must be two numbers between 0 and {max}, the second not below the first"
    )]
    SettingNotASpan {
        /// Its word.
        setting: &'static str,
        /// The greatest value of both.
        max: u64,
    },
    /// A setting of a stream or a group that is out of its range.
    #[error("ERR {setting} must be between {min} and {max}")]
    SettingOutOfRange {
        /// Its word.
        setting: &'static str,
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// A setting of a stream or a group that is too long.
    #[error("ERR {setting} must have at most {bytes_max} bytes")]
    SettingTooLong {
        /// Its word.
        setting: &'static str,
        /// The most bytes that it may have.
        bytes_max: usize,
    },
    /// `XGROUP SETCFG … MAXDELIVERIES` without a place for entries that were delivered so often.
    #[error("ERR MAXDELIVERIES needs a DEADLETTER stream")]
    DeliveriesWithoutDeadLetter,
    /// A stream that is its own dead-letter stream.
    #[error("ERR a stream cannot be its own dead-letter stream")]
    DeadLetterToItself,
    /// `XREDRIVE … COUNT` out of its range.
    #[error("ERR COUNT must be between 1 and {REDRIVE_COUNT_MAX}")]
    RedriveCount,
    /// `XREDRIVE` with both `IDS` and what chooses among all.
    #[error("ERR syntax error, IDS cannot be used with START or COUNT")]
    RedriveChoice,
    /// `XSETID … ENTRIESADDED` below zero.
    #[error("ERR entries_added must be positive")]
    EntriesAddedNegative,
    /// An option of `XREADGROUP` in `XREAD`.
    #[error("ERR The {0} option is only supported by XREADGROUP. You called XREAD instead.")]
    GroupOptionInRead(&'static str),
    /// The ID for new entries of a group in `XREAD`.
    #[error(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
    )]
    GroupIdInRead,
}
