//! HTTP for operators: metrics, health, and an API that looks and acts as a user would.
//!
//! A thread with a small runtime of its own serves it, so no request of a client of the server
//! waits for it. It has two ways to know of a shard, and no third: figures and frozen views, for
//! which the lock is held as long as a few pointers take to copy ([`survey`]), and requests of a
//! client that it connects for the user who asks ([`client`]). So whoever calls it may do what the
//! rules of users say, what it does is logged, and nothing is shown of a key that a crash could
//! still take back.
//!
//! Here: the parts. `http/` is the protocol: listening, whom it serves, what it refuses.

mod api;
mod client;
mod health;
mod http;
mod limits;
mod metrics;
mod openapi;
mod order;
mod page;
mod query;
mod reply;
mod rights;
mod routes;
mod survey;
mod view;

pub use http::{Console, Door};
