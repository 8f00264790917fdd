//! What is wrong with what a client asks of client-side caching.

use thiserror::Error;

/// Why a client cannot be told of keys as it asks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrackingError {
    /// `CLIENT TRACKING … REDIRECT` to a client that is not there.
    #[error("ERR The client ID you want redirect to does not exist")]
    NoClientToRedirectTo,
    /// `CLIENT TRACKING` with several clients to redirect to.
    #[error("ERR A client can only redirect to a single other client")]
    RedirectedTwice,
    /// `CLIENT TRACKING ON PREFIX …` without `BCAST`.
    #[error("ERR PREFIX option requires BCAST mode to be enabled")]
    PrefixWithoutBroadcast,
    /// `CLIENT TRACKING ON` in another mode than before.
    #[error(
        "ERR You can't switch {0} before disabling tracking for this client, and then re-enabling it with a different mode."
    )]
    TrackingSwitched(&'static str),
    /// `CLIENT TRACKING ON BCAST` with a choice of reads.
    #[error("ERR OPTIN and OPTOUT are not compatible with BCAST")]
    ChoiceWithBroadcast,
    /// `CLIENT TRACKING ON OPTIN OPTOUT`.
    #[error("ERR You can't specify both OPTIN mode and OPTOUT mode")]
    ChosenInAndOut,
    /// A prefix of `CLIENT TRACKING ON BCAST` is the beginning of another.
    #[error(
        "ERR Prefix '{prefix}' overlaps with {whose} '{other}'. Prefixes for a single client must not overlap."
    )]
    PrefixesOverlap {
        /// It.
        prefix: String,
        /// `an existing prefix` or `another provided prefix`.
        whose: &'static str,
        /// The other.
        other: String,
    },
    /// More or longer prefixes than a client, or all of them, may have.
    #[error("ERR too many prefixes, or one is too long")]
    TooManyPrefixes,
    /// `CLIENT CACHING YES` without `OPTIN`.
    #[error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")]
    CachingYesWithoutOptIn,
    /// `CLIENT CACHING NO` without `OPTOUT`.
    #[error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")]
    CachingNoWithoutOptOut,
    /// `CLIENT CACHING` without a choice of reads.
    #[error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
    )]
    CachingWithoutTracking,
}
