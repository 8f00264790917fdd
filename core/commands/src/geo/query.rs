//! What is searched for and how it is answered: the options that the searching commands share, and
//! their replies.

use engine::args::Args;
use engine::command::Ctx;
use engine::error::{CmdError, PlaceError};
use engine::store::effect::event::Event;
use resp::Reply;
use values::SortedSet;
use values::sorted_set::Builder;

use super::cell::{LATITUDE_MAX, LONGITUDE_MAX, position_of};
use super::fixed::fixed;
use super::search::{Hit, Order, Search};
use super::sphere::{Position, Shape};
use crate::float::parse_double;
use crate::sorted_set::{self, store::Told};

/// A unit of length: how many metres one is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit(pub(super) f64);

impl Unit {
    pub(super) const METRE: Unit = Unit(1.0);

    pub(super) fn parse(args: &mut Args<'_>) -> Result<Unit, CmdError> {
        let metres = if args.keyword("M") {
            1.0
        } else if args.keyword("KM") {
            1000.0
        } else if args.keyword("FT") {
            0.3048
        } else if args.keyword("MI") {
            1609.34
        } else {
            args.required()?;
            return Err(CmdError::Place(PlaceError::UnknownUnit));
        };
        Ok(Unit(metres))
    }
}

/// Takes a longitude and a latitude.
pub(super) fn parse_position(args: &mut Args<'_>) -> Result<Position, CmdError> {
    let mut degrees = || parse_double(args.required()?).ok_or(CmdError::NotAFloat);
    let (longitude, latitude) = (degrees()?, degrees()?);
    if longitude.abs() <= LONGITUDE_MAX && latitude.abs() <= LATITUDE_MAX {
        Ok(Position {
            longitude,
            latitude,
        })
    } else {
        Err(CmdError::Place(PlaceError::InvalidPosition(format!(
            "{longitude:.6},{latitude:.6}"
        ))))
    }
}

/// The position of a member, which must be there if the set is.
pub(super) fn position_of_member(
    member: &[u8],
    set: Option<&SortedSet>,
) -> Result<Option<Position>, CmdError> {
    match set {
        None => Ok(None),
        Some(set) => {
            let score = set
                .score(member)
                .ok_or(CmdError::Place(PlaceError::NoSuchPlace))?;
            Ok(Some(position_of(score)))
        }
    }
}

/// Takes a radius and its unit.
pub(super) fn parse_circle(args: &mut Args<'_>) -> Result<(Shape, Unit), CmdError> {
    let radius =
        parse_double(args.required()?).ok_or(CmdError::Place(PlaceError::RadiusNotANumber))?;
    if radius < 0.0 {
        return Err(CmdError::Place(PlaceError::NegativeRadius));
    }
    let unit = Unit::parse(args)?;
    let radius = radius * unit.0;
    Ok((Shape::Circle { radius }, unit))
}

/// Takes the width and height of a box and their unit.
pub(super) fn parse_box(args: &mut Args<'_>) -> Result<(Shape, Unit), CmdError> {
    let width =
        parse_double(args.required()?).ok_or(CmdError::Place(PlaceError::WidthNotANumber))?;
    let height =
        parse_double(args.required()?).ok_or(CmdError::Place(PlaceError::HeightNotANumber))?;
    if width < 0.0 || height < 0.0 {
        return Err(CmdError::Place(PlaceError::NegativeSide));
    }
    let unit = Unit::parse(args)?;
    let (width, height) = (width * unit.0, height * unit.0);
    Ok((Shape::Box { width, height }, unit))
}

/// How what was found is answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) with_position: bool,
    pub(super) with_distance: bool,
    pub(super) with_score: bool,
    pub(super) order: Option<Order>,
    pub(super) count: Option<usize>,
    pub(super) any: bool,
}

impl Options {
    /// Takes one of the options, if one is next.
    pub(super) fn take(&mut self, args: &mut Args<'_>) -> Result<bool, CmdError> {
        if args.keyword("WITHDIST") {
            self.with_distance = true;
        } else if args.keyword("WITHHASH") {
            self.with_score = true;
        } else if args.keyword("WITHCOORD") {
            self.with_position = true;
        } else if args.keyword("ANY") {
            self.any = true;
        } else if args.keyword("ASC") {
            self.order = Some(Order::Nearest);
        } else if args.keyword("DESC") {
            self.order = Some(Order::Farthest);
        } else if args.keyword_with_value("COUNT") {
            let count = args.integer()?;
            if count < 1 {
                return Err(CmdError::CountNotPositive);
            }
            self.count = Some(usize::try_from(count).unwrap_or(usize::MAX));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Something of a member is to be answered.
    pub(super) fn have_details(self) -> bool {
        self.with_position || self.with_distance || self.with_score
    }

    pub(super) fn check(self) -> Result<(), CmdError> {
        match self.any && self.count.is_none() {
            true => Err(CmdError::Place(PlaceError::AnyWithoutCount)),
            false => Ok(()),
        }
    }

    /// The search for a shape around a centre.
    pub(super) fn search(self, centre: Position, shape: Shape) -> Search {
        let Options { count, any, .. } = self;
        // Of all that there are, the nearest are answered.
        let by_default = match count.is_some() && !any {
            true => Order::Nearest,
            false => Order::Found,
        };
        let order = self.order.unwrap_or(by_default);
        Search {
            centre,
            shape,
            order,
            count,
            any,
        }
    }

    /// Answers what was found.
    pub(super) fn reply(self, hits: &[Hit<'_>], unit: Unit, reply: &mut Reply) {
        let details = [self.with_distance, self.with_score, self.with_position];
        let details = details.into_iter().filter(|is_wanted| *is_wanted).count();
        reply.array(hits.len());
        reply.each(hits.iter(), |reply, hit| {
            if details > 0 {
                reply.array(1 + details);
            }
            reply.bulk(hit.member);
            if self.with_distance {
                reply_distance(hit.distance, unit, reply);
            }
            if self.with_score {
                reply.int(hit.score as i64);
            }
            if self.with_position {
                reply_position(position_of(hit.score), reply);
            }
        });
    }
}

/// Answers a distance with four digits behind the point.
pub(super) fn reply_distance(metres: f64, unit: Unit, reply: &mut Reply) {
    reply.bulk(&fixed(metres / unit.0));
}

/// Answers a longitude and a latitude.
pub(super) fn reply_position(at: Position, reply: &mut Reply) {
    reply.array(2);
    reply.double(at.longitude);
    reply.double(at.latitude);
}

/// What members get for a score where they are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stored {
    /// What they had.
    Scores,
    /// Their distance.
    Distances,
}

impl Stored {
    /// Stores what was found and answers how much that is. Nothing leaves no key.
    pub(super) fn store(
        self,
        to: &[u8],
        (hits, unit): (&[Hit<'_>], Unit),
        event: &'static Event,
        ctx: &mut Ctx<'_>,
    ) {
        let score = |hit: &Hit<'_>| match self {
            Stored::Scores => hit.score,
            Stored::Distances => hit.distance / unit.0,
        };
        let thresholds = ctx.store.thresholds();
        let mut set = Builder::new(ctx.store.placing(&thresholds));
        set.place_each(hits.iter().map(|hit| (score(hit), hit.member)));
        // What is within a shape depends on sines, which another machine may compute otherwise.
        sorted_set::store::store(to, set.finish(), Told::Itself, event, ctx);
    }
}
