//! `weir check PATH` and `weir repair FILE`: reading all of what a server has left on the disk, and
//! saving what is whole in a damaged file.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use engine::config::ShellConfig;
use journal::{FileDisk, Kept, Progress};
use persistence::{Config, DataNames};
use server::Clock;

use crate::configuration;
use crate::progress::Meter;

/// Reads a folder or a file, and returns the report. Fails if something is damaged.
pub(crate) fn check(path: &Path) -> anyhow::Result<String> {
    check_called(path, &DataNames::default())
}

/// Reads the data of a server with this configuration file, in `path` if that is said and else in
/// its `dir`.
pub(crate) fn check_configured(file: &Path, path: Option<&Path>) -> anyhow::Result<String> {
    let mut data = ShellConfig::resolve(&configuration::settings_of(file)?).data;
    if let Some(path) = path {
        data.dir = path.to_owned();
    }
    let mut report = check_called(&data.dir, &DataNames::of(&data))?;
    if let Some(ignored) = persistence::ignored_journal(&Config::of(&data)) {
        writeln!(report, "{ignored}")?;
    }
    Ok(report)
}

fn check_called(path: &Path, names: &DataNames) -> anyhow::Result<String> {
    let checked = persistence::check(path, names, Clock::start().now(), &mut told(path))?;
    Ok(checked.to_string())
}

/// Writes what is whole in a damaged file into a new file beside it; returns what was done.
pub(crate) fn repair(path: &Path, kept: Kept) -> anyhow::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{}: name a file", path.display()))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let disk = FileDisk::open_existing(folder)
        .with_context(|| format!("cannot open the folder {}", folder.display()))?;
    let repaired = journal::repair(&Arc::new(disk), name, kept, &mut told(path))
        .with_context(|| format!("cannot repair {}", path.display()))?;

    let new = folder.join(&repaired.name);
    let mut report = format!("{}: {}\n", path.display(), repaired.old);
    match kept {
        Kept::WholePart => writeln!(report, "{} holds the whole part", new.display())?,
        Kept::WholeGroups => writeln!(
            report,
            "{} holds the whole part and {} groups behind the damage",
            new.display(),
            repaired.kept_groups
        )?,
    }
    for lost in &repaired.lost {
        writeln!(report, "lost: {lost}")?;
    }
    writeln!(report, "left out: {} bytes", repaired.dropped_bytes)?;
    if kept == Kept::WholeGroups && repaired.kept_groups > 0 {
        writeln!(
            report,
            "DANGER: what was kept behind the damage was written on top of what is lost. Look at the data \
             before clients do."
        )?;
    }
    writeln!(
        report,
        "Put the new file in place of the old one, which is unchanged, if you can do without what is lost."
    )?;
    Ok(report)
}

/// Prints on standard error the progress of something that takes long.
fn told(path: &Path) -> impl FnMut(Progress) + Send + use<> {
    let (name, begun, mut meter) = (path.display().to_string(), Instant::now(), Meter::default());
    move |progress| {
        if let Some(text) = meter.at(progress, begun.elapsed()) {
            use std::io::Write;
            // If standard error is closed, there is nobody to tell.
            writeln!(std::io::stderr(), "{name}: {text}").ok();
        }
    }
}
