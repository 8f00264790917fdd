//! Distances and shapes on the earth, which is taken for a sphere.

use std::f64::consts::{FRAC_PI_2, PI};

/// The radius of the earth in metres, as everybody who reads these sorted sets takes it.
const RADIUS_M: f64 = 6_372_797.560_856;

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Position {
    /// Degrees to the east.
    pub(super) longitude: f64,
    /// Degrees to the north.
    pub(super) latitude: f64,
}

/// What is searched for places, around one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// A circle.
    Circle {
        /// In metres.
        radius: f64,
    },
    /// A box whose sides lie along meridians and parallels.
    Box {
        /// From west to east, in metres.
        width: f64,
        /// From south to north, in metres.
        height: f64,
    },
}

/// Degrees between which something lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) south: f64,
    pub(super) north: f64,
}

/// More degrees than rounding can be wrong by.
const ROUNDING_DEGREES: f64 = 1e-6;

impl Bounds {
    const NONE: Bounds = Bounds {
        west: f64::NEG_INFINITY,
        east: f64::INFINITY,
        south: f64::NEG_INFINITY,
        north: f64::INFINITY,
    };

    /// Returns whether a place lies outside.
    #[inline]
    pub(super) fn exclude(self, at: Position) -> bool {
        at.longitude < self.west
            || at.longitude > self.east
            || at.latitude < self.south
            || at.latitude > self.north
    }
}

/// The distance between two places, in metres, by the haversine.
pub(super) fn distance(a: Position, b: Position) -> f64 {
    let half = |from: f64, to: f64| ((to - from) / 2.0).sin();
    let (west, east) = (a.longitude.to_radians(), b.longitude.to_radians());
    let across = half(west, east);
    // On one meridian nothing is lost to rounding.
    if across == 0.0 {
        return along_meridian(a.latitude, b.latitude);
    }
    let (from, to) = (a.latitude.to_radians(), b.latitude.to_radians());
    let up = half(from, to);
    let square = up * up + from.cos() * to.cos() * across * across;
    2.0 * RADIUS_M * square.sqrt().asin()
}

fn along_meridian(from: f64, to: f64) -> f64 {
    RADIUS_M * (to.to_radians() - from.to_radians()).abs()
}

impl Shape {
    /// The distance from the centre if a place is within the shape.
    pub(super) fn distance_within(self, centre: Position, at: Position) -> Option<f64> {
        match self {
            Shape::Circle { radius } => {
                Some(distance(centre, at)).filter(|distance| *distance <= radius)
            }
            Shape::Box { width, height } => {
                if along_meridian(centre.latitude, at.latitude) > height / 2.0 {
                    return None;
                }
                // Along the parallel of the place.
                let beside = Position {
                    latitude: at.latitude,
                    ..centre
                };
                if distance(beside, at) > width / 2.0 {
                    return None;
                }
                Some(distance(centre, at))
            }
        }
    }

    /// Degrees beyond which surely no place is within the shape, which is faster to see than a
    /// distance: of a circle that reaches neither around the world nor near to a pole.
    pub(super) fn certain_bounds(self, centre: Position) -> Bounds {
        let bounds = self.bounds(centre);
        let is_local = bounds.west > -180.0
            && bounds.east < 180.0
            && bounds.south > -80.0
            && bounds.north < 80.0;
        match self {
            Shape::Circle { .. } if is_local && bounds.east - bounds.west < 90.0 => bounds,
            Shape::Circle { .. } | Shape::Box { .. } => Bounds::NONE,
        }
    }

    /// The radius of a circle that it fits in.
    pub(super) fn radius(self) -> f64 {
        match self {
            Shape::Circle { radius } => radius,
            Shape::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
        }
    }

    /// Between which degrees it lies, at least.
    pub(super) fn bounds(self, centre: Position) -> Bounds {
        let half_height = match self {
            Shape::Circle { radius } => radius,
            Shape::Box { height, .. } => height / 2.0,
        };
        let up = (half_height / RADIUS_M).to_degrees() + ROUNDING_DEGREES;
        // Where a degree of longitude is shortest. Around a pole there are all of them.
        let nearest = (centre.latitude.abs() + up).to_radians();
        let sine = match self {
            _ if nearest >= FRAC_PI_2 => 1.0,
            Shape::Circle { radius } => {
                (radius / RADIUS_M).sin() / centre.latitude.to_radians().cos()
            }
            Shape::Box { width, .. } if width / 2.0 < PI * RADIUS_M => {
                (width / 4.0 / RADIUS_M).sin() / nearest.cos()
            }
            Shape::Box { .. } => 1.0,
        };
        let across = match self {
            _ if sine >= 1.0 => f64::INFINITY,
            Shape::Circle { .. } => sine.asin().to_degrees() + ROUNDING_DEGREES,
            Shape::Box { .. } => (2.0 * sine.asin()).to_degrees() + ROUNDING_DEGREES,
        };
        Bounds {
            west: centre.longitude - across,
            east: centre.longitude + across,
            south: centre.latitude - up,
            north: centre.latitude + up,
        }
    }
}
