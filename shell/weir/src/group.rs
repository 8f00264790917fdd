//! The group that this server is a node of, as the settings say (`log`).

use std::path::Path;

use anyhow::Context;
use cluster::{Assurance, Credentials, GroupName, ServiceConfig};
use engine::config::SharedLogConfig;
use replication::Settings;
use server::GroupConfig;

use crate::help;

/// What the server joins its group with. What this node is, is kept in the folder of the data.
///
/// # Errors
/// A setting that is not what it must be.
pub(crate) fn config(log: SharedLogConfig, dir: &Path) -> anyhow::Result<GroupConfig> {
    let service = service(&log)?;
    let settings = Settings {
        drift_percent: log.drift_percent,
        ..Settings::DEFAULT
    };
    Ok(GroupConfig {
        service,
        settings: settings.check()?,
        announce: log.announce,
        file: dir.join(NODE_FILE),
        version: help::version(),
        snapshots: log.snapshots,
        verify_bytes_per_s: log.verify_bytes_per_s,
    })
}

/// Which log it is.
///
/// # Errors
/// The name of the group is none.
pub(crate) fn service(log: &SharedLogConfig) -> anyhow::Result<ServiceConfig> {
    let credentials = |(user, password): (String, String)| Credentials { user, password };
    Ok(ServiceConfig {
        servers: log.servers.clone(),
        user: log.user.clone().map(credentials),
        group: GroupName::parse(&log.group).context("group")?,
        replicas: log.replicas,
        assurance: match log.system_user.clone() {
            Some(user) => Assurance::Checked(credentials(user)),
            None => Assurance::Unchecked,
        },
    })
}

/// The name of the file, within `dir`.
const NODE_FILE: &str = "weir.node";
