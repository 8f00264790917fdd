//! From a request to a reply: admission, the transaction's queue, execution, and waking clients
//! that waited.
//!
//! What a single command does is not here, nor what is kept of clients and of keys.

pub(crate) mod dispatch;
mod measure;
pub(crate) mod monitor;
pub(crate) mod pause;
pub(crate) mod transaction;
pub(crate) mod wake;
