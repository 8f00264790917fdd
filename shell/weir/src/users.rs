//! The users that the configuration names: in lines of its own, or in a file (`aclfile`).

use std::path::Path;

use anyhow::{Context, bail, ensure};
use engine::config::Settings;
use engine::users::Generator;
use engine::{Engine, Now};
use server::read_users;

/// Gives an engine that does not serve yet its users, and a secret for passwords that it makes.
///
/// # Errors
/// What is wrong with the users, all at once.
pub(crate) fn configure(engine: &mut Engine, secret: [u8; 32]) -> anyhow::Result<()> {
    engine.server.users.generator = Generator::of_secret(secret);
    let has_lines = engine.server.settings.users().next().is_some();
    let path = engine.server.config.users_file.clone();
    if path.is_empty() {
        if let Err(faults) = engine.configure_users() {
            bail!("the users of the configuration: {faults}");
        }
        return Ok(());
    }
    ensure!(
        !has_lines,
        "there are users in the configuration, and aclfile names a file of users; weir can go by \
         one of them only"
    );
    let text = read_users(Path::new(&path));
    let text = text.with_context(|| format!("cannot read the file of users {path}"))?;
    if let Err(faults) = engine.load_users(&path, &text) {
        bail!("the file of users: {faults}");
    }
    Ok(())
}

/// Checks the users that settings name.
///
/// # Errors
/// What is wrong with the users, all at once.
pub(crate) fn check(settings: &Settings) -> anyhow::Result<()> {
    let mut engine = Engine::new(settings.clone(), 0, Now::default(), &commands::TABLE);
    configure(&mut engine, [0; 32])
}
