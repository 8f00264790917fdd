use std::collections::BTreeMap;

use proptest::prelude::*;
use resp::{Protocol, Reply, Run};

use super::run::{Direction, EntryRun};
use super::*;
use crate::limits::{BLOCK_CHUNKS_MAX, CHUNK_BYTES_MAX, DEFERRED_BYTES_MIN};
use crate::packed::{Opened, Unpacked};

type Model = BTreeMap<StreamId, Vec<Vec<u8>>>;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn append(entries: &mut Entries, id: StreamId, fields: &[&[u8]]) {
    entries
        .append(id, fields.iter().copied(), NodeLimits::DEFAULT)
        .unwrap();
}

fn numbered(count: u64) -> Entries {
    let mut entries = Entries::new();
    for seq in 1..=count {
        append(&mut entries, id(1, seq), &[b"name", b"value of the field"]);
    }
    entries
}

fn content(entry: EntryRef<'_>) -> (StreamId, Vec<Vec<u8>>) {
    let fields = entry.fields();
    assert_eq!(fields.len(), entry.field_count());
    (
        entry.id(),
        fields
            .flat_map(|(name, value)| [name.to_vec(), value.to_vec()])
            .collect(),
    )
}

/// The RESP of these entries, made the slow way.
fn resp<'a>(entries: impl Iterator<Item = (&'a StreamId, &'a Vec<Vec<u8>>)>) -> Vec<u8> {
    let mut out = Vec::new();
    let bulk = |out: &mut Vec<u8>, text: &[u8]| {
        out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    };
    for (id, fields) in entries {
        out.extend_from_slice(b"*2\r\n");
        bulk(&mut out, id.to_string().as_bytes());
        out.extend_from_slice(format!("*{}\r\n", fields.len()).as_bytes());
        for text in fields {
            bulk(&mut out, text);
        }
    }
    out
}

fn check_all(entries: &Entries, model: &Model) {
    assert_eq!(entries.len(), model.len() as u64);
    let all: Vec<_> = entries.iter().map(content).collect();
    let expected: Vec<_> = model
        .iter()
        .map(|(id, fields)| (*id, fields.clone()))
        .collect();
    assert_eq!(all, expected);
    let mut reverse: Vec<_> = entries
        .range_reverse(StreamId::MIN, StreamId::MAX)
        .map(content)
        .collect();
    reverse.reverse();
    assert_eq!(reverse, expected);
    assert_eq!(
        entries.first().map(|entry| entry.id()),
        model.keys().next().copied()
    );
    assert_eq!(
        entries.last().map(|entry| entry.id()),
        model.keys().next_back().copied()
    );
    let live: u64 = entries.blocks.iter().map(|block| block.live).sum();
    assert_eq!(
        live + entries
            .tail
            .as_deref()
            .map_or(0, |tail| u64::from(tail.live())),
        entries.len
    );
    let slots = entries.blocks.iter().flat_map(|block| block.slots.iter());
    let full_bytes: usize = slots.map(|slot| slot.chunk.heap_bytes()).sum();
    assert_eq!(entries.full_bytes, full_bytes as u64);
    let block_bytes: u64 = entries.blocks.iter().map(|block| block.bytes).sum();
    assert_eq!(entries.full_bytes, block_bytes);
    for block in &entries.blocks {
        assert_eq!(
            block.live,
            block
                .slots
                .iter()
                .map(|slot| u64::from(slot.live))
                .sum::<u64>()
        );
        assert!(
            block
                .slots
                .iter()
                .all(|slot| slot.live > 0 && slot.live == slot.chunk.open(None).live())
        );
    }
}

