use engine::store::log::Journalling;
use engine::{Lsn, Mono};
use journal::{Journal, SyncPolicy};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

use super::*;
use crate::rewrite::rewrite;
use crate::snapshot;

const NOW: Now = Now {
    unix_us: 1_000_000,
    mono: Mono(0),
};

fn checked(path: &Path) -> Result<String, String> {
    let checked = check(path, &DataNames::default(), NOW, &mut |_| {});
    checked
        .map(|checked| checked.to_string())
        .map_err(|error| error.to_string())
}

fn ask(engine: &mut Engine, request: &str) {
    let session = engine.connect(String::new(), String::new(), NOW);
    let argv: ArgvBuf = request.split(' ').collect();
    let _ = engine.request(
        session,
        argv.as_argv(),
        NOW,
        &mut Reply::new(Protocol::Resp2),
    );
}

/// A data folder with a journal (a base and an increment) and a snapshot.
fn data_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("appendonlydir");
    let disk = Arc::new(FileDisk::open(&path).unwrap());
    let names = Names::new("appendonly.aof");
    let recovery = Recovery::open(disk, names, TornTail::Refuse).unwrap();
    let (log, _) = recovery.finish().unwrap();
    let mut engine = Engine::new(Settings::default(), 1, NOW, &commands::TABLE);
    engine.set_journalling(Journalling::On);
    let journal = Journal::start(log, SyncPolicy::Always).unwrap();
    ask(&mut engine, "SET before value");
    ask(&mut engine, "XADD stream 1-1 field value");
    let last = engine.log().last();
    journal.submit(engine.effects(), last);
    engine.effects_taken();
    rewrite(&journal, &mut engine, NOW).unwrap();
    ask(&mut engine, "XADD stream 2-1 field value");
    let last = engine.log().last();
    journal.submit(engine.effects(), last);
    journal.close().unwrap();
    let dump = folder.path().join("dump.rdb");
    let progress = crate::snapshot::Progress::default();
    snapshot::write_file(&engine.freeze(), &dump, NOW, &progress).unwrap();
    folder
}

/// The files of a folder whose bytes all count.
fn files(folder: &Path) -> Vec<PathBuf> {
    let inner = std::fs::read_dir(folder.join("appendonlydir")).unwrap();
    let inner = inner.map(|file| file.unwrap().path());
    let counts = |path: &PathBuf| {
        let name = path.display().to_string();
        name.ends_with(".rdb") || name.ends_with(".incr.aof")
    };
    let mut files: Vec<PathBuf> = inner.filter(counts).collect();
    files.push(folder.join("dump.rdb"));
    files.sort();
    files
}

#[test]
fn a_folder_a_manifest_and_each_file_is_read_and_described() {
    let folder = data_folder();
    let report = checked(folder.path()).unwrap();
    assert_eq!(report.lines().count(), 2, "{report}");
    assert_eq!(report.matches("whole").count(), 2, "{report}");
    assert_eq!(report.matches("2 keys").count(), 2, "{report}");
    let journal = folder.path().join("appendonlydir");
    let manifest = journal.join("appendonly.aof.manifest");
    assert_eq!(checked(&journal).unwrap(), checked(&manifest).unwrap());
    let files = files(folder.path());
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let report = checked(&file).unwrap();
        assert!(report.starts_with(&file.display().to_string()), "{report}");
        assert!(report.trim_end().ends_with(": whole"), "{report}");
    }
}

#[test]
fn what_is_missing_is_named_with_its_whole_path() {
    let folder = data_folder();
    let path = folder.path().join("nothing");
    let error = checked(&path).unwrap_err();
    assert!(error.contains(&path.display().to_string()), "{error}");
    std::fs::create_dir(&path).unwrap();
    let error = checked(&path).unwrap_err();
    assert!(error.contains("neither"), "{error}");
    let base = &files(folder.path())[0];
    std::fs::remove_file(base).unwrap();
    let error = checked(folder.path()).unwrap_err();
    assert!(error.contains("is in the manifest but not in"), "{error}");
    let inner = folder.path().join("appendonlydir").display().to_string();
    assert!(error.contains(&inner), "{error}");
}

