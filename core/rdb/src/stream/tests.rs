use std::num::{NonZeroU32, NonZeroU64};

use proptest::prelude::*;
use stream::{
    Acknowledgement, CountChange, Counted, Created, DelayedOptions, Entries, GivenBack, Group,
    GroupSettings, Groups, Holder, Idempotence, IidMode, Keep, Missing, NodeLimits, OnConflict,
    Precision, Reached, References, Remembered, Retain, Retention, Stream, StreamId, StreamParts,
    StreamSettings, Trim,
};
use values::{StringValue, Value};

use crate::payload::fixture::fixture;
use crate::{
    Compression, Context, Item, PayloadError, SnapshotReader, SnapshotWriter, Usage, dump, restore,
    sign,
};

const NOW_MS: u64 = 1_800_000_000_000;
const RETENTION: Retention = Retention {
    duration_s: 100,
    maxsize: 100,
};

fn context_at(now_ms: u64) -> Context {
    Context {
        now_ms,
        hash_seed: 7,
        retention: RETENTION,
        thresholds: values::Thresholds::DEFAULT,
        packing: crate::Packing::BeyondBytes(0),
    }
}

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId { ms, seq }
}

fn restored(payload: &[u8], now_ms: u64) -> Result<Stream, PayloadError> {
    restore(payload, &context_at(now_ms)).map(stream_of)
}

fn stream_of(value: Value) -> Stream {
    value.get::<Stream>().unwrap().clone()
}

/// Entries whose nodes end for their number, for their bytes, and beside entries that are longer
/// than a node.
fn many_nodes(count: u64) -> Entries {
    let mut entries = Entries::new();
    for number in 0..count {
        let lengths = [1, 7, 40, 300, 1000, 4070, 5000];
        let len = lengths[(number * number / 150 % 7) as usize] + (number % 5) as usize;
        let value = vec![b'v'; len];
        let fields: &[&[u8]] = match number / 90 % 3 {
            0 => &[b"f", &value],
            1 => &[b"f", b"12", b"g", &value],
            _ => &[&value, b""],
        };
        let appended = entries.append(id(number, 1), fields.iter().copied(), NodeLimits::DEFAULT);
        assert!(appended.is_ok());
    }
    entries
}

#[test]
fn nodes_are_the_same_whether_divided_before_or_while_they_are_written() {
    // Fewer than 64 nodes, and more: their number takes a byte more then.
    for count in (0..10).chain([99, 100, 101, 102, 199, 200, 201, 1000, 5000]) {
        let entries = many_nodes(count);
        let mut before = crate::encode::Encoder::new(Vec::new(), Compression::Lzf);
        let Ok(()) = super::nodes::write(&entries, &mut before);
        let Ok(before) = before.finish();
        let mut meanwhile = crate::encode::Encoder::keeping_all(Vec::new(), Compression::Lzf);
        let Ok(()) = super::nodes::write(&entries, &mut meanwhile);
        assert!(before == meanwhile.finish_all(), "{count} entries");
    }
}

/// Everything that a file should keep of a stream, as text, so that a difference is easily seen.
fn picture(stream: &Stream) -> String {
    let mut lines = vec![format!(
        "last {} deleted {} added {}",
        stream.last_id(),
        stream.max_deleted_id(),
        stream.entries_added()
    )];
    for entry in stream.entries().iter() {
        let fields = entry.fields();
        let fields: Vec<String> = fields
            .map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()))
            .collect();
        lines.push(format!("entry {} {}", entry.id(), fields.join(" ")));
    }
    for (name, group) in stream.groups().iter() {
        lines.push(picture_of_group(name, group));
    }
    let idempotence = stream.idempotence();
    let retention = idempotence.retention();
    lines.push(format!(
        "ids {} s, {} each, {} added, {} again",
        retention.duration_s,
        retention.maxsize,
        idempotence.iids_added(),
        idempotence.iids_duplicates()
    ));
    let mut epochs: Vec<_> = idempotence.epochs().collect();
    epochs.sort_unstable();
    lines.extend(epochs.iter().map(|epoch| format!("epoch {epoch:?}")));
    let mut numbers: Vec<_> = idempotence.all_reached().collect();
    numbers.sort_unstable_by_key(|(producer, _)| *producer);
    for (producer, reached) in numbers {
        let message = idempotence.message(producer, reached.id);
        lines.push(format!("{producer:?} has {reached:?} {message:?}"));
    }
    let sum = idempotence.counted();
    lines.extend(sum.map(|sum| format!("counted {sum:?}")));
    let mut counted: Vec<_> = idempotence.counted_producers().collect();
    counted.sort_unstable_by_key(|(producer, _)| *producer);
    lines.extend(counted.iter().map(|counted| format!("counted {counted:?}")));
    if let Some(delayed) = stream.delayed() {
        lines.push(format!("tickets {}", delayed.last_number()));
        lines.extend(delayed.iter().map(|entry| {
            let (ticket, options) = (entry.ticket, entry.options);
            format!(
                "{ticket} {options:?} {:?}",
                entry.fields.collect::<Vec<_>>()
            )
        }));
    }
    let settings = stream.settings().get();
    lines.extend(settings.map(|settings| format!("{settings:?}")));
    let mut producers = Vec::new();
    for producer in idempotence.producers(0) {
        let mut line = format!("producer {}:", producer.id().escape_ascii());
        producer.for_each(|record| {
            let iid = record.iid.escape_ascii();
            line += &format!(" {iid}={}@{}", record.id, record.added_at_ms);
            let message = idempotence.message(producer.id(), record.id);
            line.extend(message.map(|message| format!("~{message}")));
        });
        producers.push(line);
    }
    producers.sort();
    lines.extend(producers);
    lines.join("\n")
}

