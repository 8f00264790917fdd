//! `SORT` and `SORT_RO`.
//!
//! A frozen view of the value is sorted, so that looking up other keys, which may have expired,
//! changes nothing of it. What one command may look at is bounded ([`Budget`]).

mod budget;
mod lookup;
mod order;
mod request;
mod source;

use collections::Element;
use collections::element::SHARED_BYTES_MIN;
use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, UserError};
use engine::store::effect::{Effect, KeyChange, event, list};
use engine::table::{Arg, Arity, Categories, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::Member;

use self::budget::Budget;
use self::lookup::Found;
use self::order::{Order, sorted};
use self::request::{By, Get, Request, Storing};
use self::source::Source;
use crate::element::reply_element;
use crate::string::reply_string;

/// What the rows have in common.
const FAMILY: Spec = Spec {
    group: Group::Generic,
    complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).",
    arity: Arity::AtLeast(2),
    categories: Categories::SET
        .and(Categories::SORTED_SET)
        .and(Categories::LIST)
        .and(Categories::DANGEROUS),
    ..Spec::named("")
};

const SORTED: KeySpec = KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS));
const LOOKED_UP: KeySpec = KeySpec::unknown(KeyFlags::RO.and(KeyFlags::ACCESS), |_| None).noted(
    "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from \
     the content of the key we sort",
);
const STORED: KeySpec = KeySpec::unknown(KeyFlags::OW.and(KeyFlags::UPDATE), destination).noted(
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear \
     anywhere in the argument array",
);

const KEY: Arg = Arg::key("key", 0);
const BY: Arg = Arg::key_pattern("by-pattern", 1)
    .token("BY")
    .display("pattern")
    .optional();
const LIMIT: Arg = Arg::block("limit", &[Arg::integer("offset"), Arg::integer("count")])
    .token("LIMIT")
    .optional();
const GET: Arg = Arg::key_pattern("get-pattern", 1)
    .token("GET")
    .display("pattern")
    .optional()
    .multiple_token();
const ORDER: Arg = Arg::one_of(
    "order",
    &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")],
)
.optional();
const SORTING: Arg = Arg::word("sorting", "ALPHA").optional();

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA] [STORE key]`
pub(super) struct Sort;

impl Command for Sort {
    const SPEC: Spec = Spec {
        name: "sort",
        summary: "Sorts a list, a set or a sorted set, and answers or stores the elements.",
        flags: Flags::DENY_OOM.and(Flags::MOVABLE_KEYS).and(Flags::WRITE),
        keys: &[SORTED, LOOKED_UP, STORED],
        args: &[
            KEY,
            BY,
            LIMIT,
            GET,
            ORDER,
            SORTING,
            Arg::key("destination", 2).token("STORE").optional(),
        ],
        compat: Compat::Differs(
            "Texts are compared byte by byte and to their ends; without STORE, Redis goes by the \
             locale of its process, and stops at a zero byte. What is the same stays in its order \
             with LIMIT too. STORE serves those who wait for a list even if the key held a value \
             of another type. OBJECT ENCODING calls a stored list \
             what it calls one that RPUSH has filled. One SORT looks at no more than \
             4,194,304 elements and keys, and at no more than 512 MB of them.",
        ),
        ..FAMILY
    };
    type Parsed<'a> = Request<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Request<'a>, CmdError> {
        Request::parse(args, Storing::Allowed)
    }

    fn execute(cmd: Request<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        sort(&cmd, ctx)
    }
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA]`
pub(super) struct SortRo;

impl Command for SortRo {
    const SPEC: Spec = Spec {
        name: "sort_ro",
        summary: "Sorts a list, a set or a sorted set, and answers the elements.",
        since: "7.0.0",
        flags: Flags::MOVABLE_KEYS.and(Flags::READONLY),
        keys: &[SORTED, LOOKED_UP],
        args: &[KEY, BY, LIMIT, GET, ORDER, SORTING],
        compat: Compat::Differs(
            "Texts are compared byte by byte and to their ends; Redis goes by the locale of its \
             process, and stops at a zero byte. What is the same stays in its order with LIMIT \
             too. One SORT_RO looks at no more than 4,194,304 elements and keys, and at no more \
             than 512 MB of them.",
        ),
        ..FAMILY
    };
    type Parsed<'a> = Request<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Request<'a>, CmdError> {
        Request::parse(args, Storing::Unknown)
    }

    fn execute(cmd: Request<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        sort(&cmd, ctx)
    }
}

