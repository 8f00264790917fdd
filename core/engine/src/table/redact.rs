//! Secrets in requests: what `MONITOR` and the slow log show of them.

use resp::{Argv, ArgvBuf};

/// What replaces a secret.
const REDACTED: &[u8] = b"(redacted)";

/// The request without the passwords in it.
pub(crate) fn redacted(argv: Argv<'_>) -> ArgvBuf {
    argv.iter()
        .enumerate()
        .map(|(position, arg)| {
            if is_secret(argv, position) {
                REDACTED
            } else {
                arg
            }
        })
        .collect()
}

fn is_secret(argv: Argv<'_>, position: usize) -> bool {
    let at = |index: usize, word: &str| {
        argv.get(index)
            .is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let after = |word: &str| position > 1 && at(position - 1, word);
    if at(0, "AUTH") {
        return position > 0;
    }
    if at(0, "HELLO") {
        return after("AUTH") || (position > 3 && at(position - 2, "AUTH"));
    }
    at(0, "CONFIG") && at(1, "SET") && position % 2 == 1 && after("requirepass")
}

#[cfg(test)]
mod tests {
    use resp::ArgvBuf;

    use super::redacted;

    fn shown(request: &str) -> String {
        let request: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let shown = redacted(request.as_argv());
        let shown: Vec<&[u8]> = shown.as_argv().iter().collect();
        String::from_utf8_lossy(&shown.join(&b' ')).into_owned()
    }

    #[test]
    fn passwords_are_not_shown() {
        for (request, expected) in [
            ("auth secret", "auth (redacted)"),
            ("AUTH default secret", "AUTH (redacted) (redacted)"),
            (
                "HELLO 3 AUTH default secret SETNAME me",
                "HELLO 3 AUTH (redacted) (redacted) SETNAME me",
            ),
            (
                "CONFIG SET timeout 1 requirepass secret",
                "CONFIG SET timeout 1 requirepass (redacted)",
            ),
            ("SET AUTH x", "SET AUTH x"),
        ] {
            assert_eq!(shown(request), expected);
        }
    }
}
