//! Every error that a client can see. `Display` is the exact text on the wire, prefix included.
//!
//! Nothing elsewhere writes "ERR ". A golden test lists the texts.

mod denied;
mod library;

use resp::Reply;
use thiserror::Error;

pub use denied::{Denied, DeniedObject, DeniedWhen};
pub use library::LibraryError;

/// The error that a command returns instead of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CmdError {
    /// The arguments do not follow the grammar.
    #[error("ERR syntax error")]
    Syntax,
    /// Not a canonical signed 64-bit number.
    #[error("ERR value is not an integer or out of range")]
    NotAnInteger,
    /// Not a floating-point number.
    #[error("ERR value is not a valid float")]
    NotAFloat,
    /// A number outside the named bound.
    #[error("ERR value is out of range")]
    OutOfRange,
    /// A number that must not be negative.
    #[error("ERR value is out of range, must be positive")]
    MustBePositive,
    /// More keys than arguments.
    #[error("ERR Number of keys can't be greater than number of args")]
    KeysBeyondArguments,
    /// `NOVALUES` of another scan than that of a hash.
    #[error("ERR NOVALUES option can only be used in HSCAN")]
    NoValuesOfHashOnly,
    /// The key holds another type.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    /// The key must exist.
    #[error("ERR no such key")]
    NoSuchKey,
    /// Too few or too many arguments; the full name, `xgroup|create`.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(String),
    /// No such command, and how it was called; as it goes over the wire, see [`CmdError::write`].
    #[error("{}", String::from_utf8_lossy(.0))]
    UnknownCommand(Vec<u8>),
    /// No such subcommand of a command.
    #[error("ERR unknown subcommand '{sub}'. Try {command} HELP.")]
    UnknownSubcommand {
        /// The subcommand as given, cut to 128 bytes.
        sub: String,
        /// The command's name in capitals.
        command: String,
    },
    /// A client that listens to channels in RESP2 asks for something else; the full name of that.
    #[error(
        "ERR Can't execute '{0}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
    )]
    WhileSubscribed(String),
    /// More channels or patterns than one client, or all, may listen to.
    #[error("ERR too many channels or patterns are listened to")]
    TooManySubscriptions,
    /// A subcommand of `PUBSUB` with too many arguments, as it was given.
    #[error("ERR unknown subcommand or wrong number of arguments for '{0}'. Try PUBSUB HELP.")]
    PubSubArguments(String),
    /// The session has not authenticated.
    #[error("NOAUTH Authentication required.")]
    NoAuth,
    /// Another command is not finished.
    #[error("BUSY Redis is busy running a script. You can only call {0} or SHUTDOWN NOSAVE.")]
    Busy(&'static str),
    /// `SCRIPT KILL` or `FUNCTION KILL`, and every command is finished.
    #[error("NOTBUSY No scripts in execution right now.")]
    NotBusy,
    /// What a client is answered whose command was ended.
    #[error("ERR Script killed by user with SCRIPT KILL.")]
    Killed,
    /// `EXEC` itself was refused, and why.
    #[error("EXECABORT Transaction discarded because of: {0}")]
    ExecRefused(String),
    /// `AUTH` with the wrong user or password.
    #[error("WRONGPASS invalid username-password pair or user is disabled.")]
    WrongPassword,
    /// `AUTH password` while none is asked for.
    #[error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
    )]
    NoPasswordSet,
    /// `HELLO` of a client that has not authenticated.
    #[error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
    )]
    HelloNoAuth,
    /// `HELLO` with a protocol other than 2 and 3.
    #[error("NOPROTO unsupported protocol version")]
    UnsupportedProtocol,
    /// `HELLO` with a protocol that is not a number.
    #[error("ERR Protocol version is not an integer or out of range")]
    ProtocolNotAnInteger,
    /// An option that `HELLO` does not know, or without its value.
    #[error("ERR Syntax error in HELLO option '{0}'")]
    HelloOption(String),
    /// A client's name with bytes that would blur `CLIENT LIST`.
    #[error("ERR Client names cannot contain spaces, newlines or special characters.")]
    InvalidClientName,
    /// A client's library or its version with bytes that would blur `CLIENT LIST`.
    #[error("ERR {0} cannot contain spaces, newlines or special characters.")]
    InvalidLibrary(&'static str),
    /// An option that `CLIENT SETINFO` does not know.
    #[error("ERR Unrecognized option '{0}'")]
    UnknownClientOption(String),
    /// `CLIENT LIST ID` of something that is not a number.
    #[error("ERR Invalid client ID")]
    InvalidClientId,
    /// `CLIENT KILL ID` of something that is no positive number.
    #[error("ERR client-id should be greater than 0")]
    ClientIdNotPositive,
    /// `CLIENT KILL MAXAGE` with something that is not a number.
    #[error("ERR maxage is not an integer or out of range")]
    MaxAgeNotAnInteger,
    /// `CLIENT KILL MAXAGE` with zero or less.
    #[error("ERR maxage should be greater than 0")]
    MaxAgeNotPositive,
    /// A type of clients that does not exist.
    #[error("ERR Unknown client type '{0}'")]
    UnknownClientType(String),
    /// A user that does not exist.
    #[error("ERR No such user '{0}'")]
    NoSuchUser(String),
    /// `CLIENT KILL` of an address without a client.
    #[error("ERR No such client")]
    NoSuchClient,
    /// `CLIENT PAUSE` of neither writes nor all.
    #[error("ERR CLIENT PAUSE mode must be WRITE or ALL")]
    PauseMode,
    /// `CLIENT UNBLOCK` with neither of its ways.
    #[error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")]
    UnblockReason,
    /// The reply to a client whose wait `CLIENT UNBLOCK … ERROR` ended.
    #[error("UNBLOCKED client unblocked via CLIENT UNBLOCK")]
    Unblocked,
    /// `CLIENT TRACKING … REDIRECT` to a client that is not there.
    #[error("ERR The client ID you want redirect to does not exist")]
    NoClientToRedirectTo,
    /// `CLIENT TRACKING` with several clients to redirect to.
    #[error("ERR A client can only redirect to a single other client")]
    RedirectedTwice,
    /// `CLIENT TRACKING ON PREFIX …` without `BCAST`.
    #[error("ERR PREFIX option requires BCAST mode to be enabled")]
    PrefixWithoutBroadcast,
    /// `CLIENT TRACKING ON` in another mode than before.
    #[error(
        "ERR You can't switch {0} before disabling tracking for this client, and then re-enabling it with a different mode."
    )]
    TrackingSwitched(&'static str),
    /// `CLIENT TRACKING ON BCAST` with a choice of reads.
    #[error("ERR OPTIN and OPTOUT are not compatible with BCAST")]
    ChoiceWithBroadcast,
    /// `CLIENT TRACKING ON OPTIN OPTOUT`.
    #[error("ERR You can't specify both OPTIN mode and OPTOUT mode")]
    ChosenInAndOut,
    /// A prefix of `CLIENT TRACKING ON BCAST` is the beginning of another.
    #[error(
        "ERR Prefix '{prefix}' overlaps with {whose} '{other}'. Prefixes for a single client must not overlap."
    )]
    PrefixesOverlap {
        /// It.
        prefix: String,
        /// `an existing prefix` or `another provided prefix`.
        whose: &'static str,
        /// The other.
        other: String,
    },
    /// More or longer prefixes than a client, or all of them, may have.
    #[error("ERR too many prefixes, or one is too long")]
    TooManyPrefixes,
    /// `CLIENT CACHING YES` without `OPTIN`.
    #[error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")]
    CachingYesWithoutOptIn,
    /// `CLIENT CACHING NO` without `OPTOUT`.
    #[error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")]
    CachingNoWithoutOptOut,
    /// `CLIENT CACHING` without a choice of reads.
    #[error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
    )]
    CachingWithoutTracking,
    /// `MONITOR` where no stream of replies can follow.
    #[error("ERR MONITOR isn't allowed for DENY BLOCKING client")]
    MonitorInTransaction,
    /// `SHUTDOWN ABORT` while the server does not stop.
    #[error("ERR No shutdown in progress.")]
    NoShutdown,
    /// `SLOWLOG GET` with something else than a count.
    #[error("ERR count should be greater than or equal to -1")]
    SlowLogCount,
    /// `LATENCY GRAPH` of an event that never took long.
    #[error("ERR No samples available for event '{0}'")]
    NoSamples(String),
    /// `HOTKEYS START` without what is to be collected.
    #[error("ERR METRICS parameter is required")]
    MetricsRequired,
    /// `HOTKEYS START` with another number than there are metrics.
    #[error("ERR METRICS count must be > 0 and <= 2")]
    MetricsCount,
    /// `HOTKEYS START` with more metrics than it says, or fewer.
    #[error("ERR METRICS count does not match number of metric types provided")]
    MetricsMismatch,
    /// `HOTKEYS START` with a metric that there is not.
    #[error("ERR METRICS no valid metrics passed. Supported: CPU|NET")]
    NoMetrics,
    /// `HOTKEYS START` with a metric twice.
    #[error("ERR METRICS {0} defined more than once!")]
    MetricTwice(&'static str),
    /// An option of `HOTKEYS START` out of its range, which ends there.
    #[error("ERR {0} must be between 1 and {1}")]
    NotBetween(&'static str, i64),
    /// `HOTKEYS START` with a share that is none.
    #[error("ERR SAMPLE ratio must be positive")]
    SampleNotPositive,
    /// `HOTKEYS START` of some slots.
    #[error("ERR SLOTS parameter cannot be used in non-cluster mode")]
    SlotsWithoutCluster,
    /// `HOTKEYS START` while it collects.
    #[error("ERR hotkey tracking session already in progress")]
    HotKeysBegun,
    /// `HOTKEYS RESET` while it collects.
    #[error("ERR hotkey tracking session in progress, stop tracking first")]
    HotKeysInProgress,
    /// What needs a cluster.
    #[error("ERR This instance has cluster support disabled")]
    NoCluster,
    /// `MODULE LOAD` and those like it.
    #[error("ERR weir loads no modules")]
    NoModules,
    /// `REPLICAOF` with a port that is none.
    #[error("ERR Invalid master port")]
    InvalidMasterPort,
    /// `REPLICAOF` another server.
    #[error("ERR weir does not replicate from other servers")]
    NoReplication,
    /// `DEBUG` where it is not enabled.
    #[error(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server."
    )]
    DebugNotAllowed,
    /// `DEBUG PROTOCOL` of an unknown type.
    #[error(
        "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
    )]
    ProtocolType,
    /// `DEBUG PROTOCOL PUSH` in a protocol that has no such thing.
    #[error("ERR RESP2 is not supported by this command")]
    NeedsResp3,
    /// `DEBUG QUICKLIST-PACKED-THRESHOLD` of no number of bytes.
    #[error("ERR argument must be a memory value bigger than 1 and smaller than 4gb")]
    PackedThreshold,
    /// `CONFIG SET` of settings that do not exist.
    #[error("ERR Unknown option or number of arguments for CONFIG SET - '{0}'")]
    UnknownSetting(String),
    /// `CONFIG SET` of a value that the setting refuses.
    #[error("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")]
    SettingRefused {
        /// The setting as given.
        name: String,
        /// Why.
        reason: String,
    },
    /// Something that cannot be while the server starts, stops, or turns its journal on.
    #[error("ERR The server starts, stops, or turns its journal on; try again later")]
    NotNow,
    /// `CONFIG REWRITE` of a server that was started without a file.
    #[error("ERR The server is running without a config file")]
    NoConfigFile,
    /// `CONFIG REWRITE` of a file that cannot be written; what the system says.
    #[error("ERR Rewriting config file: {0}")]
    ConfigFileNotWritten(String),
    /// `COMMAND GETKEYS` of a request that names no command.
    #[error("ERR Invalid command specified")]
    KeysOfUnknownCommand,
    /// `COMMAND GETKEYS` of a command without keys.
    #[error("ERR The command has no key arguments")]
    NoKeyArguments,
    /// `COMMAND GETKEYS` of a request with too few or too many arguments.
    #[error("ERR Invalid number of arguments specified for command")]
    KeysOfWrongArity,
    /// `COMMAND GETKEYS` of a request whose keys cannot be found.
    #[error("ERR Invalid arguments specified for command")]
    KeysNotFound,
    /// The data is not loaded yet.
    #[error("LOADING Redis is loading the dataset in memory")]
    Loading,
    /// Memory is used up to `maxmemory`.
    #[error("OOM command not allowed when used memory > 'maxmemory'.")]
    OutOfMemory,
    /// An earlier command of the transaction was refused.
    #[error("EXECABORT Transaction discarded because of previous errors.")]
    ExecAbort,
    /// The command is not allowed in a transaction.
    #[error("ERR Command not allowed inside a transaction")]
    NotInTransaction,
    /// The command cannot be called by another one.
    #[error("ERR This Redis command is not allowed from script")]
    NotFromScript,
    /// Commands that call others are called by others, too many times.
    #[error("ERR Commands call one another too deeply")]
    CallsTooDeep,
    /// `MULTI` within a transaction.
    #[error("ERR MULTI calls can not be nested")]
    NestedMulti,
    /// `WATCH` within a transaction.
    #[error("ERR WATCH inside MULTI is not allowed")]
    WatchInMulti,
    /// `EXEC` or `DISCARD` without `MULTI`.
    #[error("ERR {0} without MULTI")]
    WithoutMulti(&'static str),
    /// An expiry time that is not in the future or not representable; the command's name.
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpire(&'static str),
    /// An expiry time of fields below 0.
    #[error("ERR invalid expire time, must be >= 0")]
    NegativeExpire,
    /// An option for an expiry without its time.
    #[error("ERR missing expire time")]
    MissingExpire,
    /// Several options for the expiry of fields; what the last of them could be.
    #[error("ERR Only one of EX, PX, EXAT, PXAT or {0} arguments can be specified")]
    OneExpiry(&'static str),
    /// `HSETEX` with both conditions, or with one of them twice.
    #[error("ERR Only one of FXX or FNX arguments can be specified")]
    OneFieldCondition,
    /// `HEXPIRE` and its like with several conditions.
    #[error("ERR Multiple condition flags specified")]
    SeveralConditions,
    /// An argument of a hash command that is no option.
    #[error("ERR unknown argument: {0}")]
    UnknownArgument(String),
    /// An option of another hash command.
    #[error("ERR unknown argument")]
    ForeignArgument,
    /// `FIELDS` is not where it must be.
    #[error("ERR Mandatory argument FIELDS is missing or not at the right position")]
    FieldsPlace,
    /// The number behind `FIELDS` is none, or not positive.
    #[error("ERR Number of fields must be a positive integer")]
    FieldsNumber,
    /// Not as many fields follow as the number says.
    #[error("ERR The `numfields` parameter must match the number of arguments")]
    FieldsMismatch,
    /// `FIELDS` of `HEXPIRE` and its like comes twice.
    #[error("ERR FIELDS keyword specified multiple times")]
    FieldsTwice,
    /// `HEXPIRE` and its like without fields.
    #[error("ERR missing FIELDS argument")]
    FieldsMissing,
    /// `FIELDS` at the end of `HEXPIRE` and its like.
    #[error("ERR FIELDS requires at least numfields and one field argument")]
    FieldsEmpty,
    /// The number behind `FIELDS` of `HEXPIRE` and its like is none, or not positive.
    #[error("ERR Parameter `numFields` should be greater than 0")]
    FieldsNotPositive,
    /// The same for `HGETEX` and `HSETEX`.
    #[error("ERR invalid number of fields")]
    FieldsInvalid,
    /// Fewer fields follow than the number says.
    #[error("ERR wrong number of arguments")]
    FieldsShort,
    /// A database number that does not exist.
    #[error("ERR DB index is out of range")]
    DbIndex,
    /// `WAITAOF` for more than one copy here.
    #[error("ERR value is out of range, value must between 0 and 1")]
    LocalCopies,
    /// `WAITAOF` for a copy on a disk that is not written.
    #[error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")]
    NoLocalCopies,
    /// The place of a bit that no string can have.
    #[error("ERR bit offset is not an integer or out of range")]
    BitOffset,
    /// `SETBIT` to something else than 0 or 1.
    #[error("ERR bit is not an integer or out of range")]
    BitValue,
    /// `BITPOS` of something else than 0 or 1.
    #[error("ERR The bit argument must be 1 or 0.")]
    BitArgument,
    /// `BITOP NOT` of several keys.
    #[error("ERR BITOP NOT must be called with a single source key.")]
    BitNotSources,
    /// `BITOP` of one key with an operation that compares keys.
    #[error("ERR BITOP {0} must be called with at least two source keys.")]
    BitOperationSources(&'static str),
    /// `BITFIELD` with an unknown type.
    #[error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
    )]
    BitFieldType,
    /// `BITFIELD … OVERFLOW` with an unknown way.
    #[error("ERR Invalid OVERFLOW type specified")]
    OverflowType,
    /// `BITFIELD_RO` with a subcommand that writes.
    #[error("ERR BITFIELD_RO only supports the GET subcommand")]
    BitFieldReadOnly,
    /// A database number that does not even fit its type.
    #[error("ERR value is out of range, value must between -2147483648 and 2147483647")]
    DbIndexTooLarge,
    /// A database argument that is not a number.
    #[error("ERR invalid DB index")]
    InvalidDbIndex,
    /// A timeout that is not a number.
    #[error("ERR timeout is not an integer or out of range")]
    TimeoutNotAnInteger,
    /// A timeout in seconds that is not a number.
    #[error("ERR timeout is not a float or out of range")]
    TimeoutNotAFloat,
    /// A timeout below zero.
    #[error("ERR timeout is negative")]
    TimeoutNegative,
    /// The log cannot take writes; what happened and what to do.
    #[error("MISCONF {0}")]
    Misconfigured(String),
    /// Replaces a reply that waits for a log that is not healthy: why.
    #[error(
        "NOTDURABLE {0} What was asked for may be done, but is not known to survive a restart; it may be sent again."
    )]
    NotDurable(String),
    /// A snapshot is being written already.
    #[error("ERR Background save already in progress")]
    SaveInProgress,
    /// The journal is being rewritten already.
    #[error("ERR Background append only file rewriting already in progress")]
    RewriteInProgress,
    /// There is no journal to rewrite.
    #[error("ERR this server keeps no journal; start it with --appendonly yes")]
    NoJournal,
    /// A snapshot could not be written, and why.
    #[error("ERR the snapshot was not written: {0}")]
    SaveFailed(String),
    /// A file could not be loaded, and why; the databases are as they were.
    #[error("ERR nothing was loaded: {0}")]
    LoadFailed(String),
    /// `DEBUG RELOAD` with another option.
    #[error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")]
    ReloadOption,
    /// Something impossible happened; it was logged, and nothing was changed.
    #[error("ERR internal error: {0}")]
    Internal(&'static str),
    /// Not a stream entry's ID.
    #[error("ERR Invalid stream ID specified as stream command argument")]
    InvalidStreamId,
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
    /// Options of a subcommand that do not follow its grammar.
    #[error("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {command} HELP.")]
    SubcommandUsage {
        /// The subcommand as given, cut to 128 bytes.
        sub: String,
        /// The command's name in capitals.
        command: &'static str,
    },
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
    /// `COUNT` out of its range, in `XAUTOCLAIM` and in searches for places.
    #[error("ERR COUNT must be > 0")]
    CountNotPositive,
    /// The count before a list of IDs is no positive number.
    #[error("ERR Number of IDs must be a positive integer")]
    IdCountNotPositive,
    /// Fewer IDs than the count before them says.
    #[error("ERR The `numids` parameter must match the number of arguments")]
    IdCountMismatch,
    /// A bound on a whole reply that is zero or negative: `MAXCOUNT` or `MAXSIZE`.
    #[error("ERR {0} must be positive")]
    BoundNotPositive(&'static str),
    /// A bound on the whole reply below the bound on each stream.
    #[error("ERR MAXCOUNT must be greater than or equal to COUNT")]
    MaxCountBelowCount,
    /// A timeout whose end is beyond any clock.
    #[error("ERR timeout is out of range")]
    TimeoutOutOfRange,
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
    /// An ID that cannot be appended.
    #[error("ERR {0}")]
    IdRefused(#[from] stream::IdRefused),
    /// A last ID that cannot be set.
    #[error("ERR {0}")]
    SetIdRefused(#[from] stream::SetIdRefused),
    /// An option that `EXPIRE` does not know.
    #[error("ERR Unsupported option {0}")]
    UnsupportedOption(String),
    /// `NX` beside other conditions of `EXPIRE`.
    #[error("ERR NX and XX, GT or LT options at the same time are not compatible")]
    ExpireOptions,
    /// `GT` beside `LT` of `EXPIRE`.
    #[error("ERR GT and LT options at the same time are not compatible")]
    ExpireLaterAndEarlier,
    /// Source and destination are the same.
    #[error("ERR source and destination objects are the same")]
    SameObject,
    /// A cursor that no `SCAN` gave.
    #[error("ERR invalid cursor")]
    InvalidCursor,
    /// `RESTORE` onto a key that exists.
    #[error("BUSYKEY Target key name already exists.")]
    BusyKey,
    /// `RESTORE` with a time to live below zero.
    #[error("ERR Invalid TTL value, must be >= 0")]
    InvalidTtl,
    /// `RESTORE … IDLETIME` below zero.
    #[error("ERR Invalid IDLETIME value, must be >= 0")]
    InvalidIdleTime,
    /// `RESTORE … FREQ` out of its range.
    #[error("ERR Invalid FREQ value, must be >= 0 and <= 255")]
    InvalidFrequency,
    /// `RESTORE` of bytes that another version wrote, or that were damaged.
    #[error("ERR DUMP payload version or checksum are wrong")]
    PayloadVersion,
    /// `RESTORE` of bytes that are no value.
    #[error("ERR Bad data format")]
    PayloadFormat,
    /// `OBJECT FREQ`: uses are not counted.
    #[error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
    )]
    NoFrequency,
    /// `DEBUG LISTPACK` or `QUICKLIST` of a value that is kept in another way.
    #[error("ERR Not a {0} encoded object.")]
    NotEncodedAs(&'static str),
    /// `OBJECT IDLETIME`: it is not kept when keys were used.
    #[error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
    )]
    NoIdleTime,
    /// `SWAPDB` of something that is not a number; which of the two.
    #[error("ERR invalid {0} DB index")]
    InvalidSwapIndex(&'static str),
    /// A digest that is not 16 hexadecimal digits.
    #[error("ERR must be exactly 16 hexadecimal characters")]
    InvalidDigest,
    /// A condition that `DELEX` does not know.
    #[error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")]
    InvalidCondition,
    /// A condition on a value that is no string.
    #[error("ERR Key should be of string type if conditions are specified")]
    ConditionNeedsString,
    /// `MSETEX` with something else than a count of keys.
    #[error("ERR invalid numkeys value")]
    InvalidKeyCount,
    /// `MSETEX` with fewer keys than it says.
    #[error("ERR wrong number of key-value pairs")]
    WrongKeyCount,
    /// A string beyond the greatest length.
    #[error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")]
    StringTooLong,
    /// An offset below zero.
    #[error("ERR offset is out of range")]
    OffsetOutOfRange,
    /// A sum that does not fit 64 bits.
    #[error("ERR increment or decrement would overflow")]
    Overflow,
    /// The least number, which cannot be negated.
    #[error("ERR decrement would overflow")]
    DecrementOverflow,
    /// A sum that is infinite or no number.
    #[error("ERR increment would produce NaN or Infinity")]
    NotFinite,
    /// An increment that is infinite.
    #[error("ERR value is NaN or Infinity")]
    InfiniteIncrement,
    /// `HINCRBY` of a field without an integer.
    #[error("ERR hash value is not an integer")]
    FieldNotAnInteger,
    /// `HINCRBYFLOAT` of a field without a number.
    #[error("ERR hash value is not a float")]
    FieldNotAFloat,
    /// `LSET` of an index beyond the list.
    #[error("ERR index out of range")]
    IndexOutOfRange,
    /// `LPOS … RANK 0`.
    #[error(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
    )]
    RankZero,
    /// The least number, where it is to be negated.
    #[error(
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
    )]
    NotNegatable,
    /// A number of the given name that is zero or negative, or no number.
    #[error("ERR {0} should be greater than 0")]
    NotPositive(&'static str),
    /// A number of the given name that is negative, or no number.
    #[error("ERR {0} can't be negative")]
    IsNegative(&'static str),
    /// A command on several sorted sets without any; its name.
    #[error("ERR at least 1 input key is needed for '{0}' command")]
    NoInputKeys(String),
    /// `WEIGHTS` with something that is no number.
    #[error("ERR weight value is not a float")]
    WeightNotAFloat,
    /// `ZADD … NX XX`.
    #[error("ERR XX and NX options at the same time are not compatible")]
    AddNewAndExisting,
    /// `ZADD … GT LT`, or one of them with `NX`.
    #[error("ERR GT, LT, and/or NX options at the same time are not compatible")]
    AddHigherAndLower,
    /// `ZADD … INCR` with several members.
    #[error("ERR INCR option supports a single increment-element pair")]
    IncrementSeveral,
    /// A sum of scores that are infinite.
    #[error("ERR resulting score is not a number (NaN)")]
    ScoreNotANumber,
    /// A bound of a range of scores.
    #[error("ERR min or max is not a float")]
    InvalidScoreBound,
    /// A bound of a range of members.
    #[error("ERR min or max not valid string range item")]
    InvalidMemberBound,
    /// `LIMIT` of a range of ranks.
    #[error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
    )]
    LimitOfRanks,
    /// `WITHSCORES` of a range of members.
    #[error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")]
    ScoresByLex,
    /// `LCS … LEN IDX`.
    #[error("ERR If you want both the length and indexes, please just use IDX.")]
    LcsLenAndPositions,
    /// `LCS` of something else than strings.
    #[error("ERR The specified keys must contain string values")]
    LcsNeedsStrings,
    /// `LCS` of strings whose comparison would take too much memory.
    #[error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")]
    LcsTooLong,
    /// `SORT` by what is no number.
    #[error("ERR One or more scores can't be converted into double")]
    SortNeedsNumbers,
    /// `SORT` of more than is sorted at once.
    #[error("ERR SORT would look at too many elements and keys")]
    SortTooLarge,
    /// A longitude or latitude that is out of reach; both.
    #[error("ERR invalid longitude,latitude pair {0}")]
    InvalidPosition(String),
    /// A unit of length that is not known.
    #[error("ERR unsupported unit provided. please use M, KM, FT, MI")]
    UnknownUnit,
    /// A place that is not there.
    #[error("ERR could not decode requested zset member")]
    NoSuchPlace,
    /// A radius that is no number.
    #[error("ERR need numeric radius")]
    RadiusNotANumber,
    /// A radius below zero.
    #[error("ERR radius cannot be negative")]
    NegativeRadius,
    /// A width that is no number.
    #[error("ERR need numeric width")]
    WidthNotANumber,
    /// A height that is no number.
    #[error("ERR need numeric height")]
    HeightNotANumber,
    /// A box of less than nothing.
    #[error("ERR height or width cannot be negative")]
    NegativeSide,
    /// `ANY` without `COUNT`.
    #[error("ERR the ANY argument requires COUNT argument")]
    AnyWithoutCount,
    /// A search for places without a centre; the command as it was sent.
    #[error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {0}")]
    NoCentre(String),
    /// A search for places without a shape; likewise.
    #[error("ERR exactly one of BYRADIUS and BYBOX can be specified for {0}")]
    NoShape(String),
    /// Places that are to be stored and answered with details; what stores them.
    #[error("ERR {0} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")]
    DetailsOfStored(&'static str),
    /// A string that is no HyperLogLog.
    #[error("WRONGTYPE Key is not a valid HyperLogLog string value.")]
    NotHyperLogLog,
    /// A HyperLogLog that does not have the registers that one has.
    #[error("INVALIDOBJ Corrupted HLL object detected")]
    CorruptedHyperLogLog,
    /// `PFDEBUG` of a key that does not exist.
    #[error("ERR The specified key does not exist")]
    NoHyperLogLog,
    /// `PFDEBUG DECODE` of a dense HyperLogLog.
    #[error("ERR HLL encoding is not sparse")]
    NotSparse,
    /// A subcommand that `PFDEBUG` does not have.
    #[error("ERR Unknown PFDEBUG subcommand '{0}'")]
    UnknownPfDebug(String),
    /// `PFDEBUG SIMD` with another word.
    #[error("ERR Argument must be ON or OFF")]
    OnOrOff,
    /// `PFSELFTEST` found this.
    #[error("TESTFAILED {0}")]
    HyperLogLogTest(String),
    /// There is nothing that runs scripts: a file is loaded, or data is followed.
    #[error("ERR scripts are not run here")]
    NoScripts,
    /// No script has this name.
    #[error("NOSCRIPT No matching script. Please use EVAL.")]
    NoScript,
    /// A script cannot be read.
    #[error("ERR Error compiling script (new function): {0}")]
    ScriptNotRead(String),
    /// Too much was loaded by `SCRIPT LOAD`.
    #[error("ERR Too many scripts were loaded. SCRIPT FLUSH makes room.")]
    TooManyScripts,
    /// The first line of a script has no end.
    #[error("ERR Invalid script shebang")]
    InvalidShebang,
    /// The first line of a script names another language.
    #[error("ERR Unexpected engine in script shebang: {0}")]
    ShebangEngine(String),
    /// The first line of a script has an option that is not known.
    #[error("ERR Unknown lua shebang option: {0}")]
    ShebangOption(String),
    /// The first line of a script has a flag that is not known.
    #[error("ERR Unexpected flag in script shebang: {0}")]
    ShebangFlag(String),
    /// `EVAL` with a negative number of keys.
    #[error("ERR Number of keys can't be negative")]
    NegativeKeyCount,
    /// `EVAL_RO` and the like of a script that says that it writes.
    #[error("ERR Can not execute a script with write flag using *_ro command.")]
    WritingScript,
    /// A script whose first line says nothing of memory, and memory is used up.
    #[error(
        "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
    )]
    ScriptOutOfMemory,
    /// A script writes although it may not.
    #[error("ERR Write commands are not allowed from read-only scripts.")]
    WriteInReadOnlyScript,
    /// A script runs a command that does not exist.
    #[error("ERR Unknown Redis command called from script")]
    UnknownInScript,
    /// A script runs a command with too few or too many arguments.
    #[error("ERR Wrong number of args calling Redis command from script")]
    ArityInScript,
    /// What a script asked for is too much for it.
    #[error("ERR The reply is too long for a script")]
    ReplyTooLongForScript,
    /// A message, behind others that are not sent before the script or transaction ends.
    #[error("ERR What was published and is not sent yet takes too much memory")]
    TooMuchPublished,
    /// `SCRIPT FLUSH` with another word.
    #[error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")]
    ScriptFlushMode,
    /// `SCRIPT DEBUG` with another word.
    #[error("ERR Use SCRIPT DEBUG YES/SYNC/NO")]
    ScriptDebugMode,
    /// Scripts are not debugged here.
    #[error("ERR weir does not debug scripts")]
    NoScriptDebugger,
    /// What a script failed with.
    #[error("{}", String::from_utf8_lossy(.text))]
    ScriptFailed {
        /// The whole error.
        text: Vec<u8>,
        /// It is that of a command, which was counted when the command failed.
        is_counted: bool,
    },
    /// `SCRIPT KILL` of a script that has written.
    #[error(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
    )]
    Unkillable,
    /// Something about libraries of functions.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// A user may not do what was asked.
    #[error("{0}")]
    Denied(Box<Denied>),
    /// `SORT` with this option, of a user who may not read every key.
    #[error("ERR {0} option of SORT denied due to insufficient ACL permissions.")]
    SortDenied(&'static str),
    /// A name that no user can have.
    #[error("ERR Usernames can't contain spaces or null characters")]
    UserName,
    /// One user more than there can be.
    #[error("ERR There are too many users")]
    TooManyUsers,
    /// A rule of `ACL SETUSER`.
    #[error("ERR Error in ACL SETUSER modifier '{rule}': {fault}")]
    UserRule {
        /// The rule, cut to 128 bytes.
        rule: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A selector of `ACL SETUSER` without its end; its first word.
    #[error("ERR Unmatched parenthesis in acl selector starting at '{0}'.")]
    UnmatchedParenthesis(String),
    /// `ACL DELUSER` of the user that there must be.
    #[error("ERR The 'default' user cannot be removed")]
    DefaultUserStays,
    /// `ACL CAT` of a category that does not exist.
    #[error("ERR Unknown category '{0}'")]
    UnknownCategory(String),
    /// `ACL GENPASS` of no bits, or of too many.
    #[error(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"
    )]
    PasswordBits,
    /// `ACL DRYRUN` as a user that does not exist.
    #[error("ERR User '{0}' not found")]
    UserNotFound(String),
    /// `ACL DRYRUN` of a command that does not exist.
    #[error("ERR Command '{0}' not found")]
    CommandNotFound(String),
    /// `ACL SAVE` or `LOAD` without a file.
    #[error(
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."
    )]
    NoUserFile,
    /// `ACL SAVE` to a file that cannot be written.
    #[error(
        "ERR There was an error trying to save the ACLs. Please check the server logs for more information"
    )]
    UserFileNotWritten,
    /// `ACL LOAD` of a file that cannot be read.
    #[error("ERR Error loading ACLs, opening file '{path}': {error}")]
    UserFileNotRead {
        /// The file.
        path: String,
        /// What the system says.
        error: String,
    },
    /// `ACL LOAD` of a file with mistakes.
    #[error(
        "ERR {0} WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
    )]
    UserFileFaults(String),
    /// A text made from the request, where a variant of its own would say no more.
    #[error("{0}")]
    Text(String),
}

