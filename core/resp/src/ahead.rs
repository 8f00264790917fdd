//! A quick look at the requests that wait in a pipeline, so that a caller can prefetch what they
//! will need.

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

    /// The number after the sign that announces arguments or their length.
    fn number(&mut self, sign: u8) -> Option<usize> {
        let [first, rest @ ..] = self.rest else {
            return None;
        };
        if *first != sign {
            return None;
        }
        let mut number = 0_usize;
        for (index, byte) in rest.iter().enumerate().take(DIGITS_MAX) {
            if byte.is_ascii_digit() {
                number = number * 10 + usize::from(byte - b'0');
            } else {
                self.rest = rest.get(index..)?.strip_prefix(b"\r\n")?;
                return (index > 0).then_some(number);
            }
        }
        None
    }
}

/// The most digits of a number that this look reads.
const DIGITS_MAX: usize = 8;

impl<'a> Iterator for KeysAhead<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let count = self.number(b'*')?;
        let mut key = None;
        for index in 0..count {
            let len = self.number(b'$')?;
            let (argument, rest) = self.rest.split_at_checked(len)?;
            self.rest = rest.strip_prefix(b"\r\n")?;
            if index == 1 {
                key = Some(argument);
            }
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::KeysAhead;

    #[test]
    fn keys_are_seen_until_something_is_odd() {
        let get = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
        let set = b"*3\r\n$3\r\nSET\r\n$2\r\nbb\r\n$0\r\n\r\n";
        let keys = |input: &[u8]| {
            KeysAhead::new(input)
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        };
        let both = [get.as_slice(), set].concat();
        assert_eq!(keys(&both), [b"a".to_vec(), b"bb".to_vec()]);
        for cut in 0..both.len() {
            assert_eq!(keys(&both[..cut]).len(), usize::from(cut >= get.len()));
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
