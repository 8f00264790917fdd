use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::annotation::Header;
use crate::file_disk::FileDisk;
use crate::reader::Reason;

const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";

fn group(last: u64, lag: u64) -> Vec<u8> {
    let header = Header::of(Lsn::new(last), 1, lag, SET);
    [header.encode().as_bytes(), SET].concat()
}

fn mark(at: u64) -> Vec<u8> {
    Header::mark(Lsn::new(at)).encode().as_bytes().to_vec()
}

fn folder(content: &[u8]) -> (tempfile::TempDir, Arc<FileDisk>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), content).unwrap();
    let disk = Arc::new(FileDisk::open(folder.path()).unwrap());
    (folder, disk)
}

fn log(disk: &FileDisk) -> LogReport {
    match check(disk, "a", &mut |_| {}).unwrap().content {
        Content::Log(log) => log,
        Content::Rdb => unreachable!("the tests write logs"),
    }
}

#[test]
fn a_whole_file_is_described() {
    let (_folder, disk) = folder(&[mark(6), group(7, 0), group(8, 0), SET.to_vec()].concat());
    let report = check(&*disk, "a", &mut |_| {}).unwrap();
    assert_eq!(
        report.to_string(),
        "a: 197 bytes, 2 batches in 2 groups (LSN 7 to 9), 1 batches without checksum: whole"
    );
    assert!(matches!(
        repair(&disk, "a", Kept::WholePart, &mut |_| {}),
        Err(RepairError::Whole { .. })
    ));
    let (_folder, disk) = folder(b"REDIS0012");
    assert_eq!(
        check(&*disk, "a", &mut |_| {}).unwrap().to_string(),
        "a: 9 bytes, a snapshot in RDB format"
    );
    assert!(matches!(
        repair(&disk, "a", Kept::WholePart, &mut |_| {}),
        Err(RepairError::Rdb { .. })
    ));
}

#[test]
fn a_torn_end_is_told_from_damage_by_what_stands_behind_it() {
    let begin = [mark(0), group(1, 0)].concat();
    let mut broken = group(2, 0);
    broken[60] ^= 1;
    let damage = Damage {
        offset: begin.len() as u64,
        reason: Reason::Checksum,
    };
    let behind_at = (begin.len() + broken.len()) as u64;
    for (behind, rest) in [
        (vec![], Rest::Torn(damage)),
        // Nothing showed that group 2 was durable.
        (group(3, 1), Rest::Torn(damage)),
        (
            group(3, 0),
            Rest::Damaged(damage, Behind::Vouched(behind_at)),
        ),
        (mark(2), Rest::Damaged(damage, Behind::Vouched(behind_at))),
        (
            SET.to_vec(),
            Rest::Damaged(damage, Behind::Foreign(behind_at)),
        ),
        ([group(3, 1), group(4, 1)].concat(), {
            Rest::Damaged(
                damage,
                Behind::Vouched(behind_at + group(3, 1).len() as u64),
            )
        }),
    ] {
        let (_folder, disk) = folder(&[&begin[..], &broken, &behind].concat());
        assert_eq!(log(&disk).rest, rest);
    }
}

#[test]
fn a_repair_saves_the_whole_part_in_a_new_file() {
    let whole = [mark(0), group(1, 0), group(2, 0)].concat();
    let damaged = [&whole[..], b"garbage", &group(3, 0)].concat();
    let (folder, disk) = folder(&damaged);
    let repaired = repair(&disk, "a", Kept::WholePart, &mut |_| {}).unwrap();
    assert_eq!(repaired.name, "a.repaired");
    assert_eq!(repaired.dropped_bytes, (damaged.len() - whole.len()) as u64);
    assert_eq!(
        std::fs::read(folder.path().join("a.repaired")).unwrap(),
        whole
    );
    assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), damaged);
    assert!(matches!(
        repair(&disk, "a", Kept::WholePart, &mut |_| {}),
        Err(RepairError::Exists { .. })
    ));
}

