//! Where commands and batches end, in the bytes of a log.
//!
//! Only the outline of RESP is read: enough to cut a file that Redis wrote after its last whole
//! batch. The engine knows what the commands mean. A batch is one command, or everything from
//! `MULTI` to `EXEC`. These two names are compared here because the journal knows no commands, and
//! Redis groups what belongs together by nothing else.

use crate::annotation::{self, Kind};
use crate::limits::{COMMAND_ARGS_MAX, FOREIGN_LINE_BYTES_MAX, NUMBER_LINE_BYTES_MAX};

/// What the front of some bytes turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// It ends before this index.
    Whole(usize),
    /// It goes on: at least this many bytes are needed to say more.
    Partial(usize),
}

/// What is wrong with the bytes of a command, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Index of the first wrong byte.
    pub(crate) at: usize,
    /// What should have been there.
    pub(crate) expected: &'static str,
}

/// Finds the end of the batch at the front of `bytes`, with the lines that begin with `#` before
/// and within it.
pub(crate) fn batch(bytes: &[u8]) -> Result<Scanned, Malformed> {
    let mut at = 0;
    let mut within_multi = false;
    loop {
        let rest = &bytes[at..];
        let scanned = match rest.first() {
            None => Scanned::Partial(1),
            Some(b'#') => foreign_line(rest).map_err(|error| error.behind(at))?,
            Some(_) => command(rest).map_err(|error| error.behind(at))?,
        };
        let Scanned::Whole(len) = scanned else {
            let Scanned::Partial(needed) = scanned else {
                continue;
            };
            return Ok(Scanned::Partial(at + needed));
        };
        at += len;
        if rest[0] == b'#' {
            continue;
        }
        match name(&rest[..len]) {
            Some(name) if name.eq_ignore_ascii_case(b"MULTI") => within_multi = true,
            Some(name) if name.eq_ignore_ascii_case(b"EXEC") => return Ok(Scanned::Whole(at)),
            _ if within_multi => {}
            _ => return Ok(Scanned::Whole(at)),
        }
    }
}

/// Finds the end of the command (an array of bulk strings) at the front of `bytes`.
pub(crate) fn command(bytes: &[u8]) -> Result<Scanned, Malformed> {
    let (count, mut at) = match number(bytes, 0, b'*')? {
        (Some(count), end) => (count, end),
        (None, needed) => return Ok(Scanned::Partial(needed)),
    };
    if count == 0 || count > COMMAND_ARGS_MAX {
        return Err(Malformed {
            at: 0,
            expected: "a number of arguments",
        });
    }
    for _ in 0..count {
        let (len, start) = match number(bytes, at, b'$')? {
            (Some(len), end) => (len, end),
            (None, needed) => return Ok(Scanned::Partial(needed)),
        };
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| start.checked_add(len)?.checked_add(2));
        let Some(end) = end else {
            return Err(Malformed {
                at,
                expected: "a length",
            });
        };
        if let Some(found) = bytes.get(end - 2..end) {
            if found != b"\r\n" {
                return Err(Malformed {
                    at: end - 2,
                    expected: "a line ending",
                });
            }
        } else {
            return Ok(Scanned::Partial(end));
        }
        at = end;
    }
    Ok(Scanned::Whole(at))
}

/// Reads the number line at `at`: the number and where the line ends, or how many bytes are needed
/// to tell.
fn number(bytes: &[u8], at: usize, sign: u8) -> Result<(Option<u64>, usize), Malformed> {
    let expected = if sign == b'*' {
        "a command (`*`)"
    } else {
        "a bulk string (`$`)"
    };
    let line = &bytes[at.min(bytes.len())..];
    let line = &line[..line.len().min(NUMBER_LINE_BYTES_MAX)];
    if line.first().is_some_and(|&first| first != sign) {
        return Err(Malformed { at, expected });
    }
    let Some(end) = line.iter().position(|&byte| byte == b'\n') else {
        let digits = line.get(1..).unwrap_or_default();
        let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
        let hopeful = line.len() < NUMBER_LINE_BYTES_MAX && digits.iter().all(u8::is_ascii_digit);
        return if hopeful {
            Ok((None, bytes.len().max(at) + 1))
        } else {
            Err(Malformed { at, expected })
        };
    };
    let number = line[1..end].strip_suffix(b"\r").and_then(|digits| {
        let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        plain
            .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
            .flatten()
    });
    number.map_or(Err(Malformed { at, expected }), |number| {
        Ok((Some(number), at + end + 1))
    })
}

