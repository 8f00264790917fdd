//! Who calls, as `Authorization` says.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};

use super::answer::Fault;
use super::tokens::Tokens;
use crate::client::Credentials;

/// What a request says of who calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The name and the password; none of nobody.
    pub(super) credentials: Option<Credentials>,
    /// The token that stands for them, if it was one.
    pub(super) token: Option<String>,
}

/// Who calls by these headers.
pub(super) fn of(headers: &HeaderMap, tokens: &Tokens) -> Result<Said, Fault> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(Said::default());
    };
    let text = value.to_str().unwrap_or_default();
    if let Some(token) = of_scheme(text, "bearer") {
        let found = tokens.find(token, Instant::now());
        let unknown = || unauthorized("the token has ended, or never was one");
        return Ok(Said {
            credentials: Some(found.ok_or_else(unknown)?),
            token: Some(token.to_owned()),
        });
    }
    let unknown = || unauthorized("basic authentication and bearer tokens are known here");
    Ok(Said {
        credentials: Some(basic(text).ok_or_else(unknown)?),
        token: None,
    })
}

/// What follows the name of a scheme, if it is this one.
fn of_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (name, rest) = text.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Nobody has said who calls, or who it says is not who it is.
pub(super) fn unauthorized(message: impl Into<String>) -> Fault {
    Fault::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn basic(text: &str) -> Option<Credentials> {
    let decoded = STANDARD.decode(of_scheme(text, "basic")?).ok()?;
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
