use engine::Mono;
use engine::config::Settings;
use persistence::snapshot::Contents;
use replication::Chain;
use resp::{ArgvBuf, Protocol, Reply};
use tempfile::TempDir;

use super::*;

const NOW: Now = Now {
    unix_us: 1_700_000_000_000_000,
    mono: Mono(0),
};

fn engine_with(requests: &[&str]) -> Engine {
    let mut engine = Engine::new(Settings::default(), 1, NOW, &commands::TABLE);
    let session = engine.connect(String::new(), String::new(), NOW);
    for request in requests {
        let argv: ArgvBuf = request.split(' ').collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = engine.request(session, argv.as_argv(), NOW, &mut reply);
    }
    engine
}

fn at(seq: u64) -> Position {
    Position {
        seq: Seq(seq),
        chain: Chain::after(b"record"),
        ..Position::default()
    }
}

fn open(folder: &TempDir, group: &str, node: u64) -> SnapshotFolder {
    let group = GroupName::parse(group).unwrap();
    SnapshotFolder::new(folder.path(), group, NodeId(node))
}

fn keep(folder: &SnapshotFolder, seq: u64, requests: &[&str]) -> Contents {
    let frozen = engine_with(requests).freeze();
    let kept = folder.keep(
        &frozen,
        &at(seq),
        engine_with(&[]),
        NOW,
        &Progress::default(),
    );
    assert!(kept.unwrap() > 0);
    Contents::of(&frozen, NOW)
}

#[test]
fn what_one_node_keeps_another_begins_with() {
    let files = TempDir::new().unwrap();
    let contents = keep(&open(&files, "g", 1), 30, &["XADD s 1-1 f v", "SADD t m"]);
    let other = open(&files, "g", 2);
    assert_eq!(other.snapshots().unwrap().newest(), Some(Seq(30)));
    let mut engine = engine_with(&[]);
    assert_eq!(other.take(Seq(30), &mut engine, NOW).unwrap(), at(30));
    assert_eq!(other.position(Seq(30)).unwrap(), at(30));
    assert_eq!(Contents::of(&engine.freeze(), NOW), contents);
}

#[test]
fn two_are_kept_and_those_of_other_groups_left_alone() {
    let files = TempDir::new().unwrap();
    let (folder, other) = (open(&files, "g", 1), open(&files, "g-1", 1));
    keep(&other, 5, &[]);
    for seq in [10, 20, 30] {
        keep(&folder, seq, &[]);
    }
    folder.clean_up().unwrap();
    let found = folder.snapshots().unwrap();
    assert_eq!(found, Snapshots::new([Seq(20), Seq(30)]));
    assert_eq!(other.snapshots().unwrap(), Snapshots::new([Seq(5)]));
    // Somebody else has done it.
    fs::remove_file(folder.snapshot(Seq(20))).unwrap();
    folder.clean_up().unwrap();
}

#[test]
fn what_was_not_finished_does_not_count_and_is_removed_by_its_maker() {
    let files = TempDir::new().unwrap();
    let (one, two) = (open(&files, "g", 1), open(&files, "g", 2));
    for folder in [&one, &two] {
        fs::write(folder.part(), "half").unwrap();
    }
    fs::write(files.path().join("g-7.rdb"), "not by us").unwrap();
    let again = open(&files, "g", 1);
    again.remove_unfinished().unwrap();
    again.remove_unfinished().unwrap();
    assert_eq!(again.snapshots().unwrap(), Snapshots::default());
    assert!(!one.part().exists() && two.part().exists());
}

#[test]
fn a_snapshot_under_another_name_is_refused() {
    let files = TempDir::new().unwrap();
    let folder = open(&files, "g", 1);
    keep(&folder, 10, &[]);
    fs::rename(folder.snapshot(Seq(10)), folder.snapshot(Seq(11))).unwrap();
    let refused = folder.take(Seq(11), &mut engine_with(&[]), NOW);
    assert!(matches!(
        refused,
        Err(TakeError::Misnamed { found: Seq(10), .. })
    ));
    fs::write(folder.snapshot(Seq(12)), "no snapshot").unwrap();
    let refused = folder.take(Seq(12), &mut engine_with(&[]), NOW);
    assert!(matches!(refused, Err(TakeError::Load(_))));
    assert!(folder.position(Seq(11)).is_err() && folder.position(Seq(12)).is_err());
    let gone = folder.take(Seq(13), &mut engine_with(&[]), NOW);
    assert!(matches!(gone, Err(TakeError::Store(_))));
}

#[test]
fn a_node_that_has_been_silent_is_not_alive() {
    let files = TempDir::new().unwrap();
    let nodes = [1, 2, 3, 4].map(|node| open(&files, "g", node));
    let minute = Duration::from_secs(60);
    assert!(nodes[0].live(minute).is_err());
    for (node, seq) in nodes.iter().zip([70, 50, 60]) {
        node.say_read(Seq(seq)).unwrap();
    }
    fs::write(nodes[3].read(), "torn").unwrap();
    let file = File::options().write(true).open(nodes[1].read()).unwrap();
    let now = said_at(&nodes[0].read()).unwrap();
    file.set_modified(now - minute - Duration::from_secs(1))
        .unwrap();
    let mut live = nodes[0].live(minute).unwrap();
    live.sort();
    assert_eq!(live, [(NodeId(1), Seq(70)), (NodeId(3), Seq(60))]);
    file.set_modified(now - minute).unwrap();
    assert_eq!(nodes[0].live(minute).unwrap().len(), 3);
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let files = TempDir::new().unwrap();
    let missing = files.path().join("missing");
    let group = GroupName::parse("g").unwrap();
    let folder = SnapshotFolder::new(&missing, group, NodeId(1));
    let fails = || {
        let (frozen, empty) = (engine_with(&[]).freeze(), engine_with(&[]));
        let kept = folder.keep(&frozen, &at(1), empty, NOW, &Progress::default());
        kept.is_err() && folder.snapshots().is_err() && folder.say_read(Seq(1)).is_err()
    };
    assert!(fails() && !missing.exists());
    fs::write(&missing, "a file").unwrap();
    assert!(fails());
}
