//! Users in text: the file of `aclfile`, and the lines of a configuration file.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::limits::USERS_MAX;
use crate::table::CommandIndex;
use crate::users::user::is_name;
use crate::users::{User, Users, rules};

impl Users {
    /// All users in the form of a file, a line each.
    pub fn file_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for user in self.iter() {
            text.extend_from_slice(&user.line());
            text.push(b'\n');
        }
        text
    }

    /// Replaces all users by those of a file, of which there is a default user in any case.
    ///
    /// # Errors
    /// What is wrong with the file, all of it; nothing has changed then.
    pub fn load_file(
        &mut self,
        path: &str,
        text: &[u8],
        commands: &CommandIndex,
        config: &Config,
    ) -> Result<(), String> {
        let lines = text.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.map(|(index, line)| (format!("{path}:{}", index + 1), line));
        let users = read(
            lines.filter(|(_, line)| !line.trim_ascii().is_empty()),
            commands,
            config,
        )?;
        self.by_name.clear();
        self.put(User::all_powerful(commands));
        for user in users {
            self.put(user);
        }
        Ok(())
    }

    /// The lines for a configuration file. The default user needs none if it is what its password
    /// in the settings makes it.
    pub fn config_lines(&self, commands: &CommandIndex, config: &Config) -> Vec<String> {
        let mut plain = User::all_powerful(commands);
        plain.set_only_password(config.requirepass.as_bytes());
        let told = self.iter().filter(|user| ***user != plain);
        told.map(|user| String::from_utf8_lossy(&user.line()).into_owned())
            .collect()
    }

    /// Adds the users of lines of a configuration file; one of them may be the default user.
    ///
    /// # Errors
    /// What is wrong with the lines, all of it; nothing has changed then.
    pub fn add_lines<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
        commands: &CommandIndex,
        config: &Config,
    ) -> Result<(), String> {
        let lines = lines.map(|line| ("user".to_owned(), line.as_bytes()));
        for user in read(lines, commands, config)? {
            self.put(user);
        }
        Ok(())
    }
}

/// Reads lines, each with its place.
fn read<'a>(
    lines: impl Iterator<Item = (String, &'a [u8])>,
    commands: &CommandIndex,
    config: &Config,
) -> Result<Vec<User>, String> {
    let (mut users, mut names, mut faults) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (place, line) in lines {
        let mut words = line
            .trim_ascii()
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        let (Some(b"user"), Some(name)) = (words.next(), words.next()) else {
            faults.push(format!(
                "{place} should start with user keyword followed by the username."
            ));
            continue;
        };
        let shown = String::from_utf8_lossy(name).into_owned();
        if !is_name(name) {
            faults.push(format!(
                "{place}: username '{shown}' contains invalid characters."
            ));
            continue;
        }
        if !names.insert(name) {
            faults.push(format!("{place}: Duplicate user '{shown}' found."));
            continue;
        }
        let mut user = User::powerless(name, commands, config.channels_by_default);
        let rules = match rules::joined(words) {
            Ok(rules) => rules,
            Err(error) => {
                let text = error.to_string();
                faults.push(format!("{place}: {}", text.trim_start_matches("ERR ")));
                continue;
            }
        };
        for rule in &rules {
            if let Err(fault) = user.apply(rule, commands, config.channels_by_default) {
                // A password must not get into a log.
                let shown = match rule.first() {
                    Some(sign @ (b'>' | b'<' | b'#' | b'!')) => format!("{}…", char::from(*sign)),
                    Some(_) | None => String::from_utf8_lossy(rule).into_owned(),
                };
                faults.push(format!(
                    "{place}: Error in applying operation '{shown}': {fault}."
                ));
            }
        }
        if user.is_too_large() {
            faults.push(format!("{place}: The user takes too much memory."));
        }
        users.push(user);
    }
    if users.len() > USERS_MAX {
        faults.push(format!("There are more than {USERS_MAX} users."));
    }
    match faults.as_slice() {
        [] => Ok(users),
        faults => Err(faults.join(" ")),
    }
}
