//! `GEORADIUS` and `GEORADIUSBYMEMBER`, and their forms that only read. `GEOSEARCH` does the same.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, PlaceError};
use engine::store::effect::sorted_set::events;
use engine::table::{
    Arg, Arity, BeginSearch, Compat, Deprecated, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Argv;
use values::SortedSet;

use super::query::{Options, Stored, Unit, parse_circle, parse_position, position_of_member};
use super::sphere::{Position, Shape};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "3.2.0",
    group: Group::Geo,
    complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
    history: &[
        ("6.2.0", "`ANY` with `COUNT`."),
        ("7.0.0", "Unit names in any case of letters."),
    ],
    compat: Compat::Differs(super::ORDER),
    ..Spec::named("")
};

const FROM: KeySpec = KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS));

/// The key behind a word, which clients look for from a position on; `find` looks for it where it
/// counts.
const fn to(word: &'static str, from: i8, find: fn(Argv<'_>) -> Option<usize>) -> KeySpec {
    KeySpec {
        flags: KeyFlags::OW.and(KeyFlags::UPDATE),
        begin: BeginSearch::Last(word, from, find),
        find: FindKeys::Range {
            last: 0,
            step: 1,
            limit: 0,
        },
        notes: "",
    }
}

/// Where the key behind a word stands: of several, the last counts. Options begin at a position. A
/// word that is itself a key counts only if it stands nowhere else.
fn destination(request: Argv<'_>, options: usize, word: &str) -> Option<usize> {
    let is = |at: usize, word: &str| {
        let arg = request.get(at);
        arg.is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let (mut at, mut found) = (options, None);
    while at < request.len() {
        at += if is(at, "COUNT") {
            2
        } else if (is(at, "STORE") || is(at, "STOREDIST")) && at + 1 < request.len() {
            found = if is(at, word) { Some(at + 1) } else { found };
            2
        } else {
            1
        };
    }
    found.or_else(|| {
        let mut places = options..request.len().saturating_sub(1);
        places.find(|at| is(*at, word)).map(|at| at + 1)
    })
}

const RADIUS: Arg = Arg::double("radius");
const WITHCOORD: Arg = Arg::word("withcoord", "WITHCOORD").optional();
const WITHDIST: Arg = Arg::word("withdist", "WITHDIST").optional();
const WITHHASH: Arg = Arg::word("withhash", "WITHHASH").optional();
const COUNT: Arg = Arg::block(
    "count-block",
    &[
        Arg::integer("count").token("COUNT"),
        Arg::word("any", "ANY").optional().since("6.2.0"),
    ],
)
.optional();
const COUNT_BY_MEMBER: Arg = Arg::block(
    "count-block",
    &[
        Arg::integer("count").token("COUNT"),
        Arg::word("any", "ANY").optional(),
    ],
)
.optional();
const ORDER: Arg = Arg::one_of(
    "order",
    &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")],
)
.optional();
const STORE: Arg = Arg::one_of(
    "store",
    &[
        Arg::key("storekey", 1).token("STORE").display("key"),
        Arg::key("storedistkey", 2)
            .token("STOREDIST")
            .display("key"),
    ],
)
.optional();

const WRITES: Flags = Flags::DENY_OOM.and(Flags::MOVABLE_KEYS).and(Flags::WRITE);

/// `GEORADIUS key longitude latitude radius unit [options]`
pub(super) struct GeoRadius;

impl Command for GeoRadius {
    const SPEC: Spec = Spec {
        name: "georadius",
        summary: "Finds places within a circle, and may store them.",
        arity: Arity::AtLeast(6),
        flags: WRITES,
        keys: &[
            FROM,
            to("STORE", 6, |request| destination(request, 6, "STORE")),
            to("STOREDIST", 6, |request| {
                destination(request, 6, "STOREDIST")
            }),
        ],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::double("longitude"),
            Arg::double("latitude"),
            RADIUS,
            super::UNIT,
            WITHCOORD,
            WITHDIST,
            WITHHASH,
            COUNT,
            ORDER,
            STORE,
        ],
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok((args.required()?, args.rest()))
    }

    fn execute((key, rest): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        find(key, rest, Form::POSITION, ctx)
    }
}

/// `GEORADIUS_RO key longitude latitude radius unit [options]`
pub(super) struct GeoRadiusRo;

