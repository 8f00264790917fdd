use super::*;

/// Writes a log as its leaders would, and sometimes not.
struct Writer {
    epoch: Epoch,
    last: Lsn,
    prev: Chain,
    acked: Seq,
}

impl Writer {
    fn new() -> Writer {
        Writer {
            epoch: Epoch {
                number: 1,
                nonce: 10,
            },
            last: Lsn::ZERO,
            prev: Chain::START,
            acked: Seq::ZERO,
        }
    }

    fn write(&mut self, kind: Kind, body: &[u8]) -> Vec<u8> {
        let record = Record {
            kind,
            epoch: self.epoch,
            last: self.last,
            prev: self.prev,
            acked: self.acked,
            body,
        };
        let bytes = record.encode();
        self.prev = Chain::after(&bytes);
        bytes
    }

    fn begin(&mut self, number: u64) -> Vec<u8> {
        let nonce = 10 * number;
        self.epoch = Epoch { number, nonce };
        self.write(Kind::Epoch, b"me")
    }

    fn part(&mut self, part: u32, parts: u32) -> Vec<u8> {
        let first = self.last.next();
        self.last = first;
        let bytes = self.write(Kind::Batch { first, part, parts }, &[b'a'; 3]);
        if part + 1 < parts {
            self.last = Lsn::new(first.number() - 1);
        }
        bytes
    }

    fn group(&mut self) -> Vec<u8> {
        self.part(0, 1)
    }
}

/// Reads records from number 1 on; gives what the last one is.
fn read(records: &[Vec<u8>]) -> Result<Verdict, Stop> {
    read_as(Reader::new(Position::default(), None), records)
}

fn read_as(mut reader: Reader, records: &[Vec<u8>]) -> Result<Verdict, Stop> {
    let mut verdict = Ok(Verdict::Void);
    for bytes in records {
        let seq = reader.at().seq.next();
        verdict = Ok(reader.read(seq, Seq(1), bytes)?);
    }
    verdict
}

fn reason(records: &[Vec<u8>]) -> StopReason {
    read(records).unwrap_err().reason
}

#[test]
fn parts_are_a_group_when_the_last_one_has_come() {
    let mut writer = Writer::new();
    let mut records = vec![writer.begin(1), writer.part(0, 2)];
    assert_eq!(read(&records), Ok(Verdict::Valid(Entry::Part)));
    records.push(writer.part(1, 2));
    let group = ReadGroup {
        first: Lsn::new(1),
        last: Lsn::new(1),
        bytes: b"aaaaaa".to_vec(),
    };
    assert_eq!(read(&records), Ok(Verdict::Valid(Entry::Group(group))));
}

#[test]
fn a_new_epoch_gives_up_a_group_that_is_not_whole() {
    let mut writer = Writer::new();
    let mut records = vec![writer.begin(1), writer.part(0, 2), writer.begin(2)];
    records.push(writer.group());
    assert!(matches!(
        read(&records),
        Ok(Verdict::Valid(Entry::Group(_)))
    ));
}

#[test]
fn a_record_of_an_older_epoch_is_void_whatever_it_follows() {
    let mut writer = Writer::new();
    let mut records = vec![writer.begin(1), writer.group()];
    let mut deposed = Writer { ..writer };
    records.push(writer.begin(2));
    records.push(deposed.group());
    assert_eq!(read(&records), Ok(Verdict::Void));
    records.push(writer.group());
    assert!(matches!(
        read(&records),
        Ok(Verdict::Valid(Entry::Group(_)))
    ));
}

#[test]
fn a_record_behind_one_that_did_not_arrive_is_void_unless_that_was_acknowledged() {
    let mut writer = Writer::new();
    let begin = writer.begin(1);
    writer.acked = Seq(1);
    let _lost = writer.group();
    let records = [begin, writer.group()];
    assert_eq!(read(&records), Ok(Verdict::Void));
    writer.acked = Seq(2);
    let records = [&records[..], &[writer.group()]].concat();
    assert!(matches!(reason(&records), StopReason::Fork { .. }));
}

#[test]
fn a_log_that_is_not_what_it_must_be_stops_its_readers() {
    let mut writer = Writer::new();
    let records = vec![writer.begin(1), writer.group(), writer.group()];
    let mut damaged = records.clone();
    *damaged[1].last_mut().unwrap() ^= 1;
    assert!(matches!(reason(&damaged), StopReason::Damaged(_)));

    let mut reader = Reader::new(Position::default(), None);
    reader.read(Seq(1), Seq(1), &records[0]).unwrap();
    let gap = reader.clone().read(Seq(3), Seq(1), &records[2]);
    let reason_of = |read: Result<Verdict, Stop>| read.unwrap_err().reason;
    assert_eq!(reason_of(gap), StopReason::Gap { found: Seq(3) });
    let trimmed = reader.read(Seq(3), Seq(3), &records[2]);
    assert_eq!(reason_of(trimmed), StopReason::Trimmed { first: Seq(3) });

    // The same number of an epoch, and another one that began it.
    let mut other = Writer::new();
    let first = other.begin(1);
    other.epoch.nonce += 1;
    assert!(matches!(
        reason(&[first, other.group()]),
        StopReason::Fork { .. }
    ));
    // An epoch that does not follow what was read.
    let mut other = Writer::new();
    other.prev = Chain::after(b"something else");
    assert!(matches!(
        reason(&[records[0].clone(), other.begin(2)]),
        StopReason::Fork { .. }
    ));
    // A batch, or a part, is left out by who wrote it.
    let mut other = Writer::new();
    let first = other.begin(1);
    other.last = Lsn::new(1);
    assert!(matches!(
        reason(&[first.clone(), other.group()]),
        StopReason::Order { .. }
    ));
    let mut other = Writer::new();
    let first = other.begin(1);
    let records = [first, other.part(0, 3), other.part(2, 3)];
    assert!(matches!(reason(&records), StopReason::Order { .. }));
}

#[test]
fn a_reader_that_has_been_there_before_notices_another_log() {
    let mut writer = Writer::new();
    let records = vec![writer.begin(1), writer.group(), writer.group()];
    let mut reader = Reader::new(Position::default(), None);
    for (bytes, seq) in records.iter().zip(1..) {
        reader.read(Seq(seq), Seq(1), bytes).unwrap();
    }
    let mark = Some(reader.mark());
    let again = Reader::new(Position::default(), mark);
    assert!(!again.has_caught_up());
    assert!(read_as(again, &records).is_ok());

    let mut other = Writer::new();
    let others = vec![other.begin(1), other.group(), other.begin(2)];
    let again = Reader::new(Position::default(), mark);
    assert!(matches!(
        read_as(again, &others).unwrap_err().reason,
        StopReason::Forgotten { .. }
    ));
    assert!(reader.verify_last(&records[2]).is_ok());
    assert!(reader.verify_last(&others[2]).is_err());
}
