//! What README and docs show is what happens: sessions are run, and command lines are looked up.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use weir_tests::client::Protocol;
use weir_tests::command_lines::{Programs, command_lines};
use weir_tests::documents::{Page, anchors, blocks, links, pages, root};
use weir_tests::peers::{self, Peers};
use weir_tests::redis_cli::{arguments, shown};
use weir_tests::server::Server;
use weir_tests::sessions;

/// Pages whose sessions run at the same time.
const THREADS: usize = 4;

/// Command lines of other programs, by their first words, and why they are not looked up.
const OTHERS: &[(&str, &str)] = &[
    (
        "git clone",
        "fetches this repository from where the reader has it from",
    ),
    ("cd ", "changes the folder"),
    (
        "redis-cli",
        "a client; what is typed in it is a session, which runs",
    ),
    ("python3 -m venv ", "makes a folder for a client"),
    (
        "/tmp/venv/bin/pip install redis",
        "installs a client, as clients.rs does",
    ),
    (
        "npm install --no-save redis ioredis",
        "installs a client, as clients.rs does",
    ),
    (
        "sudo ",
        "changes the machine; `cargo xtask package --test` does where it may",
    ),
    ("docker ", "needs a daemon, which few test machines have"),
    (
        "go mod tidy",
        "fetches a client; examples.rs takes that of Debian",
    ),
    ("go run ./", "an example, which examples.rs runs"),
    ("printf ", "makes a file for an example"),
    (
        "openssl ",
        "makes certificates, which tls.rs does by these lines",
    ),
    (
        "/tmp/venv/bin/python examples/",
        "an example, which examples.rs runs",
    ),
    ("node examples/", "an example, which examples.rs runs"),
];

