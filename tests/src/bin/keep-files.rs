//! Lets a build of weir write data of every kind, and keeps its files and its answers, to check
//! whether later builds can read them. `tests/files/README.md` says when and how.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use weir_tests::client::{Client, Protocol};
use weir_tests::server::Server;
use weir_tests::value::Value;
use weir_tests::{data_set, kept_files};

#[derive(Debug, Parser)]
#[command(about = "Keeps files that a build of weir writes, and what it answers")]
struct Arguments {
    /// The build, or a script that starts it at another time.
    server: PathBuf,
    /// A folder for the files, which does not exist.
    folder: PathBuf,
}

/// Entries of a stream that is long enough for the server to compress its older ones.
const ENTRIES: usize = 600;

/// How many of them come before the journal is rewritten.
const ENTRIES_IN_BASE: usize = 500;

const JOURNAL: &[(&str, &str)] = &[("appendonly", "yes"), ("appendfsync", "always")];

fn append(client: &mut Client, numbers: std::ops::RangeInclusive<usize>) -> Result<()> {
    for number in numbers {
        let (id, text) = (format!("{number}-1"), format!("entry {number} of many"));
        client.command(&["XADD", "many", &id, "text", &text])?;
    }
    Ok(())
}

fn info_has(client: &mut Client, line: &str) -> Result<bool> {
    let info = client.command(&["INFO", "persistence"])?;
    let text = info.as_bytes().context("INFO answers no text")?;
    Ok(String::from_utf8_lossy(text).contains(line))
}

fn rewrite(client: &mut Client) -> Result<()> {
    client.command(&["BGREWRITEAOF"])?;
    while info_has(client, "aof_rewrite_in_progress:1")?
        || info_has(client, "aof_rewrite_scheduled:1")?
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    ensure!(
        info_has(client, "aof_last_bgrewrite_status:ok")?,
        "the rewrite failed"
    );
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        let name = file.file_name();
        // The lock and the reserve are not data.
        let is_data = !matches!(
            Path::new(&name)
                .extension()
                .and_then(|extension| extension.to_str()),
            Some("lock" | "reserve")
        );
        if is_data {
            fs::copy(file.path(), to.join(name))?;
        }
    }
    Ok(())
}

fn keep(server: &Path, folder: &Path) -> Result<()> {
    fs::create_dir(folder).with_context(|| folder.display().to_string())?;
    let data = tempfile::tempdir()?;
    let running = Server::start_in(server, data.path(), JOURNAL)?;
    let mut client = running.connect(Protocol::Resp2)?;
    append(&mut client, 1..=ENTRIES_IN_BASE)?;
    data_set::make(&mut client)?;
    rewrite(&mut client)?;
    append(&mut client, ENTRIES_IN_BASE + 1..=ENTRIES)?;
    for request in kept_files::AFTER_REWRITE {
        let reply = client.command(&request.split(' ').collect::<Vec<_>>())?;
        ensure!(!matches!(reply, Value::Error(_)), "{request}: {reply}");
    }
    let answers = kept_files::Answers::of(&mut client)?;
    fs::write(
        folder.join(kept_files::ANSWERS),
        serde_json::to_vec_pretty(&answers)?,
    )?;
    client.command(&["SAVE"])?;
    fs::copy(data.path().join("dump.rdb"), folder.join("dump.rdb"))?;
    running.stop()?;
    copy(
        &data.path().join(kept_files::JOURNAL),
        &folder.join(kept_files::JOURNAL),
    )
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    keep(&fs::canonicalize(arguments.server)?, &arguments.folder)?;
    Ok(ExitCode::SUCCESS)
}
