//! What the server is told to do by configuration files, the environment and the command line.
//!
//! The last value wins, and the command line wins over the file. Everything that is wrong is
//! collected, so that the user learns of all of it at once.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use engine::config::{
    FileLine, RENAME_COMMAND, REQUIREPASS, SECRET_SETTINGS, Settings, ShellConfig, Standing,
    read_lines,
};
use engine::table::{CommandIndex, RenameFault};

use crate::users;

/// How deep files may include one another.
const INCLUDES_MAX: usize = 16;

/// The password, for users who do not want it in a file.
const PASSWORD: &str = "WEIR_REQUIREPASS";

/// The path of a file that holds nothing but the password.
const PASSWORD_FILE: &str = "WEIR_REQUIREPASS_FILE";

/// What the server is told.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    pub settings: Settings,
    /// The absolute path of the configuration file.
    pub file: Option<PathBuf>,
    /// Lines and arguments that have no effect, and why.
    pub idle: Vec<String>,
    /// Warnings about how a setting was given.
    pub warnings: Vec<String>,
    /// How commands are called, if any was renamed.
    pub names: Option<CommandIndex>,
    /// What is wrong, each with its place.
    faults: Vec<String>,
}

impl Configuration {
    /// Applies a configuration file, and the files that it includes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.include(path, INCLUDES_MAX)?;
        self.file = Some(whole);
        Ok(())
    }

    fn include(&mut self, path: &Path, depth: usize) -> anyhow::Result<()> {
        let file = journal::open_regular(File::options().read(true), path);
        let text = file
            .and_then(io::read_to_string)
            .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
        let mut names: Vec<String> = Vec::new();
        for line in read_lines(&text) {
            let place = |number| format!("{}, line {number}", path.display());
            match line {
                Err((number, fault)) => self.faults.push(format!("{}: {fault}", place(number))),
                Ok(line) if line.name.eq_ignore_ascii_case("include") => {
                    for included in &line.values {
                        if depth == 0 {
                            bail!(
                                "{}: files include one another too deeply",
                                place(line.number)
                            );
                        }
                        self.include(Path::new(included), depth - 1)
                            .with_context(|| place(line.number))?;
                    }
                }
                Ok(line) => {
                    let before = names
                        .iter()
                        .any(|name| line.name.eq_ignore_ascii_case(name));
                    self.say(&line, before, &place(line.number));
                    names.push(line.name);
                }
            }
        }
        Ok(())
    }

    /// Applies a setting of the command line.
    pub(crate) fn argument(&mut self, name: &str, values: Vec<String>) {
        if is_secret(name) {
            let by_variable = match name.eq_ignore_ascii_case(REQUIREPASS) {
                true => format!("{PASSWORD}, {PASSWORD_FILE} or "),
                false => String::new(),
            };
            self.warnings.push(format!(
                "everybody on this machine can read {name} on the command line; {by_variable}a \
                 configuration file keeps it"
            ));
        }
        let line = FileLine {
            number: 0,
            name: name.to_owned(),
            values,
        };
        self.say(&line, false, "the command line");
    }

    /// Applies the settings of the environment.
    ///
    /// # Errors
    /// The file that holds the password cannot be read.
    pub(crate) fn environment(
        &mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> anyhow::Result<()> {
        if let Some(path) = variable(PASSWORD_FILE) {
            let password = std::fs::read_to_string(&path)
                .with_context(|| format!("{PASSWORD_FILE}: {}", path.to_string_lossy()))?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            self.say_password(PASSWORD_FILE, password);
        }
        if let Some(password) = variable(PASSWORD) {
            self.say_password(PASSWORD, password.to_string_lossy().into_owned());
        }
        Ok(())
    }

    fn say_password(&mut self, place: &str, password: String) {
        if let Err(fault) = self.settings.set_password(&password) {
            self.faults.push(format!("{place}: {fault}"));
        }
    }

    fn say(&mut self, line: &FileLine, before: bool, place: &str) {
        if line.name.eq_ignore_ascii_case(RENAME_COMMAND) {
            if let Err(fault) = self.rename(&line.values) {
                let said = line.values.join(" ");
                let fault = format!("{place}: {RENAME_COMMAND} {said}: {fault}");
                self.faults.push(fault);
            }
            return;
        }
        if let Err(fault) = self.settings.say(line, before) {
            self.faults.push(format!("{place}: {fault}"));
            return;
        }
        if let Some(row) = self.settings.row(&line.name)
            && row.standing == Standing::NoEffect
        {
            let value = self.settings.value(row.name).unwrap_or_default();
            let reason = row.doc;
            self.idle.push(format!(
                "{place}: {} {value} has no effect: {reason}",
                line.name
            ));
        }
    }

    /// Renames a command, or disables it if its new name is empty.
    fn rename(&mut self, words: &[String]) -> Result<(), RenameFault> {
        let [name, new] = words else {
            return Err(RenameFault::Words);
        };
        self.names
            .get_or_insert_with(|| CommandIndex::new(commands::TABLE.rows()))
            .rename(name, new)
    }

    /// All of it, or all that is wrong with it. If there is neither a journal nor a setting for
    /// save points, they are those of Redis, so that its stock file keeps as much as there.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn checked(mut self) -> anyhow::Result<Configuration> {
        if let Err(fault) = self.settings.check_shared_log() {
            self.faults.push(fault.to_string());
        }
        self.settings.complete();
        match self.faults.as_slice() {
            [] => Ok(self),
            [fault] => bail!("{fault}"),
            faults => bail!(
                "{} settings are not what weir can do:\n  {}",
                faults.len(),
                faults.join("\n  ")
            ),
        }
    }
}

