//! A request's arguments: slices of the bytes that came in.
//!
//! An [`Argv`] is two pointers and copies nothing; an [`ArgvBuf`] owns what must outlive the input,
//! as a queued or blocked request must. Argument 0 is the command's name. A span always lies within
//! the bytes: the parser found it there, or the copy made it.

use std::fmt;

use crate::large::Large;

/// Where one argument lies: within a request's bytes, or which of its large ones it is. A request
/// is shorter than 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The bytes from `start`, `len` of them.
    #[inline]
    pub const fn new(start: u32, len: u32) -> Span {
        Span { start, len }
    }

    /// The large argument of this number. Its span ends behind all bytes that a request can have.
    pub(crate) fn large(number: usize) -> Span {
        Span::new(LARGE_START, offset(number + 1))
    }

    /// Where it begins.
    #[inline]
    pub(crate) const fn start(self) -> usize {
        self.start as usize
    }

    /// How many bytes it has.
    #[inline]
    pub(crate) const fn len(self) -> usize {
        self.len as usize
    }

    #[inline]
    fn of<'a>(self, bytes: &'a [u8], larges: &'a [Large]) -> &'a [u8] {
        let start = self.start as usize;
        match bytes.get(start..start + self.len as usize) {
            Some(bytes) => bytes,
            None => self.large_of(larges),
        }
    }

    #[cold]
    fn large_of(self, larges: &[Large]) -> &[u8] {
        self.large_number()
            .and_then(|number| larges.get(number))
            .expect("a span lies within the bytes that it was made for")
    }

    fn large_number(self) -> Option<usize> {
        let is_large = self.start == LARGE_START && self.len > 0;
        is_large.then(|| self.len as usize - 1)
    }
}

/// Where spans of large arguments begin.
const LARGE_START: u32 = u32::MAX;

/// The large arguments of a request without any.
const NO_LARGES: &Vec<Large> = &Vec::new();

/// The arguments of a request, borrowed.
#[derive(Clone, Copy)]
pub struct Argv<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    larges: &'a Vec<Large>,
}

impl<'a> Argv<'a> {
    /// The arguments that `spans` cut out of `bytes`.
    #[inline]
    pub const fn new(bytes: &'a [u8], spans: &'a [Span]) -> Argv<'a> {
        Argv {
            bytes,
            spans,
            larges: NO_LARGES,
        }
    }

    /// The same, some of which are large.
    #[inline]
    pub(crate) const fn with_larges(mut self, larges: &'a Vec<Large>) -> Argv<'a> {
        self.larges = larges;
        self
    }

    /// The large ones of the whole request; a clone of one shares its bytes.
    #[inline]
    pub fn larges(self) -> &'a [Large] {
        self.larges
    }

    /// The number of arguments, the command's name included.
    #[inline]
    pub const fn len(self) -> usize {
        self.spans.len()
    }

    /// Returns whether there are no arguments: an empty inline line, or an empty array.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`.
    #[inline]
    pub fn get(self, index: usize) -> Option<&'a [u8]> {
        let span = self.spans.get(index)?;
        Some(span.of(self.bytes, self.larges))
    }

    /// Argument `index`, if it lies among the bytes of the request, as all do that are not large.
    #[inline]
    pub fn in_place(self, index: usize) -> Option<&'a [u8]> {
        let span = self.spans.get(index)?;
        self.bytes.get(span.start()..span.start() + span.len())
    }

    /// All arguments, from the first.
    #[inline]
    pub fn iter(self) -> ArgvIter<'a> {
        ArgvIter {
            bytes: self.bytes,
            spans: self.spans.iter(),
            larges: self.larges,
        }
    }

    /// All but the first `n` arguments; none if there are no more than that.
    #[inline]
    pub fn skip(self, n: usize) -> Argv<'a> {
        Argv {
            spans: self.spans.get(n..).unwrap_or_default(),
            ..self
        }
    }

    /// The first `n` arguments; all if there are no more than that.
    #[inline]
    pub fn take(self, n: usize) -> Argv<'a> {
        Argv {
            spans: self.spans.get(..n).unwrap_or(self.spans),
            ..self
        }
    }

    /// The total length of the arguments, in bytes.
    pub fn bytes_len(self) -> usize {
        self.iter().map(<[u8]>::len).sum()
    }

    /// A copy that owns its bytes; only the arguments are copied, not what surrounds them. The
    /// large ones are shared.
    pub fn to_owned(self) -> ArgvBuf {
        if self.larges.is_empty() {
            return ArgvBuf::from_args(self.iter(), self.bytes_len());
        }
        let (mut bytes, mut larges) = (Vec::new(), Vec::new());
        let own = |span: &Span| match span.large_number() {
            Some(number) => {
                larges.extend(self.larges.get(number).cloned());
                Span::large(larges.len() - 1)
            }
            None => {
                let arg = span.of(self.bytes, self.larges);
                let owned = Span::new(offset(bytes.len()), offset(arg.len()));
                bytes.extend_from_slice(arg);
                owned
            }
        };
        let spans = self.spans.iter().map(own).collect();
        ArgvBuf {
            bytes: bytes.into(),
            spans,
            larges,
        }
    }
}

impl<'a> IntoIterator for Argv<'a> {
    type Item = &'a [u8];
    type IntoIter = ArgvIter<'a>;

    #[inline]
    fn into_iter(self) -> ArgvIter<'a> {
        self.iter()
    }
}

impl PartialEq for Argv<'_> {
    fn eq(&self, other: &Argv<'_>) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Argv<'_> {}

impl fmt::Debug for Argv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|arg| arg.escape_ascii().to_string()))
            .finish()
    }
}

