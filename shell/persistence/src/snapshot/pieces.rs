//! A snapshot's bytes in pieces. A separate thread reads them while earlier pieces are made into
//! values, so a restart waits for the disk or for the processor, not for one after the other.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// How much is read at once, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces that are read ahead.
const PIECES_AHEAD: usize = 4;

/// The bytes of a reader.
pub(crate) struct Pieces {
    current: Vec<u8>,
    /// How much of the current piece was consumed.
    at: usize,
    rest: Option<Rest>,
}

/// What comes after the current piece.
struct Rest {
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// Buffers to be filled again.
    spent: Sender<Vec<u8>>,
}

/// Lets `consume` consume the pieces of a reader. What fits into one piece needs no thread.
///
/// # Errors
/// Errors of the first piece, or of the system if it cannot start a thread. The consumer gets later
/// ones.
pub(crate) fn ahead<T>(
    mut reader: impl Read + Send,
    consume: impl FnOnce(Pieces) -> T,
) -> io::Result<T> {
    let first = next_piece(&mut reader, Vec::new())?;
    let mut pieces = Pieces {
        current: first,
        at: 0,
        rest: None,
    };
    if pieces.current.len() < PIECE_BYTES {
        return Ok(consume(pieces));
    }
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(PIECES_AHEAD);
        let (spent, empty) = channel();
        let read = move || read_all(reader, &sender, &empty);
        thread::Builder::new()
            .name("weir-read".to_owned())
            .spawn_scoped(scope, read)?;
        pieces.rest = Some(Rest {
            pieces: receiver,
            spent,
        });
        Ok(consume(pieces))
    })
}

/// Reads until the end, an error, or until no more is wanted.
fn read_all(
    mut reader: impl Read,
    pieces: &SyncSender<io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) {
    loop {
        let piece = next_piece(&mut reader, empty.try_recv().unwrap_or_default());
        let is_last = piece
            .as_ref()
            .map_or(true, |piece| piece.len() < PIECE_BYTES);
        if pieces.send(piece).is_err() || is_last {
            return;
        }
    }
}

/// The next piece, whole unless the reader ends.
fn next_piece(reader: &mut impl Read, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    // For a buffer that was used before, this writes nothing.
    buffer.resize(PIECE_BYTES, 0);
    let mut len = 0;
    while len < PIECE_BYTES {
        match reader.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(len);
    Ok(buffer)
}

impl rdb::Source for Pieces {
    type Error = io::Error;

    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at == self.current.len()
            && let Some(rest) = &self.rest
        {
            self.at = 0;
            // A closed channel means that the end was sent.
            let next = rest.pieces.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            let spent = std::mem::replace(&mut self.current, next);
            // A reader that has ended needs no buffer.
            rest.spent.send(spent).ok();
        }
        Ok(self.current.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, len: usize) {
        self.at = (self.at + len).min(self.current.len());
    }
}

#[cfg(test)]
mod tests {
    use rdb::Source;

    use super::*;

    fn read_through(mut pieces: Pieces, step: usize) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let piece = pieces.fill()?;
            let len = piece.len().min(step);
            if len == 0 {
                return Ok(all);
            }
            all.extend_from_slice(&piece[..len]);
            pieces.consume(len);
        }
    }

    #[test]
    fn all_bytes_come_in_order_however_many_there_are() {
        for len in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            9 * PIECE_BYTES,
        ] {
            let bytes: Vec<u8> = (0..len).map(|at| (at / 1000) as u8).collect();
            let read = ahead(bytes.as_slice(), |pieces| read_through(pieces, 100_000));
            assert_eq!(read.unwrap().unwrap(), bytes);
        }
    }

    #[test]
    fn who_stops_early_does_not_wait_for_the_rest() {
        let taken = ahead(io::repeat(7), |mut pieces| pieces.fill().map(<[u8]>::len));
        assert_eq!(taken.unwrap().unwrap(), PIECE_BYTES);
    }

    #[test]
    fn an_error_comes_where_it_was_met() {
        struct Torn;
        impl Read for Torn {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn"))
            }
        }
        let reader = io::repeat(7).take(3 * PIECE_BYTES as u64).chain(Torn);
        let read = ahead(reader, |pieces| read_through(pieces, PIECE_BYTES));
        assert_eq!(read.unwrap().unwrap_err().to_string(), "torn");
        assert_eq!(ahead(Torn, |_| ()).unwrap_err().to_string(), "torn");
    }
}
