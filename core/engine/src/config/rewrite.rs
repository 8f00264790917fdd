//! `CONFIG REWRITE`: a configuration file with the settings that the server uses.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{FileLine, Kind, Setting, Settings, read_lines};

/// The comment above the lines that are added to a file.
const ADDED: &str = "# Added by CONFIG REWRITE";

/// The text of a configuration file, rewritten for `settings`. Comments, order and lines that are
/// still true are kept, other lines get the new value, and settings that the file did not have are
/// added at its end unless they are the default.
///
/// `users` are the lines that say who the users are. A line about a user is replaced by the one of
/// its name, or removed if there is none: users are in a file of their own then, or gone.
pub fn rewritten(text: &str, settings: &Settings, users: &[String]) -> String {
    let mut users: Vec<&String> = users.iter().collect();
    let mut in_file = Settings::default();
    let mut names: Vec<String> = Vec::new();
    for line in read_lines(text).flatten() {
        let before = names.contains(&line.name);
        // A line that means nothing to weir stays as it is.
        in_file.say(&line, before).ok();
        names.push(line.name);
    }
    let mut told = BTreeSet::new();
    let mut result = String::new();
    for line in text.lines() {
        let said = read_lines(line).next().and_then(Result::ok);
        if let Some(said) = said.as_ref().filter(|said| is_user(said)) {
            let name = said.values.first().map(String::as_str);
            let same = users.iter().position(|user| user.split(' ').nth(1) == name);
            if let Some(user) = same.map(|place| users.remove(place)) {
                result.push_str(user);
                result.push('\n');
            }
            continue;
        }
        let setting = said.and_then(|said| settings.row(&said.name));
        let Some(setting) = setting else {
            result.push_str(line);
            result.push('\n');
            continue;
        };
        if in_file.value(setting.name) == settings.value(setting.name) {
            told.insert(setting.name);
            result.push_str(line);
            result.push('\n');
        } else if told.insert(setting.name) {
            tell(&mut result, setting, settings.text(setting.name));
        }
    }
    let mut added = String::new();
    for (setting, value) in settings.iter() {
        if !told.contains(setting.name) && value != setting.default {
            tell(&mut added, setting, value);
        }
    }
    for user in users {
        added.push_str(user);
        added.push('\n');
    }
    if !added.is_empty() {
        if !text.lines().any(|line| line == ADDED) {
            write!(result, "\n{ADDED}\n").ok();
        }
        result.push_str(&added);
    }
    result
}

/// Returns whether a line says who a user is.
fn is_user(line: &FileLine) -> bool {
    line.name.eq_ignore_ascii_case("user")
}

/// Writes a value in as many lines as it takes. Writing to a string cannot fail.
fn tell(text: &mut String, setting: &Setting, value: &str) {
    let name = setting.name;
    match setting.kind {
        Kind::OutputLimits => {
            let words: Vec<&str> = value.split(' ').collect();
            for class in words.chunks(4) {
                writeln!(text, "{name} {}", class.join(" ")).ok();
            }
        }
        Kind::SavePoints if !value.is_empty() => {
            let words: Vec<&str> = value.split(' ').collect();
            for point in words.chunks(2) {
                writeln!(text, "{name} {}", point.join(" ")).ok();
            }
        }
        Kind::FileName | Kind::KeyspaceEvents | Kind::Text => {
            writeln!(text, "{name} {}", quoted(value)).ok();
        }
        _ if value.is_empty() => {
            writeln!(text, "{name} \"\"").ok();
        }
        Kind::Integer { .. }
        | Kind::Bytes { .. }
        | Kind::BytesOrPercent
        | Kind::Flag
        | Kind::Choice(_)
        | Kind::Percentiles
        | Kind::SavePoints
        | Kind::Octal { .. }
        | Kind::Addresses => {
            writeln!(text, "{name} {value}").ok();
        }
    }
}

/// A text as one word of a configuration file.
fn quoted(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'\\#".contains(byte);
    if !text.is_empty() && text.as_bytes().iter().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => {
                write!(quoted, "\\x{byte:02x}").ok();
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{SETTINGS, When};

    fn read(text: &str) -> Settings {
        let mut settings = Settings::default();
        let mut names: Vec<String> = Vec::new();
        for line in read_lines(text).flatten() {
            let before = names.contains(&line.name);
            settings.say(&line, before).unwrap();
            names.push(line.name);
        }
        settings
    }

    #[test]
    fn comments_and_lines_that_are_true_stay() {
        let text = "# mine\nport   7000 \nsave 60 1\nsave 30 5\ntimeout 10\n";
        let mut settings = read(text);
        assert_eq!(rewritten(text, &settings, &[]), text);
        settings.set("timeout", "20").unwrap();
        settings.set("save", "90 9").unwrap();
        settings.set("requirepass", "a \"b\" \\").unwrap();
        let expected = "# mine\nport   7000 \nsave 90 9\ntimeout 20\n\n# Added by CONFIG REWRITE\n\
                        requirepass \"a \\\"b\\\" \\\\\"\n";
        assert_eq!(rewritten(text, &settings, &[]), expected);
    }

    #[test]
    fn a_setting_by_its_other_name_is_rewritten_in_place() {
        let mut settings = read("slave-priority 7\n");
        settings.set("replica-priority", "8").unwrap();
        assert_eq!(
            rewritten("slave-priority 7\n", &settings, &[]),
            "replica-priority 8\n"
        );
    }

    #[test]
    fn lines_about_users_are_replaced_in_place_and_added() {
        let text = "user a on >secret\n# c\nuser gone on\ntimeout 5\n";
        let users = ["user a on #12 +@all".to_owned(), "user b off".to_owned()];
        assert_eq!(
            rewritten(text, &read(text), &users),
            "user a on #12 +@all\n# c\ntimeout 5\n\n# Added by CONFIG REWRITE\nuser b off\n"
        );
        assert_eq!(rewritten(text, &read(text), &[]), "# c\ntimeout 5\n");
    }

    proptest! {
        #[test]
        fn a_rewritten_file_says_what_the_server_goes_by(
            password in "[ -~äöü\t\n]{0,20}",
            timeout in 0..1000_u32,
            twice in any::<bool>(),
        ) {
            let text = "timeout 3\n# c\nrequirepass foo\nclient-output-buffer-limit pubsub 1 2 3\n";
            let mut settings = read(text);
            settings.set("requirepass", &password).unwrap();
            settings.set("timeout", &timeout.to_string()).unwrap();
            settings.set("client-output-buffer-limit", "normal 5 6 7").unwrap();
            let mut file = rewritten(text, &settings, &[]);
            if twice {
                file = rewritten(&file, &settings, &[]);
            }
            let back = read(&file);
            for setting in SETTINGS.iter().filter(|setting| setting.when != When::AtStart) {
                prop_assert_eq!(back.value(setting.name), settings.value(setting.name));
            }
        }
    }
}