fn picture_of_group(name: &[u8], group: &Group) -> String {
    let mut text = format!(
        "group {} at {} read {:?}",
        name.escape_ascii(),
        group.last_delivered(),
        group.entries_read()
    );
    for (handle, consumer) in group.consumers() {
        let (seen, active) = (consumer.seen_ms(), consumer.active_ms());
        text += &format!(
            "\n  {} seen {seen} active {active:?}:",
            consumer.name().escape_ascii()
        );
        for entry in group.pending_range_of(handle, StreamId::MIN, StreamId::MAX) {
            let delivered = entry.holder.map(|holder| holder.delivered_ms);
            text += &format!(" {}@{delivered:?}*{}", entry.id, entry.delivery_count);
        }
    }
    let given_back: Vec<String> = group
        .given_back()
        .map(|id| {
            format!(
                "{id}*{:?}{}",
                group.pending(id).map(|entry| entry.delivery_count),
                group
                    .paused_until_ms(id)
                    .map_or_else(String::new, |until_ms| format!(" until {until_ms}"))
            )
        })
        .collect();
    let latecomers: Vec<StreamId> = group.latecomers().collect();
    text + &format!("\n  given back {given_back:?}, latecomers {latecomers:?}")
}

#[track_caller]
fn check(name: &str, now_ms: u64, expected: &[&str]) {
    let stream = restored(&fixture(name), now_ms).unwrap();
    assert_eq!(
        picture(&stream).lines().collect::<Vec<_>>(),
        expected,
        "{name}"
    );
    let again = restored(&dump(&stream.clone().into()), now_ms).unwrap();
    assert_eq!(
        picture(&again),
        picture(&stream),
        "{name}, dumped and restored again"
    );
}

#[test]
fn entries_of_several_shapes_that_redis_dumped() {
    check(
        "stream-entries",
        NOW_MS,
        &[
            "last 18446744073709551615-3 deleted 1-2 added 5",
            "entry 1-1 temp=21 hum=50",
            &format!("entry 5-0 temp={} hum=", "x".repeat(70)),
            "entry 6-0 other=007 22=9223372036854775807",
            "entry 18446744073709551615-3 temp=-9223372036854775808 hum=\\xff\\x00\\n",
            "ids 100 s, 100 each, 0 added, 0 again",
        ],
    );
}

#[test]
fn groups_with_pending_and_deleted_entries_that_redis_dumped() {
    check(
        "stream-groups",
        NOW_MS,
        &[
            "last 8-0 deleted 3-0 added 8",
            "entry 1-0 f=1",
            "entry 2-0 f=2",
            "entry 4-0 f=4",
            "entry 5-0 f=5",
            "entry 6-0 f=6",
            "entry 7-0 f=7",
            "entry 8-0 f=8",
            "group idle at 8-0 read None",
            "  nobody seen 1795453151772 active None:",
            "  given back [], latecomers []",
            "group work at 6-0 read Some(6)",
            "  alice seen 1795453151772 active Some(1795453151772): 1-0@Some(1795453151772)*1 \
             3-0@Some(1795453151772)*1 4-0@Some(1000)*7",
            "  bob seen 1795453151772 active Some(1795453151772): 5-0@Some(1795453151772)*1",
            "  \\xffz seen 1795453151772 active None:",
            "  given back [], latecomers []",
            "ids 100 s, 100 each, 0 added, 0 again",
        ],
    );
}

