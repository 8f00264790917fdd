//! Tokens for those who do not want to send a password with each request.

use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use super::answer;
use crate::http::{Answer, Fault};
use crate::limits::TOKEN_TIME;
use crate::routes::Asked;

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Session {
    /// What to send as `Authorization: Bearer …`.
    token: String,
    /// For how long.
    expires_in_seconds: u64,
}

/// A token has ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ended {
    ended: bool,
}

/// Makes a token for whoever calls with a name and a password.
pub(crate) async fn begin(asked: Asked<'_>) -> Result<Answer, Fault> {
    let caller = asked.caller;
    // A token that made another would never end.
    if caller.token().is_some() {
        return Err(Fault::bad("a token is made with a name and a password"));
    }
    // Whether they are right is known once somebody has connected with them.
    caller.client().await?;
    let Some(credentials) = caller.credentials().cloned() else {
        return Err(Fault::bad("a token is made with a name and a password"));
    };
    let made = caller.served.tokens.make(credentials, Instant::now());
    let token = made.map_err(|_| Fault::internal("the system gives no random numbers"))?;
    answer(&Session {
        token,
        expires_in_seconds: TOKEN_TIME.as_secs(),
    })
}

/// Ends the token that the caller calls with.
pub(crate) async fn end(asked: Asked<'_>) -> Result<Answer, Fault> {
    let token = asked.caller.token();
    let token = token.ok_or_else(|| Fault::bad("the request has no token"))?;
    asked.caller.served.tokens.end(token);
    answer(&Ended { ended: true })
}
