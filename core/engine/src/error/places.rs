//! What is wrong with a place, or with a search for places.

use thiserror::Error;

/// Why a command on places is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceError {
    /// A longitude or latitude that is out of reach; both.
    #[error("ERR invalid longitude,latitude pair {0}")]
    InvalidPosition(String),
    /// A unit of length that is not known.
    #[error("ERR unsupported unit provided. please use M, KM, FT, MI")]
    UnknownUnit,
    /// A place that is not there.
    #[error("ERR could not decode requested zset member")]
    NoSuchPlace,
    /// A radius that is no number.
    #[error("ERR need numeric radius")]
    RadiusNotANumber,
    /// A radius below zero.
    #[error("ERR radius cannot be negative")]
    NegativeRadius,
    /// A width that is no number.
    #[error("ERR need numeric width")]
    WidthNotANumber,
    /// A height that is no number.
    #[error("ERR need numeric height")]
    HeightNotANumber,
    /// A box of less than nothing.
    #[error("ERR height or width cannot be negative")]
    NegativeSide,
    /// `ANY` without `COUNT`.
    #[error("ERR the ANY argument requires COUNT argument")]
    AnyWithoutCount,
    /// A search for places without a centre; the command as it was sent.
    #[error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {0}")]
    NoCentre(String),
    /// A search for places without a shape; likewise.
    #[error("ERR exactly one of BYRADIUS and BYBOX can be specified for {0}")]
    NoShape(String),
    /// Places that are to be stored and answered with details; what stores them.
    #[error("ERR {0} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")]
    DetailsOfStored(&'static str),
}