#[test]
fn remembered_ids_of_entries_that_are_gone_that_redis_dumped() {
    check(
        "stream-idempotence",
        1_795_453_200_000,
        &[
            "last 1795453151773-6 deleted 0-0 added 8",
            "entry 1795453151773-6 f=v",
            "ids 86400 s, 3 each, 7 added, 1 again",
            "producer 77: 5=1795453151773-6@1795453151773",
            "producer auto: n\\x95r\\x9e\\xe7\\'\\xf0\\x81J\\xed\\xff\\xbaUs\\x00y=\
             1795453151773-5@1795453151773",
            "producer p: i2=1795453151773-2@1795453151773 i3=1795453151773-3@1795453151773 \
             i4=1795453151773-4@1795453151773",
        ],
    );
}

#[test]
fn streams_without_entries_that_redis_dumped() {
    check(
        "stream-empty",
        NOW_MS,
        &[
            "last 0-0 deleted 0-0 added 0",
            "group g at 0-0 read None",
            "  given back [], latecomers []",
            "ids 100 s, 100 each, 0 added, 0 again",
        ],
    );
    check(
        "stream-emptied",
        NOW_MS,
        &[
            "last 7-7 deleted 0-0 added 1",
            "ids 100 s, 100 each, 0 added, 0 again",
        ],
    );
}

#[test]
fn a_stream_of_several_nodes_that_redis_trimmed_and_dumped() {
    let stream = restored(&fixture("stream-nodes"), NOW_MS).unwrap();
    assert_eq!((stream.entries().len(), stream.entries_added()), (180, 250));
    for (index, entry) in (70_u64..).zip(stream.entries().iter()) {
        assert_eq!(entry.id(), id(1000 + index / 3, index % 3));
        let number = index.to_string();
        let name = format!("entry {index}");
        let fields: Vec<_> = entry.fields().collect();
        assert_eq!(
            fields,
            [(&b"n"[..], number.as_bytes()), (b"name", name.as_bytes())]
        );
    }
}

/// What Redis 8.6.3 shows after the `RESTORE` of the same payloads, except for type 27.
#[test]
fn every_type_of_stream_is_read() {
    let old_counters = "last 3-1 deleted 0-0 added 3";
    let counters = "last 3-1 deleted 1-2 added 4";
    let seen = [
        "  a seen 5000 active Some(5000): 1-1@Some(1000)*1 2-0@Some(1000)*2",
        "  b seen 6000 active Some(6000): 1-2@Some(2000)*7",
    ];
    let active = [
        "  a seen 5000 active Some(4000): 1-1@Some(1000)*1 2-0@Some(1000)*2",
        "  b seen 6000 active None: 1-2@Some(2000)*7",
    ];
    let given_back = [
        "  a seen 5000 active Some(4000): 1-1@Some(1000)*1",
        active[1],
    ];
    let no_ids = ["ids 100 s, 100 each, 0 added, 0 again"];
    let ids = [
        "ids 50 s, 7 each, 2 added, 5 again",
        "producer p: i=1-2@1 j=3-0@3",
    ];
    // The payload, then what it says: counters, entries read, consumers, the zone, ids.
    type Row<'a> = (
        &'a str,
        &'a str,
        &'a str,
        [&'a str; 2],
        &'a str,
        &'a [&'a str],
    );
    let types: [Row<'_>; 5] = [
        ("handmade-15", old_counters, "None", seen, "[]", &no_ids),
        ("handmade-19", counters, "Some(2)", seen, "[]", &no_ids),
        ("handmade-21", counters, "Some(2)", active, "[]", &no_ids),
        ("handmade-26", counters, "Some(2)", active, "[]", &ids),
        (
            "handmade-27",
            counters,
            "Some(2)",
            given_back,
            "[\"2-0*Some(2)\"]",
            &ids,
        ),
    ];
    for (name, counters, read, consumers, given_back, ids) in types {
        let group = format!("group g at 2-0 read {read}");
        let zone = format!("  given back {given_back}, latecomers []");
        let mut expected = vec![
            counters,
            "entry 1-1 f=1",
            "entry 2-0 f=3",
            "entry 3-1 g=w",
            &group,
        ];
        expected.extend(consumers);
        expected.push(&zone);
        expected.extend([
            "group none at 0-0 read Some(0)",
            "  given back [], latecomers []",
        ]);
        expected.extend(ids);
        check(name, 3000, &expected);
    }
}

