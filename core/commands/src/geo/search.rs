//! Finding the members of a sorted set that are within a shape: the cells that it may lie in are
//! ranges of scores.

use smallvec::SmallVec;
use values::SortedSet;

use super::cell::{Cell, LATITUDE_MAX, STEPS, Sides, position_of};
use super::sphere::{Bounds, Position, Shape, distance};

/// A member that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit<'s> {
    pub(super) member: &'s [u8],
    pub(super) score: f64,
    /// From the centre, in metres.
    pub(super) distance: f64,
}

/// In which order members are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As they are found.
    Found,
    /// The nearest first.
    Nearest,
    /// The farthest first.
    Farthest,
}

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub(super) centre: Position,
    pub(super) shape: Shape,
    pub(super) order: Order,
    /// How many members are answered at most.
    pub(super) count: Option<usize>,
    /// The first that are found are enough.
    pub(super) any: bool,
}

impl Search {
    /// The members that are within the shape.
    pub(super) fn run<'s>(&self, set: &'s SortedSet) -> Vec<Hit<'s>> {
        let mut hits = Vec::new();
        let enough = self.count.filter(|_| self.any).unwrap_or(usize::MAX);
        let bounds = self.shape.certain_bounds(self.centre);
        for cell in cells(self.centre, self.shape) {
            let (first, end) = cell.scores();
            let from = set.rank_by(|it| it.score < first);
            let in_cell = set.range(from, set.len());
            for it in in_cell.take_while(|it| it.score < end) {
                let at = position_of(it.score);
                if bounds.exclude(at) {
                    continue;
                }
                if let Some(distance) = self.shape.distance_within(self.centre, at) {
                    hits.push(Hit {
                        member: it.member,
                        score: it.score,
                        distance,
                    });
                    if hits.len() >= enough {
                        break;
                    }
                }
            }
            if hits.len() >= enough {
                break;
            }
        }
        self.sort(&mut hits);
        hits.truncate(self.count.unwrap_or(usize::MAX));
        hits
    }

    fn sort(&self, hits: &mut [Hit<'_>]) {
        match self.order {
            Order::Found => {}
            Order::Nearest => hits.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
            Order::Farthest => hits.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
        }
    }
}

/// Half of the way around the equator on the map that cells divide, in metres.
const MAP_HALF_M: f64 = 20_037_726.37;

/// The cells that a shape may reach into: the one of its centre and those around it, of a size that
/// these are enough, without those that it does not reach. A cell may not come twice in a row.
fn cells(centre: Position, shape: Shape) -> SmallVec<[Cell; 9]> {
    const AROUND: [(i32, i32); 9] = [
        (0, 0),
        (0, 1),
        (0, -1),
        (1, 0),
        (-1, 0),
        (1, 1),
        (-1, 1),
        (1, -1),
        (-1, -1),
    ];
    let bounds = shape.bounds(centre);
    let mut steps = steps_for(shape.radius(), centre.latitude);
    if steps > 1 && !is_covered(Cell::of(centre, steps), centre, shape.radius()) {
        steps -= 1;
    }
    // Near the poles it may reach farther than its sides.
    while steps > 1 && !is_within(bounds, Cell::of(centre, steps).sides()) {
        steps -= 1;
    }
    let middle = Cell::of(centre, steps);
    let sides = middle.sides();
    let mut cells = SmallVec::<[Cell; 9]>::new();
    for (east, north) in AROUND {
        // Of the largest cells each is next to all others.
        let is_beyond = steps >= 2
            && (north < 0 && sides.south < bounds.south
                || north > 0 && sides.north > bounds.north
                || east < 0 && sides.west < bounds.west
                || east > 0 && sides.east > bounds.east);
        let cell = middle.moved(east, north);
        if !is_beyond && cells.last() != Some(&cell) {
            cells.push(cell);
        }
    }
    cells
}

/// How often the world is halved for cells as large as a circle.
fn steps_for(radius: f64, latitude: f64) -> u32 {
    if radius == 0.0 {
        return STEPS;
    }
    let (mut radius, mut steps) = (radius, 1_i32);
    while radius < MAP_HALF_M {
        radius *= 2.0;
        steps += 1;
    }
    // So that the cells around one are enough, wherever in it the centre is.
    steps -= 2;
    // Towards the poles a cell is narrower.
    steps -= match latitude.abs() {
        80.0.. => 2,
        66.0.. => 1,
        _ => 0,
    };
    steps.clamp(1, STEPS as i32) as u32
}

/// Returns whether all within these bounds is in a cell or in those around it.
fn is_within(bounds: Bounds, sides: Sides) -> bool {
    let (width, height) = (sides.east - sides.west, sides.north - sides.south);
    bounds.west >= sides.west - width
        && bounds.east <= sides.east + width
        && bounds.south.max(-LATITUDE_MAX) >= sides.south - height
        && bounds.north.min(LATITUDE_MAX) <= sides.north + height
}

/// Returns whether a circle ends within the cells around that of its centre.
fn is_covered(middle: Cell, centre: Position, radius: f64) -> bool {
    let (north, south) = (middle.moved(0, 1).sides(), middle.moved(0, -1).sides());
    let (east, west) = (middle.moved(1, 0).sides(), middle.moved(-1, 0).sides());
    let at = |longitude: f64, latitude: f64| Position {
        longitude,
        latitude,
    };
    let (x, y) = (centre.longitude, centre.latitude);
    [
        at(x, north.north),
        at(x, south.south),
        at(east.east, y),
        at(west.west, y),
    ]
    .into_iter()
    .all(|side| distance(centre, side) >= radius)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use values::Thresholds;
    use values::sorted_set::Placing;

    use super::super::cell::score_of;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn a_search_finds_what_a_look_at_each_finds(
            places in prop::collection::vec((-180.0..180.0, -LATITUDE_MAX..LATITUDE_MAX), 0..80),
            centre in (-180.0..180.0, -LATITUDE_MAX..LATITUDE_MAX),
            (width, height) in (0.0..7.4, 0.0..7.4),
            is_circle in any::<bool>(),
        ) {
            let thresholds = Thresholds::DEFAULT;
            let placing = Placing {
                thresholds: &thresholds,
                hasher: collections::hash::NameHasher::new([1, 2]),
            };
            let centre = Position { longitude: centre.0, latitude: centre.1 };
            let (width, height) = (10_f64.powf(width), 10_f64.powf(height));
            let shape = match is_circle {
                true => Shape::Circle { radius: width },
                false => Shape::Box { width, height },
            };
            let mut set = SortedSet::default();
            for (number, (longitude, latitude)) in places.into_iter().enumerate() {
                // Half of them near the centre.
                let at = match number % 2 {
                    0 => Position { longitude, latitude },
                    _ => Position {
                        longitude: (centre.longitude + longitude / 30.0).clamp(-179.9, 179.9),
                        latitude: (centre.latitude + latitude / 30.0)
                            .clamp(-85.0, 85.0),
                    },
                };
                let at = position_of(score_of(at));
                set.place(number.to_string().as_bytes(), score_of(at), placing);
            }
            let search = Search { centre, shape, order: Order::Found, count: None, any: false };
            let mut found: Vec<&[u8]> = search.run(&set).iter().map(|hit| hit.member).collect();
            let within = |score| shape.distance_within(centre, position_of(score)).is_some();
            let mut expected: Vec<&[u8]> = set
                .iter()
                .filter(|it| within(it.score))
                .map(|it| it.member)
                .collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