#[test]
fn values_that_look_like_groups_do_not_make_the_search_long() {
    // Each of these claims a long body, so that checking them all would take the square of the
    // size.
    let mut body = b"*2\r\n$3\r\nADD\r\n$1000000\r\n".to_vec();
    let value_at = body.len();
    while body.len() < value_at + 1_000_000 {
        let left = value_at + 1_000_000 - body.len();
        body.extend(
            format!(
                "#weir:1 lsn=9 n=1 len={} crc=00000000\r\n",
                left.saturating_sub(60)
            )
            .bytes(),
        );
    }
    body.truncate(value_at + 1_000_000);
    body.extend(b"\r\n");
    let header = Header::of(Lsn::new(2), 1, 0, &body);
    let mut broken = [header.encode().as_bytes(), &body].concat();
    broken[100] ^= 1;
    let (_folder, disk) = folder(&[mark(1), broken].concat());
    assert!(matches!(log(&disk).rest, Rest::Damaged(_, Behind::TooMuch)));
}

fn lost(first: u64, last: Option<u64>) -> Lost {
    Lost {
        first: Lsn::new(first),
        last: last.map(Lsn::new),
    }
}

#[test]
fn a_repair_says_which_batches_are_lost() {
    let begin = [mark(0), group(1, 0)].concat();
    let mut broken = group(2, 0);
    broken[60] ^= 1;
    for (rest, expected) in [
        (
            [&broken[..], &group(3, 0), &group(4, 0)].concat(),
            lost(2, Some(4)),
        ),
        (broken.clone(), lost(2, Some(2))),
        (b"garbage".to_vec(), lost(2, None)),
    ] {
        let (_folder, disk) = folder(&[&begin[..], &rest].concat());
        let repaired = repair(&disk, "a", Kept::WholePart, &mut |_| {}).unwrap();
        assert_eq!(repaired.lost, [expected]);
    }
    assert_eq!(lost(2, Some(4)).to_string(), "LSN 2 to 4 (3 requests)");
}

#[test]
fn whole_groups_behind_damaged_ones_can_be_kept() {
    let mut broken = group(2, 0);
    broken[60] ^= 1;
    let begin = [mark(0), group(1, 0)].concat();
    let damaged = [
        &begin[..],
        &broken,
        &group(3, 0),
        b"garbage",
        &group(6, 0),
        &mark(6),
    ]
    .concat();
    let (folder, disk) = folder(&damaged);
    let mut seen = Vec::new();
    let repaired = repair(&disk, "a", Kept::WholeGroups, &mut |p| seen.push(p)).unwrap();
    assert_eq!(repaired.lost, [lost(2, Some(2)), lost(4, Some(5))]);
    assert_eq!(repaired.kept_groups, 2);
    assert_eq!(
        repaired.dropped_bytes,
        (broken.len() + b"garbage".len()) as u64
    );
    assert!(
        seen.iter()
            .any(|progress| progress.bytes_read > begin.len() as u64)
    );
    let report = check(&*disk, "a.repaired", &mut |_| {}).unwrap();
    let Content::Log(log) = report.content else {
        unreachable!("it is a log");
    };
    assert_eq!((log.rest, log.last), (Rest::Nothing, Lsn::new(6)));
    assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), damaged);
}

#[test]
fn what_looks_like_a_group_within_a_damaged_one_is_not_kept() {
    let inner = group(9, 0);
    let value = format!("*2\r\n$3\r\nADD\r\n${}\r\n", inner.len());
    let body = [value.as_bytes(), &inner, b"\r\n"].concat();
    let header = Header::of(Lsn::new(2), 1, 0, &body);
    let mut broken = [header.encode().as_bytes(), &body].concat();
    let at = broken.len() - inner.len() - 4;
    broken[at] ^= 1;
    let damaged = [&mark(1)[..], &broken, &group(3, 0)].concat();
    let (_folder, disk) = folder(&damaged);
    let repaired = repair(&disk, "a", Kept::WholeGroups, &mut |_| {}).unwrap();
    assert_eq!(
        (repaired.kept_groups, repaired.lost),
        (1, vec![lost(2, Some(2))])
    );
}

proptest! {
    #[test]
    fn any_byte_that_is_changed_is_found(at in 0_usize..10_000, by in 1_u8..) {
        let mut bytes = [mark(0), group(1, 0), group(2, 0), group(3, 0), mark(3)].concat();
        let at = at % bytes.len();
        bytes[at] ^= by;
        let (_folder, disk) = folder(&bytes);
        prop_assert_ne!(log(&disk).rest, Rest::Nothing);
    }
}
