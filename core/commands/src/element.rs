//! Elements of collections in replies, copied if they are short and referred to if they are long.

use collections::Element;
use resp::{Reply, Texts};

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

/// Answers an element, as one of many.
#[inline(always)]
pub(crate) fn write_element(element: Element<'_>, texts: &mut Texts<'_>) {
    match element {
        Element::Text(bytes) => texts.bulk(bytes),
        Element::Integer(integer) => texts.bulk_int(integer),
        Element::Shared(bytes) => texts.bulk_long(bytes),
    }
}
