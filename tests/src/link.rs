//! A link between two programs of this machine that can be slow, silent or gone.
//!
//! A client connects to the link, and the link to the server. What it does to each direction can be
//! changed at any time, for the connections that are open and for those to come. A direction that
//! is silent loses nothing: what was sent arrives when it flows again, as over a network that was
//! divided for a while.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// How many bytes are passed on at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// How long a connection to the server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    There,
    /// From the server to the client.
    Back,
}

/// What becomes of the bytes of a direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Traffic {
    /// They are passed on.
    #[default]
    Flows,
    /// They are passed on piece by piece, each after a pause.
    Slow(Duration),
    /// They wait until this changes.
    Silent,
}

/// A link that exists until it is dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    there: Traffic,
    back: Traffic,
    /// No connection is passed on.
    is_cut: bool,
    is_dropped: bool,
    /// Both ends of each connection.
    open: Vec<(u64, [TcpStream; 2])>,
    opened: u64,
}

impl Link {
    /// A link to a server, which need not be there yet.
    ///
    /// # Errors
    /// When this machine has no port for it.
    pub fn to(server: SocketAddr) -> Result<Link> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let link = Link {
            address: listener.local_addr()?,
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        };
        let shared = Arc::clone(&link.shared);
        thread::spawn(move || accept(&listener, server, &shared));
        Ok(link)
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says what becomes of the bytes of a direction from now on.
    pub fn set(&self, direction: Direction, traffic: Traffic) {
        let mut state = self.shared.lock();
        match direction {
            Direction::There => state.there = traffic,
            Direction::Back => state.back = traffic,
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Ends all connections, and those to come at once.
    pub fn cut(&self) {
        let mut state = self.shared.lock();
        state.is_cut = true;
        state.end_all();
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Lets everything flow again.
    pub fn mend(&self) {
        let mut state = self.shared.lock();
        state.is_cut = false;
        (state.there, state.back) = (Traffic::Flows, Traffic::Flows);
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_dropped = true;
        state.end_all();
        drop(state);
        self.shared.changed.notify_all();
        // The thread that accepts sees it now.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until bytes may be passed on; returns whether they may at all.
    fn may_pass(&self, direction: Direction, connection: u64) -> bool {
        let mut state = self.lock();
        loop {
            if !state.open.iter().any(|(number, _)| *number == connection) {
                return false;
            }
            let traffic = match direction {
                Direction::There => state.there,
                Direction::Back => state.back,
            };
            match traffic {
                Traffic::Flows => return true,
                Traffic::Slow(pause) => {
                    drop(state);
                    thread::sleep(pause);
                    return true;
                }
                Traffic::Silent => {}
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes a connection; `None` if there are to be none.
    fn open(&self, client: &TcpStream, server: &TcpStream) -> io::Result<Option<u64>> {
        let ends = [client.try_clone()?, server.try_clone()?];
        let mut state = self.lock();
        if state.is_cut || state.is_dropped {
            return Ok(None);
        }
        state.opened += 1;
        let number = state.opened;
        state.open.push((number, ends));
        Ok(Some(number))
    }

    fn close(&self, connection: u64) {
        let mut state = self.lock();
        let open = std::mem::take(&mut state.open);
        let (gone, left) = open
            .into_iter()
            .partition(|(number, _)| *number == connection);
        state.open = left;
        end(gone);
        drop(state);
        self.changed.notify_all();
    }
}

impl State {
    fn end_all(&mut self) {
        end(std::mem::take(&mut self.open));
    }
}

fn end(connections: Vec<(u64, [TcpStream; 2])>) {
    for stream in connections.iter().flat_map(|(_, ends)| ends) {
        // It fails where the other side has ended it before.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn accept(listener: &TcpListener, server: SocketAddr, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.lock().is_dropped {
            return;
        }
        // A client whose connection fails here sees that it ends, as it would without the link.
        if let Ok(client) = client {
            let shared = Arc::clone(shared);
            thread::spawn(move || connect(client, server, &shared));
        }
    }
}

fn connect(client: TcpStream, server: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&server, CONNECT_TIMEOUT)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let Some(number) = shared.open(&client, &server)? else {
        return Ok(());
    };
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let back = Arc::clone(shared);
    thread::spawn(move || pass_on(server, client, Direction::Back, number, &back));
    pass_on(from_client, to_server, Direction::There, number, shared);
    Ok(())
}

/// Passes bytes on until one side ends.
fn pass_on(
    mut from: TcpStream,
    mut to: TcpStream,
    direction: Direction,
    connection: u64,
    shared: &Shared,
) {
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut piece)
        && shared.may_pass(direction, connection)
        && to.write_all(&piece[..count]).is_ok()
    {}
    shared.close(connection);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A server that sends back what it gets, until the process ends.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || io::copy(&mut &stream, &mut &stream));
            }
        });
        address
    }

    fn client(link: &Link) -> TcpStream {
        let stream = TcpStream::connect(link.address()).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    fn ask(stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(text)?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn what_is_sent_in_a_silent_direction_arrives_later() {
        let link = Link::to(echo()).unwrap();
        let mut stream = client(&link);
        assert_eq!(ask(&mut stream, b"one").unwrap(), b"one");
        for direction in [Direction::There, Direction::Back] {
            link.set(direction, Traffic::Silent);
            stream.write_all(b"two").unwrap();
            stream
                .set_read_timeout(Some(Duration::from_millis(100)))
                .unwrap();
            let mut answer = [0; 3];
            assert!(stream.read_exact(&mut answer).is_err(), "{direction:?}");
            link.mend();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"two");
        }
    }

    #[test]
    fn a_slow_direction_takes_its_time() {
        let link = Link::to(echo()).unwrap();
        let mut stream = client(&link);
        link.set(Direction::Back, Traffic::Slow(Duration::from_millis(80)));
        let start = Instant::now();
        assert_eq!(ask(&mut stream, b"one").unwrap(), b"one");
        assert!(start.elapsed() >= Duration::from_millis(80));
    }

    #[test]
    fn a_cut_ends_connections_until_it_is_mended() {
        let link = Link::to(echo()).unwrap();
        let mut stream = client(&link);
        assert_eq!(ask(&mut stream, b"one").unwrap(), b"one");
        link.cut();
        assert!(ask(&mut stream, b"two").is_err());
        assert!(ask(&mut client(&link), b"two").is_err());
        link.mend();
        assert_eq!(ask(&mut client(&link), b"two").unwrap(), b"two");
    }

    #[test]
    fn a_silent_connection_ends_with_its_link() {
        let link = Link::to(echo()).unwrap();
        let mut stream = client(&link);
        link.set(Direction::There, Traffic::Silent);
        stream.write_all(b"one").unwrap();
        drop(link);
        assert_eq!(stream.read(&mut [0; 3]).unwrap_or(0), 0);
    }
}
