//! The script that fetches real servers: simultaneous runs do not disturb each other.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use weir_tests::left_out;

/// Exit status by which the script says that this machine cannot have the peers.
const CANNOT_BE_HAD: i32 = 3;

/// Stands for the system's package manager: it "downloads" one package, and counts that.
const APT_GET: &str = r#"#!/bin/sh
for word; do case $word in Dir::Cache=*) cache=${word#Dir::Cache=} ;; esac; done
case " $* " in *" install "*) echo "$*" >>"$FAKE/installs"; : >"$cache/archives/one.deb" ;; esac
"#;

/// Unpacks any package as the tree of all of them.
const DPKG_DEB: &str = "#!/bin/sh\ntar -c -C \"$FAKE/tree\" .\n";

/// Starts the program that is named behind the path of libraries.
const LOADER: &str = "#!/bin/sh\nshift 2\nexec \"$@\"\n";

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn of_several_runs_at_once_one_installs_and_the_others_wait_for_it() {
    let fake = tempfile::tempdir().unwrap();
    script(&fake.path().join("bin/apt-get"), APT_GET);
    script(&fake.path().join("bin/dpkg-deb"), DPKG_DEB);
    script(&fake.path().join("tree/lib/ld-linux-x86-64.so.2"), LOADER);
    for program in ["bin/redis-server", "bin/redis-cli", "bin/redis-benchmark"] {
        script(
            &fake.path().join("tree/usr").join(program),
            "#!/bin/sh\necho 1\n",
        );
    }
    for program in ["bin/valkey-server", "sbin/nats-server"] {
        script(
            &fake.path().join("tree/usr").join(program),
            "#!/bin/sh\necho 1\n",
        );
    }
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", fake.path().join("bin").display());
    let folder = tempfile::tempdir().unwrap();
    // What a run that was cut off has left is made again.
    script(
        &folder.path().join("bin/redis86-server"),
        "#!/bin/sh\nexit 1\n",
    );
    let runs: Vec<_> = (0..4)
        .map(|_| {
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"))
                .arg(folder.path())
                .env("PATH", &path)
                .env("FAKE", fake.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(CANNOT_BE_HAD) {
            return left_out::note("WEIR_REQUIRE_PEERS", &said).unwrap();
        }
        assert!(output.status.success(), "{said}");
        assert!(said.is_empty(), "{said}");
    }
    let installs = fs::read_to_string(fake.path().join("installs")).unwrap();
    assert_eq!(installs.lines().count(), 3, "{installs}");
}
