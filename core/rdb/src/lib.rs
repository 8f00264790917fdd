//! Bytes to values and back: snapshots, `DUMP` and `RESTORE` share one codec.
//!
//! The format is Redis' own: weir reads what Redis up to 8.10 writes for the types it has, and
//! Redis 8.6 reads what weir writes. Bytes are read and written in pieces (`source.rs`), so a file
//! need not fit into memory. Foreign bytes are never trusted: lengths are checked before memory is
//! reserved, and a fault names its offset; values of types that weir lacks are skipped and named.
//! The shell deals with files, with the journal's manifest and with what becomes of a value.
#![deny(clippy::indexing_slicing)]

mod checksum;
mod code;
mod context;
mod decode;
mod digest;
mod encode;
mod error;
mod functions;
mod hash;
pub mod limits;
mod list;
mod listpack;
mod lzf;
mod payload;
mod row;
mod set;
mod skip;
mod snapshot;
mod sorted_set;
mod source;
mod stream;
mod string;
mod value;
mod ziplist;

pub use context::{Context, Packing};
pub use digest::Digest;
pub use encode::Compression;
pub use error::{Fault, FormatError, LibrariesError, PayloadError, ReadError};
pub use functions::{dump_libraries, restore_libraries};
pub use payload::{dump, dump_in, expected_bytes, restore, sign, type_left_out};
pub use snapshot::{Item, Record, SnapshotReader, SnapshotWriter, Usage};
pub use source::{Sink, Source};
