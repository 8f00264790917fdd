//! Other people's programs that talk to a server: scripts in `clients/` with the libraries that
//! they need.
//!
//! The libraries are installed by name and version (`clients/requirements.txt`,
//! `clients/package.json`, and their like in `applications/`) into the target directory, once;
//! Go's is Debian's package. Every run
//! ends after a while. A machine without Python, Node or Go cannot run these; then
//! [`Outcome::Unavailable`] says so, and `WEIR_REQUIRE_CLIENTS=1` makes that a failure.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::left_out;
use crate::peers::target_directory;

/// How long a program may run, and how long installing libraries may take.
const RUN_TIMEOUT: Duration = Duration::from_secs(120);

/// What became of running a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ended well, and said this.
    Done(String),
    /// This machine does not have what it needs.
    Unavailable(String),
}

impl Outcome {
    /// What the program said; none on a machine that cannot run it.
    ///
    /// # Errors
    /// When `WEIR_REQUIRE_CLIENTS` is set, and this machine cannot run it.
    pub fn said(self) -> Result<Option<String>> {
        match self {
            Self::Done(said) => Ok(Some(said)),
            Self::Unavailable(why) => {
                left_out::note("WEIR_REQUIRE_CLIENTS", &why)?;
                Ok(None)
            }
        }
    }
}

/// A program that is ready to be started, or why this machine cannot run it.
pub type Prepared = Result<Command, String>;

/// Runs `clients/SCRIPT` in Python with these arguments.
///
/// # Errors
/// When the libraries cannot be installed, or the script fails or does not end.
pub fn python(script: &str, arguments: &[&str]) -> Result<Outcome> {
    outcome(python_program(&client_script(script))?, arguments)
}

/// Runs `clients/SCRIPT` in Node with these arguments.
///
/// # Errors
/// When the libraries cannot be installed, or the script fails or does not end.
pub fn node(script: &str, arguments: &[&str]) -> Result<Outcome> {
    outcome(node_program(&client_script(script))?, arguments)
}

fn outcome(program: Prepared, arguments: &[&str]) -> Result<Outcome> {
    match program {
        Err(why) => Ok(Outcome::Unavailable(why)),
        Ok(mut command) => run(command.args(arguments)).map(Outcome::Done),
    }
}

/// Python with this script, and the libraries of `clients/requirements.txt`.
///
/// # Errors
/// When the libraries cannot be installed.
pub fn python_program(script: &Path) -> Result<Prepared> {
    python_with(&client_script("requirements.txt"), script)
}

/// Python with this script, and the libraries that the file `wanted` lists.
///
/// # Errors
/// When the libraries cannot be installed.
pub fn python_with(wanted: &Path, script: &Path) -> Result<Prepared> {
    let folder = folder_of(wanted)?;
    let python = folder.join("bin/python");
    let installed = install(&folder, wanted, "python3", || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = Command::new(&python);
        run(pip
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(wanted))
    })?;
    let mut command = Command::new(&python);
    command
        .args(["-W", "ignore"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script);
    Ok(installed.map_or(Ok(command), Err))
}

/// Node with this script, and the libraries of `clients/package.json`.
///
/// # Errors
/// When the libraries cannot be installed.
pub fn node_program(script: &Path) -> Result<Prepared> {
    node_with(&client_script("package.json"), script)
}

/// Node with this script, and the libraries that the file `wanted` lists.
///
/// # Errors
/// When the libraries cannot be installed.
pub fn node_with(wanted: &Path, script: &Path) -> Result<Prepared> {
    let folder = folder_of(wanted)?;
    let installed = install(&folder, wanted, "npm", || {
        std::fs::copy(wanted, folder.join("package.json"))?;
        let mut npm = Command::new("npm");
        run(npm.current_dir(&folder).args([
            "install",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]))
    })?;
    let mut command = Command::new("node");
    command
        .env("NODE_PATH", folder.join("node_modules"))
        .arg(script);
    Ok(installed.map_or(Ok(command), Err))
}

