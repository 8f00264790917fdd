//! Tries the package on this machine: installs it, starts it as the service would, upgrades,
//! removes and purges it. Each step is checked. What was installed is gone at the end, even if a
//! step fails.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::is_installed;
use crate::command::run as run_command;

const UNIT: &str = "/lib/systemd/system/weir.service";
const CONFIGURATION: &str = "/etc/weir/weir.conf";
const DATA: &str = "/var/lib/weir";

/// How long the server may take to say that it is ready, or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tries a package and a newer one.
pub(super) fn run(older: &Path, newer: &Path) -> Result<()> {
    let answer = Command::new("id").arg("-u").output()?.stdout;
    ensure!(
        answer.trim_ascii() == b"0" && is_installed("dpkg"),
        "only root can install a package, and only on a Debian machine"
    );
    ensure!(
        !Path::new(UNIT).exists() && !Path::new(DATA).exists(),
        "weir is installed on this machine; it is not touched"
    );
    let tried = try_it(older, newer);
    let removed = remove_all();
    tried.and(removed)
}

fn try_it(older: &Path, newer: &Path) -> Result<()> {
    apt(&["install", path(older)?])?;
    look_at_files()?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let mut configuration = fs::OpenOptions::new().append(true).open(CONFIGURATION)?;
    writeln!(configuration, "port {port}")?;

    let service = Service::start()?;
    ask(port, "XADD s 1-1 f v", "$3\r\n1-1\r\n")?;
    service.stop()?;

    // Nobody is asked about the changed configuration: the package's own did not change.
    apt(&["install", path(newer)?])?;
    let kept = fs::read_to_string(CONFIGURATION)?;
    ensure!(
        kept.contains(&format!("port {port}")),
        "an upgrade has changed {CONFIGURATION}"
    );
    let service = Service::start()?;
    ask(port, "XLEN s", ":1\r\n")?;
    service.stop()?;

    apt(&["remove", "weir"])?;
    ensure!(!Path::new(UNIT).exists(), "a removed package left {UNIT}");
    ensure!(
        Path::new(CONFIGURATION).exists(),
        "a removed package took {CONFIGURATION} along"
    );
    apt(&["purge", "weir"])?;
    ensure!(
        !Path::new(CONFIGURATION).exists(),
        "a purged package left {CONFIGURATION}"
    );
    ensure!(
        Path::new(DATA).join("appendonlydir").is_dir(),
        "a purged package took the data along"
    );
    Ok(())
}

fn look_at_files() -> Result<()> {
    let owner = Command::new("stat")
        .args(["-c", "%U %a", CONFIGURATION, DATA])
        .output()?;
    let owner = String::from_utf8_lossy(&owner.stdout).into_owned();
    ensure!(
        owner == "weir 640\nweir 750\n",
        "{CONFIGURATION} and {DATA} belong to {owner}"
    );
    let page = Command::new("sh")
        .args(["-c", "zcat -f /usr/share/man/man1/weir.1.gz"])
        .output()?;
    ensure!(
        page.stdout.starts_with(b".TH WEIR 1"),
        "the package has no manual page"
    );
    let bash = "/usr/share/bash-completion/completions/weir";
    run_command(Command::new("bash").args(["-n", bash]))?;
    if is_installed("systemd-analyze") {
        run_command(Command::new("systemd-analyze").args(["verify", UNIT]))?;
    }
    Ok(())
}

/// The server, started with the unit's command, user and folder, and what systemd would listen to.
struct Service {
    child: Child,
    told: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start() -> Result<Service> {
        let unit = fs::read_to_string(UNIT)?;
        let value = |name: &str| {
            let line = unit.lines().find_map(|line| line.strip_prefix(name));
            line.with_context(|| format!("{UNIT} does not say {name}"))
        };
        let folder = tempfile::Builder::new().prefix("weir-package").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let socket = folder.path().join("notify");
        let told = UnixDatagram::bind(&socket)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777))?;
        told.set_read_timeout(Some(PATIENCE))?;
        let child = Command::new("setpriv")
            .args(["--reuid", value("User=")?, "--regid", value("Group=")?])
            .args(["--clear-groups", "--no-new-privs"])
            .args(value("ExecStart=")?.split(' '))
            .current_dir(value("WorkingDirectory=")?)
            .env("NOTIFY_SOCKET", &socket)
            .spawn()
            .context("starting the service's command")?;
        let mut service = Service {
            child,
            told,
            _folder: folder,
        };
        let mut said = [0; 4096];
        let len = match service.told.recv(&mut said) {
            Ok(len) => len,
            Err(error) => {
                service.child.kill().ok();
                return Err(error).context("the server did not say that it is ready");
            }
        };
        ensure!(
            said[..len].starts_with(b"READY=1"),
            "the server said {}",
            String::from_utf8_lossy(&said[..len])
        );
        let owner = fs::metadata(format!("/proc/{}", service.child.id()))?.uid();
        ensure!(owner != 0, "the server runs as root");
        Ok(service)
    }

    fn stop(mut self) -> Result<()> {
        let process = self.child.id().to_string();
        run_command(Command::new("kill").args(["-TERM", &process]))?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server stopped with {status}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends one request and compares the reply.
fn ask(port: u16, request: &str, expected: &str) -> Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{request}\r\n")?;
    let mut lines = BufReader::new(stream);
    let mut reply = String::new();
    while reply.len() < expected.len() {
        if lines.read_line(&mut reply)? == 0 {
            break;
        }
    }
    if reply != expected {
        bail!("{request}: {reply:?} instead of {expected:?}");
    }
    Ok(())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(["--quiet", "--quiet", "--yes", "--no-install-recommends"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run_command(&mut command)
}

/// Removes what the trial left: the package, its data and its user.
fn remove_all() -> Result<()> {
    if Path::new("/var/lib/dpkg/info/weir.list").exists() {
        apt(&["purge", "weir"])?;
    }
    if Path::new(DATA).exists() {
        fs::remove_dir_all(DATA).with_context(|| format!("removing {DATA}"))?;
    }
    if is_installed("deluser") || Path::new("/usr/sbin/deluser").is_file() {
        run_command(Command::new("/usr/sbin/deluser").args(["--quiet", "--system", "weir"]))?;
    }
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