impl Command for GeoRadiusRo {
    const SPEC: Spec = Spec {
        name: "georadius_ro",
        summary: "Finds places within a circle.",
        since: "3.2.10",
        arity: Arity::AtLeast(6),
        flags: Flags::READONLY,
        keys: &[FROM],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` with the `BYRADIUS` argument",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::double("longitude"),
            Arg::double("latitude"),
            RADIUS,
            super::UNIT,
            WITHCOORD,
            WITHDIST,
            WITHHASH,
            COUNT,
            ORDER,
        ],
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok((args.required()?, args.rest()))
    }

    fn execute((key, rest): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        find(key, rest, Form::POSITION.reading_only(), ctx)
    }
}

/// `GEORADIUSBYMEMBER key member radius unit [options]`
pub(super) struct GeoRadiusByMember;

impl Command for GeoRadiusByMember {
    const SPEC: Spec = Spec {
        name: "georadiusbymember",
        summary: "Finds places within a circle around one of them, and may store them.",
        arity: Arity::AtLeast(5),
        flags: WRITES,
        keys: &[
            FROM,
            to("STORE", 5, |request| destination(request, 5, "STORE")),
            to("STOREDIST", 5, |request| {
                destination(request, 5, "STOREDIST")
            }),
        ],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::string("member"),
            RADIUS,
            super::UNIT,
            WITHCOORD,
            WITHDIST,
            WITHHASH,
            COUNT_BY_MEMBER,
            ORDER,
            STORE,
        ],
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok((args.required()?, args.rest()))
    }

    fn execute((key, rest): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        find(key, rest, Form::MEMBER, ctx)
    }
}

/// `GEORADIUSBYMEMBER_RO key member radius unit [options]`
pub(super) struct GeoRadiusByMemberRo;

impl Command for GeoRadiusByMemberRo {
    const SPEC: Spec = Spec {
        name: "georadiusbymember_ro",
        summary: "Finds places within a circle around one of them.",
        since: "3.2.10",
        arity: Arity::AtLeast(5),
        flags: Flags::READONLY,
        keys: &[FROM],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
        }),
        args: &[
            Arg::key("key", 0),
            Arg::string("member"),
            RADIUS,
            super::UNIT,
            WITHCOORD,
            WITHDIST,
            WITHHASH,
            COUNT_BY_MEMBER,
            ORDER,
        ],
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        Ok((args.required()?, args.rest()))
    }

    fn execute((key, rest): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        find(key, rest, Form::MEMBER.reading_only(), ctx)
    }
}

/// What the commands differ in.
#[derive(Debug, Clone, Copy)]
struct Form {
    by_member: bool,
    may_store: bool,
}

impl Form {
    const POSITION: Form = Form {
        by_member: false,
        may_store: true,
    };
    const MEMBER: Form = Form {
        by_member: true,
        may_store: true,
    };

    const fn reading_only(self) -> Form {
        Form {
            may_store: false,
            ..self
        }
    }
}

fn find(key: &[u8], rest: Argv<'_>, form: Form, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let set = ctx.store.reading().get::<SortedSet>(key)?.cloned();
    let Wanted {
        centre,
        circle: (shape, unit),
        options,
        stored,
    } = Wanted::parse(rest, form, set.as_ref())?;
    let hits = match (&set, centre) {
        (Some(set), Some(centre)) => options.search(centre, shape).run(set),
        (_, _) => Vec::new(),
    };
    match stored {
        Some((to, stored)) => {
            stored.store(to, (&hits, unit), events::GEORADIUSSTORE, ctx);
        }
        None => options.reply(&hits, unit, ctx.reply),
    }
    Ok(Flow::Done)
}

struct Wanted<'a> {
    centre: Option<Position>,
    circle: (Shape, Unit),
    options: Options,
    stored: Option<(&'a [u8], Stored)>,
}

impl<'a> Wanted<'a> {
    fn parse(argv: Argv<'a>, form: Form, set: Option<&SortedSet>) -> Result<Wanted<'a>, CmdError> {
        let mut args = Args::new(argv, 0);
        let args = &mut args;
        let (mut centre, mut circle) = (None, (Shape::Circle { radius: 0.0 }, Unit::METRE));
        if form.by_member && set.is_none() {
            // Nothing is read of a circle around what cannot be there.
            args.take(3)?;
        } else {
            centre = match form.by_member {
                true => position_of_member(args.required()?, set)?,
                false => Some(parse_position(args)?),
            };
            circle = parse_circle(args)?;
        }
        let (mut options, mut stored) = (Options::default(), None);
        while args.left() > 0 {
            if options.take(args)? {
            } else if form.may_store && args.keyword_with_value("STORE") {
                stored = Some((args.required()?, Stored::Scores));
            } else if form.may_store && args.keyword_with_value("STOREDIST") {
                stored = Some((args.required()?, Stored::Distances));
            } else {
                return Err(CmdError::Syntax);
            }
        }
        if stored.is_some() && options.have_details() {
            return Err(CmdError::Place(PlaceError::DetailsOfStored(
                "STORE option in GEORADIUS",
            )));
        }
        options.check()?;
        Ok(Wanted {
            centre,
            circle,
            options,
            stored,
        })
    }
}
