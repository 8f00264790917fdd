//! Members and scores in replies.

use collections::Element;
use resp::{Protocol, Reply};
use values::sorted_set::Member;

use crate::element::reply_element;

/// Answers members, `len` of them, each with its score if that is asked for: in pairs, which RESP2
/// does not have.
pub(super) fn reply_members<'s>(
    members: impl Iterator<Item = (Element<'s>, f64)>,
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
    reply.each(members, |reply, (member, score)| {
        if are_pairs {
            reply.array(2);
        }
        reply_element(Some(member), reply);
        if with_scores {
            reply.double(score);
        }
    });
}

/// A member as an element, with its score.
pub(super) fn as_element(it: Member<'_>) -> (Element<'_>, f64) {
    (Element::Text(it.member), it.score)
}
