//! Where the log goes: standard output, or a file that is reopened at SIGHUP, so that logs can be
//! rotated.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use engine::config::{LogLevel, ShellConfig};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// The log, while the server runs.
#[derive(Clone)]
pub(crate) struct Logging {
    level: reload::Handle<LevelFilter, Registry>,
    file: Option<LogFile>,
}

impl Logging {
    /// Begins to log, as the settings say.
    ///
    /// # Errors
    /// The log's file cannot be opened.
    pub(crate) fn begin(config: &ShellConfig) -> anyhow::Result<Logging> {
        let (level, handle) = reload::Layer::new(level(config.log_level));
        let lines = tracing_subscriber::fmt::layer().with_target(false);
        let registry = tracing_subscriber::registry().with(level);
        let file = match &config.log_file {
            None => {
                let is_coloured = io::stdout().is_terminal() && !is_set("NO_COLOR");
                registry.with(lines.with_ansi(is_coloured)).init();
                None
            }
            Some(path) => {
                let file = LogFile::open(path)
                    .with_context(|| format!("cannot open the log file {}", path.display()))?;
                let writer = file.clone();
                let lines = lines.with_ansi(false).with_writer(move || writer.clone());
                registry.with(lines).init();
                Some(file)
            }
        };
        Ok(Logging {
            level: handle,
            file,
        })
    }

    /// Follows settings that have changed.
    pub(crate) fn settings_changed(&self, config: &ShellConfig) {
        // It fails only once the log is gone, and then it does not matter.
        self.level.reload(level(config.log_level)).ok();
    }

    /// Opens the log's file again, if there is one: it may have been moved away.
    pub(crate) fn reopen(&self) {
        let Some(file) = &self.file else { return };
        match file.reopen() {
            Ok(()) => tracing::info!("log file opened again"),
            Err(error) => tracing::error!(%error, "the log file cannot be opened again"),
        }
    }
}

/// Returns whether a variable of the environment says something.
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Verbose | LogLevel::Notice => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Nothing => LevelFilter::OFF,
    }
}

/// A file that lines are appended to.
#[derive(Clone)]
struct LogFile {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<LogFile> {
        // The server's folder may become another one.
        let path = std::path::absolute(path)?;
        let file = open(&path)?;
        Ok(LogFile {
            path,
            file: Arc::new(Mutex::new(file)),
        })
    }

    fn reopen(&self) -> io::Result<()> {
        let file = open(&self.path)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    journal::open_regular(File::options().append(true).create(true), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_moved_away_goes_on_in_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.write_all(b"two\n").unwrap();
        log.reopen().unwrap();
        log.write_all(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(moved).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "three\n");
    }
}