fn check_range(
    entries: &Entries,
    model: &Model,
    start: StreamId,
    end: StreamId,
    limit: u64,
    unpacked: &mut Unpacked,
) {
    let within = || model.iter().filter(|(id, _)| **id >= start && **id <= end);
    let ids: Vec<_> = within().map(|(id, _)| *id).collect();
    assert_eq!(
        entries
            .range(start, end)
            .map(|entry| entry.id())
            .collect::<Vec<_>>(),
        ids
    );
    let mut reverse: Vec<_> = entries
        .range_reverse(start, end)
        .map(|entry| entry.id())
        .collect();
    reverse.reverse();
    assert_eq!(reverse, ids);
    assert_eq!(entries.count_between(start, end), ids.len() as u64);
    if start <= end && limit > 0 {
        let wanted = ids.len().min(limit as usize);
        let (count, through) = entries.lowest(start, end, limit);
        assert!(count == wanted as u64 && through <= end);
        assert!(ids[..wanted].iter().all(|id| *id <= through));
        let (count, from) = entries.highest(start, end, limit);
        assert!(count == wanted as u64 && from >= start);
        assert!(ids[ids.len() - wanted..].iter().all(|id| *id >= from));
    }
    let mut reply = Reply::new(Protocol::Resp3);
    reply.ok();
    let before = reply.mark();
    let count = entries.write_range(start, end, limit, unpacked, &mut reply);
    assert_eq!(count, limit.min(ids.len() as u64));
    assert_eq!(
        reply.split_off(before).into_bytes(),
        resp(within().take(limit as usize))
    );
    let count = entries.write_range_reverse(start, end, limit, &mut reply);
    assert_eq!(count, limit.min(ids.len() as u64));
    assert_eq!(
        reply.split_off(before).into_bytes(),
        resp(within().rev().take(limit as usize))
    );
    let wanted = limit.min(ids.len() as u64);
    for direction in [Direction::Up, Direction::Down] {
        let mut run = EntryRun::new(entries, direction, (start, end), wanted, (0, 0));
        while run.bytes_left() > 0 {
            run.write_step(1 + (limit % 43) as usize * 7, &mut reply);
        }
        let expected = match direction {
            Direction::Up => resp(within().take(limit as usize)),
            Direction::Down => resp(within().rev().take(limit as usize)),
        };
        assert_eq!(reply.split_off(before).into_bytes(), expected);
    }
    if let Some(entry) = entries.range(start, end).next() {
        entry.write(&mut reply);
        let whole = reply.split_off(before).into_bytes();
        assert_eq!(whole, resp(within().take(1)));
        assert_eq!(whole.len(), entry.reply_bytes());
        entry.write_fields(&mut reply);
        let fields = reply.split_off(before).into_bytes();
        assert!(fields.starts_with(b"*") && whole.ends_with(&fields));
    }
    assert_eq!(
        entries.count_below(start),
        model.range(..start).count() as u64
    );
    assert_eq!(
        entries.count_above(start),
        model.keys().filter(|id| **id > start).count() as u64
    );
    assert_eq!(
        entries.entry(start).map(content),
        model.get(&start).map(|fields| (start, fields.clone()))
    );
    assert_eq!(entries.contains(end), model.contains_key(&end));
    assert_eq!(entries.first_id(), model.keys().next().copied());
    let mut look = entries.look_up();
    for id in [start, end, start] {
        assert_eq!(look.contains(id), model.contains_key(&id));
        let entry = look.entry(id).map(content);
        assert_eq!(entry, model.get(&id).map(|fields| (id, fields.clone())));
    }
    let place = entries.count_below(start);
    assert_eq!(
        entries.nth(place).map(|entry| entry.id()),
        model.range(start..).next().map(|(id, _)| *id)
    );
}

#[test]
fn who_reads_the_last_entries_of_a_long_stream_gets_a_short_buffer() {
    const LEN: u64 = 20_000;
    let entries = numbered(LEN);
    for last in [1, 50] {
        let mut reply = Reply::new(Protocol::Resp2);
        let unpacked = &mut Unpacked::default();
        let start = id(1, LEN + 1 - last);
        let count = entries.write_range(start, StreamId::MAX, u64::MAX, unpacked, &mut reply);
        assert_eq!(count, last);
        assert!(reply.capacity() < 8 * 1024, "{}", reply.capacity());
    }
}

