//! Patterns that name a key, or a field of one, for each element.

use collections::Element;
use engine::store::apply::Store;
use values::{Hash, StringValue, Value};

/// A pattern, taken apart.
#[derive(Debug)]
pub(super) struct Lookup<'p> {
    /// The name of the key before the element.
    before: &'p [u8],
    /// The name behind it.
    after: &'p [u8],
    /// The field, if the key holds a hash.
    field: Option<&'p [u8]>,
}

/// What a pattern names.
#[derive(Debug)]
pub(super) enum Found<'s> {
    /// A key with a string.
    String(&'s StringValue),
    /// A field of a hash.
    Field(Element<'s>),
}

const ARROW: &[u8] = b"->";

impl<'p> Lookup<'p> {
    /// `None` if the pattern has no place for the element, and so names no key.
    pub(super) fn of(pattern: &'p [u8]) -> Option<Lookup<'p>> {
        let star = pattern.iter().position(|byte| *byte == b'*')?;
        let (before, after) = (pattern.get(..star)?, pattern.get(star + 1..)?);
        let arrow = after.windows(ARROW.len()).position(|it| it == ARROW);
        let parts = arrow.and_then(|at| after.split_at_checked(at));
        let parts = parts.map(|(after, field)| (after, field.strip_prefix(ARROW)));
        Some(match parts {
            Some((after, field @ Some([_, ..]))) => Lookup {
                before,
                after,
                field,
            },
            // Nothing behind an arrow is no field, and the arrow is part of the name.
            Some(_) | None => Lookup {
                before,
                after,
                field: None,
            },
        })
    }

    /// How many bytes a name has beside the element.
    pub(super) fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// What it names for an element. The name of the key is written to `key`, whatever was there.
    pub(super) fn find<'s>(
        &self,
        element: Element<'_>,
        key: &mut Vec<u8>,
        store: &'s mut Store<'_>,
    ) -> Option<Found<'s>> {
        key.clear();
        key.extend_from_slice(self.before);
        element.with_bytes(|element| key.extend_from_slice(element));
        key.extend_from_slice(self.after);
        let over_ms = store.over_ms();
        let value = store.reading().value(key)?;
        match self.field {
            None => value.get::<StringValue>().map(Found::String),
            Some(field) => field_of(value, field, over_ms).map(Found::Field),
        }
    }
}

fn field_of<'s>(value: &'s Value, field: &[u8], over_ms: u64) -> Option<Element<'s>> {
    let hash = value.get::<Hash>()?;
    hash.as_of(over_ms).get(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_taken_apart_at_its_first_star_and_arrow() {
        for (pattern, parts) in [
            ("", None),
            ("key", None),
            ("key->field", None),
            ("*", Some(("", "", None))),
            ("w_*", Some(("w_", "", None))),
            ("a*b*c", Some(("a", "b*c", None))),
            ("h*->f", Some(("h", "", Some("f")))),
            ("h*:x->f->g", Some(("h", ":x", Some("f->g")))),
            ("h->*->f", Some(("h->", "", Some("f")))),
            ("h->*", Some(("h->", "", None))),
            ("h*->", Some(("h", "->", None))),
            ("h*->*", Some(("h", "", Some("*")))),
        ] {
            let found = Lookup::of(pattern.as_bytes());
            let found = found.map(|it| (it.before, it.after, it.field));
            let parts = parts.map(
                |(before, after, field): (&str, &str, Option<&'static str>)| {
                    let field = field.map(str::as_bytes);
                    (before.as_bytes(), after.as_bytes(), field)
                },
            );
            assert_eq!(found, parts, "{pattern}");
        }
    }
}