#[test]
fn sessions_in_documents_are_answered_as_shown() {
    let weir = peers::weir().unwrap();
    let pages = Mutex::new(VecDeque::from(pages().unwrap()));
    let failures = Mutex::new(Vec::new());
    let count = Mutex::new(0);
    let next = || locked(&pages).pop_front();
    let work = || {
        while let Some(page) = next() {
            match sessions::run(&page, &weir) {
                Ok(steps) => *locked(&count) += steps,
                Err(error) => locked(&failures).push(format!("{error:#}")),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    let failures = locked(&failures);
    assert!(
        failures.is_empty(),
        "{} pages show what weir does not answer (CONTRIBUTING.md tells the form of a session):\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    assert!(*locked(&count) > 0, "no page has a session");
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the sessions of a page with this text fail.
fn failure(text: &str) -> anyhow::Result<String> {
    let page = Page {
        path: "docs/page.md".to_owned(),
        text: format!("# Page\n\n{text}"),
    };
    match sessions::run(&page, &peers::weir()?) {
        Ok(steps) => anyhow::bail!("{steps} steps pass"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

#[test]
fn a_page_that_shows_another_reply_fails_with_path_and_line() {
    let error = failure("    > SET k v\n    OK\n    > STRLEN k\n    (integer) 2\n").unwrap();
    let expected = "docs/page.md, line 5: STRLEN k\n";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_page_that_shows_another_output_fails_with_path_and_line() {
    let error = failure("    $ weir check nothing\n    all is well\n").unwrap();
    let expected = "docs/page.md, line 3: check nothing\n";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_prompt_that_is_not_set_as_code_fails() {
    let error = failure("127.0.0.1:6379> SET k v\n    OK\n").unwrap();
    assert_eq!(error, "docs/page.md, line 3: a prompt outside of a block");
}

#[test]
fn command_lines_in_documents_name_what_is_there() {
    let mut programs = Programs::find(&peers::weir().unwrap()).unwrap();
    let mut failures = Vec::new();
    for page in pages().unwrap() {
        for line in command_lines(&page) {
            let typed = line.words.join(" ");
            match programs.check(&line) {
                Ok(true) => {}
                Ok(false) if OTHERS.iter().any(|(other, _)| typed.starts_with(other)) => {}
                Ok(false) => failures.push(format!(
                    "{}: {typed}: what no test checks belongs to OTHERS, with the reason",
                    line.place
                )),
                Err(error) => failures.push(format!("{}: {typed}: {error:#}", line.place)),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The start of a note that names the file which a block is a part of.
const FROM: &str = "from:";

/// Languages of programs.
const LANGUAGES: &[&str] = &["python", "js", "ts", "rust", "go"];

/// Lines that a guide may show of a program that is in no file.
const LOOSE_LINES_MAX: usize = 3;

#[test]
fn programs_in_guides_are_parts_of_the_examples() {
    let mut failures = Vec::new();
    let mut parts = 0;
    let guides = pages().unwrap().into_iter();
    for page in guides.filter(|page| page.path.starts_with("docs/guides/")) {
        for block in blocks(&page.text) {
            let place = format!("{}, line {}", page.path, block.line);
            let from = block.notes.iter().find_map(|note| note.strip_prefix(FROM));
            let Some(from) = from.map(str::trim) else {
                let is_program = LANGUAGES.contains(&block.language.as_str());
                if is_program && block.lines.len() > LOOSE_LINES_MAX {
                    failures.push(format!("{place}: from which file of examples/?"));
                }
                continue;
            };
            parts += 1;
            let file = std::fs::read_to_string(root().join(from)).unwrap();
            let file: Vec<&str> = file.lines().collect();
            let is_part = |lines: &[&str]| {
                let indent = lines[0].len() - lines[0].trim_start().len();
                let mut both = lines.iter().zip(&block.lines);
                both.all(|(line, shown)| line.get(indent..).unwrap_or("") == shown)
            };
            if !file.windows(block.lines.len()).any(is_part) {
                failures.push(format!("{place}: {from} has no such lines"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(parts > 0, "no guide shows a program");
}

#[test]
fn links_in_documents_lead_to_pages_and_titles() {
    let mut failures = Vec::new();
    for page in pages().unwrap() {
        let folder = Path::new(&page.path).parent().unwrap();
        for (line, link) in links(&page.text) {
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = match target {
                "" => root().join(&page.path),
                target => root().join(folder).join(target),
            };
            let is_there = match std::fs::read_to_string(&path) {
                Ok(text) => anchor.is_empty() || anchors(&text).iter().any(|name| name == anchor),
                Err(_) => path.is_dir() && anchor.is_empty() || path.is_file(),
            };
            if !is_there {
                failures.push(format!("{}, line {line}: {link}", page.path));
            }
        }
    }
    assert!(failures.is_empty(), "nothing there: {failures:#?}");
}

/// Requests whose replies have every shape: each kind of value, nested and empty ones.
const SHAPES: &[&str] = &[
    "XADD s 1-1 f v g w",
    "XADD s 1-2 f \"a\\\"b\\x01\\n\\\\\"",
    "XGROUP CREATE s g 0",
    "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
    "XRANGE s - +",
    "XRANGE nothing - +",
    "XREAD STREAMS s s2 0 0",
    "XREAD STREAMS s $",
    "XINFO STREAM s",
    "XINFO GROUPS s",
    "XINFO CONSUMERS nothing g",
    "XPENDING s g",
    "SET k 'it\\'s'",
    "GET k",
    "GET nothing",
    "MGET k nothing",
    "CONFIG GET appendf*",
    "CONFIG GET nothing",
    "COMMAND INFO xadd",
    "COMMAND DOCS xcfgset",
    "INFO nothing",
    "LATENCY DOCTOR",
    "DEBUG PROTOCOL double",
    "DEBUG PROTOCOL null",
    "DEBUG PROTOCOL set",
    "DEBUG PROTOCOL map",
    "DEBUG PROTOCOL verbatim",
    "DEBUG PROTOCOL true",
    "DEBUG PROTOCOL false",
];

#[test]
fn replies_are_shown_as_redis_cli_shows_them() {
    let Some(cli) = Peers::binary("redis86-cli").unwrap() else {
        return;
    };
    for (protocol, option) in [(Protocol::Resp2, "-2"), (Protocol::Resp3, "-3")] {
        let own = Server::start(&peers::weir().unwrap()).unwrap();
        let other = Server::start(&peers::weir().unwrap()).unwrap();
        let mut client = own.connect(protocol).unwrap();
        for request in SHAPES {
            let words = arguments(request).unwrap();
            let ours = shown(&words, &client.command(&words).unwrap());
            let port = other.address().port().to_string();
            let mut program = Command::new(&cli)
                .args(["-p", &port, "--no-raw", option])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut input = program.stdin.take().unwrap();
            writeln!(input, "{request}").unwrap();
            drop(input);
            let theirs = program.wait_with_output().unwrap().stdout;
            let theirs = String::from_utf8_lossy(&theirs).into_owned();
            let mut theirs: Vec<&str> = theirs.lines().map(str::trim_end).collect();
            while theirs.last().is_some_and(|line| line.is_empty()) {
                theirs.pop();
            }
            assert_eq!(ours, theirs, "{option} {request}");
        }
    }
}
