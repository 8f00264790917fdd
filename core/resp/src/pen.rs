//! Texts written into a buffer that is already there, which is cheaper than adding to a vector.
//!
//! Lengths come from a table. Short texts are copied with a fixed width that may run over their
//! end, which is cheaper than an exact copy; what comes next overwrites the rest. All of it is
//! plain slices, so a mistake here is a panic in a test and never a write out of bounds.

/// A place in the output. Lives in registers, so it is passed by value and never borrowed by what
/// is not inlined.
#[derive(Debug)]
pub struct Pen<'o> {
    out: &'o mut [u8],
    at: usize,
}

/// More room is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom {
    /// From here on
    pub at: usize,
    /// this many bytes.
    pub bytes: usize,
}

/// The longest run of bytes between two checks for room, the texts themselves apart.
pub const PEN_ROOM: usize = 64;

/// The width of a copy of a short text,
const SHORT: usize = 32;
/// and of one that is not so short.
const MEDIUM: usize = 64;

impl<'o> Pen<'o> {
    /// Writes from `at` on.
    #[inline(always)]
    pub fn new(out: &'o mut [u8], at: usize) -> Pen<'o> {
        Pen { out, at }
    }

    /// Where the next byte goes.
    #[inline(always)]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Makes sure that this many bytes can be written. Whoever does not ask for all of them, and
    /// for [`PEN_ROOM`] more, panics at the end of the buffer.
    ///
    /// # Errors
    /// [`NoRoom`] if the buffer ends before that.
    #[inline(always)]
    pub fn room(&self, bytes: usize) -> Result<(), NoRoom> {
        if self.out.len() - self.at < bytes {
            return Err(NoRoom { at: self.at, bytes });
        }
        Ok(())
    }

    /// Puts all of `bytes` and keeps the first `len` of them.
    #[inline(always)]
    pub fn put<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        self.out[self.at..self.at + N].copy_from_slice(bytes);
        self.at += len;
    }

    /// Copies `from[start..start + len]`, cheaper if there is more behind it.
    #[inline(always)]
    pub fn copy(&mut self, from: &[u8], start: usize, len: usize) {
        let at = self.at;
        self.at += len;
        if len <= SHORT
            && let Some(wide) = from.get(start..start + SHORT)
        {
            self.out[at..at + SHORT].copy_from_slice(wide);
        } else if len <= MEDIUM
            && let Some(wide) = from.get(start..start + MEDIUM)
        {
            self.out[at..at + MEDIUM].copy_from_slice(wide);
        } else {
            self.out[at..at + len].copy_from_slice(&from[start..start + len]);
        }
    }

    /// Copies a text of which nothing is known: a short one as its beginning and its end, which
    /// may overlap.
    #[inline(always)]
    pub fn text(&mut self, text: &[u8]) {
        let at = self.at;
        self.at += text.len();
        if !(self.ends::<16>(at, text) || self.ends::<8>(at, text) || self.ends::<4>(at, text)) {
            self.out[at..at + text.len()].copy_from_slice(text);
        }
    }

    /// Copies a text of `N` bytes, up to twice as many.
    #[inline(always)]
    fn ends<const N: usize>(&mut self, at: usize, text: &[u8]) -> bool {
        let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
            return false;
        };
        if text.len() > 2 * N {
            return false;
        }
        self.out[at..at + N].copy_from_slice(first);
        let end = at + text.len();
        self.out[end - N..end].copy_from_slice(last);
        true
    }

    /// Writes `$`, a length and a line end.
    #[inline(always)]
    pub fn length(&mut self, length: usize) {
        match LENGTHS.get(length) {
            Some(text) => self.put(text, usize::from(text[7])),
            None => {
                self.put(b"$", 1);
                self.number(length as u64);
                self.put(b"\r\n", 2);
            }
        }
    }

    /// Writes a number, in decimal.
    #[inline(always)]
    pub fn number(&mut self, number: u64) {
        self.at = decimal(self.out, self.at, number);
    }
}

/// Writes a number at `at` and returns where it ends.
#[cold]
fn decimal(out: &mut [u8], at: usize, number: u64) -> usize {
    let mut digits = itoa::Buffer::new();
    let text = digits.format(number).as_bytes();
    out[at..at + text.len()].copy_from_slice(text);
    at + text.len()
}

/// `$n\r\n` for short lengths; the last byte says how long the text is.
static LENGTHS: [[u8; 8]; 512] = lengths();

const fn lengths() -> [[u8; 8]; 512] {
    let mut texts = [[0; 8]; 512];
    let mut length = 0;
    while length < texts.len() {
        let digits = if length >= 100 {
            3
        } else if length >= 10 {
            2
        } else {
            1
        };
        let text = &mut texts[length];
        text[0] = b'$';
        let (mut rest, mut digit) = (length, digits);
        while digit > 0 {
            text[digit] = b'0' + (rest % 10) as u8;
            rest /= 10;
            digit -= 1;
        }
        text[digits + 1] = b'\r';
        text[digits + 2] = b'\n';
        text[7] = digits as u8 + 3;
        length += 1;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_is_written_with_its_length() {
        let letters: Vec<u8> = (0..2000_u32).map(|letter| letter as u8).collect();
        for len in 0..letters.len() {
            let text = &letters[..len];
            let expected = [format!("${len}\r\n").as_bytes(), text].concat();
            for is_whole in [true, false] {
                let mut out = vec![b'.'; expected.len() + PEN_ROOM + 1];
                let mut pen = Pen::new(&mut out, 1);
                pen.length(len);
                match is_whole {
                    true => pen.text(text),
                    false => pen.copy(&letters, 0, len),
                }
                let end = pen.at();
                assert_eq!(out[1..end], expected, "{len}");
            }
        }
    }

    #[test]
    fn room_is_what_is_left() {
        let mut out = [0; 10];
        let pen = Pen::new(&mut out, 4);
        assert_eq!(pen.room(6), Ok(()));
        assert_eq!(pen.room(7), Err(NoRoom { at: 4, bytes: 7 }));
    }
}
