//! What weir does apart from serving: one row for each subcommand.
//!
//! The rows drive lookup, usage errors, `weir help`, the manual page and the shells' completions.

use std::path::Path;

use anyhow::bail;
use journal::Kept;

use crate::completions::{self, Shell};
use crate::export::Export;
use crate::{cluster_command, configuration, files, help, import, manual};

/// A subcommand: a row of data and what it does.
pub(crate) struct Subcommand {
    /// The first word of the command line.
    pub name: &'static str,
    /// The arguments as usage shows them; empty where there is none.
    pub arguments: &'static str,
    /// What it does, as a line of `weir help`.
    pub summary: &'static str,
    /// What its own help adds, in paragraphs.
    pub detail: &'static str,
    /// What an argument names, for completions.
    pub completes: Completes,
    run: fn(&[String]) -> anyhow::Result<Answer>,
}

/// What the arguments of a subcommand name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completes {
    /// Files and folders.
    Paths,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Subcommands.
    Subcommands,
    /// Nothing: there are no arguments.
    Nothing,
}

/// The result of a subcommand.
pub(crate) enum Answer {
    /// This text is printed.
    Text(String),
    /// The arguments are not what it accepts.
    Usage,
}

/// Every subcommand, sorted by name.
pub(crate) static SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "check",
        arguments: "[--config FILE] PATH",
        summary: "read all of a data folder or a file",
        detail: "Takes a data folder, a folder with a journal, a manifest, a snapshot, or a file of a \
                 journal. Reads all of it, changes nothing, and tells what is in it. A folder or a \
                 manifest is read as a start would read it: base and increments must be whole, and \
                 join without a gap. The exit status is not 0 if something is damaged, and the text \
                 says where. An end that a crash tore is no damage: a server cuts it off when it \
                 starts. With --config, the names of folder and files are those that a \
                 configuration file says, and PATH may be left out: it is its dir then.",
        completes: Completes::Paths,
        run: |arguments| match arguments {
            [option, file] if option == "--config" => {
                files::check_configured(Path::new(file), None).map(Answer::Text)
            }
            [option, file, path] if option == "--config" => {
                files::check_configured(Path::new(file), Some(Path::new(path))).map(Answer::Text)
            }
            [path] => files::check(Path::new(path)).map(Answer::Text),
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "check-config",
        arguments: "FILE",
        summary: "tell what a configuration file means",
        detail: "Reads a configuration file of weir or of Redis, and the files that it includes. It \
                 tells which settings have no effect and why, which are not at their defaults, and, \
                 with an exit status that is not 0, all that would keep weir from starting.",
        completes: Completes::Paths,
        run: |arguments| match arguments {
            [file] => configuration::check(Path::new(file)).map(Answer::Text),
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "cluster",
        arguments: "TASK [OPTION]...",
        summary: "look after a group and its log",
        detail: "status prints a table of the nodes of a group and of the NATS servers that keep its \
                 log; the exit status is not 0 if anything is not well, and the text says what. \
                 failover has the leader hand over to the node that --to HOST:PORT names, or to the \
                 one that has applied the most, and waits until that leads. --nodes has the addresses \
                 of nodes, each as HOST:PORT, with commas between them, and is 127.0.0.1:6379 unless \
                 it is given; one that answers is enough to find the others. They are asked for INFO \
                 and FAILOVER, as the user that --user names with --password, or with the password \
                 in the variable REDISCLI_AUTH. Connections are without TLS. \
                 verify [CONFIG_FILE] [--SETTING VALUE]... takes the settings of a server of the \
                 group, asks the NATS servers how they are set, loads each snapshot, and reads the \
                 whole log as a node reads it. Each line that begins with WRONG says what is, where, \
                 and what to do; the exit status is not 0 then. Nothing is written, so a group may \
                 run meanwhile. recover [--confirm LSN --backup DIR] [CONFIG_FILE] [--SETTING \
                 VALUE]... is for a log that has lost something, while all weirs of the group are \
                 stopped: it says what is whole, up to which LSN, and what would be given up. Only \
                 with --confirm and that LSN it copies what is left of the old log into a file in \
                 DIR, makes a snapshot of what is whole, and begins the log again behind that. An \
                 attempt that ends in the midst is to be begun again.",
        completes: Completes::Words(cluster_command::TASKS),
        run: |arguments| {
            let done = cluster_command::run(arguments)?;
            Ok(done.map_or(Answer::Usage, Answer::Text))
        },
    },
    Subcommand {
        name: "completions",
        arguments: "bash|fish|zsh",
        summary: "print completions for a shell",
        detail: "With bash, for one user: `weir completions bash > \
                 ~/.local/share/bash-completion/completions/weir`. The Debian package brings them \
                 for all three shells.",
        completes: Completes::Words(Shell::NAMES),
        run: |arguments| match arguments {
            [shell] => match Shell::called(shell) {
                Some(shell) => Ok(Answer::Text(completions::script(shell))),
                None => bail!(
                    "there are completions for {}, and none for '{shell}'",
                    Shell::NAMES.join(", ")
                ),
            },
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "export",
        arguments: "[--all] FOLDER --to DIR",
        summary: "write data for a Redis server",
        detail: "Takes the data folder of a weir that was stopped, which is only read, and \
                 writes an append-only folder for Redis 8.6 into the folder that --to names: a \
                 new one, or an empty one. Prints what Redis has no place for and is left out, \
                 by key and what: settings of streams and groups, delayed entries, epochs, and \
                 the numbers of producers where idempotent IDs are numbers. Delayed entries that \
                 are due are appended before. Entries that were given back to their group are \
                 kept, as pending with a consumer of its own. The list ends after 100 lines; \
                 with --all it is whole. With --config FILE, the names of folder and files are \
                 those that a configuration file says, and FOLDER may be left out: it is its dir \
                 then.",
        completes: Completes::Paths,
        run: |arguments| match Export::parse(arguments) {
            Some(export) => export.run().map(Answer::Text),
            None => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "help",
        arguments: "[SUBCOMMAND]",
        summary: "say how weir, or a subcommand, is called",
        detail: "`weir SUBCOMMAND --help` says the same of a subcommand.",
        completes: Completes::Subcommands,
        run: |arguments| match arguments {
            [] => Ok(Answer::Text(help::general())),
            [name] => match find(name) {
                Some(subcommand) => Ok(Answer::Text(help::of(subcommand))),
                None => bail!("there is no subcommand '{name}' (see weir help)"),
            },
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "import",
        arguments: "FOLDER|FILE --dir DIR",
        summary: "take over the data of a Redis server",
        detail: "Reads a dump.rdb, an append-only file, an append-only folder, or the folder that \
                 has one of these, and writes what weir has of it as a new journal into the folder \
                 that --dir names. The source is only read. Prints what is left out: keys of types \
                 that weir does not have, by database, type and name (a key that had become empty \
                 may be among them), and data of modules. Other settings may follow, such as --databases.",
        completes: Completes::Paths,
        run: |arguments| match arguments {
            [source, first, ..] if first.starts_with("--") => {
                import::import(Path::new(source), &arguments[1..]).map(Answer::Text)
            }
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "manual",
        arguments: "",
        summary: "print the manual page",
        detail: "To read it at once: `weir manual | man -l -`.",
        completes: Completes::Nothing,
        run: |arguments| match arguments {
            [] => Ok(Answer::Text(manual::page())),
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "repair",
        arguments: "[--skip-damaged] FILE",
        summary: "save what is whole in a file",
        detail: "Writes what comes before the damage into a new file beside the damaged one, which \
                 stays as it is, and tells which batches (LSNs) are lost. What comes behind the \
                 damage is left out. With --skip-damaged, whole groups behind it are kept too. That \
                 is dangerous: what is kept was written on top of what is lost. An entry may come \
                 back that was deleted, a key may be missing or end up in another database, a retry \
                 of a lost append is taken as new, and a server may refuse what no longer fits \
                 together. Use it where a hole in the middle is better than a lost end, on a copy of \
                 the folder, and look at the data before clients do.",
        completes: Completes::Paths,
        run: |arguments| match arguments {
            [flag, file] | [file, flag] if flag == "--skip-damaged" => {
                files::repair(Path::new(file), Kept::WholeGroups).map(Answer::Text)
            }
            [file] => files::repair(Path::new(file), Kept::WholePart).map(Answer::Text),
            _ => Ok(Answer::Usage),
        },
    },
    Subcommand {
        name: "version",
        arguments: "",
        summary: "print the version and its commit",
        detail: "`-v`, `-V` and `--version` do the same.",
        completes: Completes::Nothing,
        run: |arguments| match arguments {
            [] => Ok(Answer::Text(format!("weir {}\n", help::version()))),
            _ => Ok(Answer::Usage),
        },
    },
];

/// The subcommand of this name.
pub(crate) fn find(name: &str) -> Option<&'static Subcommand> {
    SUBCOMMANDS
        .iter()
        .find(|subcommand| subcommand.name == name)
}

impl Subcommand {
    /// Returns how to call it.
    pub(crate) fn usage(&self) -> String {
        format!("weir {} {}", self.name, self.arguments)
            .trim_end()
            .to_owned()
    }

    /// Runs it; returns the text to print.
    ///
    /// # Errors
    /// The arguments are not what it accepts, or its work fails.
    pub(crate) fn run(&self, arguments: &[String]) -> anyhow::Result<String> {
        if arguments.iter().any(|argument| is_help(argument)) {
            return Ok(help::of(self));
        }
        match (self.run)(arguments)? {
            Answer::Text(text) => Ok(text),
            Answer::Usage => bail!("usage: {}", self.usage()),
        }
    }
}

/// Returns whether an argument asks for help.
pub(crate) fn is_help(argument: &str) -> bool {
    matches!(argument, "-h" | "--help")
}

#[cfg(test)]
mod tests {
    use super::{SUBCOMMANDS, find};

    #[test]
    fn subcommands_are_sorted_and_each_tells_of_itself() {
        assert!(SUBCOMMANDS.is_sorted_by(|a, b| a.name < b.name));
        for subcommand in SUBCOMMANDS {
            let told = subcommand.run(&["--help".to_owned()]).unwrap_or_default();
            assert!(told.contains(subcommand.detail.split(' ').next().unwrap_or_default()));
            assert!(told.contains(&subcommand.usage()), "{told}");
        }
    }

    #[test]
    fn arguments_that_are_not_taken_are_answered_with_the_usage() {
        let too_many = ["a".to_owned(), "b".to_owned()];
        for subcommand in SUBCOMMANDS {
            let error = subcommand
                .run(&too_many)
                .err()
                .map(|error| error.to_string());
            let usage = format!("usage: {}", subcommand.usage());
            assert_eq!(error, Some(usage), "{}", subcommand.name);
        }
        assert!(find("chek").is_none());
    }
}
