//! Places on the earth: members of sorted sets, whose scores are the cells that they are in.
//!
//! The pure part is in `cell`, `sphere` and `search`; it knows neither requests nor replies.

mod cell;
mod fixed;
mod geoadd;
mod geodist;
mod geopos;
mod georadius;
mod geosearch;
mod query;
mod search;
mod sphere;

use engine::command::{Entry, entry};
use engine::table::Arg;

/// The family's rows, sorted by name.
pub(super) static COMMANDS: &[Entry] = &[
    entry::<geoadd::GeoAdd>(),
    entry::<geodist::GeoDist>(),
    entry::<geopos::GeoHash>(),
    entry::<geopos::GeoPos>(),
    entry::<georadius::GeoRadius>(),
    entry::<georadius::GeoRadiusRo>(),
    entry::<georadius::GeoRadiusByMember>(),
    entry::<georadius::GeoRadiusByMemberRo>(),
    entry::<geosearch::GeoSearch>(),
    entry::<geosearch::GeoSearchStore>(),
];

/// In what a distance is given, and answered.
const UNIT: Arg = Arg::one_of(
    "unit",
    &[
        Arg::word("m", "M"),
        Arg::word("km", "KM"),
        Arg::word("ft", "FT"),
        Arg::word("mi", "MI"),
    ],
);

/// How searches differ from those of Redis.
const ORDER: &str =
    "Without an order, and with ANY, places may come in another order near the poles.";
