//! Every fault that a group of servers may suffer, once, under load with real clients. The long run
//! is `cargo xtask failover`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use weir_tests::faults::{self, FAULTS, Options};
use weir_tests::peers::weir;
use weir_tests::real_clients::{self, Mode};

/// How long a fault lasts at most that ends by itself: for some longer than a lease.
const LONGEST: Duration = Duration::from_millis(3500);

/// After how many records there is another snapshot: some seconds.
const SNAPSHOT_RECORDS: u64 = 500;

#[test]
fn every_fault_is_survived() -> Result<()> {
    let options = Options {
        server: weir()?,
        faults: FAULTS.len() as u32,
        only: String::new(),
        producers: 4,
        programs: real_clients::all(Path::new(env!("CARGO_BIN_EXE_group_redis_rs")))?,
        mode: Mode::Sentinel,
        seed: 1,
        longest: LONGEST,
        snapshot_records: SNAPSHOT_RECORDS,
        parent: std::env::temp_dir(),
    };
    let outcome = faults::run(options, &mut std::io::stderr())?;
    let Some(outcome) = outcome else {
        return Ok(());
    };
    ensure!(outcome.audited.appended > 100, "{outcome}");
    // Most entries were seen at the leader, and at each of the three servers.
    let shown = usize::try_from(outcome.audited.shown)?;
    ensure!(shown > 3 * outcome.audited.appended, "{outcome}");
    ensure!(outcome.gaps.len() + 1 >= FAULTS.len(), "{outcome}");
    Ok(())
}