impl CmdError {
    /// Writes the error as a reply, byte for byte.
    pub fn write(&self, reply: &mut Reply) {
        if let CmdError::UnknownCommand(text) | CmdError::ScriptFailed { text, .. } = self {
            reply.error_bytes(text);
        } else {
            reply.error(self);
        }
    }

    /// The text before the first space, by which `INFO` counts errors.
    pub fn code(&self) -> String {
        let mut text = self.to_string();
        text.truncate(text.find(' ').unwrap_or(text.len()));
        text
    }
}

impl From<rdb::PayloadError> for CmdError {
    fn from(error: rdb::PayloadError) -> CmdError {
        match error {
            rdb::PayloadError::VersionOrChecksum => CmdError::PayloadVersion,
            rdb::PayloadError::Format(_) => CmdError::PayloadFormat,
        }
    }
}

impl From<values::hyperloglog::Fault> for CmdError {
    fn from(fault: values::hyperloglog::Fault) -> CmdError {
        match fault {
            values::hyperloglog::Fault::NotOne => CmdError::NotHyperLogLog,
            values::hyperloglog::Fault::Corrupted => CmdError::CorruptedHyperLogLog,
        }
    }
}

impl From<stream::InvalidId> for CmdError {
    fn from(_: stream::InvalidId) -> CmdError {
        CmdError::InvalidStreamId
    }
}
