//! Where bytes come from and where they go.
//!
//! Files of many gigabytes are read and written in pieces, which the shell supplies and accepts.
//! Nothing here does any I/O.

use std::convert::Infallible;

/// Bytes that come in pieces.
pub trait Source {
    /// What can go wrong when more bytes are fetched.
    type Error;

    /// The bytes from the current position on; at least one, unless the end has come. Without
    /// [`Source::consume`] in between, a second call returns the same bytes.
    ///
    /// # Errors
    /// Whatever keeps more bytes from being fetched.
    fn fill(&mut self) -> Result<&[u8], Self::Error>;

    /// Advances the current position by `len` of the bytes that [`Source::fill`] returned.
    fn consume(&mut self, len: usize);
}

/// Bytes that are all there.
impl Source for &[u8] {
    type Error = Infallible;

    #[inline]
    fn fill(&mut self) -> Result<&[u8], Infallible> {
        Ok(self)
    }

    #[inline]
    fn consume(&mut self, len: usize) {
        *self = self.get(len..).unwrap_or_default();
    }
}

/// Where written bytes go, in pieces.
pub trait Sink {
    /// What can go wrong.
    type Error;

    /// Takes all of `piece`, which continues what was written before.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being taken.
    fn write(&mut self, piece: &[u8]) -> Result<(), Self::Error>;
}

/// Bytes in memory.
impl Sink for Vec<u8> {
    type Error = Infallible;

    fn write(&mut self, piece: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(piece);
        Ok(())
    }
}
