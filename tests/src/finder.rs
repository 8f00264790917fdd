//! How clients find the server of a group that leads: by asking any of them as one asks a Sentinel.

use std::io::Error;
use std::time::Duration;

use redis::{Client, Connection, RedisError, RedisResult};

use crate::exactly_once::Servers;

/// How long a server may take to answer one question; one that is paused answers none.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a server may take to answer a client.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// What clients know of a group.
#[derive(Debug, Clone)]
pub struct Finder {
    /// Its name.
    pub group: String,
    /// Where its servers listen.
    pub ports: Vec<u16>,
}

impl Finder {
    /// Which server leads, as far as the others know and it says itself.
    pub fn leader(&self) -> Option<usize> {
        let leads = |index: &usize| self.connect_to_leader(*index).is_ok();
        let mut told = (0..self.ports.len()).filter_map(|asked| self.ask(asked).ok());
        told.find(leads)
    }

    /// How far the leader is, and each of those that follow and are there.
    ///
    /// # Errors
    /// When nobody leads.
    pub fn positions(&self) -> RedisResult<(u64, Vec<u64>)> {
        let mut leader = self.connect()?;
        let told: String = redis::cmd("INFO").arg("replication").query(&mut leader)?;
        let number = |text: &str| text.parse().unwrap_or_default();
        let own = told
            .lines()
            .find_map(|line| line.strip_prefix("master_repl_offset:"));
        let others = told
            .lines()
            .filter(|line| line.contains(",state=online,offset="));
        let others = others.filter_map(|line| line.split_once(",offset=")?.1.split_once(','));
        Ok((
            own.map_or(0, number),
            others.map(|(offset, _)| number(offset)).collect(),
        ))
    }

    /// Whom a server believes to lead.
    fn ask(&self, asked: usize) -> RedisResult<usize> {
        let mut connection = connect(self.ports[asked])?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(&self.group);
        let (_, port): (String, u16) = question.query(&mut connection)?;
        let index = self.ports.iter().position(|other| *other == port);
        index.ok_or_else(|| RedisError::from(Error::other("an unknown server leads")))
    }

    fn connect_to_leader(&self, index: usize) -> RedisResult<Connection> {
        let mut connection = connect(self.ports[index])?;
        let role: Vec<redis::Value> = redis::cmd("ROLE").query(&mut connection)?;
        let role = role.into_iter().next().unwrap_or(redis::Value::Nil);
        if redis::from_redis_value::<String>(role)? != "master" {
            return Err(Error::other("it does not lead").into());
        }
        connection.set_read_timeout(Some(REQUEST_TIMEOUT))?;
        Ok(connection)
    }
}

fn connect(port: u16) -> RedisResult<Connection> {
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    let connection = client.get_connection_with_timeout(ANSWER_TIMEOUT)?;
    connection.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    connection.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    Ok(connection)
}

impl Servers for Finder {
    fn connect(&self) -> RedisResult<Connection> {
        let mut last = None;
        for asked in 0..self.ports.len() {
            let found = self.ask(asked).and_then(|it| self.connect_to_leader(it));
            match found {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::other("there are no servers").into()))
    }

    fn count(&self) -> usize {
        self.ports.len()
    }

    fn connect_to_reader(&self, number: usize) -> RedisResult<Connection> {
        let mut connection = connect(self.ports[number])?;
        // Only one that speaks the protocol of a cluster wants to hear it, and others refuse it.
        let _: RedisResult<()> = redis::cmd("READONLY").exec(&mut connection);
        Ok(connection)
    }

    /// Whatever a server says that does not lead, or does not know whether an entry is in the log.
    fn has_gone(&self, error: &RedisError) -> bool {
        let is_refused = ["ERR", "WRONGTYPE", "NOGROUP", "BUSYGROUP"];
        error.is_io_error()
            || error.is_connection_dropped()
            || !error.code().is_some_and(|code| is_refused.contains(&code))
    }
}
