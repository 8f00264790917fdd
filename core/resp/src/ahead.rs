//! A quick look at the requests that wait in a pipeline, so that a caller can prefetch what they
//! will need.

use crate::request::{END_BYTES, short_header};

/// What a request may be about, as far as a quick look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead<'a> {
    /// Its first argument, the name of the command.
    pub name: &'a [u8],
    /// Its second argument: the key, for most commands.
    pub key: &'a [u8],
    /// It has the same name as the request before, in the same letters.
    pub is_alike: bool,
    /// What comes behind the key, and more.
    behind: &'a [u8],
    /// How many arguments that is.
    count: usize,
}

impl<'a> Ahead<'a> {
    /// The arguments behind the key.
    pub fn behind(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (behind, count) = (self.behind, self.count);
        let mut at = 0;
        (0..count).map_while(move |_| {
            let (start, end) = argument(behind, at)?;
            at = end + END_BYTES;
            behind.get(start..end)
        })
    }

    /// The argument behind the key.
    pub fn second(&self) -> Option<&'a [u8]> {
        self.argument_behind(0)
    }

    /// The last argument, if it is not the key.
    pub fn last(&self) -> Option<&'a [u8]> {
        self.argument_behind(self.count.checked_sub(1)?)
    }

    fn argument_behind(&self, index: usize) -> Option<&'a [u8]> {
        if index >= self.count {
            return None;
        }
        let mut at = 0;
        for _ in 0..index {
            at = argument(self.behind, at)?.1 + END_BYTES;
        }
        let (start, end) = argument(self.behind, at)?;
        self.behind.get(start..end)
    }
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

/// Where name and key of a request lie, how many arguments come behind, and where it ends.
#[derive(Debug, Clone, Copy)]
struct Layout {
    name: Place,
    key: Place,
    behind: usize,
    end: usize,
}

/// Where an argument begins, and where it ends.
type Place = (usize, usize);

/// The argument whose header is at `at`.
#[inline]
fn argument(input: &[u8], at: usize) -> Option<Place> {
    let (len, header_bytes) = short_header(b'$', input, at)?;
    let start = at + header_bytes;
    Some((start, start + len))
}

impl Layout {
    /// That of the request at the front of `input`.
    fn of(input: &[u8]) -> Option<Layout> {
        let (count, header_bytes) = short_header(b'*', input, 0)?;
        let behind = count.checked_sub(2)?;
        let name = argument(input, header_bytes)?;
        let key = argument(input, name.1 + END_BYTES)?;
        let mut end = key.1 + END_BYTES;
        for _ in 0..behind {
            end = argument(input, end)?.1 + END_BYTES;
        }
        (end <= input.len()).then_some(Layout {
            name,
            key,
            behind,
            end,
        })
    }

    /// What lies there in a request.
    #[inline]
    fn read<'a>(&self, request: &'a [u8], is_alike: bool) -> Option<Ahead<'a>> {
        Some(Ahead {
            name: request.get(self.name.0..self.name.1)?,
            key: request.get(self.key.0..self.key.1)?,
            is_alike,
            behind: request.get(self.key.1 + END_BYTES..)?,
            count: self.behind,
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
        if next.len() < layout.end || !begins_with(next, head) {
            return None;
        }
        self.rest = next;
        layout.read(next, true)
    }
}

impl<'a> KeysAhead<'a> {
    /// The next request, whatever it looks like.
    #[inline(never)]
    fn next_other(&mut self) -> Option<Ahead<'a>> {
        if let Seen::Alike(_) = self.seen {
            let end = Layout::of(self.rest)?.end;
            self.rest = self.rest.get(end..)?;
            self.seen = Seen::Different;
        }
        let layout = Layout::of(self.rest)?;
        let ahead = layout.read(self.rest, false);
        match self.seen {
            Seen::Nothing => self.seen = Seen::Alike(layout),
            Seen::Alike(_) | Seen::Different => self.rest = self.rest.get(layout.end..)?,
        }
        ahead
    }
}

/// Returns whether `bytes` begin with `head`. Most heads have so many bytes that two words tell,
/// and nothing is called.
#[inline]
fn begins_with(bytes: &[u8], head: &[u8]) -> bool {
    let (Some(bytes), 16..=32) = (bytes.get(..head.len()), head.len()) else {
        return bytes.starts_with(head);
    };
    let ends = |bytes: &[u8]| {
        let word = |word: Option<&[u8; 16]>| word.map(|word| u128::from_le_bytes(*word));
        (word(bytes.first_chunk()), word(bytes.last_chunk()))
    };
    ends(bytes) == ends(head)
}

impl<'a> Iterator for KeysAhead<'a> {
    type Item = Ahead<'a>;

    #[inline]
    fn next(&mut self) -> Option<Ahead<'a>> {
        if let Seen::Alike(layout) = self.seen
            && let Some(ahead) = self.next_alike(layout)
        {
            return Some(ahead);
        }
        self.next_other()
    }
}

#[cfg(test)]
mod tests {
    use super::{KeysAhead, begins_with};

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
        let set = ahead.next().unwrap();
        assert_eq!((set.name, set.key), (&b"SET"[..], &b"bb"[..]));
        assert_eq!(
            (set.second(), set.last()),
            (Some(&b""[..]), Some(&b"c"[..]))
        );
        let get = ahead.next().unwrap();
        assert_eq!((get.name, get.key), (&b"GET"[..], &b"a"[..]));
        assert_eq!((get.second(), get.last()), (None, None));
        assert!(!set.is_alike && !get.is_alike);
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
    #[test]
    fn requests_alike_are_told_from_others_by_every_byte_of_their_heads() {
        for len in 0..40 {
            let head: Vec<u8> = (0..len).collect();
            let next: Vec<u8> = (0..100).collect();
            assert!(begins_with(&next, &head));
            assert!(len == 0 || !begins_with(&next[..usize::from(len) - 1], &head));
            for at in 0..head.len() {
                let mut other = head.clone();
                other[at] ^= 0x80;
                assert!(!begins_with(&next, &other), "{len} {at}");
            }
        }
    }

    #[test]
    fn what_comes_behind_the_key_is_found_in_requests_alike() {
        let of =
            |member: &str| format!("*4\r\n$4\r\nZADD\r\n$1\r\nz\r\n$1\r\n5\r\n$2\r\n{member}\r\n");
        let input = ["m1", "m2", "m3"].map(of).concat();
        let seen: Vec<_> = KeysAhead::new(input.as_bytes()).collect();
        let shown: Vec<_> = seen
            .iter()
            .map(|ahead| (ahead.is_alike, ahead.second(), ahead.last()))
            .collect();
        let expected: [(bool, &[u8], &[u8]); 3] = [
            (false, b"5", b"m1"),
            (true, b"5", b"m2"),
            (true, b"5", b"m3"),
        ];
        let expected =
            expected.map(|(is_alike, second, last)| (is_alike, Some(second), Some(last)));
        assert_eq!(shown, expected);
        let behind: Vec<Vec<&[u8]>> = seen.iter().map(|ahead| ahead.behind().collect()).collect();
        let of = |member: &'static str| vec![&b"5"[..], member.as_bytes()];
        assert_eq!(behind, ["m1", "m2", "m3"].map(of));
    }
}
