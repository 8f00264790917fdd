//! What a user may look at where no command runs.

use std::sync::Arc;

use engine::Engine;
use engine::table::Row;
use engine::users::User;
use hyper::StatusCode;
use resp::ArgvBuf;
use server::Shard;

use crate::http::Fault;

/// The rights of a user, as they are when a request begins.
#[derive(Debug)]
pub(crate) struct Rights {
    user: Arc<User>,
    info: Option<&'static Row>,
    stream: Option<&'static Row>,
}

impl Rights {
    /// Those of the user of this name; none if there is no such user, or it is off.
    pub(crate) fn of(engine: &Engine, user: &[u8]) -> Option<Rights> {
        let server = &engine.server;
        let user = server.users.find(user).filter(|user| user.is_on())?;
        Some(Rights {
            user: Arc::clone(user),
            info: server.commands.find_own_full(b"info"),
            stream: server.commands.find_own_full(b"xinfo|stream"),
        })
    }

    /// Refuses those who may not run `INFO`.
    pub(crate) fn sees_server(&self) -> Result<(), Fault> {
        match self.may(self.info, [b"INFO".as_slice()]) {
            true => Ok(()),
            false => Err(Fault::new(
                StatusCode::FORBIDDEN,
                "not-allowed",
                "the user may not run INFO",
            )),
        }
    }

    /// Returns whether the user may run `XINFO STREAM` on this key.
    pub(crate) fn sees_stream(&self, key: &[u8]) -> bool {
        self.may(self.stream, [b"XINFO".as_slice(), b"STREAM", key])
    }

    /// Returns whether a user of this name may make a request.
    pub(crate) fn allow(shard: &Shard, user: &[u8], request: &[&[u8]]) -> bool {
        let argv: ArgvBuf = request.iter().collect();
        let found = shard.look(|engine, _| {
            let server = &engine.server;
            let (row, _) = server.commands.find_request(argv.as_argv())?;
            Some((Arc::clone(server.users.find(user)?), row))
        });
        found.is_some_and(|(user, row)| user.check(row, argv.as_argv()).is_ok())
    }

    fn may<const N: usize>(&self, row: Option<&'static Row>, argv: [&[u8]; N]) -> bool {
        let check = |row| {
            let argv: ArgvBuf = argv.into_iter().collect();
            self.user.check(row, argv.as_argv()).is_ok()
        };
        // Lists ask this of each stream.
        row.is_some_and(|row| self.user.is_all_powerful() || check(row))
    }
}