#[test]
fn only_entries_given_back_ask_for_a_later_type_and_version() {
    let type_and_version = |name| {
        let payload = dump(&restored(&fixture(name), 3000).unwrap().into());
        let version = payload[payload.len() - 10];
        (payload[0], version)
    };
    assert_eq!(type_and_version("handmade-26"), (26, 13));
    assert_eq!(type_and_version("handmade-27"), (27, 14));
}

#[test]
fn remembered_ids_that_have_expired_are_not_restored() {
    let ids_at = |now_ms| {
        restored(&fixture("handmade-26"), now_ms)
            .unwrap()
            .idempotence()
            .stored()
    };
    assert_eq!(ids_at(50_000).iids, 2);
    assert_eq!(ids_at(50_001).iids, 1);
    assert_eq!(ids_at(50_003).iids, 0);
}

#[test]
fn a_file_of_redis_8_6_with_streams_is_read() {
    let now_ms = 1_795_453_200_000;
    let names = [
        "entries",
        "groups",
        "idempotence",
        "empty",
        "emptied",
        "nodes",
    ];
    let mut reader = SnapshotReader::new(
        include_bytes!("../../fixtures/streams.rdb").as_slice(),
        context_at(now_ms),
    )
    .unwrap();
    let mut seen = 0;
    while let Some(item) = reader.next().unwrap() {
        let Item::Record(record) = item else { continue };
        let name = names[usize::from(record.key[0] - b'a')];
        let dumped = restored(&fixture(&format!("stream-{name}")), now_ms).unwrap();
        assert_eq!(
            picture(&stream_of(record.value)),
            picture(&dumped),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, names.len());
}

/// Appended while the last ID was ahead of the clock, as no payload of Redis could tell.
#[test]
fn a_snapshot_tells_when_any_number_of_entries_was_added() {
    let retention = Retention {
        duration_s: 100,
        maxsize: 10_000,
    };
    let mut idempotence = Idempotence::new(retention, 9);
    for producer in [b"p", b"q", b"r"] {
        for count in 0..7000 {
            let iid = count.to_string();
            let id = id(NOW_MS + 1_000_000_000_000, count);
            let record = Remembered {
                iid: iid.as_bytes(),
                id,
                added_at_ms: NOW_MS - 7000 + count,
            };
            idempotence.restore_record(producer, record, NOW_MS);
        }
    }
    let mut stream = Stream::new(RETENTION, 9);
    *stream.idempotence_mut() = idempotence;
    let snapshot = snapshot_of(&stream);
    let fields = snapshot
        .windows(15)
        .filter(|bytes| bytes == b"weir-idmp-times")
        .count();
    assert!(fields > 2, "{fields} fields for two streams");
    for read in streams_of(&snapshot) {
        assert!(picture(&read) == picture(&stream));
    }
    // A payload has no room for it: the entries count as added when it is restored.
    let payload = dump(&stream.into());
    let again = restored(&payload, NOW_MS + 50_000).unwrap();
    assert!(
        again
            .idempotence()
            .lookup(b"p", b"0", NOW_MS + 149_999)
            .is_some()
    );
    assert!(
        again
            .idempotence()
            .lookup(b"p", b"0", NOW_MS + 150_000)
            .is_none()
    );
}

/// The body of a stream without groups and ids, with these nodes.
fn with_nodes(nodes: &[&[u8]]) -> Vec<u8> {
    let mut out = crate::encode::Encoder::new(Vec::new(), Compression::Off);
    out.byte(21);
    out.number(nodes.len() as u64);
    for node in nodes {
        out.string(&[0; 16]);
        out.string(node);
    }
    for number in [0, 9, 9, 0, 0, 0, 0, 0, 0] {
        out.number(number);
    }
    let mut bytes = out.finish().unwrap();
    bytes.truncate(bytes.len() - 8);
    sign(bytes)
}

fn node(elements: &[i64], name: &[u8], rest: &[i64]) -> Vec<u8> {
    let mut listpack = crate::listpack::Writer::default();
    listpack.begin();
    elements
        .iter()
        .for_each(|&element| listpack.integer(element));
    listpack.bytes(name);
    rest.iter().for_each(|&element| listpack.integer(element));
    listpack.finish().to_vec()
}

#[test]
fn nodes_that_contradict_themselves_are_refused() {
    let fault = |elements: &[i64], rest: &[i64]| {
        let payload = with_nodes(&[&node(elements, b"f", rest)]);
        restored(&payload, NOW_MS).unwrap_err().to_string()
    };
    let refused = |elements: &[i64], rest: &[i64], expected: &str| {
        let message = fault(elements, rest);
        assert!(message.contains(expected), "{message}");
    };
    refused(
        &[1, 0, 1],
        &[0, 2, 0, 1, 5, 4],
        "number of entries is not that of the nodes",
    );
    refused(&[2, 0, 1], &[0, 2, 0, 1, 5, 4], "not what the node says");
    refused(&[0, 1, 1], &[0, 2, 0, 1, 5, 4], "not what the node says");
    refused(&[1, 0, 1], &[0, 2, 0, 0, 5, 4], "not above the one before");
    refused(
        &[2, 0, 1],
        &[0, 2, 5, 0, 5, 4, 2, 4, 9, 5, 4],
        "not above the one before",
    );
    refused(&[1, 0, 1], &[0, 2, 0, 1, 5, 5], "number of elements");
    refused(&[1, 0, 1], &[0, 4, 0, 1, 5, 4], "flags");
    refused(&[1, 0, 1], &[1, 2, 0, 1, 5, 4], "master entry");
    refused(&[1, 0, 1], &[0, 0, 0, 1, 0, 4], "no fields");
    refused(&[1, 0, 1], &[0, 0, 0, 1, i64::MAX], "ends within");
    refused(&[1, 0, i64::MAX], &[], "ends within");
}

#[test]
fn names_that_many_entries_of_a_node_share_may_not_ask_for_any_amount_of_memory() {
    let shared = |count: i64| {
        let mut rest = vec![0];
        for entry in 1..=count {
            rest.extend([2, 0, entry, 5, 4]);
        }
        let node = node(&[count, 0, 1], &[b'n'; 10_000], &rest);
        restored(&with_nodes(&[&node]), NOW_MS)
            .unwrap_err()
            .to_string()
    };
    // Both are refused in the end, since the number of entries is not that of the nodes.
    assert!(shared(300).contains("number of entries"));
    assert!(shared(400).contains("limit"));
}

/// Fields and values of an entry.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A stream as commands could have made it.
#[derive(Debug, Clone)]
struct Plan {
    entries: Vec<(u8, u16, Fields)>,
    deleted: Vec<prop::sample::Index>,
    groups: Vec<(Vec<u8>, Option<u64>, Vec<Step>)>,
    ids: Vec<(u8, u8, u64, i16)>,
    settings: StreamSettings,
}

#[derive(Debug, Clone)]
enum Step {
    Deliver(u8, u8, u64),
    Claim(u8, Vec<prop::sample::Index>, u64, u64),
    GiveBack(prop::sample::Index, u64, Option<u64>),
    Acknowledge(prop::sample::Index),
}

fn plans() -> impl Strategy<Value = Plan> {
    let text = || {
        prop_oneof![
            4 => "[a-c]{0,3}".prop_map(String::into_bytes),
            2 => any::<i64>().prop_map(|value| value.to_string().into_bytes()),
            1 => prop::collection::vec(any::<u8>(), 0..200),
        ]
    };
    let name = || prop_oneof![Just(b"f".to_vec()), Just(b"g".to_vec()), text()];
    let fields = prop::collection::vec((name(), text()), 1..4);
    let entry = (0_u8..3, any::<u16>(), fields);
    let index = any::<prop::sample::Index>;
    let time = || 1_u64..5000;
    let step = prop_oneof![
        3 => (0_u8..4, 0_u8..20, time()).prop_map(|(consumer, count, at)| Step::Deliver(consumer, count, at)),
        2 => (0_u8..4, prop::collection::vec(index(), 0..5), time(), 0_u64..1 << 62)
            .prop_map(|(consumer, ids, at, count)| Step::Claim(consumer, ids, at, count)),
        1 => (index(), 0_u64..9, prop::option::of(0_u64..5000)).prop_map(
            |(id, count, until_ms)| Step::GiveBack(id, count, until_ms)),
        1 => index().prop_map(Step::Acknowledge),
    ];
    let group = (
        text(),
        any::<Option<u64>>(),
        prop::collection::vec(step, 0..10),
    )
        .prop_map(|(name, read, steps)| (name, read.map(|read| read >> 1), steps));
    let conflicts = prop::sample::select(vec![OnConflict::Ignore, OnConflict::Error]);
    let modes = prop::sample::select(vec![IidMode::Window, IidMode::Monotone]);
    let policies = [
        References::Keep,
        References::Delete,
        References::Acknowledged,
    ];
    let retain = (0..5_u64, 0..5_u64, prop::sample::select(policies.to_vec())).prop_map(
        |(len_max, age_ms_max, references)| Retain {
            len_max,
            age_ms_max,
            bytes_max: len_max * age_ms_max,
            references,
        },
    );
    let limits = prop::sample::select(vec![0, 1, 3]);
    let settings = (conflicts, any::<bool>(), modes, limits, retain).prop_map(
        |(on_conflict, counts_producers, iid_mode, producers_max, retain)| StreamSettings {
            on_conflict,
            counts_producers,
            iid_mode,
            producers_max: NonZeroU32::new(producers_max),
            retain,
            ..StreamSettings::default()
        },
    );
    (
        prop::collection::vec(entry, 0..260),
        prop::collection::vec(index(), 0..20),
        prop::collection::vec(group, 0..4),
        prop::collection::vec((0_u8..3, any::<u8>(), 0_u64..1000, -3_i16..3), 0..40),
        settings,
    )
        .prop_map(|(entries, deleted, groups, ids, settings)| Plan {
            entries,
            deleted,
            groups,
            ids,
            settings,
        })
}

/// Lets an entry wait, with options and fields that follow from numbers.
fn delay(stream: &mut Stream, iid: u8, due_ms: u64, keep: i16) {
    let limit = NonZeroU64::new(u64::from(iid % 5));
    let trim = |keep, precision| Some(Trim { keep, precision });
    let name = [iid];
    let options = DelayedOptions {
        references: [
            References::Keep,
            References::Delete,
            References::Acknowledged,
        ][usize::from(iid % 3)],
        trim: match keep {
            ..=-2 => None,
            -1 => trim(Keep::MaxLen(due_ms), Precision::Exact),
            0 => trim(Keep::MinId(id(due_ms, 3)), Precision::Exact),
            _ => trim(Keep::MaxLen(due_ms), Precision::Approximate { limit }),
        },
        idempotent: iid.is_multiple_of(2).then_some((b"delayed", &name)),
    };
    let value = vec![iid; usize::from(iid) * 7];
    let ticket = stream.next_ticket(due_ms).unwrap();
    stream.delay(ticket, &options, [b"f".as_slice(), &value].into_iter());
}

fn build(plan: &Plan) -> Stream {
    let mut entries = Entries::new();
    let mut last_id = id(1, 0);
    let mut all = Vec::new();
    for (ms, seq, fields) in &plan.entries {
        last_id = match ms {
            0 => id(last_id.ms, last_id.seq + 1 + u64::from(*seq)),
            _ => id(
                last_id.ms + u64::from(*ms) * u64::from(*seq) + 1,
                u64::from(*seq),
            ),
        };
        let texts: Vec<&[u8]> = fields
            .iter()
            .flat_map(|(name, value)| [name.as_slice(), value])
            .collect();
        entries
            .append(last_id, texts.into_iter(), NodeLimits::DEFAULT)
            .unwrap();
        all.push(last_id);
    }
    let mut max_deleted_id = StreamId::MIN;
    for index in plan.deleted.iter().filter(|_| !all.is_empty()) {
        let id = *index.get(&all);
        if entries.delete(id) {
            max_deleted_id = max_deleted_id.max(id);
        }
    }
    let mut groups = Groups::new();
    for (name, entries_read, steps) in &plan.groups {
        groups.insert(name, build_group(*entries_read, steps, &all));
    }
    let mut idempotence = Idempotence::new(RETENTION, 9);
    for &(producer, iid, ms, ahead_ms) in &plan.ids {
        let iid = iid.to_string();
        let added_at_ms = (NOW_MS - 1000 + ms).saturating_add_signed(i64::from(ahead_ms));
        let record = Remembered {
            iid: iid.as_bytes(),
            id: id(NOW_MS - 1000 + ms, 0),
            added_at_ms,
        };
        idempotence.restore_record(&[producer], record, NOW_MS);
    }
    idempotence.set_counters(plan.ids.len() as u64, 3);
    let mut stream = Stream::from_parts(StreamParts {
        entries,
        groups,
        idempotence,
        last_id,
        max_deleted_id,
        entries_added: all.len() as u64,
    });
    drop(stream.set_settings(&plan.settings));
    for (name, _, steps) in &plan.groups {
        let claim_idle_ms = steps.len() as u64 % 3 * 1000;
        let mut settings = GroupSettings {
            claim_idle_ms,
            ..GroupSettings::default()
        };
        if steps.len() % 2 == 1 {
            settings.deliveries_max = steps.len() as u64;
            // No key that a setting may name is longer.
            settings.dead_letter_key = name.repeat(3);
            settings.dead_letter_key.truncate(512);
            settings.pending_max = 7;
            settings.backoff_ms = (9, 300);
            settings.jitter_percent = 50;
            settings.idle_consumers_ms = 60_000;
        }
        stream.set_group_settings(name, &settings);
    }
    for (_, iid, due_ms, keep) in plan.ids.iter().filter(|(producer, ..)| *producer == 1) {
        delay(&mut stream, *iid, *due_ms, *keep);
    }
    for &(producer, epoch, _, _) in plan.ids.iter().filter(|(producer, ..)| *producer > 1) {
        let idempotence = stream.idempotence_mut();
        idempotence.set_epoch(&[producer], u64::from(epoch));
        let what = Counted::ALL[usize::from(epoch) % Counted::ALL.len()];
        idempotence.count(&[producer], what, u64::from(epoch));
        let reached = Reached {
            number: u64::from(epoch),
            id: id(u64::from(epoch) + 7, 0),
        };
        let name = [b'n', producer];
        idempotence.restore_reached(&name, reached);
        idempotence.restore_message(&name, reached.id, (epoch % 2 == 1).then_some(epoch.into()));
    }
    // Of some messages it is known what they were.
    for (number, (producer, iid, ms, _)) in plan.ids.iter().enumerate() {
        let (iid, id) = (format!("late-{iid}"), id(NOW_MS - 1000 + ms, 1));
        let idempotence = stream.idempotence_mut();
        if idempotence
            .lookup(&[*producer], iid.as_bytes(), NOW_MS)
            .is_none()
        {
            idempotence.record(&[*producer], iid.as_bytes(), id, NOW_MS);
            let message = (number % 3 > 0).then_some(number as u64);
            idempotence.restore_message(&[*producer], id, message);
        }
    }
    stream
}

#[test]
fn what_a_group_says_that_it_has_read_is_bounded_by_what_was_added() {
    let mut stream = Stream::new(context_at(NOW_MS).retention, 7);
    for ms in 1..=5 {
        let fields = [b"f".as_slice(), b"v"].into_iter();
        let appended = stream.append(id(ms, 0), fields, NodeLimits::DEFAULT);
        appended.unwrap();
    }
    // A file may contain this, but no command can make it.
    let group = Group::new(id(3, 0), Some(99));
    stream.groups_mut().insert(b"g", group);
    let payload = crate::dump(&Value::from(stream));
    let stream = restored(&payload, NOW_MS).unwrap();
    let group = stream.groups().find(b"g").unwrap();
    assert_eq!((group.entries_read(), stream.lag(group)), (Some(3), 2));
}

fn build_group(entries_read: Option<u64>, steps: &[Step], all: &[StreamId]) -> Group {
    let mut group = Group::new(StreamId::MIN, entries_read);
    let consumer = |group: &mut Group, consumer: u8, now_ms| {
        let name = [b'c', consumer];
        match group.create_consumer(&name, now_ms) {
            Created::New(handle) | Created::Before(handle) => handle,
        }
    };
    for step in steps {
        match step {
            Step::Deliver(name, count, at) => {
                let handle = consumer(&mut group, *name, *at);
                let from = group.last_delivered();
                let ids: Vec<StreamId> = all
                    .iter()
                    .copied()
                    .filter(|&id| id > from)
                    .take(usize::from(*count))
                    .collect();
                group.deliver(handle, &ids, *at, Acknowledgement::Awaited, entries_read);
            }
            _ if all.is_empty() => {}
            Step::Claim(name, ids, at, count) => {
                let ids: Vec<StreamId> = ids.iter().map(|index| *index.get(all)).collect();
                let holder = Holder {
                    consumer: consumer(&mut group, *name, 7),
                    delivered_ms: *at,
                };
                group.claim(holder, &ids, CountChange::Set(*count), Missing::Create);
            }
            Step::GiveBack(index, count, None) => group.give_back(*index.get(all), *count),
            Step::GiveBack(index, count, Some(until_ms)) => {
                group.give_back_each(&[GivenBack {
                    id: *index.get(all),
                    delivery_count: *count,
                    not_before_ms: Some(*until_ms),
                }]);
            }
            Step::Acknowledge(index) => {
                group.acknowledge(&[*index.get(all)]);
            }
        }
    }
    group
}

fn snapshot_of(stream: &Stream) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(Vec::new(), Compression::Lzf).unwrap();
    let value = Value::from(stream.clone());
    writer
        .record(b"before", &value, Some(5), Usage::IdleSeconds(1))
        .unwrap();
    writer
        .record(
            b"k",
            &Value::from(StringValue::from_bytes(b"v")),
            None,
            Usage::Unknown,
        )
        .unwrap();
    writer
        .record(b"after", &value, None, Usage::Unknown)
        .unwrap();
    writer.finish().unwrap()
}

