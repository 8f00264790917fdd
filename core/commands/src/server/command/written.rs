//! Rows of the command table in a reply, of which the later ones are written when they are sent.
//!
//! A request may name a command as often as it likes, and a row has up to some ten thousand bytes:
//! nobody waits until all of them are written, and they take no memory before they are sent.

use std::fmt;
use std::vec::IntoIter;

use engine::table::Rows;
use resp::{Kept, Parts, RUN_STEP_BYTES, Reply, Run};

/// Writes what is asked of one command.
type Write<T> = fn(&mut Reply, Rows, T);

/// Writes what is asked of these commands: the first of them at once.
pub(super) fn write_rows<T>(reply: &mut Reply, rows: Rows, found: Vec<T>, write: Write<T>)
where
    T: Send + fmt::Debug + 'static,
{
    let (start, count) = (reply.mark(), found.len());
    let mut written = Written {
        rows,
        left: found.into_iter(),
        write,
        row_bytes: 0,
    };
    written.write_some(reply);
    let done = count - written.left.len();
    written.row_bytes = reply.len_since(start).checked_div(done).unwrap_or(0).max(1);
    if written.left.len() > 0 && !reply.is_full() {
        reply.run(Box::new(written));
    }
}

/// Rows that are still to be written.
struct Written<T> {
    rows: Rows,
    left: IntoIter<T>,
    write: Write<T>,
    /// About how many bytes each takes.
    row_bytes: usize,
}

impl<T: Send + fmt::Debug> Run for Written<T> {
    fn write_some(&mut self, reply: &mut Reply) {
        let start = reply.mark();
        while reply.len_since(start) < RUN_STEP_BYTES
            && !reply.is_full()
            && let Some(found) = self.left.next()
        {
            (self.write)(reply, self.rows, found);
        }
    }

    fn bytes_left(&self) -> usize {
        self.left.len() * self.row_bytes
    }

    fn own_bytes(&self) -> usize {
        size_of_val(self) + size_of_val(self.left.as_slice())
    }

    /// Nothing: the table does not change.
    fn refers_to<'r>(&'r self, _: &mut dyn FnMut(Kept, Option<&'r dyn Parts>)) {}
}

impl<T> fmt::Debug for Written<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}
