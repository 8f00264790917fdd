//! Members and scores in replies.

use collections::Element;
use resp::{Protocol, Reply};
use values::sorted_set::Member;

use crate::element::write_element;

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
    reply.each_text(members, |texts, (member, score)| {
        if are_pairs {
            texts.with_reply(|reply| reply.array(2));
        }
        write_element(member, texts);
        if with_scores {
            texts.double(score);
        }
    });
}

/// A member as an element, with its score.
pub(super) fn as_element(it: Member<'_>) -> (Element<'_>, f64) {
    (Element::Text(it.member), it.score)
}
