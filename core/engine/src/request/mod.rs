//! From a request to a reply: a look ahead, admission, execution, commands that call others, and
//! waking clients that waited.
//!
//! What a single command does is not here, nor what is kept of clients and of keys.

pub(crate) mod admission;
mod ahead;
pub(crate) mod call;
pub(crate) mod dispatch;
mod function;
mod measure;
mod migration;
pub(crate) mod monitor;
mod news;
mod pattern_read;
pub(crate) mod pause;
pub(crate) mod prepared;
mod routing;
pub(crate) mod script;
mod unfinished;
pub(crate) mod wake;
