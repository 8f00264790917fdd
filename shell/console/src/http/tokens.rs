//! Tokens: what a caller may send instead of a password, for a while.
//!
//! A token stands for the name and the password that it was made with, and these are checked again
//! wherever it is used. So it gives no right that the user lacks by then, and is worth nothing once
//! the user is gone or has another password. Tokens are in memory only: they end with the server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::client::Credentials;
use crate::limits::{TOKEN_TIME, TOKENS_MAX};

/// Bytes of randomness in a token: nobody guesses one.
const RANDOM_BYTES: usize = 32;

/// All tokens that were made and have not ended.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Made>>);

struct Made {
    credentials: Credentials,
    at: Instant,
}

impl Made {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) >= TOKEN_TIME
    }
}

impl Tokens {
    /// Makes one. If there are too many, the oldest ends.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn make(
        &self,
        credentials: Credentials,
        now: Instant,
    ) -> Result<String, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut tokens = self.lock();
        tokens.retain(|_, made| !made.is_over(now));
        if tokens.len() >= TOKENS_MAX {
            let oldest = tokens.iter().min_by_key(|(_, made)| made.at);
            let oldest = oldest.map(|(token, _)| token.clone());
            oldest.and_then(|oldest| tokens.remove(&oldest));
        }
        let made = Made {
            credentials,
            at: now,
        };
        tokens.insert(token.clone(), made);
        Ok(token)
    }

    /// What a token stands for; none if it has ended or was never made.
    pub(crate) fn find(&self, token: &str, now: Instant) -> Option<Credentials> {
        let tokens = self.lock();
        let made = tokens.get(token).filter(|made| !made.is_over(now));
        made.map(|made| made.credentials.clone())
    }

    /// Ends one.
    pub(crate) fn end(&self, token: &str) {
        self.lock().remove(token);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn alice() -> Credentials {
        Credentials {
            user: b"alice".to_vec(),
            password: b"secret".to_vec(),
        }
    }

    #[test]
    fn a_token_stands_for_its_credentials_until_its_time_is_over() {
        let (tokens, begun) = (Tokens::default(), Instant::now());
        let token = tokens.make(alice(), begun).unwrap();
        assert_eq!(token.len(), 2 * RANDOM_BYTES);
        let last = begun + TOKEN_TIME - Duration::from_millis(1);
        assert_eq!(tokens.find(&token, last), Some(alice()));
        assert_eq!(tokens.find(&token, begun + TOKEN_TIME), None);
        assert_eq!(tokens.find("", begun), None);
        tokens.end(&token);
        assert_eq!(tokens.find(&token, begun), None);
    }

    #[test]
    fn there_are_no_more_tokens_than_the_bound() {
        let (tokens, begun) = (Tokens::default(), Instant::now());
        let made: Vec<String> = (0..=TOKENS_MAX)
            .map(|n| {
                let at = begun + Duration::from_millis(n as u64);
                tokens.make(alice(), at).unwrap()
            })
            .collect();
        let found = |token: &String| tokens.find(token, begun).is_some();
        assert!(!found(&made[0]));
        assert!(made[1..].iter().all(found));
    }
}