#[test]
fn what_is_written_later_refers_to_little_more_than_what_it_writes() {
    let mut entries = Entries::new();
    for ms in 1..=200_000 {
        let fields = [b"name".as_slice(), &[b'v'; 100]].into_iter();
        entries
            .append(id(ms, 0), fields, NodeLimits::DEFAULT)
            .unwrap();
    }
    let all = entries.view(StreamId::MIN, StreamId::MAX).chunk_count();
    assert!(all > 8 * BLOCK_CHUNKS_MAX, "{all}");
    let (count, through) = entries.lowest(id(70_000, 0), StreamId::MAX, 5000);
    let lowest = entries.view(id(70_000, 0), through);
    let (_, from) = entries.highest(StreamId::MIN, id(130_000, 0), 5000);
    let highest = entries.view(from, id(130_000, 0));
    assert_eq!(count, 5000);
    for view in [lowest, highest] {
        assert!(view.chunk_count() <= 2 * BLOCK_CHUNKS_MAX && view.tail.is_none());
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A run of entries: how far each is above the last, the names' kind, the values' length.
    Append {
        count: u8,
        ms: u64,
        seq: u64,
        names: u8,
        value_len: u16,
    },
    /// Deletes the entries at these places (in parts of 65536) and this many after each.
    Delete {
        at: u16,
        count: u8,
    },
    /// Deletes every n-th entry.
    Thin {
        step: u8,
        offset: u8,
    },
    Cut {
        at: u16,
    },
    Freeze,
    /// Takes up to this many chunks to be packed,
    BeginPacking {
        chunks: u8,
    },
    /// and what was taken comes back.
    EndPacking,
    Range {
        start: u16,
        end: u16,
        limit: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value_len = prop_oneof![4 => 0_u16..40, 2 => 40_u16..300, 1 => 300_u16..6000];
    let ms = prop_oneof![3 => 0_u64..3, 1 => 0_u64..100_000_000, 1 => Just(1 << 40)];
    let seq = prop_oneof![3 => 0_u64..3, 1 => 0_u64..u64::from(u32::MAX)];
    let step = prop_oneof![
        6 => (1_u8.., ms, seq, any::<u8>(), value_len).prop_map(
            |(count, ms, seq, names, value_len)| Step::Append { count, ms, seq, names, value_len }
        ),
        2 => (any::<u16>(), 1_u8..60).prop_map(|(at, count)| Step::Delete { at, count }),
        1 => (1_u8..5, any::<u8>()).prop_map(|(step, offset)| Step::Thin { step, offset }),
        1 => any::<u16>().prop_map(|at| Step::Cut { at }),
        1 => Just(Step::Freeze),
        3 => (1_u8..20).prop_map(|chunks| Step::BeginPacking { chunks }),
        2 => Just(Step::EndPacking),
        3 => (any::<u16>(), any::<u16>(), any::<u8>())
            .prop_map(|(start, end, limit)| Step::Range { start, end, limit }),
    ];
    prop::collection::vec(step, 1..40)
}

/// Names of a kind: a few sets come again and again, one kind is new each time.
fn fields_of(names: u8, value_len: u16, salt: u64) -> Vec<Vec<u8>> {
    let value = |field: u64| vec![b'a' + ((salt + field) % 26) as u8; usize::from(value_len)];
    match names % 8 {
        0 => (0..5)
            .flat_map(|field| [format!("field{field}").into_bytes(), value(field)])
            .collect(),
        1 => vec![b"".to_vec(), value(1)],
        2 => vec![format!("only{salt}").into_bytes(), value(2)],
        kind => vec![
            b"type".to_vec(),
            vec![kind],
            vec![b'n'; usize::from(kind) * 9],
            value(3),
        ],
    }
}

fn pick(model: &Model, at: u16) -> StreamId {
    let index = usize::from(at) * model.len() / 65536;
    model.keys().nth(index).copied().unwrap_or(id(7, 7))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn entries_are_a_sorted_map_and_clones_are_frozen(steps in steps()) {
        let mut entries = Entries::new();
        let mut model = Model::new();
        let mut frozen: Vec<(Entries, Model)> = Vec::new();
        let mut top = StreamId::MIN;
        let mut jobs = Vec::new();
        let mut unpacked = Unpacked::default();
        for step in steps {
            match step {
                Step::BeginPacking { chunks } => jobs.extend(entries.packing_jobs(chunks.into(), StreamId::MAX)),
                Step::EndPacking => {
                    for mut job in jobs.drain(..) {
                        job.run();
                        entries.finish_packing(&mut job);
                    }
                }
                Step::Append { count, ms, seq, names, value_len } => {
                    let count = if value_len > 300 { count % 8 } else { count };
                    for salt in 0..u64::from(count) {
                        let seq = if ms == 0 { top.seq + 1 + seq } else { seq };
                        let above = id(top.ms + ms, seq);
                        let fields = fields_of(names, value_len, salt + above.ms);
                        let texts = fields.iter().map(Vec::as_slice);
                        entries.append(above, texts, NodeLimits::DEFAULT).unwrap();
                        prop_assert!(entries.append(top, [].into_iter(), NodeLimits::DEFAULT).is_err());
                        model.insert(above, fields);
                        top = above;
                    }
                }
                Step::Delete { at, count } => {
                    let from = pick(&model, at);
                    let ids: Vec<_> =
                        model.range(from..).map(|(id, _)| *id).take(count.into()).collect();
                    for id in ids {
                        prop_assert!(entries.delete(id));
                        prop_assert!(!entries.delete(id));
                        model.remove(&id);
                    }
                }
                Step::Thin { step, offset } => {
                    let ids: Vec<_> = model.keys().skip(offset.into()).step_by(step.into()).copied().collect();
                    for id in ids {
                        prop_assert!(entries.delete(id));
                        model.remove(&id);
                    }
                }
                Step::Cut { at } => {
                    let through = pick(&model, at);
                    let rest = model.split_off(&through.next().unwrap());
                    prop_assert_eq!(entries.remove_through(through), model.len() as u64);
                    model = rest;
                }
                Step::Freeze => frozen.push((entries.clone(), model.clone())),
                Step::Range { start, end, limit } => {
                    let (start, end) = (pick(&model, start), pick(&model, end));
                    check_range(&entries, &model, start, end, limit.into(), &mut unpacked);
                    check_range(&entries, &model, start, StreamId::MAX, u64::from(limit) * 100, &mut unpacked);
                    if let (Some(start), Some(end)) = (start.next(), end.previous()) {
                        check_range(&entries, &model, start, end, u64::MAX, &mut unpacked);
                    }
                }
            }
        }
        check_all(&entries, &model);
        for (entries, model) in frozen {
            check_all(&entries, &model);
        }
    }
}

#[test]
fn an_id_that_is_not_above_the_last_is_refused_even_after_a_deletion() {
    let mut entries = numbered(3);
    assert!(entries.delete(id(1, 3)));
    let again = entries.append(id(1, 3), [].into_iter(), NodeLimits::DEFAULT);
    assert_eq!(again, Err(OutOfOrder { id: id(1, 3) }));
    assert_eq!(entries.len(), 2);
    append(&mut entries, id(1, 4), &[b"f", b"v"]);
}

#[test]
fn the_extreme_ids_can_be_stored_and_read() {
    let mut entries = Entries::new();
    append(&mut entries, id(0, 1), &[b"f", b"v"]);
    append(&mut entries, StreamId::MAX, &[b"f", b"v"]);
    let ids: Vec<_> = entries.iter().map(|entry| entry.id()).collect();
    assert_eq!(ids, [id(0, 1), StreamId::MAX]);
    assert_eq!(entries.last().map(|entry| entry.id()), Some(StreamId::MAX));
    assert_eq!(entries.count_above(id(0, 1)), 1);
    assert_eq!(entries.count_above(StreamId::MAX), 0);
    assert_eq!(entries.remove_through(StreamId::MAX), 2);
    assert!(entries.is_empty());
}

#[test]
fn one_entry_may_be_larger_than_a_chunk() {
    let mut entries = Entries::new();
    let large = vec![b'x'; 5 * CHUNK_BYTES_MAX];
    for ms in 1..=4 {
        entries.remove_through(id(ms, 0));
        append(&mut entries, id(ms, 1), &[b"small", b"v"]);
        append(&mut entries, id(ms, 2), &[b"large", &large]);
        append(&mut entries, id(ms, 3), &[b"small", b"v"]);
    }
    assert_eq!(entries.len(), 3);
    let lens: Vec<_> = entries
        .iter()
        .map(|entry| entry.fields().map(|(_, value)| value.len()).sum::<usize>())
        .collect();
    assert_eq!(lens, [1, large.len(), 1]);
    assert!(entries.delete(id(4, 2)));
    assert!(entries.delete(id(4, 3)));
    assert!(entries.heap_bytes(0) < 2000);
}

#[test]
fn deleted_entries_give_their_memory_back() {
    let mut entries = numbered(20_000);
    let full = entries.heap_bytes(0);
    for seq in (1..=20_000).filter(|seq| seq % 10 != 0) {
        assert!(entries.delete(id(1, seq)));
    }
    assert_eq!(entries.len(), 2000);
    assert!(
        entries.heap_bytes(0) < full / 6,
        "{} of {full}",
        entries.heap_bytes(0)
    );
    for seq in (1..=20_000).filter(|seq| seq % 10 == 0) {
        assert!(entries.delete(id(1, seq)));
    }
    assert!(entries.heap_bytes(0) < 1000, "{}", entries.heap_bytes(0));
}

#[test]
fn a_stream_held_short_stays_small() {
    let mut entries = Entries::new();
    for seq in 1..=100_000 {
        append(&mut entries, id(1, seq), &[b"name", b"value of the field"]);
        if seq > 10 {
            entries.remove_through(id(1, seq - 10));
        }
    }
    assert_eq!(entries.len(), 10);
    assert!(entries.heap_bytes(0) < 3000, "{}", entries.heap_bytes(0));
}

fn is_same(ours: &Stored, theirs: &Stored) -> bool {
    match (ours, theirs) {
        (Stored::Plain(ours), Stored::Plain(theirs)) => Arc::ptr_eq(ours, theirs),
        (Stored::Packed(ours), Stored::Packed(theirs)) => Arc::ptr_eq(ours, theirs),
        _ => false,
    }
}

#[test]
fn a_clone_shares_all_but_what_is_written_later() {
    let mut entries = numbered(100_000);
    let frozen = entries.clone();
    append(&mut entries, id(2, 0), &[b"name", b"v"]);
    assert!(entries.delete(id(1, 5)));
    let shared = entries.blocks.iter().zip(&frozen.blocks);
    let copied = shared
        .filter(|(ours, theirs)| !Arc::ptr_eq(&ours.slots, &theirs.slots))
        .count();
    assert_eq!(copied, 1);
    let slots = entries.blocks[0]
        .slots
        .iter()
        .zip(frozen.blocks[0].slots.iter());
    let copied = slots
        .filter(|(ours, theirs)| !is_same(&ours.chunk, &theirs.chunk))
        .count();
    assert_eq!(copied, 1);
    assert_eq!(frozen.len(), 100_000);
    assert!(frozen.contains(id(1, 5)));
}

#[test]
fn entries_of_many_shapes_are_read_back() {
    let mut entries = Entries::new();
    let mut model = Model::new();
    for seq in 1..=3000_u64 {
        let name = format!("kind{}", seq * seq % 150);
        let fields = vec![name.into_bytes(), seq.to_string().into_bytes()];
        entries
            .append(
                id(9, seq),
                fields.iter().map(Vec::as_slice),
                NodeLimits::DEFAULT,
            )
            .unwrap();
        model.insert(id(9, seq), fields);
    }
    check_all(&entries, &model);
    check_range(
        &entries,
        &model,
        id(9, 1),
        id(9, 3000),
        u64::MAX,
        &mut Unpacked::default(),
    );
}

/// Appends an entry with these values under the names `a` and `b`, without a look at the names if
/// that works.
fn append_like_last(entries: &mut Entries, ms: u64, values: [&[u8]; 2]) -> bool {
    let id = StreamId { ms, seq: 0 };
    let repeated = entries
        .append_like_last(id, values.into_iter(), NodeLimits::DEFAULT)
        .unwrap();
    if !repeated {
        let fields = [b"a".as_slice(), values[0], b"b", values[1]];
        entries
            .append(id, fields.into_iter(), NodeLimits::DEFAULT)
            .unwrap();
    }
    repeated
}

#[test]
fn entries_appended_like_the_last_are_those_that_name_their_fields() {
    let (mut fast, mut plain) = (Entries::new(), Entries::new());
    let mut repeated = 0;
    for ms in 1..2000 {
        let (one, two) = (vec![b'x'; ms as usize % 90], ms.to_string().into_bytes());
        repeated += u32::from(append_like_last(&mut fast, ms, [&one, &two]));
        let fields = [b"a".as_slice(), &one, b"b", &two];
        let id = StreamId { ms, seq: 0 };
        plain
            .append(id, fields.into_iter(), NodeLimits::DEFAULT)
            .unwrap();
        if ms % 500 == 0 {
            // After any change in between, the next entry names its fields.
            assert!(fast.delete(id) && plain.delete(id));
            assert!(!append_like_last(&mut fast.clone(), ms + 1, [b"1", b"2"]));
        }
    }
    assert!(repeated > 1800, "{repeated}");
    let all = |entries: &Entries| entries.iter().map(content).collect::<Vec<_>>();
    assert_eq!(all(&fast), all(&plain));
    assert_eq!(fast.chunk_count(), plain.chunk_count());
    let below = fast.append_like_last(
        StreamId { ms: 1, seq: 0 },
        [].into_iter(),
        NodeLimits::DEFAULT,
    );
    assert!(below.is_err());
    let id = StreamId { ms: 9999, seq: 0 };
    let fewer = fast.append_like_last(id, [b"1".as_slice()].into_iter(), NodeLimits::DEFAULT);
    assert_eq!(fewer, Ok(false));
}

#[test]
fn sequences_of_any_length_are_written_as_they_are() {
    let numbers = [
        0,
        1,
        9,
        10,
        99,
        100,
        999,
        1000,
        9999,
        10_000,
        10_001,
        123_456,
        u64::MAX,
    ];
    let times = [0, 7, 9_999, 10_000, 123_456, 1_790_000_000_000, u64::MAX];
    let mut entries = Entries::new();
    let mut expected = format!("*{}\r\n", times.len() * numbers.len() - 1);
    for ms in times {
        for seq in numbers {
            let id = StreamId { ms, seq };
            if id == StreamId::MIN {
                continue;
            }
            append(&mut entries, id, &[b"f", b"v"]);
            let text = id.to_string();
            let fields = "*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
            expected += &format!("*2\r\n${}\r\n{text}\r\n{fields}", text.len());
        }
    }
    let mut reply = Reply::new(Protocol::Resp2);
    reply.array(entries.len() as usize);
    let (first, last) = (StreamId::MIN, StreamId::MAX);
    entries.write_range(first, last, u64::MAX, &mut Unpacked::default(), &mut reply);
    assert_eq!(String::from_utf8_lossy(reply.as_bytes()), expected);
}

/// A stream of this many chunks at least, with values that get smaller when they are packed.
fn packable(chunks: usize) -> Entries {
    let mut entries = Entries::new();
    let mut seq = 0;
    while entries.chunk_count() < chunks {
        seq += 1;
        let value = format!(
            "{{\"order\":{},\"state\":\"shipped\"}}",
            seq * 7919 % 10_000
        );
        append(&mut entries, id(1, seq), &[b"event", value.as_bytes()]);
    }
    entries
}

fn packed(entries: &Entries) -> Vec<bool> {
    let slots = entries.blocks.iter().flat_map(|block| block.slots.iter());
    slots.map(|slot| slot.chunk.is_packed()).collect()
}

#[test]
fn full_chunks_are_packed_but_the_last_two() {
    let mut entries = packable(7);
    let before = entries.heap_bytes(0);
    let content_before: Vec<_> = entries.iter().map(content).collect();
    assert!(entries.wants_packing());
    entries.pack();
    assert!(!entries.wants_packing());
    assert_eq!(packed(&entries), [true, true, true, true, false, false]);
    assert!(entries.heap_bytes(0) < before * 3 / 4);
    let content_after: Vec<_> = entries.iter().map(content).collect();
    assert_eq!(content_after, content_before);
}

#[test]
fn a_change_makes_a_chunk_plain_until_it_is_packed_again() {
    let mut entries = packable(7);
    entries.pack();
    let second = entries.blocks[0].slots[1].first;
    assert!(entries.delete(second));
    assert_eq!(packed(&entries), [true, false, true, true, false, false]);
    entries.pack();
    assert_eq!(packed(&entries), [true, true, true, true, false, false]);
    assert!(!entries.contains(second));
}

#[test]
fn a_chunk_that_changes_while_it_is_packed_stays_plain() {
    let mut entries = packable(7);
    let mut jobs = entries.packing_jobs(3, StreamId::MAX);
    let first = entries.first_id().unwrap();
    assert!(entries.delete(first));
    let second = entries.blocks[0].slots[1].first;
    entries.remove_through(second);
    for job in &mut jobs {
        job.run();
        entries.finish_packing(job);
    }
    assert_eq!(packed(&entries)[..2], [false, true]);
    assert_eq!(entries.first_id(), second.next());
}

#[test]
fn the_first_two_chunks_of_a_trimmed_stream_are_plain() {
    let mut entries = packable(9);
    entries.pack();
    let third = entries.blocks[0].slots[2].first;
    entries.remove_through(third.previous().unwrap());
    assert_eq!(packed(&entries)[..4], [false, false, true, true]);
    let mut more = packable(6);
    more.remove_through(id(1, 1));
    more.pack();
    assert_eq!(packed(&more)[..3], [false, false, true]);
}

#[test]
fn an_id_of_any_width_is_written_as_its_text() {
    let edges = [
        0,
        1,
        9,
        10,
        99,
        100,
        9_999,
        10_000,
        10_001,
        99_999,
        100_000,
        1_699_999_999_999,
        1_700_000_000_000,
        u64::MAX - 1,
        u64::MAX,
    ];
    let (mut entries, mut model) = (Entries::new(), Model::new());
    let ids = edges.iter().flat_map(|&ms| edges.map(|seq| id(ms, seq)));
    for id in ids.filter(|&id| id > StreamId::MIN) {
        append(&mut entries, id, &[b"name", b"value"]);
        model.insert(id, vec![b"name".to_vec(), b"value".to_vec()]);
    }
    let mut reply = Reply::new(Protocol::Resp3);
    let (start, unpacked) = (reply.mark(), &mut Unpacked::default());
    entries.write_range(StreamId::MIN, StreamId::MAX, u64::MAX, unpacked, &mut reply);
    assert_eq!(reply.split_off(start).into_bytes(), resp(model.iter()));
}

#[test]
fn a_long_range_is_rendered_later_as_it_was() {
    let mut entries = numbered(20_000);
    // A large entry between and one at the end, which are referred to.
    let large = vec![b'x'; 70_000];
    append(
        &mut entries,
        id(2, 0),
        &[b"name", &large, b"other", b"short"],
    );
    for seq in 1..=20_000 {
        append(&mut entries, id(3, seq), &[b"name", b"value of the field"]);
    }
    append(&mut entries, id(4, 0), &[b"name", &large]);
    for seq in (5..20_000).step_by(7) {
        entries.delete(id(1, seq));
    }
    entries.pack();
    let mut model: Vec<_> = entries.iter().map(content).collect();
    let bytes: Vec<u8> = resp(model.iter().map(|(id, fields)| (id, fields)));
    model.reverse();
    let reverse: Vec<u8> = resp(model.iter().map(|(id, fields)| (id, fields)));
    let unpacked = &mut Unpacked::default();
    let mut replies = [0; 3].map(|_| Reply::new(Protocol::Resp2));
    let mut noted = Vec::new();
    let (min, max) = (StreamId::MIN, StreamId::MAX);
    let note = |id| noted.push(id);
    let counts = [
        entries.write_range(min, max, u64::MAX, unpacked, &mut replies[0]),
        entries.write_range_noting(min, max, u64::MAX, unpacked, &mut replies[1], note),
        entries.write_range_reverse(min, max, u64::MAX, &mut replies[2]),
    ];
    assert_eq!(counts, [entries.len(); 3]);
    assert!(noted.iter().rev().eq(model.iter().map(|(id, _)| id)));
    for reply in &replies {
        let copied_max = DEFERRED_BYTES_MIN + large.len();
        assert!(
            reply.has_pieces() && reply.copied() < copied_max,
            "{}",
            reply.copied()
        );
        // An estimate by those that were written at once; a large one was among those of the last.
        assert!(reply.len() > bytes.len() / 2);
    }
    // What happens to the stream meanwhile changes nothing.
    append(&mut entries, id(5, 0), &[b"name", b"value"]);
    entries.delete(id(3, 19_000));
    entries.remove_through(id(3, 10_000));
    let [up, noting, down] = replies.map(Reply::into_bytes);
    assert!(up == bytes && noting == bytes && down == reverse);
}

#[test]
fn a_chunk_that_is_read_in_steps_is_unpacked_once() {
    let mut entries = packable(7);
    entries.pack();
    let mut unpacked = Unpacked::default();
    let mut open = || match entries.open_in(Place::FIRST, &mut unpacked) {
        Some(Opened::Own(chunk)) => chunk,
        _ => panic!("the first chunk is plain"),
    };
    assert!(Arc::ptr_eq(&open(), &open()));
}

#[test]
fn chunks_that_do_not_get_smaller_are_tried_ever_more_seldom() {
    let mut entries = Entries::new();
    let mut state = 1_u64;
    for seq in 1..=20_000 {
        let mut value = [0; 64];
        for bytes in value.chunks_mut(8) {
            state = (state ^ seq)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29);
            bytes.copy_from_slice(&state.to_le_bytes());
        }
        append(&mut entries, id(1, seq), &[b"noise", &value]);
    }
    let chunks = entries.chunk_count();
    let mut tried = 0;
    while entries.wants_packing() {
        for mut job in entries.packing_jobs(1, StreamId::MAX) {
            tried += 1;
            job.run();
            entries.finish_packing(&mut job);
        }
    }
    assert!(packed(&entries).iter().all(|is_packed| !is_packed));
    assert!(tried < chunks / 8, "{tried} of {chunks}");
}

#[test]
fn a_search_that_jumps_about_unpacks_a_chunk_once() {
    let mut entries = packable(7);
    entries.pack();
    let slots = &entries.blocks[0].slots;
    let (low, high) = (slots[0].first, slots[2].first);
    let mut look = entries.look_up();
    let value_at = |entry: &Option<EntryRef<'_>>| {
        let (_, value) = entry.as_ref().unwrap().fields().next().unwrap();
        value.as_ptr() as usize
    };
    // What it holds is not unpacked into other memory.
    let held = [look.entry(high), look.entry(low)];
    let before = held.each_ref().map(value_at);
    for _ in 0..3 {
        let again = [look.entry(high), look.entry(low)];
        assert_eq!(again.each_ref().map(value_at), before);
    }
    let ids: Vec<StreamId> = entries.iter().map(|entry| entry.id()).collect();
    let mut shuffled: Vec<StreamId> = ids.iter().rev().copied().collect();
    shuffled.rotate_left(ids.len() / 3);
    shuffled.push(id(9, 9));
    let found = entries.contain(&shuffled);
    assert!(found[..ids.len()].iter().all(|found| *found) && !found[ids.len()]);
}
