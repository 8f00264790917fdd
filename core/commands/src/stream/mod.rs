//! Stream commands. Source of the rules: the streams and idempotence pages of the specification.

mod backoff;
mod claiming;
mod dead_letters;
mod deletion;
mod flow_control;
mod group_key;
mod ids_block;
mod interval;
mod once;
mod read_budget;
mod references_option;
mod settings_option;
mod stream_parts;
mod trim_option;
mod xack;
mod xackdel;
mod xadd;
mod xaddm;
mod xautoclaim;
mod xcfgget;
mod xcfgset;
mod xclaim;
mod xdel;
mod xdelayed;
mod xdelex;
mod xgroup;
mod xidmpepoch;
mod xidmplast;
mod xidmprecord;
mod xinfo;
mod xlen;
mod xnack;
mod xpending;
mod xrange;
mod xread;
mod xreadgroup;
mod xredrive;
mod xsetid;
mod xtouch;
mod xtrim;
mod xundelay;

use engine::command::{Entry, entry};
use resp::Reply;
use stream::{ID_TEXT_BYTES_MAX, StreamId};

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<xack::XAck>(),
    entry::<xackdel::XAckDel>(),
    entry::<xadd::XAdd>(),
    entry::<xaddm::XAddM>(),
    entry::<xautoclaim::XAutoClaim>(),
    entry::<xcfgget::XCfgGet>(),
    entry::<xcfgset::XCfgSet>(),
    entry::<xclaim::XClaim>(),
    entry::<xdel::XDel>(),
    entry::<xdelayed::XDelayed>(),
    entry::<xdelex::XDelEx>(),
    xgroup::XGROUP,
    entry::<xidmpepoch::XIdmpEpoch>(),
    entry::<xidmplast::XIdmpLast>(),
    entry::<xidmprecord::XIdmpRecord>(),
    xinfo::XINFO,
    entry::<xlen::XLen>(),
    entry::<xnack::XNack>(),
    entry::<xpending::XPending>(),
    entry::<xrange::XRange>(),
    entry::<xread::XRead>(),
    entry::<xreadgroup::XReadGroup>(),
    entry::<xredrive::XRedrive>(),
    entry::<xrange::XRevRange>(),
    entry::<xsetid::XSetId>(),
    entry::<xtouch::XTouch>(),
    entry::<xtrim::XTrim>(),
    entry::<xundelay::XUndelay>(),
];

/// Writes an ID as the bulk string `ms-seq`.
fn write_id(reply: &mut Reply, id: StreamId) {
    reply.bulk(id.write_text(&mut [0; ID_TEXT_BYTES_MAX]));
}