/// Iterates over arguments; made by [`Argv::iter`].
#[derive(Clone)]
pub struct ArgvIter<'a> {
    bytes: &'a [u8],
    spans: std::slice::Iter<'a, Span>,
    larges: &'a Vec<Large>,
}

impl<'a> Iterator for ArgvIter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let span = self.spans.next()?;
        Some(span.of(self.bytes, self.larges))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<&'a [u8]> {
        let span = self.spans.nth(n)?;
        Some(span.of(self.bytes, self.larges))
    }
}

impl<'a> DoubleEndedIterator for ArgvIter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<&'a [u8]> {
        let span = self.spans.next_back()?;
        Some(span.of(self.bytes, self.larges))
    }
}

impl ExactSizeIterator for ArgvIter<'_> {}

impl fmt::Debug for ArgvIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Argv::new(self.bytes, self.spans.as_slice())
            .with_larges(self.larges)
            .fmt(f)
    }
}

/// The arguments of a request, owned. Two allocations, both of the exact size, and what large ones
/// share.
#[derive(Clone, Default)]
pub struct ArgvBuf {
    bytes: Box<[u8]>,
    spans: Box<[Span]>,
    larges: Vec<Large>,
}

impl ArgvBuf {
    /// The arguments, borrowed.
    #[inline]
    pub const fn as_argv(&self) -> Argv<'_> {
        Argv {
            bytes: &self.bytes,
            spans: &self.spans,
            larges: &self.larges,
        }
    }

    /// Heap memory of this, in bytes; shared memory counts in full.
    pub fn heap_bytes(&self) -> usize {
        let larges: usize = self.larges.iter().map(|large| large.capacity()).sum();
        self.bytes.len() + self.spans.len() * size_of::<Span>() + larges
    }

    pub(crate) fn from_parts(bytes: Vec<u8>, spans: Vec<Span>) -> ArgvBuf {
        ArgvBuf {
            bytes: bytes.into(),
            spans: spans.into(),
            larges: Vec::new(),
        }
    }

    fn from_args<A: AsRef<[u8]>>(args: impl Iterator<Item = A>, bytes_len: usize) -> ArgvBuf {
        let mut bytes = Vec::with_capacity(bytes_len);
        let mut spans = Vec::with_capacity(args.size_hint().0);
        for arg in args {
            let arg = arg.as_ref();
            spans.push(Span::new(offset(bytes.len()), offset(arg.len())));
            bytes.extend_from_slice(arg);
        }
        ArgvBuf {
            bytes: bytes.into(),
            spans: spans.into(),
            larges: Vec::new(),
        }
    }
}

/// An offset as spans keep it.
pub(crate) fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("the parser refuses a request of 4 GiB, and nobody makes one")
}

/// How long an argument is that was not measured.
const ARG_BYTES_GUESS: usize = 16;

impl<A: AsRef<[u8]>> FromIterator<A> for ArgvBuf {
    fn from_iter<I: IntoIterator<Item = A>>(args: I) -> ArgvBuf {
        let args = args.into_iter();
        let bytes_guess = args.size_hint().0 * ARG_BYTES_GUESS;
        ArgvBuf::from_args(args, bytes_guess)
    }
}

impl PartialEq for ArgvBuf {
    fn eq(&self, other: &ArgvBuf) -> bool {
        self.as_argv() == other.as_argv()
    }
}

impl Eq for ArgvBuf {}

impl fmt::Debug for ArgvBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_argv().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: &[Span] = &[Span::new(1, 3), Span::new(4, 0), Span::new(5, 2)];

    fn collected(argv: Argv<'_>) -> Vec<&[u8]> {
        argv.iter().collect()
    }

    #[test]
    fn arguments_are_cut_out_of_the_bytes() {
        let argv = Argv::new(b".SET.ab.", SPANS);
        assert_eq!(
            (argv.len(), argv.is_empty(), argv.bytes_len()),
            (3, false, 5)
        );
        assert_eq!(collected(argv), [&b"SET"[..], b"", b"ab"]);
        assert_eq!((argv.get(0), argv.get(3)), (Some(&b"SET"[..]), None));
        assert_eq!(argv.iter().rev().nth(2), Some(&b"SET"[..]));
        assert_eq!(
            (argv.iter().len(), argv.iter().nth(2)),
            (3, Some(&b"ab"[..]))
        );
        assert_eq!(format!("{argv:?}"), r#"["SET", "", "ab"]"#);
    }

    #[test]
    fn skipping_and_taking_stop_at_the_end() {
        let argv = Argv::new(b".SET.ab.", SPANS);
        assert_eq!(collected(argv.skip(1)), [&b""[..], b"ab"]);
        assert_eq!(collected(argv.take(1)), [&b"SET"[..]]);
        assert_eq!(
            (argv.skip(3).len(), argv.skip(4).len(), argv.take(9).len()),
            (0, 0, 3)
        );
    }

    #[test]
    #[should_panic(expected = "within the bytes")]
    fn a_span_outside_the_bytes_is_not_taken_for_an_empty_argument() {
        collected(Argv::new(b".SET.ab.", &[Span::new(7, 2)]));
    }

    #[test]
    fn an_owned_copy_keeps_the_arguments_and_nothing_else() {
        let argv = Argv::new(b".SET.ab.", SPANS);
        let owned = argv.to_owned();
        assert_eq!(owned.as_argv(), argv);
        assert_eq!(owned.heap_bytes(), 5 + 3 * 8);
        assert_eq!(owned, ["SET", "", "ab"].into_iter().collect());
        assert_ne!(owned, ["SET", "", "ac"].into_iter().collect());
        assert_eq!(argv.skip(1).to_owned().heap_bytes(), 2 + 2 * 8);
        assert!(ArgvBuf::default().as_argv().is_empty());
    }
}
