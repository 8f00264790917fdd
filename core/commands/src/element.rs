//! Elements of collections in replies: copied if they are short, referred to if they are long.

use collections::Element;
use resp::Reply;

/// Answers an element, or null if there is none.
#[inline]
pub(crate) fn reply_element(element: Option<Element<'_>>, reply: &mut Reply) {
    match element {
        Some(Element::Integer(integer)) => reply.bulk_int(integer),
        Some(Element::Text(bytes)) => reply.bulk(bytes),
        Some(Element::Shared(bytes)) if reply.refers_to(bytes.len()) => {
            reply.bulk_shared(Box::new(bytes.clone()));
        }
        Some(Element::Shared(bytes)) => reply.bulk(bytes),
        None => reply.null(),
    }
}