#[test]
fn a_snapshot_that_was_cut_or_goes_on_is_found() {
    let folder = data_folder();
    let dump = folder.path().join("dump.rdb");
    let whole = std::fs::read(&dump).unwrap();
    for len in 5..whole.len() {
        std::fs::write(&dump, &whole[..len]).unwrap();
        let error = checked(&dump).unwrap_err();
        assert!(error.contains(&dump.display().to_string()), "{error}");
    }
    for behind in [&b"\0"[..], b"garbage", b"*1\r\n$4\r\nPI"] {
        std::fs::write(&dump, [&whole, behind].concat()).unwrap();
        checked(&dump).unwrap_err();
    }
    std::fs::write(&dump, [&whole[..], b"*1\r\n$4\r\nPING\r\n"].concat()).unwrap();
    assert!(
        checked(&dump)
            .unwrap()
            .contains("1 batches without checksum")
    );
}

#[test]
fn what_a_repair_keeps_behind_damage_is_loaded() {
    let folder = data_folder();
    let increment = files(folder.path())[1].clone();
    let mut bytes = std::fs::read(&increment).unwrap();
    let header = journal::annotation::Header::of(Lsn::new(9), 1, 0, LATER);
    let end = bytes
        .iter()
        .rposition(|byte| !b"#\n".contains(byte))
        .unwrap()
        + 2;
    bytes.truncate(end);
    let damaged_at = bytes.len();
    bytes.extend_from_slice(b"not a group");
    bytes.extend_from_slice(header.encode().as_bytes());
    bytes.extend_from_slice(LATER);
    std::fs::write(&increment, &bytes).unwrap();
    let error = checked(folder.path()).unwrap_err();
    assert!(error.contains(&format!("offset {damaged_at}")), "{error}");

    let disk = Arc::new(FileDisk::open_existing(increment.parent().unwrap()).unwrap());
    let name = increment.file_name().unwrap().to_str().unwrap();
    let kept = journal::Kept::WholeGroups;
    let repaired = journal::repair(&disk, name, kept, &mut |_| {}).unwrap();
    assert_eq!(repaired.kept_groups, 1);
    std::fs::rename(increment.with_file_name(&repaired.name), &increment).unwrap();
    let report = checked(folder.path()).unwrap();
    assert!(report.contains("up to LSN 9"), "{report}");

    let names = Names::new("appendonly.aof");
    let mut recovery = Recovery::open(disk, names, TornTail::Refuse).unwrap();
    let mut engine = Engine::new(Settings::default(), 2, NOW, &commands::TABLE);
    let mut replay = engine.begin_replay(NOW);
    let load = crate::Load::default();
    crate::open::read_whole(&mut engine, &mut recovery, &mut replay, &load, NOW).unwrap();
    engine.end_replay(replay, Lsn::new(9), Journalling::Off);
    assert!(engine.keyspace().exists(0, b"later"));
    assert!(engine.keyspace().exists(0, b"before"));
}

const LATER: &[u8] = b"*3\r\n$3\r\nSET\r\n$5\r\nlater\r\n$1\r\nv\r\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn any_byte_that_is_changed_is_found(
        changes in prop::collection::vec((0_usize..3, any::<usize>(), 1_u8..), 50),
    ) {
        let folder = data_folder();
        let files = files(folder.path());
        for (which, at, by) in changes {
            let file = &files[which];
            let whole = std::fs::read(file).unwrap();
            let at = at % whole.len();
            let mut bytes = whole.clone();
            bytes[at] ^= by;
            std::fs::write(file, &bytes).unwrap();
            for path in [file.as_path(), folder.path()] {
                // A changed last write looks like what a crash leaves.
                let is_found = checked(path).map_or(true, |report| report.contains("torn"));
                prop_assert!(is_found, "byte {} of {}", at, file.display());
            }
            std::fs::write(file, &whole).unwrap();
        }
    }
}
