//! `GEOSEARCH` and `GEOSEARCHSTORE`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::{CmdError, PlaceError};
use engine::store::effect::sorted_set::events;
use engine::table::{Arg, Arity, Compat, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Argv;
use values::SortedSet;

use super::query::{
    Options, Stored, Unit, parse_box, parse_circle, parse_position, position_of_member,
};
use super::search::Search;
use super::sphere::{Position, Shape};

/// What the rows have in common.
const FAMILY: Spec = Spec {
    since: "6.2.0",
    group: Group::Geo,
    complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
    history: &[("7.0.0", "Unit names in any case of letters.")],
    compat: Compat::Differs(super::ORDER),
    ..Spec::named("")
};

const FROM: Arg = Arg::one_of(
    "from",
    &[
        Arg::string("member").token("FROMMEMBER"),
        Arg::block(
            "fromlonlat",
            &[Arg::double("longitude"), Arg::double("latitude")],
        )
        .token("FROMLONLAT"),
    ],
);

const BY: Arg = Arg::one_of(
    "by",
    &[
        Arg::block(
            "circle",
            &[Arg::double("radius").token("BYRADIUS"), super::UNIT],
        ),
        Arg::block(
            "box",
            &[
                Arg::double("width").token("BYBOX"),
                Arg::double("height"),
                super::UNIT,
            ],
        ),
    ],
);

const ORDER: Arg = Arg::one_of(
    "order",
    &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")],
)
.optional();

const COUNT: Arg = Arg::block(
    "count-block",
    &[
        Arg::integer("count").token("COUNT"),
        Arg::word("any", "ANY").optional(),
    ],
)
.optional();

/// `GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude
/// BYRADIUS radius unit | BYBOX width height unit [ASC | DESC] [COUNT count [ANY]] [WITHCOORD]
/// [WITHDIST] [WITHHASH]`
pub(super) struct GeoSearch;

impl Command for GeoSearch {
    const SPEC: Spec = Spec {
        name: "geosearch",
        summary: "Finds places within a circle or a box.",
        arity: Arity::AtLeast(7),
        flags: Flags::READONLY,
        keys: &[KeySpec::at(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        args: &[
            Arg::key("key", 0),
            FROM,
            BY,
            ORDER,
            COUNT,
            Arg::word("withcoord", "WITHCOORD").optional(),
            Arg::word("withdist", "WITHDIST").optional(),
            Arg::word("withhash", "WITHHASH").optional(),
        ],
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let key = args.required()?;
        let whole = args.whole();
        let _ = args.rest();
        Ok((key, whole))
    }

    fn execute((key, whole): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.get::<SortedSet>(key)?;
        let wanted = Wanted::parse(whole, false, set)?;
        let hits = match (set, wanted.search()) {
            (Some(set), Some(search)) => search.run(set),
            (_, _) => Vec::new(),
        };
        wanted.options.reply(&hits, wanted.unit, ctx.reply);
        Ok(Flow::Done)
    }
}

/// `GEOSEARCHSTORE destination source FROMMEMBER member | FROMLONLAT longitude latitude
/// BYRADIUS radius unit | BYBOX width height unit [ASC | DESC] [COUNT count [ANY]] [STOREDIST]`
pub(super) struct GeoSearchStore;

impl Command for GeoSearchStore {
    const SPEC: Spec = Spec {
        name: "geosearchstore",
        summary: "Stores places within a circle or a box.",
        arity: Arity::AtLeast(8),
        flags: Flags::DENY_OOM.and(Flags::WRITE),
        keys: &[
            KeySpec::at(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::at(2, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        args: &[
            Arg::key("destination", 0),
            Arg::key("source", 1),
            FROM,
            BY,
            ORDER,
            COUNT,
            Arg::word("storedist", "STOREDIST").optional(),
        ],
        ..FAMILY
    };
    type Parsed<'a> = (&'a [u8], &'a [u8], Argv<'a>);

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let (to, from) = (args.required()?, args.required()?);
        let whole = args.whole();
        let _ = args.rest();
        Ok((to, from, whole))
    }

    fn execute((to, from, whole): Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let set = ctx.store.reading().get::<SortedSet>(from)?.cloned();
        let wanted = Wanted::parse(whole, true, set.as_ref())?;
        let hits = match (&set, wanted.search()) {
            (Some(set), Some(search)) => search.run(set),
            (_, _) => Vec::new(),
        };
        let hits = (hits.as_slice(), wanted.unit);
        wanted.stored.store(to, hits, events::GEOSEARCHSTORE, ctx);
        Ok(Flow::Done)
    }
}

struct Wanted {
    /// It is not known if there is no set to look it up in.
    centre: Option<Position>,
    shape: Shape,
    unit: Unit,
    options: Options,
    stored: Stored,
}

impl Wanted {
    /// Reads the options of a whole request, in any order. A member is looked up at once: what is
    /// wrong behind it is told only if it is there.
    fn parse(argv: Argv<'_>, stores: bool, set: Option<&SortedSet>) -> Result<Wanted, CmdError> {
        let mut args = Args::new(argv, if stores { 3 } else { 2 });
        let (mut options, mut stored) = (Options::default(), Stored::Scores);
        let (mut by_member, mut by_position, mut shape) = (None, None, None);
        while args.left() > 0 {
            if options.take(&mut args)? {
            } else if stores && args.keyword("STOREDIST") {
                stored = Stored::Distances;
            } else if by_position.is_none() && args.keyword_with_value("FROMMEMBER") {
                by_member = Some(position_of_member(args.required()?, set)?);
            } else if by_member.is_none() && args.left() > 2 && args.keyword("FROMLONLAT") {
                by_position = Some(parse_position(&mut args)?);
            } else if !matches!(shape, Some((Shape::Box { .. }, _)))
                && args.left() > 2
                && args.keyword("BYRADIUS")
            {
                shape = Some(parse_circle(&mut args)?);
            } else if !matches!(shape, Some((Shape::Circle { .. }, _)))
                && args.left() > 3
                && args.keyword("BYBOX")
            {
                shape = Some(parse_box(&mut args)?);
            } else {
                return Err(CmdError::Syntax);
            }
        }
        // The name is told as it was sent.
        let name = || {
            let name = argv.get(0).unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        };
        if stores && options.have_details() {
            return Err(CmdError::Place(PlaceError::DetailsOfStored(
                "GEOSEARCHSTORE",
            )));
        }
        let centre = match (by_member, by_position) {
            (Some(centre), _) => centre,
            (None, Some(centre)) => Some(centre),
            (None, None) => return Err(CmdError::Place(PlaceError::NoCentre(name()))),
        };
        let (shape, unit) = shape.ok_or_else(|| CmdError::Place(PlaceError::NoShape(name())))?;
        options.check()?;
        Ok(Wanted {
            centre,
            shape,
            unit,
            options,
            stored,
        })
    }

    fn search(&self) -> Option<Search> {
        let centre = self.centre?;
        Some(self.options.search(centre, self.shape))
    }
}
