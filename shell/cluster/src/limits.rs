//! Every bound of this crate, in numbers and in time.

use std::time::Duration;

/// Longest name of a group of nodes, in bytes. It is part of names in NATS.
pub const GROUP_NAME_BYTES_MAX: usize = 32;

/// Most servers of NATS that a log has copies on; NATS allows no more.
pub const REPLICAS_MAX: u8 = 5;

/// Fewest copies of a log that survive the loss of a server.
pub const REPLICAS_MIN: u8 = 3;

/// Oldest NATS server whose log is trusted, as major and minor version. Those before lost what they
/// had acknowledged in ways that were repaired since.
pub const VERSION_MIN: (u32, u32) = (2, 15);

/// Most records that one request asks a replica for.
pub const RECORDS_PER_READ: u32 = 256;

/// Most bytes that one request asks a replica for. A longer record comes alone.
pub const BYTES_PER_READ: u32 = 4 << 20;

/// A request for records that has had no answer for this long is sent again: whoever was to answer
/// may be gone. Another replica may get it then.
pub const READ_AGAIN: Duration = Duration::from_millis(50);

/// For each request that had no answer the next ones may take twice as long, so that servers that
/// are only slow are not asked in vain; at most this often.
pub const READ_AGAIN_DOUBLED_MAX: u32 = 3;

/// How often a server that says nothing is asked whether it is still there. When the third question
/// is due and none was answered, another server is tried.
pub const PING_INTERVAL: Duration = Duration::from_millis(150);

/// How long a server may take to welcome a connection before the next one is tried.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);

/// How long to wait when no server could be reached, before all of them are tried again.
pub const RECONNECT_PAUSE: Duration = Duration::from_millis(50);

/// How long servers may take, all in all, until the stream is there and checked. Three of them that
/// have just been started elect twice, and take up to 9 seconds each time.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one question may take while the log is opened, before it is asked again.
pub const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);

/// What NATS puts around a record, in bytes: headers of the message, generously.
pub const ENVELOPE_BYTES: usize = 1024;

/// The header of a record, in bytes.
pub const RECORD_HEADER_BYTES: usize = 96;

/// How much is read of what a node says of itself in the folder of snapshots, in bytes: more than
/// the digits of any number.
pub(crate) const READ_FILE_BYTES_MAX: u64 = 32;

/// Longest message of a node about itself, in bytes.
pub const PRESENCE_BYTES_MAX: usize = 4096;

/// How often a node tells the others of itself.
pub const PRESENCE_EVERY: Duration = Duration::from_secs(1);

/// How long to listen for nodes before none is taken to be there.
pub const LISTEN_FOR_NODES: Duration = Duration::from_secs(4);

/// How often those who keep the log are asked whether they can still be trusted.
pub const CHECK_EVERY: Duration = Duration::from_secs(60);

/// The pause after the whole log was verified, before that begins again.
pub const VERIFY_PAUSE: Duration = Duration::from_secs(600);

/// How long a log may not give a record that it says it has, before that counts as missing.
pub const VERIFY_SHORTFALL: Duration = Duration::from_secs(15);

/// How long the log may not answer whoever verifies all of it at once, before that is given up.
pub const VERIFY_PATIENCE: Duration = Duration::from_secs(30);
