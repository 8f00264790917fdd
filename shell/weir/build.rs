//! Tells the program which commit it is built from, where there is a repository and git.

use std::path::Path;
use std::process::Command;

fn main() {
    // A build from an archive has no repository; packagers set the commit themselves.
    println!("cargo:rerun-if-env-changed=WEIR_COMMIT");
    let said = std::env::var("WEIR_COMMIT").ok();
    let commit = said.or_else(|| git(&["rev-parse", "--short=8", "HEAD"]));
    println!("cargo:rustc-env=WEIR_COMMIT={}", commit.unwrap_or_default());
    // The log of HEAD gets a line with each commit and checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    } else {
        println!("cargo:rerun-if-changed=build.rs");
    }
}

/// What git prints, without the end of the line; nothing if it fails or is not there.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
