//! Members and scores in replies.

use resp::{Protocol, Reply};
use values::sorted_set::Member;

/// Answers members, `len` of them, each with its score if that is asked for: in pairs, which RESP2
/// does not have.
pub(super) fn reply_members<'s>(
    members: impl Iterator<Item = Member<'s>>,
    len: usize,
    with_scores: bool,
    reply: &mut Reply,
) {
    let are_pairs = with_scores && reply.protocol() == Protocol::Resp3;
    reply.array(if with_scores && !are_pairs {
        2 * len
    } else {
        len
    });
    reply.each(members, |reply, it| {
        if are_pairs {
            reply.array(2);
        }
        reply.bulk(it.member);
        if with_scores {
            reply.double(it.score);
        }
    });
}
