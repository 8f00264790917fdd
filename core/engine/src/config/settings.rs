//! The values given for every setting.

use std::path::PathBuf;

use super::{CANONICAL, Kind, SAVE_POINTS_OF_REDIS, SETTINGS, Setting, SettingError, Standing};

/// The values given for every setting, with defaults for the others.
#[derive(Debug, Clone)]
pub struct Settings {
    values: Vec<String>,
    /// The value was given, even if it equals the default.
    said: Vec<bool>,
    /// Lines `user …`, in their order.
    users: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            values: SETTINGS
                .iter()
                .map(|setting| setting.default.to_owned())
                .collect(),
            said: vec![false; SETTINGS.len()],
            users: Vec::new(),
        }
    }
}

impl Settings {
    /// The row and value of each setting, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &str)> {
        SETTINGS.iter().zip(self.values.iter().map(String::as_str))
    }

    /// The rows of the settings that weir has, sorted by name.
    pub fn of_weir() -> impl Iterator<Item = &'static Setting> {
        SETTINGS
            .iter()
            .filter(|setting| setting.standing == Standing::Works)
    }

    /// The row of a setting, by either of its names in any case of letters.
    pub fn row(&self, name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.is_called(name))
    }

    /// Returns whether a setting was given a value, even if that equals the default.
    pub fn is_said(&self, name: &str) -> bool {
        let index = SETTINGS.iter().position(|setting| setting.is_called(name));
        index.is_some_and(|index| self.said[index])
    }

    /// The value of a setting whose name comes from outside. The program itself has the types that
    /// settings resolve to.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(setting, _)| setting.name == name)
            .map(|(_, value)| value)
    }

    /// Sets a value, at any time before the server starts.
    ///
    /// # Errors
    /// An unknown name or a value that does not fit its row.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), SettingError> {
        let index = SETTINGS
            .iter()
            .position(|setting| setting.is_called(name))
            .ok_or_else(|| SettingError::Unknown(name.to_owned()))?;
        self.values[index] = SETTINGS[index].canonical(text, &self.values[index])?;
        self.said[index] = true;
        Ok(())
    }

    /// The lines of the configuration file that say who the users are, in their order.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(String::as_str)
    }

    /// Adds a line that says who a user is. What it says is checked where commands are known.
    pub(super) fn add_user(&mut self, words: &[String]) {
        self.users.push(format!("user {}", words.join(" ")));
    }

    /// Uses the save points of Redis if there is no journal and `save` was not given, so that the
    /// stock configuration of Redis keeps as much here as there. With a log that several servers
    /// share there is neither.
    pub fn complete(&mut self) {
        self.keep_nothing_beside_log();
        if !self.flag("appendonly") && !self.is_said("save") {
            self.set("save", SAVE_POINTS_OF_REDIS).expect(CANONICAL);
        }
    }

    /// Sets the password of the default user.
    ///
    /// # Errors
    /// The password does not fit its row.
    pub fn set_password(&mut self, password: &str) -> Result<(), SettingError> {
        self.set("requirepass", password)
    }

    /// Sets whether expired keys are removed even if no command meets them.
    pub fn set_active_expire(&mut self, is_on: bool) {
        let word = if is_on { "yes" } else { "no" };
        self.set("active-expire", word).expect(CANONICAL);
    }

    /// Allows as many databases as there can be, for who reads the data of any server.
    pub fn set_databases_to_most(&mut self) {
        let kind = self.row("databases").map(|row| row.kind);
        if let Some(Kind::Integer { max, .. }) = kind {
            self.set("databases", &max.to_string()).expect(CANONICAL);
        }
    }

    /// The value of a setting that the program knows by name. A name that no row has is a bug, and
    /// must never pass for a default.
    pub(super) fn text(&self, name: &str) -> &str {
        self.value(name)
            .unwrap_or_else(|| panic!("no setting is called {name}"))
    }

    /// The value of a setting that is a number, of a type that holds all that its row allows.
    pub(super) fn number<N: TryFrom<i64>>(&self, name: &str) -> N {
        let number = self.text(name).parse().ok();
        number
            .and_then(|number: i64| N::try_from(number).ok())
            .unwrap_or_else(|| panic!("{name} is no number of its type"))
    }

    /// The value of a setting that is a flag.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.text(name) {
            "yes" => true,
            "no" => false,
            _ => panic!("{name} is no flag"),
        }
    }

    /// The path that a setting holds; none if it is empty.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        Some(PathBuf::from(self.text(name))).filter(|path| !path.as_os_str().is_empty())
    }

    pub(super) fn int(&self, name: &str) -> i64 {
        self.number(name)
    }
}
