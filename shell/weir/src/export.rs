//! `weir export FOLDER --to FOLDER`: what Redis can read of a data folder of weir.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::Path;

use anyhow::Context;
use engine::Engine;
use engine::config::{Settings, ShellConfig};
use persistence::{DataNames, Exported, LeftOutOfKey};
use server::Clock;
use stream::{Beyond, GIVEN_BACK};

use crate::configuration;

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Export<'a> {
    config: Option<&'a Path>,
    source: Option<&'a Path>,
    target: Option<&'a Path>,
    /// Everything that is left out is listed.
    lists_all: bool,
}

/// How many lines tell what was left out, unless all are asked for.
const LINES_MAX: usize = 100;

impl<'a> Export<'a> {
    /// Reads the arguments; nothing if they are not those of an export.
    pub(crate) fn parse(arguments: &'a [String]) -> Option<Export<'a>> {
        let mut export = Export::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            match argument {
                "--all" => export.lists_all = true,
                "--config" => export.config = Some(Path::new(arguments.next()?)),
                "--to" => export.target = Some(Path::new(arguments.next()?)),
                option if option.starts_with("--") => return None,
                folder if export.source.is_none() => export.source = Some(Path::new(folder)),
                _ => return None,
            }
        }
        let is_whole = export.target.is_some() && (export.source.or(export.config)).is_some();
        is_whole.then_some(export)
    }

    /// Exports; returns what became of it.
    pub(crate) fn run(&self) -> anyhow::Result<String> {
        let data = self.config.map(configuration::settings_of).transpose()?;
        let data = data.map(|settings| ShellConfig::resolve(&settings).data);
        let names = data.as_ref().map_or_else(DataNames::default, DataNames::of);
        let source = self.source.or(data.as_ref().map(|data| data.dir.as_path()));
        let (source, target) = source.zip(self.target).context("no folder is named")?;
        // Only how files are called is taken from a configuration: nothing may be evicted here.
        let mut settings = Settings::default();
        settings.set_databases_to_most();
        let clock = Clock::start();
        let mut engine = Engine::new(settings, crate::seed()?, clock.now(), &commands::TABLE);
        let lines_max = if self.lists_all {
            usize::MAX
        } else {
            LINES_MAX
        };
        let mut report = Report::new(lines_max);
        let exported = persistence::export(
            &mut engine,
            source,
            &names,
            target,
            clock.now(),
            &mut |left_out| report.add(left_out),
        );
        let exported = exported.with_context(|| format!("cannot export {}", source.display()))?;
        Ok(report.finish(&exported)?)
    }
}

/// What was left out.
struct Report {
    lines_max: usize,
    /// Of the first keys, by database and key, as many as it takes to fill the lines.
    first: BTreeMap<(usize, Vec<u8>), Vec<Beyond>>,
    /// How many lines these are.
    first_lines: usize,
    /// How many lines all keys are.
    lines: usize,
    /// Keys that have lost something.
    keys: usize,
    /// Delayed entries.
    delayed: usize,
}

impl Report {
    fn new(lines_max: usize) -> Report {
        Report {
            lines_max,
            first: BTreeMap::new(),
            first_lines: 0,
            lines: 0,
            keys: 0,
            delayed: 0,
        }
    }

    fn add(&mut self, left_out: LeftOutOfKey<'_>) {
        let LeftOutOfKey {
            database,
            key,
            beyond,
        } = left_out;
        for what in &beyond {
            if let Beyond::Delayed(entries) = what {
                self.delayed += entries;
            }
        }
        self.keys += 1;
        self.lines += beyond.len();
        self.first_lines += beyond.len();
        self.first.insert((database, key.to_vec()), beyond);
        while let Some(last) = self.first.last_entry() {
            let without = self.first_lines - last.get().len();
            if without < self.lines_max {
                return;
            }
            last.remove();
            self.first_lines = without;
        }
    }