/// Where the key is that the last `STORE` of a request names.
fn destination(request: Argv<'_>) -> Option<usize> {
    let is = |at: usize, word: &str| {
        let arg = request.get(at);
        arg.is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let (mut at, mut found) = (2, None);
    while at < request.len() {
        at += if is(at, "LIMIT") {
            3
        } else if is(at, "BY") || is(at, "GET") {
            2
        } else if is(at, "STORE") && at + 1 < request.len() {
            found = Some(at + 1);
            2
        } else {
            1
        };
    }
    found
}

fn sort(request: &Request<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    if let Some(option) = request.reads_all_keys
        && !ctx.server.reads_all_keys(ctx.session, request.whole)
    {
        return Err(CmdError::User(UserError::SortDenied(option)));
    }
    let source = Source::of(ctx.store.reading().value(request.key))?;
    let mut budget = Budget::WHOLE;
    let elements = chosen(request, &source, &mut budget, ctx)?;
    let lookups = request.get.iter().filter_map(Get::as_lookup);
    let of_patterns: usize = lookups.clone().map(|lookup| lookup.len()).sum();
    let of_elements: usize = match lookups.clone().next() {
        Some(_) => elements.iter().map(Element::len).sum(),
        None => 0,
    };
    let bytes = of_elements.saturating_mul(lookups.count());
    budget.take(
        elements.len().saturating_mul(request.get.len()),
        bytes.saturating_add(of_patterns.saturating_mul(elements.len())),
    )?;
    match request.store {
        Some(to) => store(to, &elements, &request.get, &mut budget, ctx)?,
        None => answer(&elements, &request.get, ctx),
    }
    Ok(Flow::Done)
}

/// The elements that are asked for, in their order.
fn chosen<'s>(
    request: &Request<'_>,
    source: &'s Source,
    budget: &mut Budget,
    ctx: &mut Ctx<'_>,
) -> Result<Vec<Element<'s>>, CmdError> {
    let range = request.range(source.len());
    let by = match request.by {
        // What is stored must not depend on how a set is kept.
        By::Nothing if source.is_in_no_order() && request.store.is_some() => None,
        By::Nothing => return Ok(source.range(range, request.direction)),
        By::Themselves => None,
        By::Keys(ref lookup) => Some(lookup),
    };
    let order = match request.by {
        By::Nothing => Order::Texts,
        By::Themselves | By::Keys(_) => request.order,
    };
    budget.take(source.len(), 0)?;
    sorted(source, (by, order), request.direction, range, budget, ctx)
}

/// Answers the elements, or what the patterns name for each.
fn answer(elements: &[Element<'_>], get: &[Get<'_>], ctx: &mut Ctx<'_>) {
    let (reply, store) = (&mut *ctx.reply, &mut ctx.store);
    reply.array(elements.len() * get.len().max(1));
    if get.is_empty() {
        reply.each(elements, |reply, element| {
            reply_element(Some(*element), reply);
        });
        return;
    }
    let wanted = elements.iter().flat_map(|element| {
        let of_element = move |get| (*element, get);
        get.iter().map(of_element)
    });
    let mut key = Vec::new();
    reply.each(wanted, |reply, (element, get)| match get {
        Get::Element => reply_element(Some(element), reply),
        Get::Nothing => reply.null(),
        Get::Of(lookup) => match lookup.find(element, &mut key, store) {
            Some(Found::String(string)) => reply_string(Some(string), reply),
            Some(Found::Field(value)) => reply_element(Some(value), reply),
            None => reply.null(),
        },
    });
}

/// Stores the same as a list; what is missing is an empty element.
fn store(
    to: &[u8],
    elements: &[Element<'_>],
    get: &[Get<'_>],
    budget: &mut Budget,
    ctx: &mut Ctx<'_>,
) -> Result<(), CmdError> {
    let get = match get {
        [] => &[Get::Element],
        get => get,
    };
    let mut stored = Vec::with_capacity(elements.len() * get.len());
    let mut key = Vec::new();
    for element in elements {
        for get in get {
            let member = match get {
                Get::Element => Member::from(*element),
                Get::Nothing => member_of(b""),
                Get::Of(lookup) => match lookup.find(*element, &mut key, &mut ctx.store) {
                    Some(Found::String(string)) => {
                        budget.take(0, string.len())?;
                        string.with_bytes(member_of)
                    }
                    Some(Found::Field(value)) => Member::from(value),
                    None => member_of(b""),
                },
            };
            if !matches!(get, Get::Of(_)) {
                budget.take(0, member.as_bytes().len())?;
            }
            stored.push(member);
        }
    }
    if !stored.is_empty() {
        let change = list::ListChange::Store { elements: &stored };
        let event = list::events::SORTSTORE;
        ctx.store.apply(&Effect::on(to, change), event);
    } else if ctx.store.peek(to).is_some() {
        let delete = Effect::on(to, KeyChange::Delete);
        ctx.store.apply(&delete, event::DEL);
    }
    ctx.reply.count(stored.len());
    Ok(())
}

/// An element of the list that is stored.
fn member_of(bytes: &[u8]) -> Member {
    match bytes.len() < SHARED_BYTES_MIN {
        true => Member::from(Element::Text(bytes)),
        false => Member::Shared(resp::Large::new(bytes.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use resp::ArgvBuf;

    use super::*;

    #[test]
    fn the_last_destination_is_found_where_it_is_no_value_of_an_option() {
        for (request, at) in [
            ("SORT l", None),
            ("SORT l STORE", None),
            ("SORT l store a", Some(3)),
            ("SORT l STORE a ALPHA STORE b", Some(6)),
            ("SORT l BY store GET store STORE a", Some(7)),
            ("SORT l LIMIT store store STORE a", Some(6)),
            ("SORT l STORE STORE STORE", Some(3)),
        ] {
            let argv: ArgvBuf = request.split(' ').collect();
            assert_eq!(destination(argv.as_argv()), at, "{request}");
        }
    }
}
