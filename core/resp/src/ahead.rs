//! A quick look at the requests that wait in a pipeline, so that a caller can prefetch what they
//! will need.

use crate::request::short_header;

/// What a request may be about, as far as a quick look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead<'a> {
    /// Its first argument, the name of the command.
    pub name: &'a [u8],
    /// Its second argument: the key, for most commands.
    pub key: &'a [u8],
    /// The argument behind the key.
    pub second: Option<&'a [u8]>,
    /// The last argument, if it is not the key.
    pub last: Option<&'a [u8]>,
}

/// What each whole request at the front of some input may be about.
///
/// It checks no limits, and stops at the first request that is incomplete, inline or unusual. It
/// takes a request that begins like the one before for one of the same length, as long as the next
/// one bears that out. So it is only a guess; the [`Parser`](crate::Parser) decides.
#[derive(Debug, Clone)]
pub struct KeysAhead<'a> {
    /// The last request that was seen, if it is kept, and all after it.
    rest: &'a [u8],
    seen: Seen,
}

/// What is known of the requests that were seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// There was none.
    Nothing,
    /// All of them look like this. The last one is kept, because its end is a guess.
    Alike(Layout),
    /// They differ.
    Different,
}

/// Where the arguments of a request lie that are told of, and where the request ends.
#[derive(Debug, Clone, Copy)]
struct Layout {
    name: Place,
    key: Place,
    second: Option<Place>,
    last: Option<Place>,
    end: usize,
}

/// Where an argument begins, and where it ends.
type Place = (usize, usize);

impl Layout {
    /// That of the request at the front of `input`.
    fn of(input: &[u8]) -> Option<Layout> {
        let (count, mut end) = short_header(b'*', input, 0)?;
        let (mut name, mut key, mut second, mut last) = (None, None, None, None);
        for index in 0..count {
            let (len, header_bytes) = short_header(b'$', input, end)?;
            let start = end + header_bytes;
            // The two bytes that end an argument are skipped unseen, as the parser does.
            end = start + len + 2;
            let place = Some((start, start + len));
            match index {
                0 => name = place,
                1 => key = place,
                2 => (second, last) = (place, place),
                _ => last = place,
            }
        }
        let key = key.filter(|_| end <= input.len())?;
        Some(Layout {
            name: name?,
            key,
            second,
            last,
            end,
        })
    }

    /// What lies there in a request.
    #[inline]
    fn read<'a>(&self, request: &'a [u8]) -> Option<Ahead<'a>> {
        let at = |(start, end): Place| request.get(start..end);
        Some(Ahead {
            name: at(self.name)?,
            key: at(self.key)?,
            second: self.second.and_then(at),
            last: self.last.and_then(at),
        })
    }
}

impl<'a> KeysAhead<'a> {
    /// A look at the requests at the front of `input`.
    pub fn new(input: &'a [u8]) -> KeysAhead<'a> {
        KeysAhead {
            rest: input,
            seen: Seen::Nothing,
        }
    }

    /// The next request if it begins like the one before, up to the key.
    #[inline]
    fn next_alike(&mut self, layout: Layout) -> Option<Ahead<'a>> {
        let next = self.rest.get(layout.end..)?;
        let head = self.rest.get(..layout.key.0)?;
        if next.len() < layout.end || !next.starts_with(head) {
            return None;
        }
        self.rest = next;
        layout.read(next)
    }
}

impl<'a> Iterator for KeysAhead<'a> {
    type Item = Ahead<'a>;

    #[inline]
    fn next(&mut self) -> Option<Ahead<'a>> {
        if let Seen::Alike(layout) = self.seen {
            if let Some(ahead) = self.next_alike(layout) {
                return Some(ahead);
            }
            let end = Layout::of(self.rest)?.end;
            self.rest = self.rest.get(end..)?;
            self.seen = Seen::Different;
        }
        let layout = Layout::of(self.rest)?;
        let ahead = layout.read(self.rest);
        match self.seen {
            Seen::Nothing => self.seen = Seen::Alike(layout),
            Seen::Alike(_) | Seen::Different => self.rest = self.rest.get(layout.end..)?,
        }
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, KeysAhead};

    #[test]
    fn keys_are_seen_until_something_is_odd() {
        let get = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
        let set = b"*4\r\n$3\r\nSET\r\n$2\r\nbb\r\n$0\r\n\r\n$1\r\nc\r\n";
        let keys = |input: &[u8]| {
            KeysAhead::new(input)
                .map(|ahead| ahead.key.to_vec())
                .collect::<Vec<_>>()
        };
        let both = [set.as_slice(), get].concat();
        assert_eq!(keys(&both), [b"bb".to_vec(), b"a".to_vec()]);
        for cut in 0..both.len() {
            assert_eq!(keys(&both[..cut]).len(), usize::from(cut >= set.len()));
        }
        // The look goes by what they have in common, and finds out where that ends.
        for lens in [[3, 3, 3, 3], [3, 3, 5, 3], [3, 5, 5, 5], [5, 3, 3, 5]] {
            let requests = lens.map(|len| {
                format!(
                    "*3\r\n$3\r\nSET\r\n$1\r\n{len}\r\n${len}\r\n{:len$}\r\n",
                    ""
                )
            });
            let expected = lens.map(|len| len.to_string().into_bytes());
            assert_eq!(keys(requests.concat().as_bytes()), expected);
            let with_get = [requests.concat().as_bytes(), get, set].concat();
            let more = [b"a".to_vec(), b"bb".to_vec()];
            assert_eq!(keys(&with_get), [expected.as_slice(), &more].concat());
        }
        let mut ahead = KeysAhead::new(&both);
        let of_set = Ahead {
            name: b"SET",
            key: b"bb",
            second: Some(b""),
            last: Some(b"c"),
        };
        let of_get = Ahead {
            name: b"GET",
            key: b"a",
            second: None,
            last: None,
        };
        assert_eq!(ahead.next(), Some(of_set));
        assert_eq!(ahead.next(), Some(of_get));
        assert_eq!(ahead.next(), None);
        for odd in [
            "PING\r\n",
            "*1\r\n$4\r\nPING\r\n",
            "*2\r\n$3\r\nGET\r\n$-1\r\n",
            "*999999999\r\n",
        ] {
            assert!(keys(odd.as_bytes()).is_empty(), "{odd:?}");
        }
    }
}