/// Finds the end of a line that begins with `#` and belongs to the commands.
fn foreign_line(bytes: &[u8]) -> Result<Scanned, Malformed> {
    if !matches!(annotation::classify(bytes), None | Some(Kind::Other)) {
        return Err(Malformed {
            at: 0,
            expected: "the end of a transaction",
        });
    }
    let line = &bytes[..bytes.len().min(FOREIGN_LINE_BYTES_MAX)];
    match line.iter().position(|&byte| byte == b'\n') {
        Some(end) => Ok(Scanned::Whole(end + 1)),
        None if line.len() < FOREIGN_LINE_BYTES_MAX => Ok(Scanned::Partial(bytes.len() + 1)),
        None => Err(Malformed {
            at: 0,
            expected: "the end of an annotation line",
        }),
    }
}

/// The first argument of a whole command.
fn name(command: &[u8]) -> Option<&[u8]> {
    let (_, start) = number(command, 0, b'*').ok()?;
    let (len, start) = number(command, start, b'$').ok()?;
    command.get(start..start.checked_add(usize::try_from(len?).ok()?)?)
}

impl Malformed {
    fn behind(self, bytes: usize) -> Self {
        Malformed {
            at: self.at + bytes,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nv1\r\n";
    const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
    const EXEC: &[u8] = b"*1\r\n$4\r\nexec\r\n";

    #[test]
    fn a_command_is_a_batch() {
        let two = [SET, SET].concat();
        assert_eq!(batch(&two), Ok(Scanned::Whole(SET.len())));
    }

    #[test]
    fn a_transaction_is_one_batch_with_its_annotations() {
        let all = [b"#TS:17\r\n", MULTI, SET, b"#t:5\r\n", SET, EXEC].concat();
        assert_eq!(batch(&[&all, SET].concat()), Ok(Scanned::Whole(all.len())));
        for cut in 0..all.len() {
            assert!(matches!(batch(&all[..cut]), Ok(Scanned::Partial(needed)) if needed > cut));
        }
    }

    #[test]
    fn a_long_value_says_how_much_is_missing() {
        assert_eq!(
            command(b"*1\r\n$1000\r\nxx"),
            Ok(Scanned::Partial(11 + 1002))
        );
    }

    #[test]
    fn what_is_no_command_is_refused_where_it_stands() {
        for (bytes, at) in [
            (&b"\0\0\0"[..], 0),
            (b"*x\r\n", 0),
            (b"*0\r\n", 0),
            (b"*-1\r\n", 0),
            (b"*1048577\r\n", 0),
            (b"*99999999999999999999999\r\n", 0),
            (b"*1\r\n:1\r\n", 4),
            (b"*1\r\n$18446744073709551615\r\n", 4),
            (b"*1\r\n$2\r\nabc\r\n", 10),
            (b"*00000000000000000000000000000000000", 0),
        ] {
            let error = command(bytes).unwrap_err();
            assert_eq!(error.at, at, "{}", bytes.escape_ascii());
        }
        assert_eq!(
            batch(&[MULTI, b"##\n"].concat()).unwrap_err().at,
            MULTI.len()
        );
        let endless = vec![b'#'; 1]
            .into_iter()
            .chain(vec![b'x'; 2000])
            .collect::<Vec<u8>>();
        assert_eq!(batch(&endless).unwrap_err().at, 0);
    }

    #[test]
    fn a_million_arguments_are_the_most() {
        let mut bytes = format!("*{COMMAND_ARGS_MAX}\r\n").into_bytes();
        for _ in 0..COMMAND_ARGS_MAX {
            bytes.extend(b"$0\r\n\r\n");
        }
        assert_eq!(command(&bytes), Ok(Scanned::Whole(bytes.len())));
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes: Vec<u8>) {
            let _ = batch(&bytes);
        }

        #[test]
        fn bytes_like_commands_have_an_answer(bytes in "[*$#0-9\r\nM]{0,40}") {
            let _ = batch(bytes.as_bytes());
        }
    }
}
