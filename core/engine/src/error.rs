//! Every error that a client can see. `Display` is the exact text on the wire, prefix included.
//!
//! Nothing elsewhere writes "ERR ". What only one family of commands answers is an enum of its own.

mod bitmaps;
mod clients;
mod counters;
mod denied;
mod hashes;
mod hot_keys;
mod hyperloglogs;
mod libraries;
mod migrations;
mod places;
mod scripts;
mod sorted_sets;
mod streams;
mod topology;
mod tracking;
mod users;

use resp::{Argv, Reply};
use thiserror::Error;

use crate::limits::ERROR_ECHO_BYTES_MAX;

pub use bitmaps::BitmapError;
pub use clients::ClientError;
pub use counters::CounterError;
pub use denied::{Denied, DeniedObject, DeniedWhen};
pub use hashes::HashError;
pub use hot_keys::HotKeysError;
pub use hyperloglogs::HyperLogLogError;
pub use libraries::LibraryError;
pub use migrations::MigrationError;
pub use places::PlaceError;
pub use scripts::ScriptError;
pub use sorted_sets::SortedSetError;
pub use streams::StreamError;
pub use topology::TopologyError;
pub use tracking::TrackingError;
pub use users::UserError;

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
    /// What a node of a group does not do.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// A number outside the named bound.
    #[error("ERR value is out of range")]
    OutOfRange,
    /// A number that must not be negative.
    #[error("ERR value is out of range, must be positive")]
    MustBePositive,
    /// More keys than arguments.
    #[error("ERR Number of keys can't be greater than number of args")]
    KeysBeyondArguments,
    /// Something is wrong with a command on a hash or on its fields.
    #[error(transparent)]
    Hash(#[from] HashError),
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
    /// Something is wrong with what is asked of clients.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The reply to a client whose wait `CLIENT UNBLOCK … ERROR` ended.
    #[error("UNBLOCKED client unblocked via CLIENT UNBLOCK")]
    Unblocked,
    /// The reply to a client that waits on a server which no longer leads its group.
    #[error(
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
    )]
    RoleChanged,
    /// Something is wrong with what a client asks of client-side caching.
    #[error(transparent)]
    Tracking(#[from] TrackingError),
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
    /// Something is wrong with a collection of `HOTKEYS`.
    #[error(transparent)]
    HotKeys(#[from] HotKeysError),
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
    /// `HEXPIRE` and its like with several conditions.
    #[error("ERR Multiple condition flags specified")]
    SeveralConditions,
    /// An argument of a hash command that is no option.
    #[error("ERR unknown argument: {0}")]
    UnknownArgument(String),
    /// An option of another hash command.
    #[error("ERR unknown argument")]
    ForeignArgument,
    /// A database number that does not exist.
    #[error("ERR DB index is out of range")]
    DbIndex,
    /// `WAITAOF` for more than one copy here.
    #[error("ERR value is out of range, value must between 0 and 1")]
    LocalCopies,
    /// `WAITAOF` for a copy on a disk that is not written.
    #[error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")]
    NoLocalCopies,
    /// Something is wrong with a command on bits.
    #[error(transparent)]
    Bitmap(#[from] BitmapError),
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
    /// Something is wrong with a command on a stream or on its groups.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Options of a subcommand that do not follow its grammar.
    #[error("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {command} HELP.")]
    SubcommandUsage {
        /// The subcommand as given, cut to 128 bytes.
        sub: String,
        /// The command's name in capitals.
        command: &'static str,
    },
    /// `COUNT` out of its range, in `XAUTOCLAIM` and in searches for places.
    #[error("ERR COUNT must be > 0")]
    CountNotPositive,
    /// A bound on a whole reply that is zero or negative: `MAXCOUNT` or `MAXSIZE`.
    #[error("ERR {0} must be positive")]
    BoundNotPositive(&'static str),
    /// A bound on the whole reply below the bound on each stream.
    #[error("ERR MAXCOUNT must be greater than or equal to COUNT")]
    MaxCountBelowCount,
    /// A timeout whose end is beyond any clock.
    #[error("ERR timeout is out of range")]
    TimeoutOutOfRange,
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
    /// Keys are not, or not all, handed over to another server.
    #[error(transparent)]
    Migration(#[from] MigrationError),
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
    /// Something is wrong with a command on a sorted set.
    #[error(transparent)]
    SortedSet(#[from] SortedSetError),
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
    /// Something is wrong with the options of a counter.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// Something is wrong with a place, or with a search for places.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Something is wrong with a HyperLogLog, or with what is asked of it.
    #[error(transparent)]
    HyperLogLog(#[from] HyperLogLogError),
    /// Something is wrong with a script, or with what it does.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A message, behind others that are not sent before the script or transaction ends.
    #[error("ERR What was published and is not sent yet takes too much memory")]
    TooMuchPublished,
    /// A command writes, behind others that do not reach the log before the script or transaction
    /// ends.
    #[error("ERR What was written and is not in the log yet takes too much memory")]
    TooMuchWritten,
    /// Something about libraries of functions.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// A user may not do what was asked.
    #[error("{0}")]
    Denied(Box<Denied>),
    /// Something is wrong with a user, with its rules, or with a file of users.
    #[error(transparent)]
    User(#[from] UserError),
    /// A text made from the request, where a variant of its own would say no more.
    #[error("{0}")]
    Text(String),
}

impl CmdError {
    /// The error for a request whose command there is not.
    #[cold]
    pub fn unknown_command(argv: Argv<'_>) -> CmdError {
        let mut text = b"ERR unknown command '".to_vec();
        text.extend_from_slice(cut(argv.get(0).unwrap_or_default(), ERROR_ECHO_BYTES_MAX));
        text.push(b'\'');
        if argv.len() > 1 {
            text.extend_from_slice(b", with args beginning with: ");
            let start = text.len();
            for arg in argv.skip(1).iter() {
                let echoed = text.len() - start;
                if echoed >= ERROR_ECHO_BYTES_MAX {
                    break;
                }
                text.push(b'\'');
                text.extend_from_slice(cut(arg, ERROR_ECHO_BYTES_MAX - echoed));
                text.extend_from_slice(b"' ");
            }
        }
        CmdError::UnknownCommand(text)
    }

    /// Writes the error as a reply, byte for byte.
    pub fn write(&self, reply: &mut Reply) {
        if let CmdError::UnknownCommand(text)
        | CmdError::Script(ScriptError::ScriptFailed { text, .. }) = self
        {
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

/// The beginning of a text, up to a zero byte.
pub(crate) fn cut(bytes: &[u8], len: usize) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len()).min(len)]
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
            values::hyperloglog::Fault::NotOne => {
                CmdError::HyperLogLog(HyperLogLogError::NotHyperLogLog)
            }
            values::hyperloglog::Fault::Corrupted => {
                CmdError::HyperLogLog(HyperLogLogError::CorruptedHyperLogLog)
            }
        }
    }
}

impl From<stream::InvalidId> for CmdError {
    fn from(_: stream::InvalidId) -> CmdError {
        CmdError::InvalidStreamId
    }
}
