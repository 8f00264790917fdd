//! Who calls, as `Authorization` says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};

use super::answer::Fault;
use crate::client::Credentials;

/// The name and password in a request; none if it has none.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Credentials>, Fault> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(basic);
    let unknown = || unauthorized("only HTTP basic authentication is known here");
    parsed.map(Some).ok_or_else(unknown)
}

/// Nobody has said who calls, or who it says is not who it is.
pub(super) fn unauthorized(message: impl Into<String>) -> Fault {
    Fault::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn basic(text: &str) -> Option<Credentials> {
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (user, password) = decoded.split_at(colon);
    Some(Credentials {
        user: user.to_vec(),
        password: password[1..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_have_any_bytes_and_a_name_no_colon() {
        let said = |bytes: &[u8]| basic(&format!("Basic {}", STANDARD.encode(bytes)));
        let expected = |user: &[u8], password: &[u8]| {
            Some(Credentials {
                user: user.to_vec(),
                password: password.to_vec(),
            })
        };
        assert_eq!(said(b"alice:a:b\xff"), expected(b"alice", b"a:b\xff"));
        assert_eq!(said(b":"), expected(b"", b""));
        assert_eq!(said(b"alice"), None);
        assert_eq!(basic("Bearer abc"), None);
        assert_eq!(basic("Basic ???"), None);
    }
}
