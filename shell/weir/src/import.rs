//! `weir import FOLDER|FILE`: a data folder of weir from the files of a Redis server.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use engine::{Engine, LeftOutKey};
use persistence::{Config, Imported, Target};
use server::Clock;

use crate::command_line::{self, Invocation};

/// Imports a file or folder under these settings; returns what became of it.
pub(crate) fn import(source: &Path, settings: &[String]) -> anyhow::Result<String> {
    let settings = match command_line::settings(settings.iter().cloned())? {
        Invocation::Serve(configuration) => configuration.settings,
        Invocation::Print(text) => return Ok(text),
    };
    let Config {
        folder,
        stem,
        snapshot,
        ..
    } = Config::resolve(&settings);
    if snapshot.exists() {
        bail!(
            "{} is there already; name another folder with --dir",
            snapshot.display()
        );
    }
    let clock = Clock::start();
    let mut engine = Engine::new(
        settings.clone(),
        crate::seed()?,
        clock.now(),
        &commands::TABLE,
    );
    let target = Target {
        folder: &folder,
        stem: &stem,
    };
    let Imported {
        left_out,
        torn_bytes,
    } = persistence::import(&mut engine, source, target, clock.now())
        .with_context(|| format!("cannot import {}", source.display()))?;

    let mut report = String::new();
    for LeftOutKey {
        database,
        key,
        type_name,
    } in left_out.keys()
    {
        let key = key.escape_ascii();
        writeln!(
            report,
            "left out: key \"{key}\" of database {database} ({type_name})"
        )?;
    }
    for (what, times) in left_out.others() {
        match times {
            1 => writeln!(report, "left out: {what}")?,
            _ => writeln!(report, "left out: {what}, {times} times")?,
        }
    }
    if torn_bytes > 0 {
        writeln!(
            report,
            "left out: {torn_bytes} bytes of a request that is not whole, at the end"
        )?;
    }
    let keyspace = engine.keyspace();
    let keys: usize = (0..keyspace.database_count())
        .map(|database| keyspace.len(database))
        .sum();
    writeln!(
        report,
        "{keys} keys are in {}, {} were left out",
        folder.display(),
        left_out.keys().len()
    )?;
    Ok(report)
}
