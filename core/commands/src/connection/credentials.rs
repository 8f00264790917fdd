//! The password check that `AUTH` and `HELLO … AUTH` share.

use engine::command::Ctx;
use engine::error::CmdError;

/// The one user there is.
const DEFAULT_USER: &[u8] = b"default";

/// Lets the session in, if user and password are right. Without a password set, any will do.
pub(super) fn check(ctx: &mut Ctx<'_>, user: &[u8], password: &[u8]) -> Result<(), CmdError> {
    let wanted = ctx.server.config.requirepass.as_bytes();
    if user != DEFAULT_USER || (!wanted.is_empty() && !is_same(wanted, password)) {
        return Err(CmdError::WrongPassword);
    }
    ctx.session.authenticated = true;
    Ok(())
}

/// Compares in a time that does not show where the texts differ.
fn is_same(wanted: &[u8], given: &[u8]) -> bool {
    let mut differs = wanted.len() ^ given.len();
    for (index, byte) in given.iter().enumerate() {
        differs |= usize::from(wanted[index % wanted.len()] ^ byte);
    }
    differs == 0
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_the_whole_password_is_the_password() {
        assert!(is_same(b"secret", b"secret"));
        for given in ["", "s", "secre", "secrets", "Secret", "secretsecret"] {
            assert!(!is_same(b"secret", given.as_bytes()), "{given}");
        }
    }
}
