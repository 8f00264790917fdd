//! `FIELDS numfields field [field …]`, as the hash commands of 7.4 and later have it.

use collections::map::Entry;
use engine::args::{Args, parse_i64};
use engine::error::{CmdError, HashError};
use engine::table::Arg;
use resp::{Argv, Reply};
use smallvec::{SmallVec, smallvec};
use values::Fields;

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

/// What becomes of a field that is named.
#[derive(Clone, Copy)]
pub(super) enum Decided {
    /// It stays as it is, and this is answered.
    Stays(i8),
    /// It changes, and this is answered.
    Changes(i8),
}

/// Finds fields in an order that suits the hash, equal ones in theirs, and answers for each what
/// `decide` makes of it, in the order in which they are named. Returns those that change.
pub(super) fn answer_each<'a>(
    all: Fields<'_>,
    named: Argv<'a>,
    reply: &mut Reply,
    mut decide: impl FnMut(Option<Entry<'_, 2>>) -> Decided,
) -> Vec<&'a [u8]> {
    let mut decided: SmallVec<[Decided; DECIDED_IN_PLACE]> =
        smallvec![Decided::Stays(0); named.len()];
    let mut count = 0;
    let field_of = |number| named.get(number).unwrap_or_default();
    all.find_each_by_number(named.len(), field_of, |number, found| {
        decided[number] = decide(found);
        count += usize::from(matches!(decided[number], Decided::Changes(_)));
    });
    let mut changed = Vec::with_capacity(count);
    reply.array(decided.len());
    for (field, decided) in named.iter().zip(decided) {
        reply.int(match decided {
            Decided::Stays(answer) => i64::from(answer),
            Decided::Changes(answer) => {
                changed.push(field);
                i64::from(answer)
            }
        });
    }
    changed
}

/// What is decided on so many fields needs no memory of its own.
const DECIDED_IN_PLACE: usize = 32;
