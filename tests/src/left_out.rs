//! What a run leaves out, because this machine does not have what it needs.
//!
//! A test that cannot ask a peer or a client passes, so it has to be reported that it did not look.
//! `cargo xtask test` names a file in `WEIR_LEFT_OUT` and prints it at the end; without one, tests
//! report it at once. Where nothing may be left out, `WEIR_REQUIRE_PEERS` and
//! `WEIR_REQUIRE_CLIENTS` make it a failure.

use std::fs::File;
use std::io::{self, Write};
use std::thread;

use anyhow::{Result, bail};

/// Notes that the current test leaves out what needs something that this machine lacks; `why` says
/// what.
///
/// # Errors
/// When the variable `required` is set: then nothing may be left out.
pub fn note(required: &str, why: &str) -> Result<()> {
    if std::env::var_os(required).is_some() {
        bail!("{why}, and {required} is set");
    }
    let test = thread::current();
    let line = format!("{}: {why}\n", test.name().unwrap_or("a program"));
    match std::env::var_os("WEIR_LEFT_OUT") {
        Some(file) => {
            let mut file = File::options().create(true).append(true).open(file)?;
            file.write_all(line.as_bytes())?;
        }
        None => write!(io::stderr(), "left out: {line}")?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out_where_everything_is_required() {
        // Cargo sets it for each test.
        let refused = note("CARGO_MANIFEST_DIR", "no such peer here");
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("no such peer here")
        );
    }
}