    fn finish(&self, exported: &Exported) -> Result<String, fmt::Error> {
        let Exported {
            folder,
            keys,
            libraries,
            torn_bytes,
        } = exported;
        let mut text = String::new();
        let first = self.first.iter();
        let lines = first.flat_map(|(of, beyond)| beyond.iter().map(move |what| (of, what)));
        for ((database, key), what) in lines.take(self.lines_max) {
            let (key, (verb, what)) = (key.escape_ascii(), in_words(what));
            writeln!(
                text,
                "{verb}: of key \"{key}\" of database {database}: {what}"
            )?;
        }
        if self.lines > self.lines_max {
            let more = self.lines - self.lines_max;
            writeln!(text, "and {more} more, which --all lists")?;
        }
        if *torn_bytes > 0 {
            writeln!(
                text,
                "left out: {torn_bytes} bytes of the journal's end, which a crash tore"
            )?;
        }
        let (partial, delayed) = (self.keys, self.delayed);
        writeln!(
            text,
            "{keys} keys and {libraries} libraries of functions are in {}; {partial} keys have \
             lost something, {delayed} delayed entries among it",
            folder.display()
        )?;
        writeln!(
            text,
            "start Redis 8.6 with appendonly yes, and with the folder above it as dir"
        )?;
        Ok(text)
    }
}

/// What became of something that Redis has no place for.
fn in_words(beyond: &Beyond) -> (&'static str, String) {
    let left_out = |what| ("left out", what);
    match beyond {
        Beyond::Setting { word, value } => left_out(format!("{word} {}", value.escape_ascii())),
        Beyond::GroupSetting { group, word, value } => left_out(format!(
            "{word} {} of group \"{}\"",
            value.escape_ascii(),
            group.escape_ascii()
        )),
        Beyond::Numbers(producers) => {
            left_out(format!("the last number of producers: {producers}"))
        }
        Beyond::Epochs(producers) => left_out(format!("the epoch of producers: {producers}")),
        Beyond::Delayed(entries) => left_out(format!("delayed entries: {entries}")),
        Beyond::GivenBack { group, entries } => (
            "changed",
            format!(
                "entries that were given back to group \"{}\", and are held by consumer \"{}\" \
                 now: {entries}",
                group.escape_ascii(),
                GIVEN_BACK.escape_ascii()
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn options_may_come_in_any_order() {
        let expected = Export {
            config: None,
            source: Some(Path::new("data")),
            target: Some(Path::new("new")),
            lists_all: true,
        };
        for line in ["data --to new --all", "--all --to new data"] {
            assert_eq!(Export::parse(&words(line)).as_ref(), Some(&expected));
        }
        assert!(Export::parse(&words("--config file --to new")).is_some());
        for line in [
            "data",
            "--to new",
            "a b --to new",
            "data --to",
            "data --too new",
        ] {
            assert_eq!(Export::parse(&words(line)), None, "{line}");
        }
    }

    #[test]
    fn a_long_list_is_cut_after_the_first_keys_and_counted() {
        for lines_max in 1..=5 {
            let mut report = Report::new(lines_max);
            for key in [b"c", b"a", b"b"] {
                report.add(LeftOutOfKey {
                    database: 0,
                    key,
                    beyond: vec![Beyond::Epochs(1), Beyond::Delayed(2)],
                });
            }
            let exported = Exported {
                folder: PathBuf::from("new/appendonlydir"),
                keys: 3,
                libraries: 0,
                torn_bytes: 0,
            };
            let text = report.finish(&exported).unwrap();
            let keys: String = text
                .split("of key \"")
                .skip(1)
                .map(|rest| &rest[..1])
                .collect();
            assert_eq!(keys, "aabbcc"[..lines_max]);
            let more = format!("\nand {} more, which --all lists\n", 6 - lines_max);
            assert!(text.contains(&more), "{text}");
            assert!(
                text.contains("; 3 keys have lost something, 6 delayed"),
                "{text}"
            );
        }
    }
}
