//! What `contrib/group` has for deploying a group is understood by who is to read it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use weir_tests::left_out;
use weir_tests::peers::Peers;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

#[test]
fn nats_understands_its_configuration() -> Result<()> {
    let Some(server) = Peers::binary("nats215-server")? else {
        return Ok(());
    };
    let mut check = Command::new(server);
    check
        .args(["-t", "-c"])
        .arg(file("contrib/group/nats.conf"));
    for name in ["NATS_NAME", "WEIR_LOG_PASSWORD", "WEIR_LOG_SYSTEM_PASSWORD"] {
        check.env(name, "one");
    }
    let output = check.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    Ok(())
}

/// Prints the arguments of each weir of a compose file, a line each.
const READ_COMPOSE: &str = "
import sys, yaml
services = yaml.safe_load(open(sys.argv[1]))['services']
assert sum(name.startswith('nats-') for name in services) == 3
for name, service in services.items():
    if name.startswith('weir-'):
        print(' '.join(service['command'][0::2]))
";

#[test]
fn the_compose_file_has_three_of_each_and_settings_that_there_are() -> Result<()> {
    let has_yaml = Command::new("python3").args(["-c", "import yaml"]).output();
    if !has_yaml.is_ok_and(|it| it.status.success()) {
        return left_out::note(
            "WEIR_REQUIRE_CLIENTS",
            "no python3 with yaml on this machine",
        );
    }
    let mut read = Command::new("python3");
    let output = read
        .args(["-c", READ_COMPOSE])
        .arg(file("contrib/group/compose.yml"))
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let known = fs::read_to_string(file("docs/settings.md"))?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(said.lines().count() == 3, "{said}");
    let names: BTreeSet<&str> = said.split_whitespace().collect();
    ensure!(names.contains("--announce"), "{names:?}");
    for name in names {
        let row = format!("| `{}` |", name.trim_start_matches("--"));
        ensure!(known.contains(&row), "{name}");
    }
    Ok(())
}

#[test]
fn systemd_understands_the_units() -> Result<()> {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        return left_out::note("WEIR_REQUIRE_CLIENTS", "no systemd on this machine");
    }
    let folder = tempfile::tempdir()?;
    let units = [
        ("contrib/group/nats-server.service", "nats-server.service"),
        ("packaging/systemd/weir.service", "weir.service"),
        (
            "contrib/group/weir.service.d/group.conf",
            "weir.service.d/group.conf",
        ),
    ];
    fs::create_dir(folder.path().join("weir.service.d"))?;
    for (from, to) in units {
        // The programs need not be installed here.
        let text = fs::read_to_string(file(from))?;
        let lines = text
            .lines()
            .map(|line| match line.starts_with("ExecStart=") {
                true => "ExecStart=/bin/true",
                false => line,
            });
        let text: Vec<&str> = lines.collect();
        fs::write(folder.path().join(to), text.join("\n"))?;
    }
    let mut verify = Command::new("systemd-analyze");
    verify
        .args(["verify", "--man=no"])
        .current_dir(folder.path());
    // These units first, then those of the system.
    verify.env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()));
    let output = verify
        .args(["./nats-server.service", "./weir.service"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    ensure!(
        !said.contains("weir.service") && !said.contains("nats-server.service"),
        "{said}"
    );
    Ok(())
}
