//! What is wrong with a collection of `HOTKEYS`.

use thiserror::Error;

/// Why a collection cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HotKeysError {
    /// `HOTKEYS START` without what is to be collected.
    #[error("ERR METRICS parameter is required")]
    MetricsRequired,
    /// `HOTKEYS START` with another number than there are metrics.
    #[error("ERR METRICS count must be > 0 and <= 2")]
    MetricsCount,
    /// `HOTKEYS START` with more metrics than it says, or fewer.
    #[error("ERR METRICS count does not match number of metric types provided")]
    MetricsMismatch,
    /// `HOTKEYS START` with a metric that there is not.
    #[error("ERR METRICS no valid metrics passed. Supported: CPU|NET")]
    NoMetrics,
    /// `HOTKEYS START` with a metric twice.
    #[error("ERR METRICS {0} defined more than once!")]
    MetricTwice(&'static str),
    /// An option of `HOTKEYS START` out of its range, which ends there.
    #[error("ERR {0} must be between 1 and {1}")]
    NotBetween(&'static str, i64),
    /// `HOTKEYS START` with a share that is none.
    #[error("ERR SAMPLE ratio must be positive")]
    SampleNotPositive,
    /// `HOTKEYS START` of some slots.
    #[error("ERR SLOTS parameter cannot be used in non-cluster mode")]
    SlotsWithoutCluster,
    /// `HOTKEYS START` while it collects.
    #[error("ERR hotkey tracking session already in progress")]
    HotKeysBegun,
    /// `HOTKEYS RESET` while it collects.
    #[error("ERR hotkey tracking session in progress, stop tracking first")]
    HotKeysInProgress,
}
