//! `weir completions`: what shells offer when a user asks for the rest of a word.

use engine::config::{Kind, Settings};

use crate::subcommands::{Completes, SUBCOMMANDS};

/// A shell that there are completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Fish,
    Zsh,
}

impl Shell {
    /// The names of all of them.
    pub(crate) const NAMES: &[&str] = &["bash", "fish", "zsh"];

    /// The shell of this name.
    pub(crate) fn called(name: &str) -> Option<Shell> {
        match name {
            "bash" => Some(Shell::Bash),
            "fish" => Some(Shell::Fish),
            "zsh" => Some(Shell::Zsh),
            _ => None,
        }
    }
}

/// The script that a shell reads.
pub(crate) fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Fish => fish(),
        Shell::Zsh => zsh(),
    }
}

/// The words that a setting takes; none if it takes any number or text.
fn values(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Flag => vec!["yes", "no"],
        Kind::Choice(words) => words.to_vec(),
        Kind::Integer { .. }
        | Kind::Bytes { .. }
        | Kind::Octal { .. }
        | Kind::BytesOrPercent
        | Kind::OutputLimits
        | Kind::KeyspaceEvents
        | Kind::Percentiles
        | Kind::SavePoints
        | Kind::Addresses
        | Kind::FileName
        | Kind::Text => Vec::new(),
    }
}

/// The words that the arguments of a subcommand may be; none if they are paths, or if it has no
/// arguments.
fn arguments(completes: Completes) -> Vec<&'static str> {
    match completes {
        Completes::Words(words) => words.to_vec(),
        Completes::Subcommands => SUBCOMMANDS.iter().map(|row| row.name).collect(),
        Completes::Paths | Completes::Nothing => Vec::new(),
    }
}

fn bash() -> String {
    let names: Vec<&str> = SUBCOMMANDS.iter().map(|row| row.name).collect();
    let settings: Vec<String> = Settings::of_weir()
        .map(|row| format!("--{}", row.name))
        .collect();
    let mut text = String::from(
        "_weir() {\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n    \
         COMPREPLY=()\n    case $before in\n",
    );
    let mut offer = |before: &str, words: &[&str]| {
        text.push_str(&format!(
            "        {before}) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"); return ;;\n",
            words.join(" ")
        ));
    };
    for row in Settings::of_weir() {
        let words = values(row.kind);
        if !words.is_empty() {
            offer(&format!("--{}", row.name), &words);
        }
    }
    for row in SUBCOMMANDS {
        let words = arguments(row.completes);
        if !words.is_empty() {
            offer(row.name, &words);
        }
    }
    text.push_str(&format!(
        "    esac\n    case $word in\n        -*) mapfile -t COMPREPLY < <(compgen -W '{} --help \
         --version' -- \"$word\") ;;\n        *)\n            mapfile -t COMPREPLY < <(compgen -f -- \
         \"$word\")\n            if [ \"$COMP_CWORD\" = 1 ]; then\n                local name\n                \
         while read -r name; do COMPREPLY+=(\"$name\"); done < <(compgen -W '{}' -- \"$word\")\n            \
         fi ;;\n    esac\n}}\ncomplete -o filenames -F _weir weir\n",
        settings.join(" "),
        names.join(" "),
    ));
    text
}

fn fish() -> String {
    let mut text = String::new();
    for row in SUBCOMMANDS {
        text.push_str(&format!(
            "complete -c weir -n __fish_use_subcommand -a {} -d {}\n",
            row.name,
            quoted(row.summary)
        ));
        let words = arguments(row.completes);
        if !words.is_empty() {
            text.push_str(&format!(
                "complete -c weir -f -n '__fish_seen_subcommand_from {}' -a '{}'\n",
                row.name,
                words.join(" ")
            ));
        }
    }
    for row in Settings::of_weir() {
        let words = values(row.kind);
        let words = match words.is_empty() {
            true => " -r".to_owned(),
            false => format!(" -x -a '{}'", words.join(" ")),
        };
        text.push_str(&format!(
            "complete -c weir -l {}{words} -d {}\n",
            row.name,
            quoted(row.doc)
        ));
    }
    text
}

fn zsh() -> String {
    let mut text = String::from(
        "#compdef weir\n_weir() {\n    if (( CURRENT == 2 )); then\n        local -a subcommands=(\n",
    );
    for row in SUBCOMMANDS {
        let described = format!("{}:{}", row.name, row.summary.replace(':', "\\:"));
        text.push_str(&format!("            {}\n", quoted(&described)));
    }
    text.push_str(
        "        )\n        _describe subcommand subcommands\n    fi\n    case ${words[2]} in\n",
    );
    for row in SUBCOMMANDS {
        let words = arguments(row.completes);
        if !words.is_empty() {
            text.push_str(&format!(
                "        {}) _values argument {}; return ;;\n",
                row.name,
                words.join(" ")
            ));
        }
    }
    text.push_str("    esac\n    _arguments \\\n");
    for row in Settings::of_weir() {
        let words = values(row.kind);
        let words = match words.is_empty() {
            true => "value:_files".to_owned(),
            false => format!("value:({})", words.join(" ")),
        };
        let doc = row
            .doc
            .replace('[', "(")
            .replace(']', ")")
            .replace(':', "\\:");
        let described = format!("--{}[{doc}]:{words}", row.name);
        text.push_str(&format!("        {} \\\n", quoted(&described)));
    }
    text.push_str("        '*:file:_files'\n}\n_weir \"$@\"\n");
    text
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{Shell, script};
    use crate::subcommands::SUBCOMMANDS;
    use engine::config::Settings;

    #[test]
    fn each_script_offers_every_subcommand_and_setting() {
        for name in Shell::NAMES {
            let shell = Shell::called(name).map(script);
            let script = shell.unwrap_or_default();
            for row in SUBCOMMANDS {
                assert!(script.contains(row.name), "{name}: {}", row.name);
            }
            for row in Settings::of_weir() {
                assert!(script.contains(row.name), "{name}: {}", row.name);
            }
        }
    }
}
