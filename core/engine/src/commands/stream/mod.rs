//! Stream commands. Source of the rules: the streams and idempotence pages of the specification.

mod block_option;
mod claiming;
mod group_key;
mod ids_block;
mod interval;
mod read_budget;
mod xack;
mod xackdel;
mod xautoclaim;
mod xclaim;
mod xgroup;
mod xinfo;
mod xlen;
mod xnack;
mod xpending;
mod xreadgroup;

use resp::Reply;
use stream::{ID_TEXT_BYTES_MAX, StreamId};

use crate::table::{Entry, entry};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<xack::XAck>(),
    entry::<xackdel::XAckDel>(),
    entry::<xautoclaim::XAutoClaim>(),
    entry::<xclaim::XClaim>(),
    xgroup::XGROUP,
    xinfo::XINFO,
    entry::<xlen::XLen>(),
    entry::<xnack::XNack>(),
    entry::<xpending::XPending>(),
    entry::<xreadgroup::XReadGroup>(),
];

/// Writes an ID as the bulk string `ms-seq`.
fn write_id(reply: &mut Reply, id: StreamId) {
    reply.bulk(id.write_text(&mut [0; ID_TEXT_BYTES_MAX]));
}