fn is_secret(name: &str) -> bool {
    SECRET_SETTINGS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

/// What a configuration file says.
///
/// # Errors
/// What is wrong with it, all at once.
pub(crate) fn settings_of(path: &Path) -> anyhow::Result<Settings> {
    let mut configuration = Configuration::default();
    configuration.read_file(path)?;
    Ok(configuration.checked()?.settings)
}

/// `weir check-config FILE`: what a configuration file means.
///
/// # Errors
/// What is wrong with it, all at once.
pub(crate) fn check(path: &Path) -> anyhow::Result<String> {
    let mut configuration = Configuration::default();
    configuration.read_file(path)?;
    let configuration = configuration.checked()?;
    users::check(&configuration.settings)?;
    let mut text = String::new();
    for idle in &configuration.idle {
        text.push_str(&format!("{idle}\n"));
    }
    let data = ShellConfig::resolve(&configuration.settings).data;
    if let Some(ignored) = persistence::ignored_journal(&persistence::Config::of(&data)) {
        text.push_str(&format!("{ignored}\n"));
    }
    let said: Vec<String> = configuration
        .settings
        .iter()
        .filter(|(row, value)| row.standing == Standing::Works && *value != row.default)
        .map(|(row, value)| match row.name {
            name if is_secret(name) => format!("  {name} (not shown)\n"),
            name => format!("  {name} {value}\n"),
        })
        .collect();
    let count = configuration.idle.len();
    text.push_str(&format!(
        "{} starts weir; {count} of its settings have no effect. Not at their defaults:\n{}",
        path.display(),
        if said.is_empty() {
            "  none\n".to_owned()
        } else {
            said.concat()
        }
    ));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use engine::config::SAVE_POINTS_OF_REDIS;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn read(text: &str) -> anyhow::Result<Configuration> {
        let mut configuration = Configuration::default();
        configuration.read_file(file(text).path())?;
        configuration.checked()
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let error = read("port x\ncluster-enabled yes\nfrob 1\nloadmodule x\ntimeout 5\n");
        let error = error.unwrap_err().to_string();
        for part in [
            "4 settings",
            "line 1: port x",
            "line 2: cluster-enabled yes",
            "line 3: frob 1",
            "line 4: loadmodule",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn a_rename_that_cannot_be_is_told_with_its_line() {
        let file = "rename-command NOPE x\nrename-command GET SET\nrename-command GET\n\
                    rename-command GET a b\nrename-command xgroup|create x\n\
                    rename-command get GET\nrename-command SET \"\"\nrename-command SET x\n";
        let error = read(file).unwrap_err().to_string();
        for part in [
            "6 settings",
            "line 1: rename-command NOPE x: no command is called so",
            "line 2: rename-command GET SET: another command is called so already",
            "line 3: rename-command GET: it takes",
            "line 4: rename-command GET a b: it takes",
            "line 5: rename-command xgroup|create x: no command is called so",
            "line 8: rename-command SET x: no command is called so",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn without_a_journal_and_a_word_the_save_points_are_those_of_redis() {
        let value = |text| {
            let configuration = read(text).unwrap();
            configuration.settings.value("save").unwrap().to_owned()
        };
        assert_eq!(value("appendonly no"), SAVE_POINTS_OF_REDIS);
        assert_eq!(value("appendonly no\nsave \"\""), "");
        assert_eq!(value("appendonly no\nsave 5 1\nsave 9 2"), "5 1 9 2");
        assert_eq!(value("appendonly yes"), "");
    }

    #[test]
    fn what_has_no_effect_is_told_with_its_line() {
        let configuration = read("# c\nhz 50\nslave-priority 3\n").unwrap();
        assert_eq!(configuration.idle.len(), 2);
        assert!(configuration.idle[0].contains("line 2: hz 50 has no effect: "));
        assert!(configuration.idle[1].contains("line 3: slave-priority 3 has no effect: "));
    }

    #[test]
    fn files_include_others_and_not_themselves_for_ever() {
        let inner = file("timeout 7\n");
        let outer = format!("include {}\nport 7000\n", inner.path().display());
        let configuration = read(&outer).unwrap();
        assert_eq!(configuration.settings.value("timeout"), Some("7"));
        let circle = file("");
        std::fs::write(
            circle.path(),
            format!("include {}\n", circle.path().display()),
        )
        .unwrap();
        let error = Configuration::default().read_file(circle.path());
        assert!(format!("{:#}", error.unwrap_err()).contains("too deeply"));
    }

    #[test]
    fn secrets_on_the_command_line_are_warned_of_by_name_with_what_keeps_them() {
        let mut configuration = Configuration::default();
        for (name, value) in [
            ("requirepass", "a"),
            ("tls-key-file-pass", "b"),
            ("hz", "1"),
        ] {
            configuration.argument(name, vec![value.to_owned()]);
        }
        let end = "on the command line; a configuration file keeps it";
        assert_eq!(configuration.warnings.len(), 2);
        assert!(configuration.warnings[0].contains("read requirepass on the"));
        assert!(configuration.warnings[0].contains(PASSWORD_FILE));
        assert!(configuration.warnings[1].contains(&format!("read tls-key-file-pass {end}")));
    }

    #[test]
    fn the_password_comes_from_the_environment_or_a_file_that_it_names() {
        let secret = file("from a file\n");
        let path = secret.path().as_os_str().to_owned();
        let mut configuration = Configuration::default();
        configuration
            .environment(|name| (name == PASSWORD_FILE).then(|| path.clone()))
            .unwrap();
        assert_eq!(
            configuration.settings.value("requirepass"),
            Some("from a file")
        );
        configuration
            .environment(|name| (name == PASSWORD).then(|| "said".into()))
            .unwrap();
        assert_eq!(configuration.settings.value("requirepass"), Some("said"));
    }
}