fn streams_of(snapshot: &[u8]) -> Vec<Stream> {
    let mut reader = SnapshotReader::new(snapshot, context_at(NOW_MS)).unwrap();
    let mut streams = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record(record) = item
            && let Some(stream) = record.value.get::<Stream>()
        {
            streams.push(stream.clone());
        }
    }
    streams
}

/// A picture without what a payload of `DUMP` has no room for.
fn coarse_picture(stream: &Stream) -> String {
    let strip = |line: &str| match line.split_once(", latecomers") {
        Some((kept, _)) => kept.to_owned(),
        None if line.starts_with("producer") => {
            let times = line
                .split(' ')
                .map(|word| word.split('@').next().unwrap_or(word));
            times.collect::<Vec<_>>().join(" ")
        }
        None => line.to_owned(),
    };
    picture(stream)
        .lines()
        .map(strip)
        .collect::<Vec<_>>()
        .join("\n")
}

/// An auxiliary field.
fn field(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut out = crate::encode::Encoder::keeping_all(Vec::new(), Compression::Off);
    out.byte(crate::code::AUXILIARY);
    out.string(name);
    out.string(content);
    let bytes = out.finish_all();
    bytes[..bytes.len() - 8].to_vec()
}

#[test]
fn a_stream_that_uses_nothing_of_weir_alone_is_written_as_redis_would() {
    let mut stream = Stream::new(RETENTION, 7);
    assert_eq!(dump(&stream.clone().into())[0], crate::code::STREAM_4);
    let plain = snapshot_of(&stream);
    let told = |on_conflict| StreamSettings {
        on_conflict,
        ..StreamSettings::default()
    };
    drop(stream.set_settings(&told(OnConflict::Error)));
    assert_eq!(dump(&stream.clone().into())[0], crate::code::AUXILIARY);
    assert_ne!(snapshot_of(&stream), plain);
    drop(stream.set_settings(&told(OnConflict::Ignore)));
    assert_eq!(snapshot_of(&stream), plain);
}

