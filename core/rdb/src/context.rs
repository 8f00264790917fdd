//! What a reader must know beside the bytes.

/// What the bytes of a value do not say.
#[derive(Clone, Debug)]
pub struct Context {
    /// The current time, in milliseconds since the epoch.
    pub now_ms: u64,
}
