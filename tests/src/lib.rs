//! Tests of the whole server, over a socket: recorded cases, differential runs against Redis, real
//! clients.
//!
//! Nothing here knows weir's insides. Servers are processes ([`server`]) and replies are values
//! ([`value`]), so that the same runners drive weir, Redis and Valkey. The data lies beside the
//! code: `cases/`, `known-differences.json`, `data/`. What needs the real servers to compare with
//! takes them from [`peers`].

pub mod all_types;
pub mod audit;
pub mod case;
pub mod certificates;
pub mod client;
pub mod command_lines;
pub mod data_set;
pub mod differential;
pub mod documents;
pub mod exactly_once;
pub mod expect;
pub mod faults;
pub mod finder;
pub mod group;
pub mod http;
pub mod jetstream;
pub mod jobs;
pub mod json_schema;
pub mod keeper;
pub mod kept_files;
pub mod known;
pub mod left_out;
pub mod link;
pub mod nats;
pub mod peers;
pub mod programs;
pub mod real_clients;
pub mod redis_cli;
pub mod running;
pub mod scenario;
pub mod server;
pub mod sessions;
pub mod small_disk;
pub mod sockets;
pub mod table;
pub mod value;
