//! A quick look at the requests that wait in a pipeline, so that a caller can prefetch what they
//! will need.

use crate::request::short_header;

/// The second argument of each whole request at the front of some input: its key, for most
/// commands.
///
/// It checks no limits, and stops at the first request that is incomplete, inline or unusual. So it
/// is only a guess; the [`Parser`](crate::Parser) decides.
#[derive(Debug, Clone)]
pub struct KeysAhead<'a> {
    rest: &'a [u8],
}

impl<'a> KeysAhead<'a> {
    /// A look at the requests at the front of `input`.
    pub fn new(input: &'a [u8]) -> KeysAhead<'a> {
        KeysAhead { rest: input }
    }
}

impl<'a> Iterator for KeysAhead<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (count, mut at) = short_header(b'*', self.rest, 0)?;
        let mut key = None;
        for index in 0..count {
            let (len, header_bytes) = short_header(b'$', self.rest, at)?;
            let start = at + header_bytes;
            let argument = self.rest.get(start..start + len)?;
            // The two bytes that end an argument are skipped unseen, as the parser does.
            at = start + len + 2;
            if index == 1 {
                key = Some(argument);
            }
        }
        self.rest = self.rest.get(at..)?;
        key
    }
}

#[cfg(test)]
mod tests {
    use super::KeysAhead;

    #[test]
    fn keys_are_seen_until_something_is_odd() {
        let get = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
        let set = b"*4\r\n$3\r\nSET\r\n$2\r\nbb\r\n$0\r\n\r\n$1\r\nc\r\n";
        let keys = |input: &[u8]| {
            KeysAhead::new(input)
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        };
        let both = [set.as_slice(), get].concat();
        assert_eq!(keys(&both), [b"bb".to_vec(), b"a".to_vec()]);
        for cut in 0..both.len() {
            assert_eq!(keys(&both[..cut]).len(), usize::from(cut >= set.len()));
        }
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