/// The TypeScript program of this name in a folder with a `package.json` and a `tsconfig.json`,
/// built where its libraries are.
///
/// # Errors
/// When the libraries cannot be installed, or the programs are wrong.
pub fn typescript_program(sources: &Path, name: &str) -> Result<Prepared> {
    let wanted = sources.join("package.json");
    let mut node = match node_with(&wanted, Path::new("")) {
        Ok(Ok(_)) => Command::new("node"),
        unavailable => return unavailable,
    };
    let folder = folder_of(&wanted)?;
    let lock = File::create(folder.join(".lock"))?;
    lock.lock()?;
    let mut text = String::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(sources)?
        .map(|file| Ok(file?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in &files {
        text += &std::fs::read_to_string(file)?;
    }
    let built = folder.join("built-from");
    if !std::fs::read_to_string(&built).is_ok_and(|before| before == text) {
        for file in &files {
            let name = file.file_name().context("a source is a file")?;
            std::fs::copy(file, folder.join(name))?;
        }
        run(Command::new("npm")
            .current_dir(&folder)
            .args(["run", "build"]))?;
        std::fs::write(&built, text)?;
    }
    node.arg(folder.join("built").join(format!("{name}.js")));
    Ok(Ok(node))
}

/// Where the libraries that a file lists are installed: one folder for each such file.
fn folder_of(wanted: &Path) -> Result<PathBuf> {
    let name = wanted
        .file_stem()
        .context("a list of libraries is a file")?;
    let of = wanted.parent().and_then(Path::file_name);
    let of = of.context("a list of libraries is in a folder")?;
    Ok(target_directory()?.join(of).join(name))
}

/// Where Debian's packages put the sources of Go libraries.
const GO_LIBRARIES: &str = "/usr/share/gocode";

/// The Go program whose package is in this folder, built with the libraries that Debian has: by
/// their import paths, without asking for modules.
///
/// # Errors
/// When it cannot be built.
pub fn go_program(package: &Path) -> Result<Prepared> {
    if Command::new("go").arg("version").output().is_err() {
        return Ok(Err("no go on this machine".to_owned()));
    }
    let library = Path::new(GO_LIBRARIES).join("src/github.com/gomodule/redigo");
    if !library.is_dir() {
        let why = "no golang-github-gomodule-redigo-dev on this machine";
        return Ok(Err(why.to_owned()));
    }
    let name = package.file_name().context("a package has a name")?;
    let folder = target_directory()?.join("clients/go");
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join(".lock"))?;
    lock.lock()?;
    let program = folder.join(name);
    let mut go = Command::new("go");
    go.current_dir(package)
        .envs([
            ("GO111MODULE", "off"),
            ("GOFLAGS", ""),
            ("GOPATH", GO_LIBRARIES),
        ])
        .env("GOCACHE", folder.join("cache"));
    run(go.args(["build", "-o"]).arg(&program))?;
    Ok(Ok(Command::new(program)))
}

/// Runs `clients/SCRIPT` by an interpreter that Debian packages, with the library that it packages
/// for it; `probe` is a command that fails if the library is missing.
///
/// # Errors
/// When the script fails or does not end.
pub fn packaged(
    interpreter: &str,
    probe: &[&str],
    script: &str,
    arguments: &[&str],
) -> Result<Outcome> {
    outcome(packaged_program(interpreter, probe, script), arguments)
}

/// `clients/SCRIPT` for an interpreter that Debian packages, as [`packaged`] runs it.
pub fn packaged_program(interpreter: &str, probe: &[&str], script: &str) -> Prepared {
    let mut probe = probe.iter();
    let program = probe.next().unwrap_or(&interpreter);
    let probed = Command::new(program).args(probe).output();
    if !probed.is_ok_and(|probed| probed.status.success()) {
        let why = format!("no {interpreter} with a library for {script} on this machine");
        return Err(why);
    }
    let mut command = Command::new(interpreter);
    command.arg(client_script(script));
    Ok(command)
}

/// Builds `clients/SOURCE` with the C library that Debian packages, and runs it.
///
/// # Errors
/// When it cannot be built, fails, or does not end.
pub fn hiredis(source: &str, arguments: &[&str]) -> Result<Outcome> {
    if !Path::new("/usr/include/hiredis/hiredis.h").exists() {
        return Ok(Outcome::Unavailable(
            "no hiredis on this machine".to_owned(),
        ));
    }
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("program");
    let mut compiler = Command::new("cc");
    compiler.arg("-o").arg(&program).arg(client_script(source));
    run(compiler.arg("-lhiredis"))?;
    outcome(Ok(Command::new(program)), arguments)
}

/// Runs a program to its end, and returns what it said.
///
/// # Errors
/// When it cannot be started, fails, or does not end in time; with the end of what it said.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("output");
    let output = File::create(&path)?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    wait(command, &name, &path)
}

/// Runs a program that reads `input`, and returns what it said.
///
/// # Errors
/// When it cannot be started, fails, or does not end in time; with the end of what it said.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let folder = tempfile::tempdir()?;
    let (path, given) = (folder.path().join("output"), folder.path().join("input"));
    std::fs::write(&given, input)?;
    let output = File::create(&path)?;
    command
        .stdin(File::open(&given)?)
        .stdout(output.try_clone()?)
        .stderr(output);
    wait(command, &name, &path)
}

fn wait(command: &mut Command, name: &str, output: &Path) -> Result<String> {
    let mut child = command
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let said = || {
        let bytes = std::fs::read(output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let deadline = Instant::now() + RUN_TIMEOUT;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(said()),
            Some(status) => bail!("{name}: {status}\n{}", said()),
            None if Instant::now() > deadline => {
                child.kill()?;
                child.wait()?;
                bail!("{name}: still running after {RUN_TIMEOUT:?}\n{}", said());
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Installs what a file lists, unless that was done already; says why it cannot be done here.
fn install(
    folder: &Path,
    wanted: &Path,
    tool: &str,
    install: impl FnOnce() -> Result<String>,
) -> Result<Option<String>> {
    if Command::new(tool).arg("--version").output().is_err() {
        return Ok(Some(format!("no {tool} on this machine")));
    }
    let list = std::fs::read_to_string(wanted)?;
    std::fs::create_dir_all(folder)?;
    // One installation at a time: two tests may need the same libraries, and of two runs at once.
    let lock = File::create(folder.join(".lock"))?;
    lock.lock()?;
    let done = folder.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == list) {
        return Ok(None);
    }
    install().with_context(|| format!("installing {}", wanted.display()))?;
    std::fs::write(&done, list)?;
    Ok(None)
}

/// `clients/SCRIPT`.
pub fn client_script(script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    folder.join(script)
}
