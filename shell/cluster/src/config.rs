//! Which log: the servers that keep it, its name, and what is required of them.

use std::fmt;

use crate::assurance::Assurance;
use crate::limits::GROUP_NAME_BYTES_MAX;

/// What a log is opened with. All nodes of a group have the same, but for the order of servers.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Addresses of NATS servers, as `HOST:PORT` or `nats://HOST:PORT`. Others that these know of
    /// are found by themselves.
    pub servers: Vec<String>,
    /// As whom to connect; none if the servers ask nobody.
    pub user: Option<Credentials>,
    /// The group of nodes whose log it is.
    pub group: GroupName,
    /// On how many servers the log is kept ([`REPLICAS_MIN`](crate::limits::REPLICAS_MIN) to
    /// [`REPLICAS_MAX`](crate::limits::REPLICAS_MAX); 1 with [`Assurance::Unchecked`] only).
    pub replicas: u8,
    /// How it is made sure that the servers keep what they acknowledge.
    pub assurance: Assurance,
}

/// A user of NATS and the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The name of a group of nodes. It is part of the name of the stream, so it has only letters,
/// digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

/// A text is no name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a group has from 1 to {GROUP_NAME_BYTES_MAX} letters, digits, hyphens and \
     underscores"
)]
pub struct GroupNameError;

impl GroupName {
    /// Reads a name.
    ///
    /// # Errors
    /// It is empty or too long, or has other characters.
    pub fn parse(text: &str) -> Result<GroupName, GroupNameError> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        match (1..=GROUP_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_good) {
            true => Ok(GroupName(text.to_owned())),
            false => Err(GroupNameError),
        }
    }

    /// The stream that the log of this group is.
    pub(crate) fn stream(&self) -> String {
        format!("weir-{}", self.0)
    }

    /// The subject that its records are published under, and nothing else.
    pub(crate) fn subject(&self) -> String {
        format!("weir.{}.log", self.0)
    }

    /// The subject on which nodes tell one another of themselves.
    pub(crate) fn subject_of_nodes(&self) -> String {
        format!("weir.{}.nodes", self.0)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_group_is_one_that_nats_takes() {
        for good in ["a", "orders-2_b", &"x".repeat(GROUP_NAME_BYTES_MAX)] {
            assert!(GroupName::parse(good).is_ok(), "{good}");
        }
        let long = "x".repeat(GROUP_NAME_BYTES_MAX + 1);
        for bad in ["", "a.b", "a b", "a*", "ä", ">", &long] {
            assert_eq!(GroupName::parse(bad), Err(GroupNameError), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let credentials = Credentials {
            user: "weir".to_owned(),
            password: "secret".to_owned(),
        };
        let printed = format!("{credentials:?}");
        assert!(printed.contains("weir") && !printed.contains("secret"));
    }
}
