//! `bench [NAME…]`: runs works on weir and its peers, prints tables, and writes JSON where asked.
//!
//! Usually called through `cargo xtask bench`, which builds weir and fetches the peers first.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use bench::peer::{DEFAULT_PEERS, Peer, Places, target_directory};
use bench::process::{Cores, Placement, place_this_thread, raise_open_files};
use bench::request::Texts;
use bench::works::{Scale, Setup, Sizes, all, select};
use bench::{plot, report, runner};
use clap::Parser;

/// Runs the same work on weir and on its peers, and compares.
#[derive(Debug, Parser)]
struct Arguments {
    /// Suites (streams, types, beyond, memory, durable, replicated, steady, console, attacks,
    /// scale), works (see --list) or parts of their names; all without any.
    names: Vec<String>,

    /// Servers to compare: weir, a name in the folder of peers, or name=/path/to/binary.
    #[arg(long, value_delimiter = ',', default_values = DEFAULT_PEERS)]
    peers: Vec<String>,

    /// Rounds that count; works with large data do fewer.
    #[arg(long, default_value_t = 7)]
    rounds: u32,

    /// Factor on the number of operations and items.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,

    /// Tiny inputs, one round: shows that everything runs, measures nothing.
    #[arg(long)]
    quick: bool,

    /// Threads for connections, for every server.
    #[arg(long, default_value_t = 1)]
    io_threads: u32,

    /// Connections where a work does not say how many.
    #[arg(long, default_value_t = 50)]
    connections: usize,

    /// Where servers keep their data, by default in the target directory. Durable works need a real
    /// disk.
    #[arg(long)]
    data_dir: Option<PathBuf>,

    /// Writes every figure of every round to this file.
    #[arg(long)]
    json: Option<PathBuf>,

    /// Writes the summary as a Markdown table to this file.
    #[arg(long)]
    table: Option<PathBuf>,

    /// Puts the same table into this page, in the place of the one behind the line
    /// `<!-- table: NAMES -->`, where NAMES are those of this run.
    #[arg(long)]
    page: Option<PathBuf>,

    /// Draws each curve of the suite scale as an SVG file in this folder.
    #[arg(long)]
    plots: Option<PathBuf>,

    /// Lets streams of the suite scale grow to 100 million entries, about 10 GB for each server;
    /// one round of those.
    #[arg(long)]
    large: bool,

    /// Lists the works and ends.
    #[arg(long)]
    list: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let setup = Setup {
        scale: if arguments.quick {
            Scale::Quick
        } else {
            Scale::Full(arguments.scale)
        },
        sizes: if arguments.large {
            Sizes::Large
        } else {
            Sizes::Usual
        },
        io_threads: arguments.io_threads,
        connections: arguments.connections,
        data_dir: arguments.data_dir.unwrap_or_else(default_data_dir),
        cores: Cores::of_this_machine()?,
        texts: Texts::new(),
    };
    let works = select(all(&setup), &arguments.names);
    let mut out = std::io::stdout();
    if arguments.list {
        for work in works {
            writeln!(
                out,
                "{:<10}{:<24}{}",
                work.suite().name(),
                work.name(),
                work.lanes().join("; ")
            )?;
        }
        return Ok(());
    }
    if works.is_empty() {
        bail!(
            "no work is called {}; see --list",
            arguments.names.join(" or ")
        );
    }
    let places = Places::from_environment();
    let peers = arguments
        .peers
        .iter()
        .map(|spec| places.find(spec))
        .collect::<Result<Vec<Peer>>>()?;
    let rounds = if arguments.quick {
        1
    } else {
        arguments.rounds.max(1)
    };

    raise_open_files()?;
    place_this_thread(Placement::Core(setup.cores.load))?;
    std::fs::create_dir_all(&setup.data_dir)?;
    if let Some(folder) = &arguments.plots {
        // Said now rather than after minutes of measuring, if it cannot be made.
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    write_head(&mut out, &peers, &setup)?;
    let mut results = Vec::new();
    for work in works {
        let result = runner::run(work.as_ref(), &peers, &setup, rounds);
        write!(out, "{}", report::tables(&result))?;
        out.flush()?;
        results.push(result);
    }
    writeln!(
        out,
        "Summary (median; ratio: median of the rounds' ratios)\n{}",
        report::summary(&results)
    )?;
    if let Some(path) = arguments.json {
        let value = report::json(&results, &peers, &setup, rounds);
        std::fs::write(path, serde_json::to_string_pretty(&value)?)?;
    }
    if let Some(path) = arguments.table {
        std::fs::write(path, report::markdown(&results))?;
    }
    if let Some(path) = arguments.page {
        let names = arguments.names.join(" ");
        let page = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let page = report::with_table(&page, &names, &report::markdown(&results))?;
        std::fs::write(path, page)?;
    }
    if let Some(folder) = arguments.plots {
        let count = plot::write_all(&folder, &results)?;
        writeln!(out, "{count} curves drawn in {}", folder.display())?;
    }
    let wrong = results
        .iter()
        .filter(|r| r.failures().next().is_some() || !r.differing_lanes().is_empty());
    match wrong.count() {
        0 => Ok(()),
        count => bail!("{count} works failed or had differing replies"),
    }
}

/// Not the folder for temporary files, which is often memory: a sync would cost nothing there.
fn default_data_dir() -> PathBuf {
    target_directory().map_or_else(std::env::temp_dir, |target| target.join("bench-data"))
}

fn write_head(out: &mut impl Write, peers: &[Peer], setup: &Setup) -> Result<()> {
    let machine = report::machine();
    let text = |name: &str| machine[name].as_str().unwrap_or_default().to_owned();
    writeln!(
        out,
        "{}, {} cores, Linux {}, load average {}",
        text("cpu"),
        machine["cores"],
        text("kernel"),
        text("load_average")
    )?;
    writeln!(
        out,
        "servers on core {} (durable: any), load on core {}, io-threads {}",
        setup.cores.server, setup.cores.load, setup.io_threads
    )?;
    for peer in peers {
        writeln!(out, "{}: {}", peer.name, peer.version)?;
    }
    writeln!(out)?;
    Ok(())
}
