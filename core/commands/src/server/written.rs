//! Rows of a table or a log in a reply, of which the later ones are written when they are sent.
//!
//! A request may name a command as often as it likes, and a row has up to some ten thousand bytes;
//! a log may be long. Nobody waits until all of it is written, and it takes no memory before it is
//! sent.

use std::fmt;
use std::vec::IntoIter;

use resp::{Kept, Parts, RUN_STEP_BYTES, Reply, Run};

/// What rows that are still to be written keep in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Nothing: a table does not change.
    Nothing,
    /// Themselves: whoever else has them may forget them before they are sent.
    Themselves,
}

/// Writes these rows, the first of them at once.
pub(super) fn write_rows<T, W>(reply: &mut Reply, found: Vec<T>, keeping: Keeping, write: W)
where
    T: Send + 'static,
    W: Fn(&mut Reply, T) + Send + 'static,
{
    let (start, count) = (reply.mark(), found.len());
    let mut written = Written {
        left: found.into_iter(),
        keeping,
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
struct Written<T, W> {
    left: IntoIter<T>,
    keeping: Keeping,
    write: W,
    /// About how many bytes each takes.
    row_bytes: usize,
}

impl<T: Send, W: Fn(&mut Reply, T) + Send> Run for Written<T, W> {
    fn write_some(&mut self, reply: &mut Reply) {
        let start = reply.mark();
        while reply.len_since(start) < RUN_STEP_BYTES
            && !reply.is_full()
            && let Some(found) = self.left.next()
        {
            (self.write)(reply, found);
        }
    }

    fn bytes_left(&self) -> usize {
        self.left.len() * self.row_bytes
    }

    fn own_bytes(&self) -> usize {
        let kept = match self.keeping {
            Keeping::Nothing => 0,
            Keeping::Themselves => self.bytes_left(),
        };
        size_of_val(self) + size_of_val(self.left.as_slice()) + kept
    }

    /// Nothing that is not counted above.
    fn refers_to<'r>(&'r self, _: &mut dyn FnMut(Kept, Option<&'r dyn Parts>)) {}
}

impl<T, W> fmt::Debug for Written<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}
