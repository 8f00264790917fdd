//! The lines of a configuration file.

use super::{Kind, Settings};

/// What is said in a line of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// Its number, from 1.
    pub number: usize,
    /// The first word: a setting, or a [`Directive`].
    pub name: String,
    /// The words after it.
    pub values: Vec<String>,
}

/// A word that begins a line of a configuration file of Redis and is not a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directive {
    /// The word.
    pub name: &'static str,
    /// Why it is refused.
    pub reason: &'static str,
}

/// The directives that weir refuses. `include` is not among them, which names another file, nor is
/// [`RENAME_COMMAND`].
pub static DIRECTIVES: &[Directive] = &[Directive {
    name: "loadmodule",
    reason: "there are no modules",
}];

/// The word that begins a line with the name of a command, and the name by which it is called
/// instead. Such a line is for those who know the commands, see
/// [`crate::table::CommandIndex::rename`].
pub const RENAME_COMMAND: &str = "rename-command";

/// The lines that are neither empty nor comments. If quotes do not match, the error is the number
/// of the line and what is wrong with it.
pub fn read_lines(text: &str) -> impl Iterator<Item = Result<FileLine, (usize, String)>> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let number = index + 1;
        let words = match resp::split_line(line.as_bytes()) {
            Ok(words) => words,
            Err(error) => return Some(Err((number, error.to_string()))),
        };
        let mut words = words
            .as_argv()
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned());
        let name = words.next()?;
        let values = words.collect();
        Some(Ok(FileLine {
            number,
            name,
            values,
        }))
    })
}

impl Settings {
    /// Applies a line. Save points of several lines add up, as in Redis: `before` says whether a
    /// line of the same name came before it in the same file.
    ///
    /// # Errors
    /// Why the line is not a valid setting.
    pub fn say(&mut self, line: &FileLine, before: bool) -> Result<(), String> {
        let directive = DIRECTIVES
            .iter()
            .find(|directive| directive.name.eq_ignore_ascii_case(&line.name));
        if let Some(directive) = directive {
            return Err(format!("{}: {}", directive.name, directive.reason));
        }
        if line.name.eq_ignore_ascii_case("user") {
            self.add_user(&line.values);
            return Ok(());
        }
        let mut value = line.values.join(" ");
        if before
            && !value.is_empty()
            && let Some(row) = self.row(&line.name)
            && row.kind == Kind::SavePoints
        {
            value = format!("{} {value}", self.text(row.name));
        }
        self.set(&line.name, &value)
            .map_err(|error| format!("{} {value}: {error}", line.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (Settings, Vec<String>) {
        let (mut settings, mut faults) = (Settings::default(), Vec::new());
        let mut names: Vec<String> = Vec::new();
        for line in read_lines(text) {
            match line {
                Ok(line) => {
                    let before = names.contains(&line.name);
                    faults.extend(settings.say(&line, before).err());
                    names.push(line.name);
                }
                Err((number, fault)) => faults.push(format!("{number}: {fault}")),
            }
        }
        (settings, faults)
    }

    #[test]
    fn save_points_of_several_lines_add_up_until_one_takes_them_back() {
        let (settings, faults) = said("# x\nsave 3600 1\n\nsave 300 100\n");
        assert_eq!(settings.value("save"), Some("3600 1 300 100"));
        assert!(faults.is_empty());
        let (settings, _) = said("save 3600 1\nsave \"\"\nsave 60 5\n");
        assert_eq!(settings.value("save"), Some("60 5"));
    }

    #[test]
    fn each_line_that_is_wrong_is_told() {
        let (_, faults) = said("prot 1\nport x\nloadmodule x\nsave \"3600\nmaxmemory 1gb\n");
        assert_eq!(faults.len(), 4, "{faults:?}");
    }
}
