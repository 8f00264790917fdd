//! A reader: how long is a stream, and what are its last entries?

use super::{Purpose, Request, command, stream_name};

/// Asks for the length of a stream and its last entries.
pub(in crate::replication_run) fn read(stream: usize) -> Request {
    let name = stream_name(stream);
    let commands = vec![
        command(["XLEN", &name]),
        command(["XREVRANGE", &name, "+", "-", "COUNT", "8"]),
    ];
    Request::new(commands, Purpose::Read(stream))
}