#[test]
fn settings_that_this_version_does_not_know_are_refused_by_their_tag() {
    let payload = dump(&Stream::new(RETENTION, 7).into());
    let stream = &payload[..payload.len() - 10];
    let restored = |fields: &[u8]| restored(&sign([fields, stream].concat()), NOW_MS);
    let known = restored(&field(b"weir-settings", &[1, 1])).unwrap();
    assert_eq!(
        known.settings().to_settings().on_conflict,
        OnConflict::Error
    );
    for (settings, tag) in [(&[60, 1][..], 60), (&[1, 1, 61, 0], 61), (&[1, 9], 1)] {
        let refused = restored(&field(b"weir-settings", settings)).unwrap_err();
        let text = format!("setting of a stream that this version of weir knows expected, {tag}");
        assert!(refused.to_string().contains(&text), "{refused}");
    }
    assert!(restored(&field(b"weir-settings", &[1])).is_err());
    assert!(restored(&field(b"weir-tomorrow", &[1])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_snapshot_keeps_everything_of_a_stream(plan in plans()) {
        let stream = build(&plan);
        let expected = picture(&stream);
        let read = streams_of(&snapshot_of(&stream));
        prop_assert_eq!(read.len(), 2);
        for stream in read {
            prop_assert_eq!(picture(&stream), expected.clone());
        }
    }

    #[test]
    fn a_payload_keeps_what_redis_knows_of_a_stream(plan in plans()) {
        let stream = build(&plan);
        let payload = dump(&stream.clone().into());
        let again = restored(&payload, NOW_MS).unwrap();
        prop_assert_eq!(coarse_picture(&again), coarse_picture(&stream));
        if stream.is_beyond_redis() {
            prop_assert_eq!(picture(&again), picture(&stream));
        }
    }

    #[test]
    fn a_damaged_stream_is_read_or_refused(
        plan in plans(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let payload = dump(&build(&plan).into());
        let mut content = payload[..payload.len() - 10].to_vec();
        prop_assert!(restored(&sign(content[..cut.index(content.len())].to_vec()), NOW_MS).is_err());
        for (at, byte) in damage {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Ok(stream) = restored(&sign(content), NOW_MS).map(|stream| picture(&stream)) {
            prop_assert!(!stream.is_empty());
        }
    }
}
