use super::*;

fn disk(seed: u64) -> SimDisk {
    SimDisk::new(Rng::new(seed))
}

fn write(file: &SimFile, bytes: &[u8], mut at: u64) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = file.write_at(&[IoSlice::new(rest)], at).unwrap();
        at += written as u64;
        rest = &rest[written..];
    }
}

#[test]
fn what_was_synced_survives_a_power_cut_and_the_rest_may() {
    let (mut lost, mut kept, mut torn) = (0, 0, 0);
    for seed in 0..100 {
        let disk = disk(seed);
        let file = disk.create("a").unwrap();
        write(&file, b"durable", 0);
        file.sync().unwrap();
        disk.sync_dir().unwrap();
        write(&file, &[b'x'; 2000], 7);
        disk.power_cycle();
        let content = disk.content("a").unwrap();
        assert!(content.starts_with(b"durable"));
        match content.len() {
            7 => lost += 1,
            2007 if content[7..].iter().all(|&byte| byte == b'x') => kept += 1,
            _ => torn += 1,
        }
    }
    assert!(lost > 0 && kept > 0 && torn > 0, "{lost} {kept} {torn}");
}

#[test]
fn names_survive_only_after_the_directory_was_synced() {
    let survivors = (0..100).filter(|&seed| {
        let disk = disk(seed);
        disk.create("a").unwrap().sync().unwrap();
        disk.power_cycle();
        disk.content("a").is_some()
    });
    assert!((10..90).contains(&survivors.count()));
    let disk = disk(0);
    disk.create("a").unwrap();
    disk.sync_dir().unwrap();
    disk.power_cycle();
    assert!(disk.content("a").is_some());
}

#[test]
fn a_failed_sync_is_not_made_good_by_the_next_one() {
    let lost = (0..100).filter(|&seed| {
        let disk = disk(seed);
        let file = disk.create("a").unwrap();
        disk.sync_dir().unwrap();
        write(&file, b"abc", 0);
        disk.plan(disk.operations() + 1, Failure::Error);
        file.sync().unwrap_err();
        assert_eq!(disk.content("a").unwrap(), b"abc");
        file.sync().unwrap();
        disk.power_cycle();
        disk.content("a").unwrap() != b"abc"
    });
    assert!(lost.count() > 20);
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = disk(3);
    let file = disk.create("a").unwrap();
    disk.set_capacity(10);
    write(&file, b"0123456789", 0);
    let error = file.write_at(&[IoSlice::new(b"x")], 10).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    write(&file, b"over", 3);
    assert_eq!(disk.content("a").unwrap(), b"012over789");
}

#[test]
fn room_is_given_before_it_is_written_or_not_at_all() {
    let disk = disk(5);
    let file = disk.create("a").unwrap();
    disk.set_capacity(10);
    file.allocate(8).unwrap();
    let other = disk.create("b").unwrap();
    assert_eq!(
        other.allocate(3).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    other.truncate(0).unwrap();
    file.truncate(0).unwrap();
    other.allocate(3).unwrap();
    assert_eq!(disk.content("b").unwrap(), [0; 3]);
}

#[test]
fn files_and_locks_end_with_the_process() {
    let disk = disk(4);
    let file = disk.create("a").unwrap();
    let lock = disk.lock("l").unwrap();
    assert_eq!(disk.lock("l").err().unwrap().kind(), ErrorKind::WouldBlock);
    disk.kill();
    assert!(file.sync().is_err());
    let again = disk.lock("l").unwrap();
    drop(lock);
    assert!(disk.lock("l").is_err());
    drop(again);
    assert!(disk.lock("l").is_ok());
}
