//! `FIELDS numfields field [field …]`, as the hash commands of 7.4 and later have it.

use engine::args::{Args, parse_i64};
use engine::error::{CmdError, HashError};
use engine::table::Arg;
use resp::Argv;

use crate::element::head;

/// The fields in the grammar.
pub(super) const FIELDS: Arg = Arg::block(
    "fields",
    &[Arg::integer("numfields"), Arg::string("field").multiple()],
)
.token("FIELDS");

/// A key, and fields that stand right behind it and are all that does. What is wrong with them is
/// told only once it is clear that the key can be a hash.
pub(super) struct KeyAndFields<'a> {
    pub(super) key: &'a [u8],
    pub(super) fields: Result<Argv<'a>, CmdError>,
}

impl<'a> KeyAndFields<'a> {
    pub(super) fn parse(args: &mut Args<'a>) -> Result<KeyAndFields<'a>, CmdError> {
        let key = args.required()?;
        let fields = fields(args.rest());
        Ok(KeyAndFields { key, fields })
    }
}

fn fields(all: Argv<'_>) -> Result<Argv<'_>, CmdError> {
    let mut args = Args::new(all, 0);
    if !args.keyword("FIELDS") {
        return Err(CmdError::Hash(HashError::FieldsPlace));
    }
    let number = args.next().and_then(parse_i64).filter(|number| *number > 0);
    let number = number.ok_or(CmdError::Hash(HashError::FieldsNumber))?;
    match usize::try_from(number) {
        Ok(number) if number == args.left() => Ok(args.rest()),
        Ok(_) | Err(_) => Err(CmdError::Hash(HashError::FieldsMismatch)),
    }
}

/// How many fields follow `FIELDS` among options: at most as many as Redis counts in 31 bits.
pub(super) fn number_among_options(args: &mut Args<'_>) -> Option<usize> {
    let number = args.next().and_then(parse_i64)?;
    let number = i32::try_from(number).ok().filter(|number| *number > 0)?;
    usize::try_from(number).ok()
}

/// An argument as errors show it.
pub(super) fn shown(arg: &[u8]) -> String {
    String::from_utf8_lossy(arg).into_owned()
}

/// Puts names into the order of their bytes. Most of many differ within the first eight, which are
/// compared without a look at the names themselves.
pub(super) fn sort_names(names: &mut [&[u8]]) {
    if names.len() < MANY_NAMES {
        names.sort_unstable();
        return;
    }
    let mut sorted: Vec<(u64, &[u8])> = names.iter().map(|name| (head(name), *name)).collect();
    sorted.sort_unstable();
    for (name, (_, next)) in names.iter_mut().zip(sorted) {
        *name = next;
    }
}

/// From so many names on, memory of their own pays.
const MANY_NAMES: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_in_the_order_of_their_bytes(
            names in prop::collection::vec(prop::collection::vec(0..3_u8, 0..12), 0..300),
        ) {
            let mut sorted: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            sort_names(&mut sorted);
            prop_assert!(sorted.is_sorted());
            prop_assert_eq!(sorted.len(), names.len());
        }
    }
}
