//! Whether the servers keep what they acknowledge.
//!
//! A NATS server writes to its disk every two minutes unless told otherwise, so three servers that
//! lose power together lose two minutes of what they had acknowledged. Whether one syncs always is
//! only told to users of the system account.

use std::collections::BTreeSet;

use crate::api::ServerSettings;
use crate::config::Credentials;
use crate::limits::VERSION_MIN;

/// How it is made sure that the servers keep what they acknowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assurance {
    /// Every server that keeps the log must say that it syncs always, and must be new enough. They
    /// are asked as this user of the system account, when the log is opened. One that is
    /// away may be silent: a node must be able to start without it.
    Checked(Credentials),
    /// Nothing is asked. For development: what was acknowledged may get lost.
    Unchecked,
}

/// Why servers cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssuranceError {
    /// A server did not answer, so nothing is known of it.
    #[error(
        "server {server} does not say how it is set: is the user that asks one of the system \
         account?"
    )]
    Silent {
        /// Its name.
        server: String,
    },
    /// A server acknowledges what is not on its disk.
    #[error("server {server} does not sync what it acknowledges: set sync_interval: always")]
    NotSynced {
        /// Its name.
        server: String,
    },
    /// A server is too old.
    #[error(
        "server {server} has version {version}: {}.{} or later is needed",
        VERSION_MIN.0,
        VERSION_MIN.1
    )]
    TooOld {
        /// Its name.
        server: String,
        /// Its version.
        version: String,
    },
}

/// Checks what the servers say of themselves. `keepers` are the names of those that keep the log.
///
/// # Errors
/// The first server that cannot be trusted; [`AssuranceError::Silent`] only if all that have
/// answered can be.
pub(crate) fn check(
    keepers: &BTreeSet<String>,
    answers: &[ServerSettings],
) -> Result<(), AssuranceError> {
    let mut silent = None;
    for server in keepers {
        let answer = answers.iter().find(|answer| answer.server.name == *server);
        let server = server.clone();
        let Some(answer) = answer else {
            silent.get_or_insert(server);
            continue;
        };
        let version = &answer.data.version;
        if version_of(version).is_none_or(|version| version < VERSION_MIN) {
            let version = version.clone();
            return Err(AssuranceError::TooOld { server, version });
        }
        let config = &answer.data.jetstream.config;
        if !config.as_ref().is_some_and(|config| config.sync_always) {
            return Err(AssuranceError::NotSynced { server });
        }
    }
    match silent {
        Some(server) => Err(AssuranceError::Silent { server }),
        None => Ok(()),
    }
}

/// Major and minor version.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, version: &str, sync_always: bool) -> ServerSettings {
        let config = serde_json::json!({ "sync_always": sync_always });
        let answer = serde_json::json!({
            "server": { "name": name },
            "data": { "version": version, "jetstream": { "config": config } },
        });
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn every_server_that_keeps_the_log_must_be_known_to_sync_and_be_new_enough() {
        let keepers = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let check = |answers: &[ServerSettings]| check(&keepers, answers);
        let good = answer("a", "2.15.1", true);
        let server = || "b".to_owned();
        let spare = answer("c", "2.9.0", false);
        let fit = [answer("b", "3.0.0-beta.1", true), spare];
        let [b, spare] = fit;
        assert_eq!(check(&[spare, good, b]), Ok(()));
        let good = || answer("a", "2.15.1", true);
        assert_eq!(
            check(&[good()]),
            Err(AssuranceError::Silent { server: server() })
        );
        let not_synced = Err(AssuranceError::NotSynced { server: server() });
        assert_eq!(check(&[good(), answer("b", "2.15.0", false)]), not_synced);
        assert_eq!(check(&[answer("b", "2.15.0", false)]), not_synced);
        for version in ["2.14.9", "1.99.0", "", "next"] {
            let too_old = AssuranceError::TooOld {
                server: server(),
                version: version.to_owned(),
            };
            assert_eq!(check(&[good(), answer("b", version, true)]), Err(too_old));
        }
    }

    #[test]
    fn a_server_without_jetstream_does_not_sync() {
        let json = r#"{"server":{"name":"a"},"data":{"version":"2.15.1","jetstream":{}}}"#;
        let answer = serde_json::from_str(json).unwrap();
        let keepers = BTreeSet::from(["a".to_owned()]);
        let server = "a".to_owned();
        assert_eq!(
            check(&keepers, &[answer]),
            Err(AssuranceError::NotSynced { server })
        );
    }
}
