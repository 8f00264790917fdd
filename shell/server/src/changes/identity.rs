//! `CONFIG SET` of what clients of TLS are shown: certificates, keys, and what is asked of clients.
//!
//! Files are read whenever such a setting is given, even if its value is the one that it has: what
//! a file holds may be new.

use engine::config::ShellConfig;
use engine::error::CmdError;

use super::refused;
use crate::shard::Shard;
use crate::tls::Identity;

/// What was shown before.
pub(super) enum Previous {
    /// The same as now.
    Unchanged,
    /// Something else, or nothing.
    Was(Option<Identity>),
}

impl Previous {
    /// Has it shown again.
    pub(super) fn restore(self, shard: &Shard) {
        match self {
            Previous::Unchanged => {}
            Previous::Was(identity) => {
                shard.identity.replace(identity);
            }
        }
    }
}

/// Shows what is wanted to clients that connect from now on; connections that are there stay.
pub(super) fn change(
    shard: &Shard,
    pairs: &[(String, String)],
    wanted: &ShellConfig,
) -> Result<Previous, CmdError> {
    let is_of_tls = |name: &str| name.to_ascii_lowercase().starts_with("tls-");
    let Some((name, _)) = pairs.iter().find(|(name, _)| is_of_tls(name)) else {
        return Ok(Previous::Unchanged);
    };
    let identity = Identity::of(&wanted.tls).map_err(|error| {
        tracing::warn!(%error, "clients of TLS are shown what they were");
        refused(name, format!("Unable to update TLS configuration: {error}"))
    })?;
    Ok(Previous::Was(shard.identity.replace(identity)))
}
